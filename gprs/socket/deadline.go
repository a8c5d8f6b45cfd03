package socket

import (
	"sync"
	"time"
)

// deadline is a point in time that can be moved while others wait for it.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	past  chan struct{} // closed once it has come
}

func newDeadline() *deadline { return &deadline{past: make(chan struct{})} }

// set moves the deadline; the zero time means never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	select {
	case <-d.past: // those who saw it come keep that
		d.past = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	past := d.past
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, func() { d.expire(past) })
		return
	}
	close(past)
}

// expire closes the channel of its own setting, if that still stands.
func (d *deadline) expire(past chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.past != past || d.timer == nil {
		return
	}
	d.timer = nil
	close(past)
}

// wait returns a channel that is closed when the deadline has come.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.past
}

// isPast tells whether it has come.
func (d *deadline) isPast() bool {
	select {
	case <-d.wait():
		return true
	default:
		return false
	}
}
