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

// eventQueue is how many events wait for a listener.
const eventQueue = 64

// listener is one channel of Events. Its fields are guarded by Radio.mu.
type listener struct {
	events chan Event
	lost   int
	stop   func() bool // of the context's AfterFunc
}

// Events returns a channel of what happens from now on. It is closed when ctx
// ends or the Radio is closed. A listener that does not keep up loses events,
// which Event.Lost tells, and delays nobody.
func (r *Radio) Events(ctx context.Context) <-chan Event {
	l := &listener{events: make(chan Event, eventQueue)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || ctx.Err() != nil {
		close(l.events)
		return l.events
	}
	r.listeners[l] = struct{}{}
	l.stop = context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.dropLocked(l)
	})
	return l.events
}

// dropLocked ends a listener, once.
func (r *Radio) dropLocked(l *listener) {
	if _, ok := r.listeners[l]; ok {
		delete(r.listeners, l)
		l.stop()
		close(l.events)
	}
}

// publishLocked hands an event to every listener that has room for it.
func (r *Radio) publishLocked(e Event) {
	if r.closed {
		return
	}
	e.At = time.Now()
	for l := range r.listeners {
		e.Lost = l.lost
		select {
		case l.events <- e:
			l.lost = 0
		default:
			l.lost++
		}
	}
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
