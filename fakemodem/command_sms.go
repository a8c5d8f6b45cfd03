package fakemodem

import (
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Message commands (3GPP TS 27.005).
func init() {
	add(table{
		"+CSMS": {run: messageService, test: "(0,1)"},
		"+CMGF": {run: messageFormat, test: "(0,1)"},
		"+CSDH": {run: showDetails, test: "(0,1)"},
		"+CSCS": {run: characterSet, own: true},
		"+CSCA": {run: serviceCentre, sim: true},
		"+CSMP": {run: textParameters},
		"+CPMS": {run: preferredStorage, own: true, sim: true},
		"+CNMI": {run: newMessages, test: "(0,1,2,3),(0,1,2,3),(0,2),(0,1,2),(0,1)"},
		"+CMGS": {run: sendMessage, sim: true},
		"+CMGW": {run: writeMessage, sim: true},
		"+CMSS": {run: sendStored, sim: true},
		"+CMGR": {run: readMessage, sim: true},
		"+CMGL": {run: listMessages, own: true, sim: true},
		"+CMGD": {run: deleteMessage, own: true, sim: true},
		"+CNMA": {run: acknowledge, own: true},
	})
}

func messageService(c *Call) Result {
	g := &c.m.messages
	switch c.Op {
	case Read:
		c.Info(fmt.Sprintf("+CSMS: %d,1,1,1", g.service))
	case Set:
		k := c.between(0, 0, 1, 0)
		if !c.bad {
			g.service = k
			c.Info("+CSMS: 1,1,1")
		}
	}
	return OK
}

func messageFormat(c *Call) Result {
	return flag(c, &c.m.messages.text)
}

func showDetails(c *Call) Result {
	return flag(c, &c.m.messages.details)
}

// flag is a setting with the values 0 and 1.
func flag(c *Call, b *bool) Result {
	switch c.Op {
	case Read:
		k := 0
		if *b {
			k = 1
		}
		c.Info(fmt.Sprintf("%s: %d", c.Name, k))
	case Set:
		k := c.between(0, 0, 1, 0)
		if !c.bad {
			*b = k == 1
		}
	default:
		*b = false
	}
	return OK
}

// characterSet is AT+CSCS (3GPP TS 27.007 clause 5.5).
func characterSet(c *Call) Result {
	switch c.Op {
	case Test:
		c.Info(`+CSCS: ("` + strings.Join(c.m.kind.charsets(), `","`) + `")`)
	case Read:
		c.Info(fmt.Sprintf(`+CSCS: "%s"`, c.m.messages.charset))
	case Set:
		want := strings.ToUpper(c.text(0, ""))
		for _, name := range c.m.kind.charsets() {
			if name == want {
				c.m.messages.charset = want
				return OK
			}
		}
		return CME(cmeInvalidParam)
	}
	return OK
}

func (k *Personality) charsets() []string {
	if k.Charsets == nil {
		return []string{"IRA", "GSM", "UCS2", "HEX"}
	}
	return k.Charsets
}

func serviceCentre(c *Call) Result {
	switch c.Op {
	case Read:
		kind := typeNational
		if strings.HasPrefix(c.m.sim.center, "+") {
			kind = typeWorldwide
		}
		c.Info(fmt.Sprintf(`+CSCA: "%s",%d`, c.m.inCharset(c.m.sim.center), kind))
	case Set:
		number := c.m.fromCharset(c.text(0, ""))
		if number != "" && c.number(1, 0) == typeWorldwide && number[0] != '+' {
			number = "+" + number
		}
		if !isDialable(number) {
			return CMS(cmsInvalidTextParam)
		}
		c.m.sim.center = number
	}
	return OK
}

// isDialable: digits with an optional plus sign.
func isDialable(s string) bool {
	s = strings.TrimPrefix(s, "+")
	return len(s) <= 20 && strings.Trim(s, "0123456789*#") == ""
}

func textParameters(c *Call) Result {
	g := &c.m.messages
	switch c.Op {
	case Read:
		c.Info(fmt.Sprintf("+CSMP: %d,%s,%d,%d", g.params[0], or(g.until, strconv.Itoa(g.params[1])), g.params[2], g.params[3]))
	case Set:
		next, until := g.params, ""
		if args := c.values(); len(args) > 1 && args[1].quoted { // an absolute validity
			if until = args[1].text; stampOctets(until) == nil {
				return CMS(cmsInvalidTextParam)
			}
		}
		for i := range next {
			if i != 1 || until == "" {
				next[i] = c.between(i, 0, 255, next[i])
			}
		}
		if !c.bad {
			g.params, g.until = next, until
		}
	}
	return OK
}

// preferredStorage is AT+CPMS (clause 3.2.2).
func preferredStorage(c *Call) Result {
	g := &c.m.messages
	switch c.Op {
	case Test:
		var names []string
		for _, s := range c.m.kind.storages() {
			names = append(names, `"`+s.Name+`"`)
		}
		list := "(" + strings.Join(names, ",") + ")"
		c.Info("+CPMS: " + c.m.kind.test("+CPMS", list+","+list+","+list))
	case Read:
		var fields []string
		for _, name := range g.memory {
			fields = append(fields, fmt.Sprintf(`"%s",%d,%d`, name, len(g.stores[name]), c.m.size(name)))
		}
		c.Info("+CPMS: " + strings.Join(fields, ","))
	case Set:
		next := g.memory
		for i := range min(c.count(), 3) {
			name := strings.ToUpper(c.text(i, next[i]))
			if c.m.size(name) == 0 {
				return CMS(cmsNotAllowed)
			}
			next[i] = name
		}
		wasFull := len(g.stores[g.memory[2]]) >= c.m.size(g.memory[2])
		g.memory = next
		if wasFull { // there may be room again: RP-SMMA, 3GPP TS 23.040 clause 3.3.3
			c.m.n.smsc.reachable(c.m)
		}
		var fields []string
		for _, name := range g.memory {
			fields = append(fields, fmt.Sprintf("%d,%d", len(g.stores[name]), c.m.size(name)))
		}
		c.Info("+CPMS: " + strings.Join(fields, ","))
	}
	return OK
}

func newMessages(c *Call) Result {
	g := &c.m.messages
	switch c.Op {
	case Read:
		n := g.notice
		c.Info(fmt.Sprintf("+CNMI: %d,%d,%d,%d,%d", n[0], n[1], n[2], n[3], n[4]))
	case Set:
		next := g.notice
		for i, allowed := range c.m.kind.noticeRanges() {
			next[i] = c.between(i, 0, 3, next[i])
			if strings.IndexByte(allowed, byte('0'+next[i])) < 0 {
				return c.m.kind.badNotice()
			}
		}
		if c.bad {
			return c.m.kind.badNotice()
		}
		g.notice = next
	default:
		g.notice = [5]int{}
	}
	return OK
}

func (k *Personality) badNotice() Result { return CMS(cmsNotAllowed) }

// noticeRanges are the values that +CNMI takes, from the answer to +CNMI=?.
func (k *Personality) noticeRanges() [5]string {
	ranges := [5]string{}
	groups := strings.Split(strings.Trim(k.test("+CNMI", "(0,1,2,3),(0,1,2,3),(0,2),(0,1,2),(0,1)"), "()"), "),(")
	for i := range ranges {
		if i >= len(groups) {
			ranges[i] = "0123"
			continue
		}
		if low, high, ok := strings.Cut(groups[i], "-"); ok && len(low) == 1 && len(high) == 1 {
			for d := low[0]; d <= high[0]; d++ {
				ranges[i] += string(rune(d))
			}
			continue
		}
		ranges[i] = groups[i]
	}
	return ranges
}

// sendMessage is AT+CMGS (clauses 3.5.1 and 4.3).
func sendMessage(c *Call) Result {
	if c.Op != Set {
		return c.badForm()
	}
	if c.m.messages.text {
		return c.sendText(func(tpdu []byte) Result { return c.submit("+CMGS", tpdu) })
	}
	return c.sendPDU(func(tpdu []byte) Result { return c.submit("+CMGS", tpdu) })
}

// badForm is the answer to a message command in a form that it does not have.
func (c *Call) badForm() Result {
	if c.Op == Test {
		return OK
	}
	return CMS(cmsInvalidPDUParam)
}

// sendPDU prompts for a PDU whose TPDU has the length that the command told.
func (c *Call) sendPDU(send func(tpdu []byte) Result) Result {
	length := c.between(0, 1, 232, -1)
	if c.bad || length < 0 {
		return CMS(cmsInvalidPDUParam)
	}
	return c.askText(2*(255+12), false, func(data []byte) Result {
		text := strings.Map(func(r rune) rune {
			if r == ' ' || r == '\r' || r == '\n' {
				return -1
			}
			return r
		}, string(data))
		pdu, err := hex.DecodeString(text)
		if err != nil || len(pdu) < 1 || len(pdu) != 1+int(pdu[0])+length {
			return CMS(cmsInvalidPDUParam)
		}
		return send(pdu[1+int(pdu[0]):])
	})
}

// submit hands a TPDU to the network and answers with its reference.
func (c *Call) submit(name string, tpdu []byte) Result {
	m := c.m
	switch {
	case m.sim.center == "":
		return CMS(cmsSMSCUnknown)
	case !isRegistered(m.radio.circuit):
		return CMS(cmsNoNetwork)
	}
	tpdu = append([]byte(nil), tpdu...)
	if len(tpdu) > 1 {
		m.messages.reference++
		tpdu[1] = m.messages.reference
	}
	code := 0
	return c.later(m.n.scale(2*time.Second), func() Result {
		if !isRegistered(m.radio.circuit) {
			return CMS(cmsNetworkTimeout)
		}
		if code := m.faults.refusal(name); code != 0 {
			return CMS(code)
		}
		number := m.sim.number
		code = m.n.smsc.submit(number, tpdu, func(report []byte) { m.n.smsc.send(number, report) })
		if code != 0 {
			return CMS(code)
		}
		c.Info(fmt.Sprintf("%s: %d", name, tpdu[1]))
		m.n.smsc.reachable(m) // the network knows now where the modem is
		return OK
	})
}

// writeMessage is AT+CMGW (clause 3.5.3): it stores a draft.
func writeMessage(c *Call) Result {
	if c.Op == Test {
		return OK
	}
	keep := func(tpdu []byte) Result {
		index, ok := c.m.put(c.m.messages.memory[1], &storedMessage{state: stoUnsent, pdu: append([]byte(nil), tpdu...)})
		if !ok {
			return CMS(cmsMemoryFull)
		}
		c.Info(fmt.Sprintf("+CMGW: %d", index))
		return OK
	}
	if c.m.messages.text {
		return c.sendText(keep)
	}
	return c.sendPDU(keep)
}

// sendStored is AT+CMSS (clause 3.5.2).
func sendStored(c *Call) Result {
	msg := c.m.stored2(c.number(0, -1))
	if msg == nil || msg.state < stoUnsent {
		return CMS(cmsInvalidIndex)
	}
	msg.state = stoSent
	return c.submit("+CMSS", msg.pdu)
}

// stored2 is a message in the storage for writing and sending.
func (m *Modem) stored2(index int) *storedMessage {
	return m.messages.stores[m.messages.memory[1]][index]
}

// readMessage is AT+CMGR (clauses 3.4.3 and 4.2).
func readMessage(c *Call) Result {
	g := &c.m.messages
	index := c.number(0, -1)
	if c.Op != Set {
		return c.badForm()
	}
	first := c.m.kind.firstIndex()
	if c.bad || index < first || index >= first+c.m.size(g.memory[0]) {
		return CMS(cmsInvalidIndex)
	}
	msg := g.stores[g.memory[0]][index]
	if msg == nil {
		return c.m.kind.EmptySlot
	}
	c.Info("+CMGR: " + c.m.storedText(msg))
	if msg.state == recUnread && c.number(1, 0) == 0 {
		msg.state = recRead
	}
	return OK
}

// listMessages is AT+CMGL (clauses 3.4.2 and 4.1).
func listMessages(c *Call) Result {
	g := &c.m.messages
	if c.Op == Test {
		if g.text {
			c.Info(`+CMGL: ("REC UNREAD","REC READ","STO UNSENT","STO SENT","ALL")`)
		} else {
			c.Info("+CMGL: (0-4)")
		}
		return OK
	}
	want, ok := c.listState()
	if !ok {
		return CMS(cmsInvalidPDUParam)
	}
	slots := g.stores[g.memory[0]]
	for _, index := range sortedKeys(slots) {
		msg := slots[index]
		if want != anyState && msg.state != want {
			continue
		}
		c.Info(fmt.Sprintf("+CMGL: %d,", index) + c.m.storedText(msg))
		if msg.state == recUnread && c.number(1, 0) == 0 {
			msg.state = recRead
		}
	}
	return OK
}

// listState is which messages +CMGL lists; the preset is unread ones.
func (c *Call) listState() (int, bool) {
	if c.Op != Set {
		return recUnread, true
	}
	if !c.m.messages.text {
		k := c.between(0, 0, 4, 0)
		return k, !c.bad
	}
	for i, name := range stateNames {
		if strings.EqualFold(name, c.text(0, "")) {
			return i, true
		}
	}
	return 0, false
}

func sortedKeys(slots map[int]*storedMessage) []int {
	var keys []int
	for k := range slots {
		keys = append(keys, k)
	}
	sort.Ints(keys)
	return keys
}

// deleteMessage is AT+CMGD (clause 3.5.4).
func deleteMessage(c *Call) Result {
	g := &c.m.messages
	slots := g.stores[g.memory[0]]
	if c.Op == Test {
		var list []string
		for _, k := range sortedKeys(slots) {
			list = append(list, strconv.Itoa(k))
		}
		c.Info("+CMGD: (" + strings.Join(list, ",") + "),(0-4)")
		return OK
	}
	index, which := c.number(0, -1), c.between(1, 0, 4, 0)
	first := c.m.kind.firstIndex()
	if c.bad || c.Op != Set || which == 0 && (index < first || index >= first+c.m.size(g.memory[0])) {
		return CMS(cmsInvalidIndex)
	}
	wasFull := len(g.stores[g.memory[2]]) >= c.m.size(g.memory[2])
	if which == 0 {
		if slots[index] == nil {
			return c.m.kind.EmptySlot
		}
		delete(slots, index)
	}
	for k, msg := range slots {
		if which > 0 && deletes(which, msg.state) {
			delete(slots, k)
		}
	}
	if wasFull {
		c.m.n.smsc.reachable(c.m) // RP-SMMA, 3GPP TS 23.040 clause 3.3.3
	}
	return OK
}

// deletes tells whether a delflag of +CMGD takes messages of a state.
func deletes(which, state int) bool {
	switch state {
	case recRead:
		return true
	case stoSent:
		return which >= 2
	case stoUnsent:
		return which >= 3
	}
	return which == 4
}

// acknowledge is AT+CNMA (clauses 3.4.4 and 4.7).
func acknowledge(c *Call) Result {
	g := &c.m.messages
	if c.Op == Test {
		if !g.text {
			c.Info("+CNMA: (0-2)")
		}
		return OK
	}
	if g.service == 0 {
		return CMS(cmsNotAllowed)
	}
	kind := c.between(0, 0, 2, 0)
	if c.bad {
		return CMS(cmsInvalidPDUParam)
	}
	settle := func() Result {
		if !g.settle(c.m, kind != 2) {
			return CMS(cmsNoCNMAExpected)
		}
		return OK
	}
	if c.given(1) && !g.text {
		return c.askText(2*180, false, func([]byte) Result { return settle() })
	}
	return settle()
}
