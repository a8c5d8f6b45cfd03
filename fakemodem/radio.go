package fakemodem

import (
	"fmt"
	"time"
)

// Registration states (3GPP TS 27.007 clause 7.2).
const (
	regIdle      = 0
	regHome      = 1
	regSearching = 2
	regDenied    = 3
	regRoaming   = 5
)

// causePLMN is the reject cause that puts a network on the SIM's list of
// forbidden ones (3GPP TS 24.008 clause 4.4.4.7).
const causePLMN = 11

// Modes of +COPS (3GPP TS 27.007 clause 7.3).
const (
	copsAutomatic  = 0
	copsManual     = 1
	copsDeregister = 2
)

// radio is where a modem stands with the network.
type radio struct {
	function int // +CFUN: 0 minimum, 1 full, 4 flight mode
	mode     int // +COPS mode
	format   int // +COPS format
	wanted   string
	cell     *Cell
	coverage Coverage // of the place where the modem stands
	signal   int      // dBm over the cell's; zero: as the cell
	circuit  int      // +CREG state
	packet   int      // +CGREG and +CEREG state
	detached bool     // by AT+CGATT=0
	search   *event
	lost     *event // ends data calls after loss of coverage
}

// SetCoverage sets what reaches the place where this modem stands. The cell
// must cover it as well.
func (m *Modem) SetCoverage(v Coverage) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.radio.coverage = v
	m.updateRadio()
}

// SetSignal sets the strength at this modem in dBm, whatever the cell's is.
// Zero goes back to the cell's.
func (m *Modem) SetSignal(dBm int) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.radio.signal = dBm
	m.updateRadio()
}

// MoveTo takes the modem to another cell.
func (m *Modem) MoveTo(c *Cell) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.radio.cell = c
	m.radioOff()
	m.updateRadio()
}

// Registered tells whether the modem is registered for calls and short
// messages, and whether it is for packet data.
func (m *Modem) Registered() (circuit, packet bool) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	return isRegistered(m.radio.circuit), isRegistered(m.radio.packet)
}

func isRegistered(state int) bool { return state == regHome || state == regRoaming }

// covered is what reaches the modem now.
func (m *Modem) covered() Coverage {
	return m.radio.coverage & m.radio.cell.coverage
}

// tech is the access technology in use: the cell's, or the best that the
// modem can do.
func (m *Modem) tech() Technology {
	can := m.kind.technologies()
	for _, t := range can {
		if t == m.radio.cell.tech {
			return t
		}
	}
	return can[0]
}

// updateRadio brings the registration to what SIM, settings and coverage
// allow: a loss shows at once, a gain takes its time.
func (m *Modem) updateRadio() {
	if m.closed {
		return
	}
	circuit, packet := m.targetStates()
	now := func(state, target int) int {
		if isRegistered(target) && !isRegistered(state) {
			return regSearching
		}
		return target
	}
	m.setStates(now(m.radio.circuit, circuit), now(m.radio.packet, packet))
	m.voice.checkCoverage(m)
	if isRegistered(circuit) && !isRegistered(m.radio.circuit) || isRegistered(packet) && !isRegistered(m.radio.packet) {
		if m.radio.search == nil {
			m.radio.search = m.after(m.registrationTime(), m.endSearch)
		}
	} else if m.radio.search != nil {
		m.n.cancel(m.radio.search)
		m.radio.search = nil
	}
}

// registrationTime differs a little from one time to the next.
func (m *Modem) registrationTime() time.Duration {
	d := m.n.scale(m.kind.Registration)
	return d + time.Duration(m.n.rand.Int64N(int64(d)/4+1))
}

func (m *Modem) endSearch() {
	m.radio.search = nil
	m.setStates(m.targetStates())
}

// targetStates is what registration leads to if nothing changes.
func (m *Modem) targetStates() (circuit, packet int) {
	r := &m.radio
	if !m.on || r.function != 1 || r.mode == copsDeregister || !m.sim.usable() {
		return regIdle, regIdle
	}
	return m.faults.registration(m.offeredStates())
}

