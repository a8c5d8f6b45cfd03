package fakemodem

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// Sockets of SIM800: "SIM800 Series AT Command Manual V1.12", chapter 8, in
// multi-connection mode. The service counts: 0 IP INITIAL, 1 IP START, 2 IP
// GPRSACT, 3 IP STATUS.
func init() {
	socketDialects[SocketsSIM800] = &socketDialect{
		ids:     6,
		refuses: true,
		commands: table{
			"+CIPSHUT":   {run: cipShut},
			"+CIPMUX":    {run: cipMode, test: "(0,1)"},
			"+CIPQSEND":  {run: cipMode, test: "(0,1)"},
			"+CIPRXGET":  {run: cipRxGet, own: true},
			"+CSTT":      {run: cipTask},
			"+CIICR":     {run: cipActivate, sim: true},
			"+CIFSR":     {run: cipAddress},
			"+CIPSSL":    {run: cipSSL, test: "(0,1)"},
			"+CIPSTART":  {run: cipStart},
			"+CIPSEND":   {run: cipSend},
			"+CIPCLOSE":  {run: cipClose},
			"+CIPSTATUS": {run: cipStatus},
			"+CDNSGIP":   {run: cipName},
		},
		ready:  func(k *modemSocket) string { return fmt.Sprintf("+CIPRXGET: 1,%d", k.id) },
		closed: func(k *modemSocket) string { return fmt.Sprintf("%d, CLOSED", k.id) },
	}
}

func cipShut(c *Call) Result {
	c.m.sockets.deactivate(c.m, 1)
	return Final("SHUT OK")
}

// cipMode keeps what is set, but +CIPMUX only while nothing runs.
func cipMode(c *Call) Result {
	if c.Op == Set && c.Name == "+CIPMUX" && c.m.sockets.service > 0 {
		return CME(cmeNotAllowed)
	}
	return keepValue(c, Parameter{Preset: "0"})
}

func cipTask(c *Call) Result {
	if c.m.sockets.service != 0 {
		return CME(cmeNotAllowed)
	}
	c.m.contexts.define(1, "IP", c.text(0, ""))
	c.m.sockets.service = 1
	return OK
}

func cipActivate(c *Call) Result {
	s := &c.m.sockets
	if s.service != 1 {
		return CME(cmeNotAllowed)
	}
	r := s.activate(c, 1)
	if r.kind == kindOK {
		s.service = 2
	}
	return r
}

// cipAddress prints the address and no result code.
func cipAddress(c *Call) Result {
	if c.m.sockets.service < 2 {
		return CME(cmeNotAllowed)
	}
	c.m.sockets.service = 3
	c.Info(c.m.contexts.get(1).local().String())
	if c.p.exec.next < len(c.p.exec.parts) {
		return OK // of a command line only the last result is printed
	}
	return Silent
}

func cipStart(c *Call) Result {
	s := &c.m.sockets
	id, port := c.between(0, 0, 5, 0), c.between(3, 1, 65535, 0)
	if c.bad || c.Op != Set || c.count() < 4 {
		return CME(cmeInvalidParam)
	}
	if s.service < 3 {
		return CME(cmeNotAllowed)
	}
	if s.list[id] != nil {
		c.m.after(0, func() { c.m.notify(fmt.Sprintf("%d, ALREADY CONNECT", id)) })
		return ERROR
	}
	k := s.create(c.m, id, strings.ToLower(c.text(1, "TCP")))
	k.host, k.port = c.text(2, ""), port
	if k.network == "tcp" && s.secure != nil {
		if s.oneSecure() {
			k.close()
			return CME(cmeNotAllowed)
		}
		k.tls = new(tlsProfile) // whoever the server is
	}
	if takeFault(&s.faults.StaleReady) {
		c.m.after(0, func() { c.m.notify("+CIPRXGET: 1,5") })
	}
	k.connect(func(err error) {
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			k.close()
			c.m.notify(fmt.Sprintf("%d, CONNECT FAIL", id))
			return
		}
		c.m.notify(fmt.Sprintf("%d, CONNECT OK", id))
	})
	return OK
}

