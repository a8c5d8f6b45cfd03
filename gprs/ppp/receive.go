package ppp

import (
	"io"
	"sync"
)

// inbox holds received packets until ReadPacket takes them. It has room for a
// fixed number; what comes on top is dropped and counted, as a router does, so
// that a slow consumer never stands in the way of LCP.
type inbox struct {
	mu      sync.Mutex
	arrived sync.Cond
	ring    []*[]byte
	first   int
	count   int
	open    Families // whose packets are taken
	ended   error    // no more will come

	packets, octets uint64
	overflowed      uint64 // dropped for want of room
	unready         uint64 // dropped since their protocol is not up
}

// packetPool lends the buffers of waiting packets, to all links.
var packetPool = sync.Pool{New: func() any { return new([]byte) }}

func (q *inbox) init(size int) {
	q.ring = make([]*[]byte, size)
	q.arrived.L = &q.mu
}

// put keeps a copy of p. The consumer learns of it by flush.
func (q *inbox) put(family Families, p []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.open&family == 0 || len(p) == 0 || q.ended != nil:
		q.unready++
	case q.count == len(q.ring):
		q.overflowed++
	default:
		buf := packetPool.Get().(*[]byte)
		*buf = append((*buf)[:0], p...)
		q.ring[(q.first+q.count)%len(q.ring)] = buf
		q.count++
		q.packets++
		q.octets += uint64(len(p))
	}
}

// flush wakes the consumer if something waits.
func (q *inbox) flush() {
	q.mu.Lock()
	if q.count > 0 {
		q.arrived.Signal()
	}
	q.mu.Unlock()
}

// take waits for a packet and copies it into p.
func (q *inbox) take(p []byte) (int, error) {
	q.mu.Lock()
	for q.count == 0 && q.ended == nil {
		q.arrived.Wait()
	}
	if q.count == 0 {
		defer q.mu.Unlock()
		return 0, q.ended
	}
	buf := q.ring[q.first]
	q.ring[q.first] = nil
	q.first = (q.first + 1) % len(q.ring)
	q.count--
	if q.count > 0 {
		q.arrived.Signal() // there may be another reader
	}
	q.mu.Unlock()
	n := copy(p, *buf)
	short := n < len(*buf)
	packetPool.Put(buf)
	if short {
		return 0, io.ErrShortBuffer
	}
	return n, nil
}

// accept sets whose packets are taken from now on.
func (q *inbox) accept(open Families) {
	q.mu.Lock()
	q.open = open
	q.mu.Unlock()
}

// end lets take return err once the queue is empty.
func (q *inbox) end(err error) {
	q.mu.Lock()
	if q.ended == nil {
		q.ended = err
	}
	q.arrived.Broadcast()
	q.mu.Unlock()
}
