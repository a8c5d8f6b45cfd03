package at

import (
	"sync"
	"sync/atomic"
	"time"
)

// Gather returns a Commander that gives its commands to first and has the
// notifications of first and of others: for modems that send them on another
// port or multiplexer channel than the one that takes the commands, or on
// several (fault F25). Each line needs an engine of its own; on the lines of
// others nothing is written.
//
// A notification that comes on several lines within two seconds is delivered
// once; one that comes twice on the same line is two. KindLate is only told of
// first. Among the notifications of one line the order is kept. The queue before
// a subscriber is each line's own.
func Gather(first Commander, others ...Commander) Commander {
	if len(others) == 0 {
		return first
	}
	return &gathering{Commander: first, sources: append([]Commander{first}, others...)}
}

type gathering struct {
	Commander
	sources []Commander
}

// Handle implements Commander.
func (g *gathering) Handle(prefix string, fn func(Notification)) (stop func()) {
	h := &gatheringHandler{fn: fn, turn: make(chan struct{}, 1), seen: make(map[sighted]*sighting)}
	stops := make([]func(), len(g.sources))
	for i, source := range g.sources {
		stops[i] = source.Handle(prefix, func(n Notification) { h.heard(i, len(g.sources), n) })
	}
	return sync.OnceFunc(func() {
		h.stopped.Store(true)
		for _, stop := range stops {
			stop()
		}
	})
}

// gatheringHandler is one subscription at several lines.
type gatheringHandler struct {
	fn      func(Notification)
	stopped atomic.Bool
	turn    chan struct{} // holds a value while one of the lines has its turn

	// Of who has the turn.
	seen map[sighted]*sighting
	lost int // by notifications that were not delivered
}

// sighted is a notification as far as two of them can be the same.
type sighted struct{ line, body string }

// sighting is how often a notification was heard lately.
type sighting struct {
	last      time.Time
	heard     []int // on each line
	delivered int
}

const (
	// gatherWindow is how long a notification may take on one line longer than
	// on another. A modem prints it on both in one go; the octets before it may
	// wait, and two seconds are 20 KiB at 115,200 bit/s.
	gatherWindow = 2 * time.Second
	// maxSightings and maxSighted, in octets, bound what is remembered of
	// notifications. Beyond them one may be delivered twice.
	maxSightings = 256
	maxSighted   = 1024
)

// heard takes a notification of one of so many lines.
func (h *gatheringHandler) heard(line, lines int, n Notification) {
	if n.Kind == KindLate && line > 0 {
		return
	}
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	if h.stopped.Load() {
		return
	}
	n.Lost += h.lost
	if h.lost = 0; n.Kind != KindLate && !h.isNew(line, lines, n) {
		h.lost = n.Lost
		return
	}
	h.fn(n)
}

// isNew tells whether a notification is none that another line has brought
// already: the n-th on its line is, if fewer than n were delivered.
func (h *gatheringHandler) isNew(line, lines int, n Notification) bool {
	if len(n.Line)+len(n.Body) > maxSighted {
		return true
	}
	now, key := time.Now(), sighted{n.Line, string(n.Body)}
	s := h.seen[key]
	if s == nil || now.Sub(s.last) > gatherWindow {
		h.forget(now)
		s = &sighting{heard: make([]int, lines)}
		h.seen[key] = s
	}
	s.last = now
	if s.heard[line]++; s.heard[line] <= s.delivered {
		return false
	}
	s.delivered++
	return true
}

// forget makes room for another sighting.
func (h *gatheringHandler) forget(now time.Time) {
	if len(h.seen) < maxSightings {
		return
	}
	for key, s := range h.seen {
		if now.Sub(s.last) > gatherWindow {
			delete(h.seen, key)
		}
	}
	if len(h.seen) >= maxSightings {
		clear(h.seen)
	}
}
