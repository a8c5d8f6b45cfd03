package fakemodem

import (
	"bytes"
	"strings"
	"time"
)

// Section G of the catalogue: packet data. Faults of the sockets inside a
// modem are looked up by the sockets themselves (faultSet.has).
var faultsG = []faultKind{
	faultKind{id: "F66", name: "the network ends the packet context and says so", times: 1,
		start: func(x *injected) { x.once(x.m.contexts.lose) }},
	faultKind{id: "F67", name: "the packet context is gone without a word", times: 1,
		start: func(x *injected) { x.once(x.m.contexts.loseSilently) }},
	faultKind{id: "F68", name: "a data call carries nothing, or one way only", uses: "Text: the dead way: both (preset), up or down",
		start: func(x *injected) {
			x.packet = func(up bool, _ int) bool {
				return (x.Text == "" || x.Text == "both" || up == (x.Text == "up")) && x.strikes()
			}
		}},
	faultKind{id: "F69", name: "PPP dies in the network phase", times: 1,
		start: func(x *injected) { x.output = x.atIPCP }},
	faultKind{id: "F70", name: "NO CARRIER among the octets of a data call that goes on", uses: "Text: preset NO CARRIER", times: 1,
		start: func(x *injected) {
			x.once(func() { x.m.port.write([]byte("\r\n" + or(x.Text, "NO CARRIER") + "\r\n")) })
		}},
	faultKind{id: "F71", name: "+++ is ignored", uses: "Times: preset 2", times: 2,
		start: func(x *injected) { x.escape = x.strikes }},
	faultKind{id: "F72", name: "the modem leaves data mode by itself behind CONNECT", uses: "Delay: preset 200 ms", on: "*", perCommand: true, times: 1,
		start: func(x *injected) {
			x.hooks.answer = func(p *port, a *answer) {
				if strings.HasPrefix(a.final, "CONNECT") && x.strikes() {
					x.m.after(or(x.Delay, 200*time.Millisecond), func() { p.abandon() })
				}
			}
		}},
	faultKind{id: "F73", name: "NO CARRIER when dialled", on: "D", perCommand: true, times: 1,
		start: func(x *injected) { x.hooks.command = x.refuses(func() Result { return NoCarrier }) }},
	faultKind{id: "F74", name: "a socket closes without a word", start: nothing},
	faultKind{id: "F75", name: "the name server is slow", uses: "Delay: preset 60 s", start: nothing},
	faultKind{id: "F76", name: "activating a context fails, then works", times: 1,
		start: func(x *injected) {
			x.activate = func() (Result, bool) { return CME(cmeUnspecifiedGPRS), x.strikes() }
		}},
	faultKind{id: "F77", name: "long packets are lost", uses: "Count: the longest that passes, preset 1400",
		start: func(x *injected) {
			x.packet = func(_ bool, size int) bool { return size > or(x.Count, 1400) && x.strikes() }
		}},
	faultKind{id: "F78", name: "all sockets are in use, left over from a former run", start: nothing},
	faultKind{id: "F79", name: "data notifications inside the answer about the state", uses: `Text: preset "+CIPRXGET: 1,0"`, on: "+CIPSTATUS", perCommand: true,
		start: func(x *injected) {
			x.Text = or(x.Text, "+CIPRXGET: 1,0")
			x.hooks.answer = x.interleave
		}},
	faultKind{id: "F80", name: "a message or a voice call that arrives ends the data call", times: 1,
		start: func(x *injected) {
			x.hooks.ring = func() { x.hooks.deliver(nil) }
			x.hooks.deliver = func([]byte) (int, bool) {
				if x.strikes() {
					x.m.n.after(0, x.m.contexts.lose)
				}
				return 1, false
			}
		}},
}

// loseSilently ends all contexts; data calls carry nothing more.
func (k *packetContexts) loseSilently() {
	k.deaden()
	for _, id := range k.ids() {
		if c := k.defs[id]; c.active {
			c.call = nil
			k.deactivate(c, errLost)
		}
	}
}

// ipcpFrame is the beginning of an IPCP frame with and without compressed
// address and control fields (RFC 1332 section 2, RFC 1661 section 6.6).
var ipcpFrame = []byte{0x80, 0x21}

// atIPCP drops a data call when the network phase begins.
func (x *injected) atIPCP(p *port, pieces []piece) []piece {
	s := p.data
	for _, one := range pieces {
		if s != nil && s.escapes && bytes.Contains(one.data, ipcpFrame) && x.strikes() {
			x.m.after(0, func() { s.drop("NO CARRIER", errLost) })
		}
	}
	return pieces
}

// abandon goes from data mode to command mode without a word.
func (p *port) abandon() {
	if s := p.data; s != nil {
		p.data, p.mode = nil, modeCommand
		s.end(errHungUp)
		p.ready()
	}
}
