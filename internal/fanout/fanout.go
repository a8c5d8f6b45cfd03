// Package fanout hands events to listeners without waiting for any of them.
package fanout

import (
	"context"
	"sync"
)

// Queue is how many events wait for one listener.
const Queue = 64

// Hub is what listeners listen to. The zero value is ready. All methods may be
// called by several goroutines at once, and none waits.
type Hub[E any] struct {
	mu     sync.Mutex
	closed bool
	all    map[*listener[E]]struct{}
}

type listener[E any] struct {
	events chan E
	lost   int
	stop   func() bool // of the context's AfterFunc
}

// Listen returns a channel of the events from now on. It is closed when ctx
// ends or the Hub is closed.
func (h *Hub[E]) Listen(ctx context.Context) <-chan E {
	l := &listener[E]{events: make(chan E, Queue)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || ctx.Err() != nil {
		close(l.events)
		return l.events
	}
	if h.all == nil {
		h.all = make(map[*listener[E]]struct{})
	}
	h.all[l] = struct{}{}
	l.stop = context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.dropLocked(l)
	})
	return l.events
}

// dropLocked ends a listener, once.
func (h *Hub[E]) dropLocked(l *listener[E]) {
	if _, ok := h.all[l]; ok {
		delete(h.all, l)
		l.stop()
		close(l.events)
	}
}

// Publish hands an event to every listener that has room for it. event makes
// it, for a listener that lost so many right before.
func (h *Hub[E]) Publish(event func(lost int) E) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.all {
		select {
		case l.events <- event(l.lost):
			l.lost = 0
		default:
			l.lost++
		}
	}
}

// Close closes the channels of all listeners. Events published later are
// nobody's.
func (h *Hub[E]) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.all {
		h.dropLocked(l)
	}
}
