package fakemodem

import (
	"bytes"
	"time"

	"github.com/telemodem/telemodem/at/cmux"
)

// Section H of the catalogue: the multiplexer. F83, F87, F91 and F92 are
// looked up by the multiplexer itself.
var faultsH = []faultKind{
	faultKind{id: "F81", name: "an octet of a frame is lost", uses: "Times: preset 1", times: 1,
		start: func(x *injected) {
			x.output = x.frames(func(b []byte) []byte {
				at := 1 + x.m.n.rand.IntN(len(b)-2)
				for b[at] == b[0] { // one of the two flags between frames is no loss
					at = 1 + at%(len(b)-2)
				}
				return append(b[:at:at], b[at+1:]...)
			})
		}},
	faultKind{id: "F82", name: "the check sequence of long frames is wrong", uses: "Count: frames longer than, preset 31",
		start: func(x *injected) {
			x.output = x.frames(func(b []byte) []byte {
				if len(b) > or(x.Count, 31) {
					b[len(b)-2] ^= 0xff
				}
				return b
			})
		}},
	faultKind{id: "F83", name: "frames are longer than agreed, in multiplexers started from now on", uses: "Count: octets, preset twice N1", start: nothing},
	faultKind{id: "F84", name: "the modem leaves the multiplexer by itself", times: 1,
		start: func(x *injected) {
			x.once(func() { x.m.n.after(0, func() { x.m.endMux(errReset); x.m.port.write([]byte("\r\nRDY\r\n")) }) })
		}},
	faultKind{id: "F85", name: "the modem is in the multiplexer already, left so by a host that died", times: 1,
		start: func(x *injected) {
			x.once(func() {
				if x.m.mux == nil && x.m.port.mode == modeCommand {
					x.m.beginMux(x.m.port, &cmux.Config{N1: 127, MaxDamage: -1, T2: 300 * time.Millisecond, CloseTimeout: 100 * time.Millisecond})
				}
			})
		}},
	faultKind{id: "F86", name: "UA comes twice, with text behind it", times: 3,
		start: func(x *injected) {
			x.output = x.frames(func(b []byte) []byte {
				if len(b) > 3 && b[2]&^0x10 == 0x63 { // UA, 3GPP TS 27.010 clause 5.2.1.3
					return append(append(b, b...), "\r\nSMS DONE\r\n"...)
				}
				return b
			})
		}},
	faultKind{id: "F87", name: "channels are refused with DM", uses: "Count: the first that is, preset 2", start: nothing},
	faultKind{id: "F88", name: "a channel's flow control stays on: nothing more is sent on it", uses: "Count: the channel, preset 1",
		start: func(x *injected) {
			x.output = func(p *port, pieces []piece) []piece {
				if p.channel == or(x.Count, 1) && x.strikes() {
					return nil
				}
				return pieces
			}
		}},
	faultKind{id: "F89", name: "a channel floods the others", uses: "Count: octets, preset 60000", times: 1,
		start: func(x *injected) {
			x.once(func() {
				if k := len(x.m.muxed); k > 0 {
					x.m.muxed[k-1].write(bytes.Repeat([]byte("+FLOOD: 0123456789\r\n"), or(x.Count, 60000)/20))
				}
			})
		}},
	faultKind{id: "F90", name: "frames are lost at high rate", uses: "Probability: of each, preset 0.05",
		start: func(x *injected) {
			x.Probability = or(x.Probability, 0.05)
			x.output = func(p *port, pieces []piece) []piece {
				if p.data != nil && !p.data.escapes && x.strikes() {
					return nil
				}
				return pieces
			}
		}},
	faultKind{id: "F91", name: "the second channel is deaf until the first was used", start: nothing},
	faultKind{id: "F92", name: "old notifications are dumped on a channel that opens", uses: "Text: the first of them", start: nothing},
}

// nothing is the start of a fault that a part of the modem looks up itself.
func nothing(*injected) {}

// frames changes what the multiplexer writes on the line.
func (x *injected) frames(change func([]byte) []byte) func(*port, []piece) []piece {
	return func(p *port, pieces []piece) []piece {
		if p.data == nil || p.data.escapes {
			return pieces
		}
		for i := range pieces {
			if len(pieces[i].data) > 3 && x.strikes() {
				pieces[i].data = change(bytes.Clone(pieces[i].data))
			}
		}
		return pieces
	}
}
