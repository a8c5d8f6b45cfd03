package fakemodem

import "time"

// Direction is which way octets went.
type Direction uint8

// Directions of a trace.
const (
	FromHost  Direction = iota // host to modem
	FromModem                  // modem to host
)

// Trace is what went over one port of a modem at one time.
type Trace struct {
	Time      time.Time // when
	Port      string    // "AT", "second" or a channel such as "DLCI 2"
	Direction Direction // which way
	Data      []byte    // the octets; not to be kept
}

// Watch calls fn for everything that goes over the modem's ports until stop is
// called. fn runs while the network stands still: it must be quick, must not
// keep Data and must not call the modem or the network.
func (m *Modem) Watch(fn func(Trace)) (stop func()) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.tracers = append(m.tracers, fn)
	i := len(m.tracers) - 1
	return func() {
		m.n.mu.Lock()
		defer m.n.mu.Unlock()
		m.tracers[i] = nil
	}
}

func (m *Modem) trace(p *port, d Direction, b []byte) {
	for _, fn := range m.tracers {
		if fn != nil {
			fn(Trace{Time: time.Now(), Port: p.name, Direction: d, Data: b})
		}
	}
}