// cipSSL turns TLS on for the connections that are opened from now on. SIM900
// has none.
func cipSSL(c *Call) Result {
	s := &c.m.sockets
	switch {
	case strings.HasPrefix(c.m.kind.Name, "SIM900"):
		return ERROR
	case c.Op == Read:
		c.Info(fmt.Sprintf("+CIPSSL: %d", len(s.secure)))
	case c.between(0, 0, 1, 0) == 1:
		s.profile(0)
	default:
		s.secure = nil
	}
	return OK
}

// oneSecure tells whether the one TLS session is in use.
func (s *socketSet) oneSecure() bool {
	for _, k := range s.list {
		if k.tls != nil {
			return true
		}
	}
	return false
}

func cipSend(c *Call) Result {
	id, size := c.between(0, 0, 5, 0), c.between(1, 1, 1460, 0)
	k := c.m.sockets.list[id]
	if c.bad || c.Op != Set || k == nil || !k.connected() || k.eof || c.m.sockets.tooLong(size) {
		return ERROR
	}
	return c.prompted("\r\n> ", size, func(data []byte) Result {
		return k.send(c, data, func(taken int, err error) Result {
			if err != nil || taken == 0 {
				return Final(fmt.Sprintf("%d, SEND FAIL", id))
			}
			return Final(fmt.Sprintf("DATA ACCEPT:%d,%d", id, taken))
		})
	})
}

func cipRxGet(c *Call) Result {
	if c.Op != Set {
		return keepValue(c, Parameter{Preset: "0", Test: "(0-4),(0-5),(1-1460)"})
	}
	mode := c.between(0, 0, 4, 0)
	if mode < 2 {
		return keepValue(c, Parameter{})
	}
	id := c.between(1, 0, 9, 0)
	k := c.m.sockets.list[id]
	if c.bad || k == nil || mode == 3 {
		return ERROR
	}
	if mode == 4 {
		c.Info(fmt.Sprintf("+CIPRXGET: 4,%d,%d", id, k.size))
		return OK
	}
	data, _ := k.take(c.between(2, 1, 1500, 1460))
	return c.block(fmt.Sprintf("+CIPRXGET: 2,%d,%d,%d\r\n", id, len(data), k.size), data, "")
}

func cipClose(c *Call) Result {
	id := c.between(0, 0, 5, 0)
	k := c.m.sockets.list[id]
	if k == nil {
		return ERROR
	}
	eof := k.eof
	k.close()
	if eof {
		return ERROR // it had been closed already
	}
	return Final(fmt.Sprintf("%d, CLOSE OK", id))
}

func cipStatus(c *Call) Result {
	id := c.between(0, 0, 5, 0)
	k := c.m.sockets.list[id]
	if c.Op != Set {
		return OK
	}
	state := "INITIAL"
	switch {
	case k == nil:
		c.Info(fmt.Sprintf(`+CIPSTATUS: %d,,"","","","%s"`, id, state))
		return OK
	case k.eof:
		state = "CLOSED"
	case !k.connected():
		state = "CONNECTING"
	default:
		state = "CONNECTED"
	}
	c.Info(fmt.Sprintf(`+CIPSTATUS: %d,0,"%s","%s","%d","%s"`, id, strings.ToUpper(k.network), k.host, k.port, state))
	return OK
}

// cipName answers behind the OK.
func cipName(c *Call) Result {
	name := c.text(0, "")
	c.resolve(name, func(addr string, ok bool) {
		line := fmt.Sprintf(`+CDNSGIP: 1,"%s","%s"`, name, addr)
		if !ok {
			line = "+CDNSGIP: 0,8"
		}
		c.m.after(0, func() { c.m.notify(line) })
	})
	return OK
}
