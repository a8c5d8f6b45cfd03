package netstack

import (
	"hash/maphash"
	"sync"

	"gvisor.dev/gvisor/pkg/buffer"
)

const (
	outboxPackets = 512 // bound of what waits for the line: 0.75 MiB of full packets
	outboxQueues  = 64  // flows are spread over so many queues by their hash
)

// outbox holds what the stack has sent and the line has not taken yet: a queue
// for each flow, served in turn by octets, and a queue that has just become
// busy before those that have been for long (deficit round robin with new
// queues first, as RFC 8290 sections 4.1 and 4.2). A flow that sends little never
// waits behind one that sends much. When it is full, the head of the longest
// queue is lost: its sender learns of it soonest.
type outbox struct {
	quantum int // octets a queue may send in its turn: one packet
	seed    maphash.Seed

	mu      sync.Mutex
	filled  sync.Cond // packets went from 0 to 1, or closed
	queues  [outboxQueues]outQueue
	fresh   []*outQueue // queues in their first turn
	busy    []*outQueue // queues in later turns
	packets int
	taken   bool // the last packet given out is still with the line
	closed  bool
	lost    uint64
	idle    []chan struct{} // closed when nothing waits
}

// outQueue is the queue of one flow, or of several with the same hash.
type outQueue struct {
	packets []*buffer.View
	octets  int
	credit  int
	listed  bool // in fresh or busy
}

func newOutbox(mtu int) *outbox {
	o := &outbox{quantum: mtu, seed: maphash.MakeSeed()}
	o.filled.L = &o.mu
	return o
}

// put queues one packet and takes it over.
func (o *outbox) put(v *buffer.View) {
	q := o.queueOf(v.AsSlice())
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		v.Release()
		return
	}
	q.packets = append(q.packets, v)
	q.octets += v.Size()
	o.packets++
	if !q.listed {
		q.listed, q.credit = true, o.quantum
		o.fresh = append(o.fresh, q)
	}
	if o.packets > outboxPackets {
		o.loseOne()
	}
	o.filled.Signal()
}

// queueOf is the queue of a packet's flow.
func (o *outbox) queueOf(p []byte) *outQueue {
	key, _, _ := dissect(p)
	return &o.queues[maphash.Comparable(o.seed, key)%outboxQueues]
}

// loseOne drops the oldest packet of the longest queue.
func (o *outbox) loseOne() {
	longest := &o.queues[0]
	for i := range o.queues {
		if o.queues[i].octets > longest.octets {
			longest = &o.queues[i]
		}
	}
	o.pop(longest).Release()
	o.lost++
}

// pop takes the oldest packet of q, which has one.
func (o *outbox) pop(q *outQueue) *buffer.View {
	v := q.packets[0]
	q.packets[0] = nil
	q.packets = q.packets[1:]
	if len(q.packets) == 0 {
		q.packets = nil
	}
	q.octets -= v.Size()
	o.packets--
	return v
}

// next waits for the packet that is to be sent next and gives it to the
// caller; nil when the outbox is closed. Calling it says that the packet
// before is with the line.
func (o *outbox) next() *buffer.View {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken = false
	for o.packets == 0 && !o.closed {
		o.tellIdle()
		o.filled.Wait()
	}
	if o.closed {
		return nil
	}
	o.taken = true
	return o.choose()
}

// choose takes a packet from the queue whose turn it is. There is one.
func (o *outbox) choose() *buffer.View {
	for {
		from := &o.fresh
		if len(o.fresh) == 0 {
			from = &o.busy
		}
		q := (*from)[0]
		if q.credit > 0 && len(q.packets) > 0 {
			v := o.pop(q)
			q.credit -= v.Size()
			return v
		}
		*from = (*from)[1:]
		switch {
		case q.credit <= 0: // its turn is over
			q.credit += o.quantum
			o.busy = append(o.busy, q)
		case from == &o.fresh: // empty: not new again before the others had a turn
			o.busy = append(o.busy, q)
		default:
			q.listed = false
		}
	}
}

// tellIdle tells those who wait in flushed.
func (o *outbox) tellIdle() {
	for _, c := range o.idle {
		close(c)
	}
	o.idle = nil
}

// flushed returns a channel that is closed when nothing waits any more.
func (o *outbox) flushed() <-chan struct{} {
	c := make(chan struct{})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.idle = append(o.idle, c)
	if o.packets == 0 && !o.taken || o.closed {
		o.tellIdle()
	}
	return c
}

// close drops what waits and ends next.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for i := range o.queues {
		for len(o.queues[i].packets) > 0 {
			o.pop(&o.queues[i]).Release()
		}
	}
	o.tellIdle()
	o.filled.Broadcast()
}
