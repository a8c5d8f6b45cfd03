package fakemodem

import (
	"fmt"
	"strings"
	"time"
)

// Section C of the catalogue: notifications out of order.
var faultsC = []faultKind{
	faultKind{id: "F21", name: "a notification of the same prefix inside the answer", perCommand: true, on: "*",
		uses:  `Text: the notification, preset by the command, such as "+CREG: 2"; Count: information lines before it`,
		start: func(x *injected) { x.hooks.answer = x.interleave }},
	faultKind{id: "F22", name: "the answer comes late", uses: "Delay: how late, preset 10 s", perCommand: true, on: "*", times: 1,
		start: func(x *injected) {
			x.hooks.answer = func(p *port, a *answer) {
				if x.strikes() {
					a.delay = or(x.Delay, 10*time.Second)
				}
			}
		}},
	faultKind{id: "F23", name: "a burst of notifications", uses: "Count: how many, preset 300; Text: the line", times: 1,
		start: func(x *injected) {
			x.once(func() {
				for i := range or(x.Count, 300) {
					x.m.notify(or(x.Text, fmt.Sprintf("+CREG: %d", 1+i%2)))
				}
			})
		}},
	faultKind{id: "F24", name: "a notification of a former run", uses: `Text: the line, preset "+CIPRXGET: 1,5"`, times: 1,
		start: func(x *injected) { x.once(func() { x.m.notify(or(x.Text, "+CIPRXGET: 1,5")) }) }},
	faultKind{id: "F25", name: "notifications come on the other port, see Modem.NotificationLine",
		uses: `Text: "all" has them on every port and channel, "last" on the last channel of the multiplexer; preset the other port`,
		start: func(x *injected) {
			x.m.aside = or(x.Text, "other")
			x.undo = func() { x.m.aside = "" }
		}},
	faultKind{id: "F26", name: "a notification is lost", uses: "Text: those that begin so; preset all", times: 1,
		start: func(x *injected) {
			x.notice = func(line string) bool { return strings.HasPrefix(line, x.Text) && x.strikes() }
		}},
	faultKind{id: "F27", name: "an unknown notification without a line end, glued to what follows", uses: `Text: preset "+XUNKNOWN: 7"`, times: 1,
		start: func(x *injected) { x.once(func() { x.m.port.write([]byte("\r\n" + or(x.Text, "+XUNKNOWN: 7"))) }) }},
	faultKind{id: "F28", name: "a notification inside the body of an answer", uses: `Text: preset "^RSSI:18"`, perCommand: true, on: "*",
		start: func(x *injected) {
			x.hooks.answer = func(_ *port, a *answer) {
				for i, text := range a.info {
					if header, body, ok := strings.Cut(text, "\r\n"); ok && x.strikes() {
						a.info[i] = header + "\r\n" + or(x.Text, "^RSSI:18") + "\r\n" + body
					}
				}
			}
		}},
	faultKind{id: "F104", name: "a notification between a command and its echo", uses: `Text: preset "+CSCON: 1"`,
		start: func(x *injected) {
			x.input = func(p *port, b []byte, _ time.Duration) []byte {
				if p.mode == modeCommand && len(p.input) == 0 && x.strikes() {
					p.print([]string{or(x.Text, "+CSCON: 1")}, false)
				}
				return b
			}
		}},
	faultKind{id: "F105", name: "another stream on the line: NMEA sentences", uses: "Delay: between them, preset 1 s",
		start: func(x *injected) {
			x.repeat(or(x.Delay, time.Second), func() {
				if x.m.port.mode != modeData {
					x.m.port.write([]byte("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"))
				}
			})
		}},
	faultKind{id: "F29", name: "a notification in one piece with the answer", uses: `Text: preset "+CREG: 1"`, perCommand: true, on: "*",
		start: func(x *injected) {
			x.hooks.answer = func(p *port, a *answer) {
				if x.strikes() {
					a.raw = append(a.bytes(p), p.result(or(x.Text, "+CREG: 1"))...)
				}
			}
		}},
}

// interleave puts a notification among the information lines.
func (x *injected) interleave(_ *port, a *answer) {
	if a.call == nil || len(a.info) == 0 || !x.strikes() {
		return
	}
	line := x.Text
	if line == "" {
		line = a.call.Name + ": 2"
		if a.call.Name == "+CSQ" {
			line = "+CSQ: 9,99"
		}
	}
	at := min(x.Count, len(a.info))
	a.info = append(a.info[:at:at], append([]string{line}, a.info[at:]...)...)
}

// repeat runs fn again and again until the fault is cleared.
func (x *injected) repeat(every time.Duration, fn func()) {
	var next *event
	var step func()
	step = func() {
		if !x.active || !x.strikes() {
			return
		}
		if x.m.on {
			fn()
		}
		next = x.m.n.after(every, step)
	}
	x.undo = func() { x.m.n.cancel(next) }
	step()
}
