package fakemodem

import "time"

// Place is a part of a Journey: where a modem is, how long, and what it
// receives there.
type Place struct {
	// For is how long it stays there. Zero or less is for ever.
	For time.Duration
	// Cell is where it is; nil is the cell before.
	Cell *Cell
	// Coverage is what reaches the place; the cell must cover it as well.
	Coverage Coverage
	// Signal is the strength in dBm; zero is the cell's.
	Signal int
}

// Journey takes the modem from place to place. A loop begins again after the
// last one. stop leaves it where it is.
func (m *Modem) Journey(places []Place, loop bool) (stop func()) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	var next *event
	stopped := false
	var visit func(i int)
	visit = func(i int) {
		if stopped || m.closed || len(places) == 0 {
			return
		}
		if i == len(places) {
			if !loop {
				return
			}
			i = 0
		}
		m.visit(places[i])
		if places[i].For > 0 {
			next = m.n.after(places[i].For, func() { visit(i + 1) })
		}
	}
	visit(0)
	return func() {
		m.n.mu.Lock()
		defer m.n.mu.Unlock()
		stopped = true
		m.n.cancel(next)
	}
}

func (m *Modem) visit(p Place) {
	if p.Cell != nil && p.Cell != m.radio.cell {
		m.radio.cell = p.Cell
		m.radioOff()
	}
	m.radio.coverage, m.radio.signal = p.Coverage, p.Signal
	m.updateRadio()
}
