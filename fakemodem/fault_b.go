package fakemodem

import (
	"bytes"
	"strings"
	"time"
)

// Section B of the catalogue: echo, framing, prompts.
var faultsB = []faultKind{
	faultKind{id: "F11", name: "echo is on again, and ATE0 is answered but ignored", start: startEcho},
	faultKind{id: "F12", name: "the echo of the command before comes again, late", perCommand: true, on: "*",
		start: func(x *injected) {
			before := ""
			x.hooks.answer = func(p *port, a *answer) {
				if before != "" && x.strikes() {
					a.raw = append([]byte("AT"+before+"\r"), a.bytes(p)...)
				}
				before = p.last
			}
		}},
	faultKind{id: "F13", name: "a prompt of another shape", uses: `Text: the prompt, preset "\r\n>\r\n"`,
		start: func(x *injected) {
			x.prompt = func(mark string) (string, time.Duration, bool) {
				if !x.strikes() {
					return mark, 0, false
				}
				return or(x.Text, "\r\n>\r\n"), 0, false
			}
		}},
	faultKind{id: "F14", name: "the prompt never comes", uses: "Delay: it comes so late instead", times: 1,
		start: func(x *injected) {
			x.prompt = func(mark string) (string, time.Duration, bool) {
				if !x.strikes() {
					return mark, 0, false
				}
				return mark, x.Delay, x.Delay == 0
			}
		}},
	faultKind{id: "F15", name: "data is eaten that comes too early behind a prompt", uses: "Delay: the time it takes, preset 50 ms",
		start: func(x *injected) {
			x.input = func(p *port, b []byte, _ time.Duration) []byte {
				if p.mode == modePrompt && time.Since(p.ask.opened) < or(x.Delay, 50*time.Millisecond) && x.strikes() {
					return nil
				}
				return b
			}
		}},
	faultKind{id: "F16", name: "line ends in excess: between header and body, and CR CR LF", perCommand: true, on: "*",
		start: func(x *injected) {
			x.hooks.answer = func(p *port, a *answer) {
				if !x.strikes() {
					return
				}
				for i := range a.info {
					a.info[i] = strings.Replace(a.info[i], "\r\n", "\r\n\r\n", 1)
				}
				a.raw = bytes.ReplaceAll(a.bytes(p), []byte("\r\n"), []byte("\r\r\n"))
			}
		}},
	faultKind{id: "F17", name: "OK comes before the information", perCommand: true, on: "*", times: 1,
		start: func(x *injected) {
			x.hooks.answer = func(p *port, a *answer) {
				if len(a.info) > 0 && a.final != "" && x.strikes() {
					a.raw = append(p.result(a.final), p.format(a.info, "")...)
				}
			}
		}},
	faultKind{id: "F18", name: "no final result code", perCommand: true, on: "*", times: 1,
		start: func(x *injected) { x.hooks.answer = x.final(func(string) string { return "" }) }},
	faultKind{id: "F19", name: "ERROR for a command that did its work", perCommand: true, on: "*", times: 1,
		start: func(x *injected) { x.hooks.answer = x.final(func(string) string { return "ERROR" }) }},
	faultKind{id: "F20", name: "two final result codes", perCommand: true, on: "*", times: 1,
		start: func(x *injected) {
			x.hooks.answer = func(p *port, a *answer) {
				if a.final != "" && x.strikes() {
					a.raw = append(a.bytes(p), p.result(a.final)...)
				}
			}
		}},
	faultKind{id: "F106", name: "an error in place of the prompt", uses: "Code: of +CMS ERROR, preset 310", on: "+CMGS", perCommand: true, times: 1,
		start: func(x *injected) { x.hooks.command = x.refuses(func() Result { return CMS(or(x.Code, 310)) }) }},
}

// final changes the final result code of an answer, unless the command has
// connected: what is said then is no answer.
func (x *injected) final(change func(string) string) func(*port, *answer) {
	return func(_ *port, a *answer) {
		if a.final != "" && !strings.HasPrefix(a.final, "CONNECT") && x.strikes() {
			a.final = change(a.final)
		}
	}
}

// refuses answers a command without running it.
func (x *injected) refuses(result func() Result) func(*Call) (Result, bool) {
	return func(c *Call) (Result, bool) {
		if c.Op == Test && x.On == "*" || !x.strikes() {
			return OK, false
		}
		return result(), true
	}
}

func startEcho(x *injected) {
	for _, p := range x.m.ports() {
		p.set.echo = true
	}
	x.hooks.command = func(c *Call) (Result, bool) {
		return OK, c.Name == "E" && x.strikes()
	}
}