// offeredStates is what cell and coverage allow.
func (m *Modem) offeredStates() (circuit, packet int) {
	r := &m.radio
	home := regHome
	if r.cell.roaming {
		home = regRoaming
	}
	circuit, packet = regSearching, regSearching
	if r.cell.refusal == causePLMN {
		m.sim.forbid(r.cell.plmn)
	}
	if r.mode == copsAutomatic && m.sim.forbids(r.cell.plmn) {
		return regDenied, regDenied
	}
	if r.cell.refusal != 0 || r.mode == copsManual && r.wanted != r.cell.plmn {
		return regDenied, regDenied
	}
	if m.covered()&VoiceCoverage != 0 {
		circuit = home
	}
	if m.covered()&DataCoverage != 0 {
		packet = home
	}
	if r.detached {
		packet = regIdle
	}
	return circuit, packet
}

// setStates changes the registration and tells whom it concerns.
func (m *Modem) setStates(circuit, packet int) {
	r := &m.radio
	oldCircuit, oldPacket := r.circuit, r.packet
	r.circuit, r.packet = circuit, packet
	if circuit != oldCircuit {
		m.tellRegistration("+CREG", circuit)
	}
	if packet != oldPacket {
		m.tellRegistration("+CGREG", packet)
		m.tellRegistration("+CEREG", packet)
		m.packetChanged(isRegistered(packet))
	}
	if isRegistered(circuit) && !isRegistered(oldCircuit) {
		m.clock.network(m)
		m.n.smsc.reachable(m)
	}
}

// packetChanged lets data calls live or die with packet registration.
func (m *Modem) packetChanged(there bool) {
	m.n.cancel(m.radio.lost)
	m.radio.lost = nil
	grace := m.n.config.lossGrace()
	if there || grace < 0 {
		return
	}
	m.radio.lost = m.after(grace, func() { m.contexts.lose() })
}

// radioOff forgets the registration at once.
func (m *Modem) radioOff() {
	m.n.cancel(m.radio.search)
	m.radio.search = nil
	m.setStates(regIdle, regIdle)
}

// tellRegistration prints the notification that AT+CREG=n has asked for.
func (m *Modem) tellRegistration(name string, state int) {
	if !m.on || m.kind.refuses(name) {
		return
	}
	for _, p := range m.ports() {
		if mode := *p.set.registration(name); mode > 0 {
			p.notify(name + ": " + m.registrationFields(name, mode, state))
		}
	}
}

// registration is where a port keeps the mode of +CREG and its sisters.
func (s *settings) registration(name string) *int {
	switch name {
	case "+CGREG":
		return &s.cgreg
	case "+CEREG":
		return &s.cereg
	}
	return &s.creg
}

// registrationFields are the fields behind the mode: state, and with mode 2
// and higher area, cell and technology (3GPP TS 27.007 clause 7.2, 10.1.20, 10.1.22).
func (m *Modem) registrationFields(name string, mode, state int) string {
	text := fmt.Sprint(state)
	if mode < 2 || !isRegistered(state) {
		return text
	}
	text += fmt.Sprintf(`,"%04X","%04X"`, m.radio.cell.area, m.radio.cell.id)
	if !m.kind.NoTechnology {
		text += fmt.Sprintf(",%d", m.tech())
	}
	return text
}

// strength is the received signal in dBm; ok is false where there is none.
func (m *Modem) strength() (dBm int, ok bool) {
	if !m.on || m.radio.function != 1 || m.covered() == NoCoverage {
		return 0, false
	}
	if m.radio.signal != 0 {
		return m.radio.signal, true
	}
	return m.radio.cell.signal, true
}

// rssi is the first value of +CSQ (3GPP TS 27.007 clause 8.5): 99 is unknown.
func (m *Modem) rssi() int {
	dBm, ok := m.strength()
	if !ok {
		return 99
	}
	return min(max((dBm+113)/2, 0), 31)
}
