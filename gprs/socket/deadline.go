package socket

import (
	"sync"
	"time"
)

// deadline is a point in time that can be moved while others wait for it.
type deadline struct {
	mu      sync.Mutex
	timer   *time.Timer
	setting int           // counts
	past    chan struct{} // closed once it has come
}

func newDeadline() *deadline { return &deadline{past: make(chan struct{})} }

// set moves the deadline; the zero time means never.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setting++
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
	setting := d.setting
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, func() { d.expire(setting) })
		return
	}
	close(d.past)
}

// expire notes that the deadline of a setting has come, if that still stands: a
// timer may have fired when it was set anew.
func (d *deadline) expire(setting int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.setting != setting {
		return
	}
	d.timer = nil
	close(d.past)
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
