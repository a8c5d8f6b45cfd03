package fakemodem

import (
	"strings"
	"time"
)

// Section D of the catalogue: commands that refuse or lie.
var faultsD = []faultKind{
	faultKind{id: "F30", name: "the SIM is busy", uses: "Times: preset 5", perCommand: true, on: "*", times: 5,
		start: func(x *injected) {
			x.hooks.command = x.refusesExtended(func() Result { return CME(cmeSIMBusy) })
		}},
	faultKind{id: "F31", name: "please wait", perCommand: true, on: "*", times: 5,
		start: func(x *injected) { x.hooks.command = x.refusesExtended(func() Result { return CME(515) }) }},
	faultKind{id: "F32", name: "one command is refused for ever", uses: "On: the command, preset +CGACT; Code: of +CME ERROR, preset 3", perCommand: true, on: "+CGACT",
		start: func(x *injected) { x.hooks.command = x.refuses(func() Result { return CME(or(x.Code, 3)) }) }},
	faultKind{id: "F33", name: "sending a message fails", uses: "Code: of +CMS ERROR, preset 500", perCommand: true, on: "+CMGS", times: 1,
		start: func(x *injected) {
			code := or(x.Code, 500)
			if x.On == "+CMGS" || x.On == "+CMSS" { // the network refuses what it has not taken
				x.hooks.refuse = func(name string) (int, bool) { return code, name == x.On && x.strikes() }
				return
			}
			x.hooks.answer = x.final(func(string) string { return errorText("+CMS ERROR: ", code, 1, nil) })
		}},
	faultKind{id: "F34", name: "sockets take less than they are given, or fail to send", perCommand: true, on: "*", times: 1,
		start: func(x *injected) {
			x.hooks.answer = func(_ *port, a *answer) {
				if (a.final == "SEND OK" || strings.HasPrefix(a.final, "DATA ACCEPT")) && x.strikes() {
					a.final = "SEND FAIL"
				}
			}
		}},
	faultKind{id: "F35", name: "data calls are dead while the modem says that they live", times: 1,
		start: func(x *injected) { x.once(func() { x.m.contexts.deaden() }) }},
	faultKind{id: "F36", name: "OK without an effect", uses: "On: preset +CNMI", perCommand: true, on: "+CNMI",
		start: func(x *injected) {
			x.hooks.command = func(c *Call) (Result, bool) { return OK, c.Op == Set && x.strikes() }
		}},
	faultKind{id: "F37", name: "the test form in place of a value", uses: "On: preset +CFUN", perCommand: true, on: "+CFUN",
		start: func(x *injected) {
			x.hooks.command = func(c *Call) (Result, bool) {
				cmd, ok := c.m.lookup(c.Name)
				if c.Op != Read || !ok || !x.strikes() {
					return OK, false
				}
				c.Info(c.Name + ": " + c.m.kind.test(c.Name, cmd.test))
				return OK, true
			}
		}},
	faultKind{id: "F38", name: "a scan for operators does not end", uses: "Delay: it ends with ERROR after, preset 10 min", perCommand: true, on: "+COPS",
		start: func(x *injected) {
			x.hooks.command = func(c *Call) (Result, bool) {
				if c.Op != Test || !x.strikes() {
					return OK, false
				}
				return c.later(or(x.Delay, 10*time.Minute), func() Result { return ERROR }), true
			}
		}},
	faultKind{id: "F39", name: "a command is not supported", uses: "On: preset +CEREG; Text: the answer, preset the maker's", perCommand: true, on: "+CEREG",
		start: func(x *injected) {
			x.hooks.command = func(*Call) (Result, bool) {
				if x.Text != "" {
					return Final(x.Text), x.strikes()
				}
				return unknown, x.strikes()
			}
		}},
	faultKind{id: "F40", name: "silence: the modem says nothing at all", uses: "For: how long; preset until cleared",
		start: func(x *injected) { x.output = func(*port, []piece) []piece { return nil } }},
	faultKind{id: "F41", name: "a result of calls for an ordinary command", uses: "Text: preset NO CARRIER", perCommand: true, on: "*", times: 1,
		start: func(x *injected) {
			x.hooks.command = x.refuses(func() Result { return Final(or(x.Text, "NO CARRIER")) })
		}},
	faultKind{id: "F42", name: "an error with a text, or empty, in place of a number", uses: "Text: preset empty", perCommand: true, on: "*", times: 1,
		start: func(x *injected) {
			x.hooks.command = x.refuses(func() Result { return Final("+CME ERROR: " + x.Text) })
		}},
}

// refusesExtended is refuses for extended commands alone.
func (x *injected) refusesExtended(result func() Result) func(*Call) (Result, bool) {
	return func(c *Call) (Result, bool) {
		if !strings.HasPrefix(c.Name, "+") || c.Name == "+CMEE" || !x.strikes() {
			return OK, false
		}
		return result(), true
	}
}

// deaden lets all data calls carry nothing more without a sign of it.
func (k *packetContexts) deaden() {
	for _, id := range k.ids() {
		if s := k.defs[id].call; s != nil {
			s.dead = true
		}
	}
}
