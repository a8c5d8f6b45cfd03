package flow

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	queuePackets = 512 // bound of what waits for the line: 0.75 MiB of full packets
	queueLanes   = 64  // flows are spread over so many lanes by their hash
)

// Packet is a packet that a Queue owns from Put to Next, or to its Release.
type Packet interface {
	AsSlice() []byte
	Release()
}

// Queue holds what was sent and the line has not taken yet: a lane for each
// flow, served in turn by octets, and a lane that has just become busy before
// those that have been for long (deficit round robin with new lanes first, as
// RFC 8290 sections 4.1 and 4.2). A flow that sends little never waits behind
// one that sends much. Each lane is bounded by the time its packets wait (see
// codel), so that at any rate of the line its sender learns in time; and when
// the whole is full, the head of the longest lane is lost. Any number of
// goroutines may use a Queue, one of them Next.
type Queue[P Packet] struct {
	quantum int // octets a lane may send in its turn: one packet
	seed    maphash.Seed

	mu      sync.Mutex
	filled  sync.Cond // packets went from 0 to 1, or closed
	lanes   [queueLanes]lane[P]
	fresh   []*lane[P] // lanes in their first turn
	busy    []*lane[P] // lanes in later turns
	packets int
	taken   bool // the last packet given out is still with the line
	closed  bool
	lost    uint64
	idle    []chan struct{} // closed when nothing waits
}

// lane is the queue of one flow, or of several with the same hash.
type lane[P Packet] struct {
	waiting []waiting[P]
	octets  int
	credit  int
	listed  bool // in fresh or busy
	codel   codel
}

// waiting is a packet and when it came.
type waiting[P Packet] struct {
	packet P
	since  time.Time
}

// NewQueue makes a queue for a line whose longest packet has mtu octets.
func NewQueue[P Packet](mtu int) *Queue[P] {
	q := &Queue[P]{quantum: mtu, seed: maphash.MakeSeed()}
	q.filled.L = &q.mu
	return q
}

// Put queues one packet and takes it over. It never waits.
func (q *Queue[P]) Put(p P) {
	size := len(p.AsSlice())
	l := q.laneOf(p.AsSlice())
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		p.Release()
		return
	}
	l.waiting = append(l.waiting, waiting[P]{p, now})
	l.octets += size
	q.packets++
	if !l.listed {
		l.listed, l.credit = true, q.quantum
		q.fresh = append(q.fresh, l)
	}
	if q.packets > queuePackets {
		q.loseOne()
	}
	q.filled.Signal()
}

// laneOf is the lane of a packet's flow.
func (q *Queue[P]) laneOf(p []byte) *lane[P] {
	key, _, _ := Dissect(p)
	return &q.lanes[maphash.Comparable(q.seed, key)%queueLanes]
}

// loseOne drops the oldest packet of the longest lane.
func (q *Queue[P]) loseOne() {
	longest := &q.lanes[0]
	for i := range q.lanes {
		if q.lanes[i].octets > longest.octets {
			longest = &q.lanes[i]
		}
	}
	q.pop(longest).packet.Release()
	q.lost++
}

// pop takes the oldest packet of l, which has one.
func (q *Queue[P]) pop(l *lane[P]) waiting[P] {
	w := l.waiting[0]
	l.waiting[0] = waiting[P]{}
	l.waiting = l.waiting[1:]
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
	l.octets -= len(w.packet.AsSlice())
	q.packets--
	return w
}

// Next waits for the packet that is to be sent next and gives it to the
// caller; false when the queue is closed. Calling it says that the packet
// before is with the line.
func (q *Queue[P]) Next() (p P, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken = false
	for !ok && !q.closed {
		if p, ok = q.choose(); !ok {
			q.tellIdle()
			q.filled.Wait()
		}
	}
	if q.closed {
		return p, false
	}
	q.taken = true
	return p, true
}

// choose takes a packet from the lane whose turn it is, if there is one that
// has not waited too long.
func (q *Queue[P]) choose() (p P, ok bool) {
	for q.packets > 0 {
		from := &q.fresh
		if len(q.fresh) == 0 {
			from = &q.busy
		}
		l := (*from)[0]
		if l.credit > 0 && len(l.waiting) > 0 {
			if p, ok = q.take(l); ok {
				return p, true
			}
			continue
		}
		*from = (*from)[1:]
		switch {
		case l.credit <= 0: // its turn is over
			l.credit += q.quantum
			q.busy = append(q.busy, l)
		case from == &q.fresh: // empty: not new again before the others had a turn
			q.busy = append(q.busy, l)
		default:
			l.listed = false
		}
	}
	return p, false
}

// take takes the oldest packet of l, and drops it if its time has come.
func (q *Queue[P]) take(l *lane[P]) (p P, ok bool) {
	full := l.octets > codelLeast*q.quantum
	w, now := q.pop(l), time.Now()
	if l.codel.drops(now.Sub(w.since), full, now) {
		w.packet.Release()
		q.lost++
		return p, false
	}
	l.credit -= len(w.packet.AsSlice())
	return w.packet, true
}

// tellIdle tells those who wait in Flushed.
func (q *Queue[P]) tellIdle() {
	for _, c := range q.idle {
		close(c)
	}
	q.idle = nil
}

// Flushed returns a channel that is closed when nothing waits any more.
func (q *Queue[P]) Flushed() <-chan struct{} {
	c := make(chan struct{})
	q.mu.Lock()
	defer q.mu.Unlock()
	q.idle = append(q.idle, c)
	if q.packets == 0 && !q.taken || q.closed {
		q.tellIdle()
	}
	return c
}

// Close drops what waits and ends Next.
func (q *Queue[P]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for i := range q.lanes {
		for len(q.lanes[i].waiting) > 0 {
			q.pop(&q.lanes[i]).packet.Release()
		}
	}
	q.tellIdle()
	q.filled.Broadcast()
}
