package fakemodem

import (
	"fmt"
	"regexp"
	"strings"
)

// Section E of the catalogue: short messages.
var faultsE = []faultKind{
	faultKind{id: "F43", name: "the message storage is full", times: 1,
		start: func(x *injected) { x.once(x.m.fillStorage) }},
	faultKind{id: "F44", name: "+CMTI for an empty slot", uses: `Text: the storage, preset the one for receiving; Count: the index, preset its last`, times: 1,
		start: func(x *injected) {
			x.once(func() {
				name := or(x.Text, x.m.messages.memory[2])
				x.m.notify(fmt.Sprintf(`+CMTI: "%s",%d`, name, or(x.Count, x.m.size(name))))
			})
		}},
	faultKind{id: "F45", name: "a message is stored and told twice", times: 1,
		start: func(x *injected) {
			x.hooks.deliver = func([]byte) (int, bool) { return 2, x.strikes() }
		}},
	faultKind{id: "F46", name: "deleting is answered with OK and deletes nothing", on: "+CMGD", perCommand: true,
		start: func(x *injected) {
			x.hooks.command = func(c *Call) (Result, bool) { return OK, c.Op == Set && x.strikes() }
		}},
	faultKind{id: "F47", name: "messages come only after a send or a restart",
		start: func(x *injected) {
			starts, reference := x.m.starts, x.m.messages.reference
			x.paging = func() bool { return x.m.starts != starts || x.m.messages.reference != reference }
			x.undo = func() { x.m.n.smsc.reachable(x.m) }
		}},
	faultKind{id: "F48", name: "+CPMS counts otherwise than what is there", uses: "Count: the number it tells", on: "+CPMS", perCommand: true,
		start: func(x *injected) {
			x.hooks.answer = func(_ *port, a *answer) {
				for i := range a.info {
					if x.strikes() {
						a.info[i] = storedCount.ReplaceAllString(a.info[i], fmt.Sprintf("${1}%d,", x.Count))
					}
				}
			}
		}},
	faultKind{id: "F49", name: "only the last part of a long message is stored",
		start: func(x *injected) {
			x.hooks.deliver = func(tpdu []byte) (int, bool) {
				r := parseReceived(tpdu)
				_, total, part, ok := concatenation(r.header)
				return 0, ok && part < total && x.strikes()
			}
		}},
	faultKind{id: "F50", name: "+CMT must be acknowledged though nobody asked for it (phase 2+)", times: 1,
		start: func(x *injected) { x.once(func() { x.m.messages.service = 1 }) }},
	faultKind{id: "F51", name: "+CDSI names a storage where the report is not", times: 1,
		start: func(x *injected) { x.once(func() { x.m.notify(`+CDSI: "SR",52`) }) }},
	faultKind{id: "F52", name: "storages fall back, and all three must be set at once", start: startStorages},
	faultKind{id: "F53", name: "a long message restarts the modem", uses: "Count: octets of the TPDU, preset 133", on: "+CMGS", perCommand: true, times: 1,
		start: func(x *injected) {
			x.hooks.command = func(c *Call) (Result, bool) {
				if c.number(0, 0) < or(x.Count, 133) || !x.strikes() {
					return OK, false
				}
				c.m.after(0, c.m.restart)
				return Silent, true
			}
		}},
	faultKind{id: "F54", name: "the message reference is always the same", uses: "Count: which, preset 0", on: "+CMGS", perCommand: true,
		start: func(x *injected) {
			x.hooks.answer = func(_ *port, a *answer) {
				for i, text := range a.info {
					if strings.HasPrefix(text, "+CMGS: ") && x.strikes() {
						a.info[i] = fmt.Sprintf("+CMGS: %d", x.Count)
					}
				}
			}
		}},
	faultKind{id: "F55", name: "messages wait while a data call is up, and voice calls do not come",
		start: func(x *injected) {
			x.paging = func() bool { return x.m.port.data == nil }
			x.undo = func() { x.m.n.smsc.reachable(x.m) }
		}},
	faultKind{id: "F56", name: "messages whose texts are OK and AT", times: 1,
		start: func(x *injected) {
			x.once(func() {
				x.m.strange("OK")
				x.m.strange("AT\r\nOK\r\nERROR")
			})
		}},
	faultKind{id: "F103", name: "parts of messages overtake each other at the service centre",
		start: func(x *injected) {
			config := &x.m.n.smsc.config
			before := config.Reorder
			config.Reorder = 0.5
			x.undo = func() { config.Reorder = before }
		}},
}

// storedCount finds the used part of +CPMS answers.
var storedCount = regexp.MustCompile(`("[A-Z_]+",|^\+CPMS: )\d+,`)

// fillStorage fills the storage for received messages with read ones.
func (m *Modem) fillStorage() {
	s, err := parseSubmit(submitTPDU(m.sim.number, 0, nil, []byte("full"), true))
	if err != nil {
		return
	}
	for {
		tpdu := s.deliver("+15550666", m.clock.now())
		if _, ok := m.put(m.messages.memory[2], &storedMessage{state: recRead, pdu: tpdu}); !ok {
			break
		}
	}
	m.sayFull()
}

func startStorages(x *injected) {
	g := &x.m.messages
	g.memory[2] = x.m.kind.storages()[0].Name
	x.hooks.command = func(c *Call) (Result, bool) {
		if c.Name != "+CPMS" || c.Op != Set || c.count() >= 3 || !x.strikes() {
			return OK, false
		}
		return CMS(cmsNotAllowed), true
	}
}
