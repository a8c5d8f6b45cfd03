package fakemodem

import (
	"strings"
	"time"
)

// Section I of the catalogue: power and USB.
var faultsI = []faultKind{
	faultKind{id: "F93", name: "a brown-out: the modem starts again", times: 1,
		start: func(x *injected) { x.once(func() { x.m.n.after(0, x.m.restart) }) }},
	faultKind{id: "F94", name: "a silent restart: settings are gone, nothing is said", times: 1,
		start: func(x *injected) { x.once(func() { x.m.n.after(0, x.m.silentRestart) }) }},
	faultKind{id: "F95", name: "the USB port goes and comes back, under another name on a pseudo-terminal", uses: "Delay: how long it is away, preset 4 s", times: 1,
		start: func(x *injected) { x.once(func() { x.m.unplug(or(x.Delay, 4*time.Second)) }) }},
	faultKind{id: "F96", name: "the port is there but the modem answers late after its start", uses: "Delay: how late, preset 8 s",
		start: func(x *injected) {
			x.m.late = or(x.Delay, 8*time.Second)
			x.undo = func() { x.m.late = 0 }
		}},
	faultKind{id: "F97", name: "unplugged: reads end and writes fail until Plug", times: 1,
		start: func(x *injected) { x.once(func() { x.m.unplug(0) }) }},
	faultKind{id: "F98", name: "AT+CFUN=1 restarts the modem", on: "+CFUN", perCommand: true,
		start: func(x *injected) {
			x.hooks.command = func(c *Call) (Result, bool) {
				if c.Op != Set || c.number(0, 0) != 1 || !x.strikes() {
					return OK, false
				}
				c.m.after(c.m.n.scale(500*time.Millisecond), c.m.restart)
				return OK, true
			}
		}},
	faultKind{id: "F99", name: "the modem hangs until the power is cut", uses: "Text: both (preset), rx (hears nothing) or tx (says nothing)",
		start: startHang},
	faultKind{id: "F100", name: "a firmware update: minutes of silence", uses: "Delay: how long, preset 5 min",
		start: func(x *injected) {
			startHang(x)
			x.end = x.m.n.after(or(x.Delay, 5*time.Minute), x.clear)
		}},
	faultKind{id: "F101", name: "switching off soon after the start harms: the next start takes long", uses: "Delay: how soon, preset 30 s",
		on: "*", perCommand: true, start: startFragile},
	faultKind{id: "F102", name: "another program changes +CMGF, +CSCS, +CPMS and +CNMI", times: 1,
		start: func(x *injected) {
			x.once(func() {
				g := &x.m.messages
				list := x.m.kind.storages()
				g.text, g.charset, g.notice = true, "UCS2", [5]int{}
				g.memory[0] = list[len(list)-1].Name
			})
		}},
}

// silentRestart loses all settings and says nothing; registration goes on.
func (m *Modem) silentRestart() {
	if !m.on {
		return
	}
	m.endMux(errReset)
	m.contexts.reset(errReset)
	m.port.reset()
	m.port.set = factory(m.kind)
	m.params = nil
	m.messages.reset(m)
	m.sim.verified = false
	m.clock.set = false
	m.updateRadio()
}

// unplug takes the ports away; after so long they are back. Zero leaves them away.
func (m *Modem) unplug(away time.Duration) {
	m.port.unplugged = true
	if l := m.port.line; l != nil {
		m.port.setDTR(false)
		l.in.clear()
		l.in.close(errUnplugged)
		m.port.line, m.port.out = nil, nil
	}
	if away > 0 {
		m.n.after(away, m.plug)
	}
}

func (m *Modem) plug() { m.port.unplugged = false }

// Plug brings the port back that the faults F95 or F97 took away; Line and PTY
// open it again.
func (m *Modem) Plug() {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.plug()
}

// Plugged tells whether the modem's port is there.
func (m *Modem) Plugged() bool {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	return !m.port.unplugged
}

// startHang hangs the modem until it has been started again.
func startHang(x *injected) {
	starts := x.m.starts
	hung := func() bool {
		if x.m.starts != starts {
			x.m.n.after(0, x.clear)
			return false
		}
		return true
	}
	if !strings.EqualFold(x.Text, "rx") {
		x.output = func(_ *port, pieces []piece) []piece {
			if hung() {
				return nil
			}
			return pieces
		}
	}
	if !strings.EqualFold(x.Text, "tx") {
		x.input = func(_ *port, b []byte, _ time.Duration) []byte {
			if hung() {
				return nil
			}
			return b
		}
	}
}

// startFragile makes a modem pay for being switched off too early.
func startFragile(x *injected) {
	x.hooks.command = func(c *Call) (Result, bool) {
		off := c.Name == "+CPOWD" || c.Name == "+QPOWD" || c.Name == "+CPWROFF" || c.Name == "+CFUN" && c.number(1, 0) == 1
		if off && time.Since(c.m.started) < or(x.Delay, 30*time.Second) && x.strikes() {
			c.m.late = 2 * time.Minute
		}
		return OK, false
	}
	x.undo = func() { x.m.late = 0 }
}
