package fakemodem

import (
	"bytes"
	"strings"
	"time"
)

// Section A of the catalogue: octets.
var faultsA = []faultKind{
	faultKind{id: "F01", name: "garbage on the line, now and at every start", uses: "Text: the octets; preset 00 FF 66 60 FF",
		start: func(x *injected) {
			garbage := []byte(or(x.Text, "\x00\xff\x66\x60\xff"))
			x.m.port.write(garbage)
			x.boot = func() { x.m.port.write(garbage) }
		}},
	faultKind{id: "F02", name: "NUL octets before an answer", uses: "Count: how many; preset 2", perCommand: true, on: "*",
		start: func(x *injected) {
			x.hooks.answer = func(p *port, a *answer) {
				if x.strikes() {
					a.raw = append(make([]byte, or(x.Count, 2)), a.bytes(p)...)
				}
			}
		}},
	faultKind{id: "F03", name: "the first octets after a pause are lost", uses: "Count: how many, preset 1; Delay: the pause, preset 5 s",
		start: func(x *injected) {
			x.input = func(p *port, b []byte, idle time.Duration) []byte {
				if idle < or(x.Delay, 5*time.Second) || !x.strikes() {
					return b
				}
				return b[min(or(x.Count, 1), len(b)):]
			}
		}},
	faultKind{id: "F04", name: "octets of a long output are lost", uses: "Count: how many in a row, preset 8", times: 1,
		start: func(x *injected) { x.output = x.eachPiece(64, loseRun) }},
	faultKind{id: "F05", name: "bits flip in both directions", uses: "Probability: of each octet, preset 0.01", start: startFlips},
	faultKind{id: "F06", name: "output comes in fragments", uses: "Count: octets in one read, preset 1; Delay: between them",
		start: func(x *injected) { x.output = x.fragments }},
	faultKind{id: "F07", name: "a line without an end", uses: "Count: octets, preset 8192", times: 1,
		start: func(x *injected) {
			x.once(func() { x.m.port.write([]byte("\r\n+LONG: " + strings.Repeat("A", or(x.Count, 8192)))) })
		}},
	faultKind{id: "F08", name: "a block is shorter than it says", uses: "Count: octets that are missing, preset 4", perCommand: true, on: "*", times: 1,
		start: func(x *injected) { x.hooks.answer = x.shortBlock }},
	faultKind{id: "F09", name: "a message whose text looks like the modem's own words", times: 1,
		start: func(x *injected) {
			x.once(func() { x.m.strange("\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n\r\nRING\r\n> ") })
		}},
	faultKind{id: "F10", name: "the character set changes behind the driver's back", uses: "Text: the set, preset UCS2", times: 1,
		start: func(x *injected) { x.once(func() { x.m.messages.charset = or(x.Text, "UCS2") }) }},
}

// bytes is what an answer prints.
func (a *answer) bytes(p *port) []byte {
	if a.raw != nil {
		return a.raw
	}
	return p.format(a.info, a.final)
}

// eachPiece strikes output of at least so many octets.
func (x *injected) eachPiece(least int, change func(x *injected, b []byte) []byte) func(*port, []piece) []piece {
	return func(p *port, pieces []piece) []piece {
		for i := range pieces {
			if len(pieces[i].data) >= least && x.strikes() {
				pieces[i].data = change(x, bytes.Clone(pieces[i].data))
			}
		}
		return pieces
	}
}

func loseRun(x *injected, b []byte) []byte {
	k := min(or(x.Count, 8), len(b))
	at := x.m.n.rand.IntN(len(b) - k + 1)
	return append(b[:at], b[at+k:]...)
}

func startFlips(x *injected) {
	rate := or(x.Probability, 0.01)
	x.Probability = 0
	flip := func(b []byte) []byte {
		b = bytes.Clone(b)
		for i := range b {
			if x.m.n.rand.Float64() < rate && x.strikes() {
				b[i] ^= 1 << x.m.n.rand.IntN(8)
			}
		}
		return b
	}
	x.input = func(_ *port, b []byte, _ time.Duration) []byte { return flip(b) }
	x.output = func(_ *port, pieces []piece) []piece {
		for i := range pieces {
			pieces[i].data = flip(pieces[i].data)
		}
		return pieces
	}
}

func (x *injected) fragments(_ *port, pieces []piece) []piece {
	size := or(x.Count, 1)
	var out []piece
	for _, whole := range pieces {
		at := whole.at
		for b := whole.data; len(b) > 0; {
			k := min(size, len(b))
			if x.Delay > 0 {
				if at.IsZero() {
					at = time.Now()
				}
				at = at.Add(x.Delay)
			}
			out = append(out, piece{data: b[:k], at: at, apart: true})
			b = b[k:]
		}
	}
	return out
}

// shortBlock takes octets from the end of what follows an information line.
func (x *injected) shortBlock(_ *port, a *answer) {
	for i, text := range a.info {
		if header, body, ok := strings.Cut(text, "\r\n"); ok && x.strikes() {
			a.info[i] = header + "\r\n" + body[:max(0, len(body)-or(x.Count, 4))]
			return
		}
	}
}

// strange lets a message with this text come from a stranger.
func (m *Modem) strange(text string) {
	parts, coding, septets := splitText(text)
	for _, part := range parts {
		m.n.smsc.submit("+15550666", submitTPDU(m.sim.number, coding, nil, part, septets), nil)
	}
}
