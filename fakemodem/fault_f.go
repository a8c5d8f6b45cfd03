package fakemodem

import (
	"slices"
	"time"
)

// Section F of the catalogue: registration, SIM, network, clock.
var faultsF = []faultKind{
	faultKind{id: "F57", name: "registration ends in one state for ever", uses: "Code: the state, preset 3 (denied); Text: forbidden for denied until the host clears EF FPLMN",
		start: func(x *injected) {
			if x.Text == "forbidden" {
				startForbidden(x)
				return
			}
			x.forces(func(int, int) (int, int) { s := or(x.Code, regDenied); return s, s })
		}},
	faultKind{id: "F58", name: "registered, but not attached for packets",
		start: func(x *injected) { x.forces(func(circuit, _ int) (int, int) { return circuit, regSearching }) }},
	faultKind{id: "F59", name: "coverage comes and goes", uses: "Delay: between changes, preset 500 ms; Times: changes, preset 20", times: 20,
		start: startFlaps},
	faultKind{id: "F60", name: "the SIM goes", uses: "Text: removed (preset), pin, puk, blocked or failure", start: startSIM},
	faultKind{id: "F61", name: "the SIM has no credit: denied, and without a number",
		start: func(x *injected) {
			x.hooks.command = func(c *Call) (Result, bool) { return OK, c.Name == "+CNUM" && c.Op == Execute }
			x.forces(func(int, int) (int, int) { return regDenied, regDenied })
		}},
	faultKind{id: "F62", name: "the signal is unknown for ever", uses: `Text: the fields of +CSQ, preset "99,99"`, on: "+CSQ", perCommand: true,
		start: func(x *injected) {
			x.hooks.command = func(c *Call) (Result, bool) {
				if c.Op != Execute || !x.strikes() {
					return OK, false
				}
				c.Info("+CSQ: " + or(x.Text, "99,99"))
				return OK, true
			}
		}},
	faultKind{id: "F63", name: "the clock is wrong", uses: `Delay: by how much, preset 57 years; Count: the zone in quarter hours, preset 128`,
		start: func(x *injected) {
			before := x.m.clock
			x.m.clock.skew = or(x.Delay, 57*365*24*time.Hour)
			x.m.clock.zone = or(x.Count, 128)
			x.undo = func() { x.m.clock.skew, x.m.clock.zone = before.skew, before.zone }
		}},
	faultKind{id: "F64", name: "time stamps of messages jump", uses: "Delay: by how much, preset 50 h",
		start: func(x *injected) {
			s := &x.m.n.smsc
			s.skew += or(x.Delay, 50*time.Hour)
			x.undo = func() { s.skew -= or(x.Delay, 50*time.Hour) }
		}},
	faultKind{id: "F65", name: "the PIN is asked for after a silent restart", uses: "Text: the PIN where the SIM has none, preset 1234", times: 1,
		start: func(x *injected) {
			x.once(func() {
				s := &x.m.sim
				s.pin, s.locked = or(s.pin, or(x.Text, "1234")), true
				x.m.silentRestart()
			})
		}},
}

// startForbidden puts the network on the SIM's list.
func startForbidden(x *injected) {
	m, plmn := x.m, x.m.radio.cell.plmn
	m.sim.forbid(plmn)
	m.updateRadio()
	x.undo = func() {
		m.sim.forbidden = slices.DeleteFunc(m.sim.forbidden, func(p string) bool { return p == plmn })
		m.updateRadio()
	}
}

// forces changes where registration leads until the fault is cleared.
func (x *injected) forces(change func(circuit, packet int) (int, int)) {
	x.hooks.registration = change
	x.m.updateRadio()
	x.undo = x.m.updateRadio
}

func startFlaps(x *injected) {
	m, there := x.m, true
	x.hooks.registration = func(circuit, packet int) (int, int) {
		if there {
			return circuit, packet
		}
		return regSearching, regSearching
	}
	x.repeat(or(x.Delay, 500*time.Millisecond), func() {
		there = !there
		m.updateRadio()
		if there && m.radio.search != nil { // it comes back without a search
			m.n.cancel(m.radio.search)
			m.endSearch()
		}
	})
	stop := x.undo
	x.undo = func() {
		stop()
		there = true
		m.updateRadio()
	}
}

func startSIM(x *injected) {
	s := &x.m.sim
	before := *s
	line := "+CPIN: SIM PIN"
	switch x.Text {
	case "pin":
		s.locked, s.verified, s.pin = true, false, or(s.pin, "1234")
	case "puk":
		s.pinLeft, s.verified, line = 0, false, "+CPIN: SIM PUK"
	case "blocked":
		s.pinLeft, s.pukLeft, line = 0, 0, "+CPIN: NOT READY"
	case "failure":
		s.failed, line = true, "+CPIN: NOT READY"
	default:
		s.present, line = false, x.m.kind.simRemoved()
	}
	x.m.notify(line)
	x.m.updateRadio()
	x.undo = func() {
		*s = before
		x.m.updateRadio()
	}
}
