package fakemodem

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Modem is a simulated modem on a Network. Its methods may be called by
// several goroutines at once.
type Modem struct {
	n    *Network
	kind *Personality
	imei string

	// Guarded by the network's lock.
	closed     bool
	on         bool // takes octets
	boot       *event
	starts     int // times it has been powered on
	started    time.Time
	port       *port    // the AT port
	mux        *muxPort // while the multiplexer runs
	muxed      []*port  // channels of the multiplexer while it runs
	stored     settings // by AT&W
	params     map[string]string
	overrides  map[string]Handler
	sim        simCard
	radio      radio
	messages   messaging
	contexts   packetContexts
	sockets    socketSet
	clock      clock
	session    USSDHandler // the USSD dialogue that waits for an answer
	voice      voiceCall
	pulseEnd   time.Time // of RI for a message
	faults     faultSet
	socketPort uint16 // of the last socket inside the modem
	tracers    []func(Trace)
	second     *port         // for notifications alone
	aside      string        // where notifications go by fault F25: "other", "all" or "last"
	closers    []func()      // end lines to the outside
	late       time.Duration // more time until the modem answers after power-on
}

// Option is a choice for one modem.
type Option func(*Modem)

// WithNumber gives the modem's SIM a number, in international form: "+15551234567".
func WithNumber(number string) Option {
	return func(m *Modem) { m.sim.number = number }
}

// WithPIN locks the SIM with a PIN of four to eight digits.
func WithPIN(pin string) Option {
	return func(m *Modem) { m.sim.pin, m.sim.locked = pin, true }
}

// WithPINAttempts sets how many wrong PINs the SIM still grants: zero means
// that it asks for the PUK.
func WithPINAttempts(k int) Option {
	return func(m *Modem) { m.sim.pinLeft = k }
}

// WithPUK sets the SIM's PUK, eight digits. The preset is 12345678.
func WithPUK(puk string) Option {
	return func(m *Modem) { m.sim.puk = puk }
}

// WithoutSIM leaves the card out.
func WithoutSIM() Option {
	return func(m *Modem) { m.sim.present = false }
}

// WithIMEI sets the equipment's identity, 15 digits.
func WithIMEI(imei string) Option {
	return func(m *Modem) { m.imei = imei }
}

// PoweredOff leaves the modem without power until PowerOn.
func PoweredOff() Option {
	return func(m *Modem) { m.on = false }
}

// Unregistered lets the modem stay off the network until AT+COPS=0, as after
// AT+COPS=2.
func Unregistered() Option {
	return func(m *Modem) { m.radio.mode = copsDeregister }
}

// WithBaud gives the line a speed in bits per second, so that octets take
// their time. Without it the line is as fast as can be.
func WithBaud(rate int) Option {
	return func(m *Modem) { m.port.rate.Store(int64(rate)) }
}

// WithAPN sets what context 1 is preset to.
func WithAPN(apn string) Option {
	return func(m *Modem) { m.contexts.define(1, "IP", apn) }
}

// NewModem makes a modem, powered on, with a SIM that has a fresh number. It
// registers by itself unless told otherwise. It has started before anybody
// listens, so that its boot messages are not seen; PowerOff and PowerOn, or
// Reset, show them.
func (n *Network) NewModem(kind *Personality, options ...Option) *Modem {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.serial++
	m := &Modem{n: n, kind: kind, on: true, stored: factory(kind)}
	m.imei = luhn(fmt.Sprintf("86000000%06d", n.serial))
	m.port = &port{m: m, name: "AT", set: m.stored}
	m.sim = newSIM(n.serial, n.config.plmn(), fmt.Sprintf("+1555%07d", n.serial))
	m.radio.cell = n.cells[0]
	m.radio.function = 1
	m.radio.coverage = FullCoverage
	m.messages.init(m)
	m.contexts.init(m)
	for _, option := range options {
		option(m)
	}
	n.modems = append(n.modems, m)
	n.numbers[m.sim.number] = m
	if m.on {
		m.begin()
	}
	return m
}

// Number is the SIM's telephone number in international form.
func (m *Modem) Number() string { return m.sim.number }

// IMEI is the equipment's identity.
func (m *Modem) IMEI() string { return m.imei }

// Personality is the kind of modem.
func (m *Modem) Personality() *Personality { return m.kind }

// Network is the network that the modem belongs to.
func (m *Modem) Network() *Network { return m.n }

// Line opens the modem's AT port and returns the host's end. A line that is
// still open is cut off from the port, as when a process that held it was
// killed: what the modem was doing, a data call too, goes on, and the new
// line finds it so.
func (m *Modem) Line() *Line {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	return newLine(m.port)
}

// NotificationLine opens the modem's second port and returns the host's end.
// It takes commands too; notifications come on it only while the fault F25 is
// at work.
func (m *Modem) NotificationLine() *Line {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	return newLine(m.side())
}

func (m *Modem) side() *port {
	if m.second == nil {
		m.second = &port{m: m, name: "second", set: m.stored}
	}
	return m.second
}

