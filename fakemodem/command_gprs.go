package fakemodem

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Packet domain commands (3GPP TS 27.007 clause 10).
func init() {
	add(table{
		"+CGDCONT":   {run: defineContext, test: "(1-16),\"IP\",,,(0-2),(0-4)\r\n+CGDCONT: (1-16),\"IPV6\",,,(0-2),(0-4)\r\n+CGDCONT: (1-16),\"IPV4V6\",,,(0-2),(0-4)"},
		"+CGACT":     {run: activateContext, test: "(0,1)", sim: true},
		"+CGPADDR":   {run: contextAddress, own: true},
		"+CGCONTRDP": {run: contextParameters, own: true},
		"+CGDATA":    {run: enterData, test: `("PPP")`, sim: true},
		"+CGAUTH":    {run: contextAuth, test: "(1-16),(0-2),,"},
		"+CGEREP":    {run: numericSetting("(0-2),(0,1)", 2, func(s *settings) *int { return &s.events }), own: true},
		"+CGCLASS":   {run: func(c *Call) Result { return keepValue(c, Parameter{Preset: `"B"`, Test: `("B","CG","CC")`}) }, own: true, kept: true},
		"+CGQREQ":    accepted,
		"+CGQMIN":    accepted,
		"D":          {run: dialCommand, sim: true},
		"H":          {run: hangUp},
		"O":          {run: goOnline},
	})
}

func defineContext(c *Call) Result {
	k := &c.m.contexts
	switch c.Op {
	case Read:
		for _, id := range k.ids() {
			d := k.defs[id]
			c.Info(fmt.Sprintf(`+CGDCONT: %d,"%s","%s","%s",0,0`, id, d.kind, d.apn, strings.Join(d.shown(false), ".")))
		}
		return OK
	case Set:
	default:
		return CME(cmeInvalidParam)
	}
	id := c.between(0, 1, maxContexts, 1)
	if c.bad {
		return CME(cmeInvalidParam)
	}
	if c.count() == 1 {
		delete(k.defs, id)
		return OK
	}
	kind := strings.ToUpper(c.text(1, "IP"))
	if !strings.Contains(c.m.kind.test(c.Name, commands[c.Name].test), `"`+kind+`"`) {
		return CME(cmeInvalidParam)
	}
	if len(c.text(2, "")) > 100 {
		return CME(cmeTextTooLong)
	}
	k.define(id, kind, c.text(2, ""))
	return OK
}

// contextAuth is AT+CGAUTH (clause 10.1.31).
func contextAuth(c *Call) Result {
	if c.Op == Read {
		for _, id := range c.m.contexts.ids() {
			d := c.m.contexts.defs[id]
			c.Info(fmt.Sprintf(`+CGAUTH: %d,%d,"%s"`, id, d.auth, d.user))
		}
		return OK
	}
	id, kind := c.between(0, 1, maxContexts, 1), c.between(1, 0, 3, 0)
	if c.bad || c.Op != Set {
		return CME(cmeInvalidParam)
	}
	d := c.m.contexts.get(id)
	user, password := c.text(2, ""), c.text(3, "")
	if c.m.kind.PasswordFirst {
		user, password = password, user
	}
	d.auth, d.user, d.password = kind, user, password
	return OK
}

func activateContext(c *Call) Result {
	k := &c.m.contexts
	if c.Op == Read {
		for _, id := range k.ids() {
			on := 0
			if k.defs[id].active {
				on = 1
			}
			c.Info(fmt.Sprintf("+CGACT: %d,%d", id, on))
		}
		return OK
	}
	on, id := c.between(0, 0, 1, 1), c.between(1, 1, maxContexts, 1)
	if c.bad || c.Op != Set {
		return CME(cmeInvalidParam)
	}
	if on == 0 {
		for _, d := range k.ids() {
			if d == id || !c.given(1) {
				k.deactivate(k.defs[d], errHungUp)
			}
		}
		return OK
	}
	return c.later(c.m.n.scale(time.Second), func() Result { return k.activate(k.get(id)) })
}

// contextAddress is AT+CGPADDR (clause 10.1.14).
func contextAddress(c *Call) Result {
	if c.Op == Test {
		c.Info("+CGPADDR: (" + joinNumbers(c.m.contexts.ids()) + ")")
		return OK
	}
	colons := strings.HasPrefix(c.m.params["+CGPIAF"], "1")
	for _, id := range c.m.contexts.ids() {
		d := c.m.contexts.defs[id]
		if c.Op == Set && c.number(0, id) != id {
			continue
		}
		c.Info(fmt.Sprintf(`+CGPADDR: %d,"%s"`, id, strings.Join(d.shown(colons), `","`)))
	}
	return OK
}

