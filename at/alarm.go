package at

import "time"

// alarm is the one timer of an engine. It is set lazily: a deadline that
// passed out of interest is left alone, and when it rings for nothing, tick
// says when to ring next. So an ordinary command costs no change of the timer.
type alarm struct {
	timer *time.Timer
	at    instant // when it rings; zero when it is not set
}

// arm makes the alarm ring at t at the latest; zero is never.
func (a *alarm) arm(m *Modem, t instant) {
	if t == 0 || a.at != 0 && t >= a.at || m.err != nil {
		return
	}
	a.at = t
	wait := t.until(m.clock())
	if a.timer == nil {
		a.timer = time.AfterFunc(wait, m.ring)
		return
	}
	a.timer.Reset(wait)
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.at = 0
}

// ring is the timer's event.
func (m *Modem) ring() {
	m.lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return
	}
	m.timer.at = 0
	next := m.tick()
	if next == 0 { // idle for long
		m.retireWriter()
		m.slab = slab{}
	}
	m.timer.arm(m, next)
}
