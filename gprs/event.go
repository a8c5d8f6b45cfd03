package gprs

import (
	"context"
	"time"
)

// EventKind tells which field of an Event holds its news.
type EventKind uint8

// Kinds of events.
const (
	EventRegistration EventKind = iota + 1 // the steady registration changed
	EventSIM                               // the SIM changed its state
	EventSignal                            // the modem told the signal by itself
	EventContext                           // a context or the attachment changed
)

// Event is something that happened at the radio.
type Event struct {
	Kind         EventKind
	At           time.Time
	Registration Registration
	SIM          SIMState
	Signal       Signal
	Context      ContextEvent
	// Lost is how many events this listener lost right before this one,
	// because it was slow.
	Lost int
}

// Events returns a channel of what happens from now on. It is closed when ctx
// ends or the Radio is closed. A listener that does not keep up loses events,
// which Event.Lost tells, and delays nobody.
func (r *Radio) Events(ctx context.Context) <-chan Event { return r.events.Listen(ctx) }

// publishLocked hands an event to every listener that has room for it.
func (r *Radio) publishLocked(e Event) {
	if r.closed {
		return
	}
	e.At = time.Now()
	r.events.Publish(func(lost int) Event {
		e.Lost = lost
		return e
	})
	r.noteChangeLocked()
}

// noteChangeLocked wakes whoever waits for a change.
func (r *Radio) noteChangeLocked() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// change returns a channel that is closed at the next change.
func (r *Radio) change() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}
