package at

import "time"

// instant is a time of the monotonic clock in nanoseconds, counted from a
// little before the start of the engine. It serves for waiting alone, where a
// time.Time would cost more than what is done with it. Zero is a time that is
// not set.
type instant int64

// clock returns the time of the event, which is the same throughout it.
func (m *Modem) clock() instant {
	if m.now == 0 {
		m.now = 1 + instant(time.Since(m.began))
	}
	return m.now
}

// after returns the time in d from now.
func (m *Modem) after(d time.Duration) instant { return m.clock().add(d) }

// come tells whether t is set and over.
func (m *Modem) come(t instant) bool { return t != 0 && m.clock() >= t }

func (t instant) add(d time.Duration) instant { return t + instant(d) }

// until returns how long it is from now to t, at least 0.
func (t instant) until(now instant) time.Duration { return time.Duration(max(t-now, 0)) }

// sooner returns the earlier of two times, of which either may not be set.
func sooner(a, b instant) instant {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