// begin starts what a modem does by itself once it runs.
func (m *Modem) begin() {
	m.starts++
	m.started = time.Now()
	m.on = true
	m.sim.verified = false
	if busy := m.n.scale(m.kind.SIMBusy); busy > 0 {
		m.sim.busy = time.Now().Add(busy)
		m.boot = m.after(busy, m.updateRadio)
	}
	m.updateRadio()
}

// after is Network.after for what ends when the modem restarts.
func (m *Modem) after(d time.Duration, fn func()) *event {
	start := m.starts
	return m.n.after(d, func() {
		if m.starts == start && m.on && !m.closed {
			fn()
		}
	})
}

// delay is how long a command takes before its answer.
func (m *Modem) delay(c *Call) time.Duration {
	return m.n.scale(m.kind.Delays[c.Name])
}

// PowerOn starts a modem that is off: it boots and prints what its maker's
// modems print.
func (m *Modem) PowerOn() {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	if !m.on && !m.closed {
		m.powerOn()
	}
}

// PowerOff cuts the power: nothing is said.
func (m *Modem) PowerOff() {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.powerOff(errReset)
}

// Reset cuts the power for a moment: a brown-out. The modem boots again.
func (m *Modem) Reset() {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.restart()
}

func (m *Modem) restart() {
	m.powerOff(errReset)
	if !m.closed {
		m.powerOn()
	}
}

// powerOff stops everything that runs on the modem.
func (m *Modem) powerOff(cause error) {
	if !m.on {
		return
	}
	m.endMux(cause)
	m.port.reset()
	if m.second != nil {
		m.second.reset()
	}
	m.sockets.reset() // before the contexts: a modem without power says nothing of them
	m.contexts.reset(cause)
	m.voice.reset(m)
	m.on = false
	m.n.cancel(m.boot)
	m.radioOff()
}

// powerOn schedules the boot messages and makes the modem ready behind them.
func (m *Modem) powerOn() {
	m.starts++
	m.port.reset()
	m.params = nil
	m.messages.reset(m)
	m.radio.function = 1
	m.sim.verified = false
	start, at := m.starts, time.Duration(0)
	still := func(fn func()) func() {
		return func() {
			if m.starts == start && !m.closed {
				fn()
			}
		}
	}
	m.faults.booted()
	m.n.after(m.n.scale(m.kind.Ready)+m.late, still(m.beginBooted))
	for _, step := range m.kind.Boot {
		at += m.n.scale(step.After)
		m.n.after(at, still(func() { m.sayBoot(step) }))
	}
}

// beginBooted is begin behind a boot that has counted the start already.
func (m *Modem) beginBooted() {
	m.starts--
	m.begin()
}

func (m *Modem) sayBoot(step BootStep) {
	if step.SIM && (!m.sim.present || m.sim.state() != "READY") {
		return
	}
	for _, p := range m.ports() {
		if step.Raw != nil {
			p.write(step.Raw)
		} else {
			p.notify(step.Line)
		}
	}
}

// ports are where notifications go: the AT port, or while the multiplexer
// runs its first channel.
func (m *Modem) ports() []*port {
	use := []*port{m.port}
	if k := len(m.muxed); k > 0 {
		use = m.muxed[:1]
		switch m.aside {
		case "all":
			use = slices.Clone(m.muxed)
		case "last":
			use = m.muxed[k-1:]
		}
	}
	switch m.aside {
	case "other":
		return []*port{m.side()}
	case "all":
		return append(use, m.side())
	}
	return use
}

// notify prints an unsolicited result code.
func (m *Modem) notify(line string) {
	if !m.on || line == "" || m.faults.losesNotice(line) {
		return
	}
	m.pulse(line)
	for _, p := range m.ports() {
		p.notify(line)
	}
}

// Emit prints a line as the modem's own notification, framed as its settings say.
func (m *Modem) Emit(line string) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.notify(line)
}

// EmitRaw prints octets as they are on the AT port.
func (m *Modem) EmitRaw(b []byte) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.port.write(b)
}

// On tells whether the modem has power and has booted.
func (m *Modem) On() bool {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	return m.on
}

// String names the modem by personality and number.
func (m *Modem) String() string {
	return m.kind.Name + " " + m.sim.number
}

// Close takes the modem off the network and closes its lines. It waits until
// what it has started has ended, and may be called twice.
func (m *Modem) Close() error {
	m.n.mu.Lock()
	if m.closed {
		m.n.mu.Unlock()
		return nil
	}
	m.powerOff(errClosed)
	m.closed = true
	m.starts++
	for _, p := range []*port{m.port, m.second} {
		if p != nil && p.line != nil {
			p.line.in.close(errUnplugged)
		}
	}
	if i := slices.Index(m.n.modems, m); i >= 0 {
		m.n.modems = slices.Delete(m.n.modems, i, i+1)
	}
	if m.n.numbers[m.sim.number] == subscriber(m) {
		delete(m.n.numbers, m.sim.number)
	}
	closers := m.closers
	m.closers = nil
	m.n.mu.Unlock()
	for _, fn := range closers {
		fn()
	}
	return nil
}

// FindPersonality finds a personality by its name, in capitals or not.
func FindPersonality(name string) (*Personality, bool) {
	for _, k := range Personalities() {
		if strings.EqualFold(k.Name, name) {
			return k, true
		}
	}
	return nil, false
}