// contextParameters is AT+CGCONTRDP (clause 10.1.23): a line for each version
// of IP of each active context.
func contextParameters(c *Call) Result {
	k := &c.m.contexts
	if c.Op == Test {
		var active []int
		for _, id := range k.ids() {
			if k.defs[id].active {
				active = append(active, id)
			}
		}
		c.Info("+CGCONTRDP: (" + joinNumbers(active) + ")")
		return OK
	}
	for _, id := range k.ids() {
		d := k.defs[id]
		if !d.active || c.Op == Set && c.number(0, id) != id {
			continue
		}
		apn, _ := c.m.n.gateway.access(d.apn)
		if d.addr.IsValid() {
			c.Info(parametersLine(d, d.addr, gatewayAddr, orServers(apn.DNS, gatewayAddr)))
		}
		if d.addr6.IsValid() {
			c.Info(parametersLine(d, d.addr6, gatewayAddr6, []netip.Addr{gatewayAddr6}))
		}
	}
	return OK
}

func orServers(servers []netip.Addr, preset netip.Addr) []netip.Addr {
	if servers == nil {
		return []netip.Addr{preset}
	}
	return servers
}

// parametersLine is a line of +CGCONTRDP: the mask of a point-to-point link is
// all ones, that of IPv6 the prefix.
func parametersLine(d *packetContext, addr, router netip.Addr, servers []netip.Addr) string {
	mask := strings.Repeat(".255", addr.BitLen()/8)
	if addr.Is6() {
		mask = strings.Repeat(".255", pool6Bits/8) + strings.Repeat(".0", 16-pool6Bits/8)
	}
	dns := [2]string{}
	for i := range min(len(servers), 2) {
		dns[i] = dotted(servers[i])
	}
	return fmt.Sprintf(`+CGCONTRDP: %d,%d,"%s","%s%s","%s","%s","%s"`, d.id, 4+d.id, d.apn, dotted(addr), mask, dotted(router), dns[0], dns[1])
}

func joinNumbers(numbers []int) string {
	var out []string
	for _, k := range numbers {
		out = append(out, strconv.Itoa(k))
	}
	return strings.Join(out, ",")
}

// dialCommand is ATD: *99# and its kin for data, anything else for voice.
func dialCommand(c *Call) Result {
	number := strings.TrimLeft(strings.ToUpper(c.Text), "TP ")
	if id, ok := dialledContext(number); ok {
		return c.connect(id)
	}
	return c.dialVoice(number)
}

// dialledContext reads *99[*[<address>]*[<L2P>][*<cid>]]# (3GPP TS 27.007
// clause 10.2.1) and *98.
func dialledContext(number string) (id int, ok bool) {
	number = strings.TrimSuffix(number, ";")
	if number == "#777" { // CDMA packet data
		return 1, true
	}
	body, ended := strings.CutSuffix(number, "#")
	if !ended || !strings.HasPrefix(body, "*9") {
		return 0, false
	}
	fields := strings.Split(body, "*")
	if len(fields) < 2 || fields[1] != "99" && fields[1] != "98" {
		return 0, false
	}
	id = 1
	if last := fields[len(fields)-1]; len(fields) > 2 && last != "" {
		v, err := strconv.Atoi(last)
		if err != nil || v < 1 || v > maxContexts {
			return 0, false
		}
		id = v
	}
	return id, true
}

// enterData is AT+CGDATA (clause 10.1.12).
func enterData(c *Call) Result {
	if kind := c.text(0, "PPP"); !strings.EqualFold(kind, "PPP") {
		return CME(cmeNotSupported)
	}
	id := c.between(1, 1, maxContexts, 1)
	if c.bad {
		return CME(cmeInvalidParam)
	}
	return c.connect(id)
}

// connect activates a context and puts the port into data mode.
func (c *Call) connect(id int) Result {
	m := c.m
	d := m.contexts.get(id)
	if d.call != nil || c.p.calls != nil {
		return NoCarrier
	}
	c.abort = func() {
		m.n.cancel(c.wait)
		c.finish(NoCarrier)
	}
	return c.later(m.n.scale(700*time.Millisecond), func() Result {
		c.abort = nil
		if r := m.contexts.activate(d); r.kind != kindOK {
			return NoCarrier
		}
		c.attach = func() { m.n.gateway.call(c.p, d) }
		return Result{kind: kindConnect, text: c.connectText()}
	})
}

// connectText: ATX0 shows CONNECT alone (ITU-T V.250 clause 6.2.7).
func (c *Call) connectText() string {
	if rate := c.m.kind.ConnectText; rate != "" && c.p.set.extent > 0 {
		return "CONNECT " + rate
	}
	return "CONNECT"
}

// hangUp is ATH.
func hangUp(c *Call) Result {
	hangUpVoice(c)
	if s := c.p.calls; s != nil {
		c.p.calls = nil
		s.end(errHungUp)
	}
	return OK
}

// goOnline is ATO.
func goOnline(c *Call) Result {
	if c.p.calls == nil {
		return NoCarrier
	}
	c.attach = c.p.resume
	return Result{kind: kindConnect, text: c.connectText()}
}
