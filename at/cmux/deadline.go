package cmux

import (
	"sync"
	"time"
)

// A deadline is a moment that can be moved while others wait for it.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	over  chan struct{} // closed when the moment has come
}

func newDeadline() *deadline { return &deadline{over: make(chan struct{})} }

// set moves the deadline; a zero time takes it away.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	select {
	case <-d.over:
		d.over = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	over := d.over
	if wait := time.Until(t); wait > 0 {
		var timer *time.Timer
		timer = time.AfterFunc(wait, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.timer == timer { // not moved meanwhile
				close(over)
			}
		})
		d.timer = timer
		return
	}
	close(over)
}

// passed returns the channel that is closed when the deadline is over.
func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over
}
