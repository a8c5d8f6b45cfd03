package cmux

import (
	"sync"
	"sync/atomic"
)

// A queue is a bounded line of octets between the loop and the user of a channel.
// It never waits; ready is there to be waited on.
type queue struct {
	ready chan struct{} // holds one token when the other side changed something
	size  atomic.Int64  // octets held
	limit atomic.Int64  // octets that put takes

	mu    sync.Mutex
	ring  []byte // its length is a power of two
	first int
	err   error // set once: nothing is put any more
	marks []int // octets still to be taken before each loss is told
}

func newQueue(limit int) *queue {
	q := &queue{ready: make(chan struct{}, 1)}
	q.limit.Store(int64(limit))
	return q
}

// signal leaves a token for whoever waits.
func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// put takes as much of p as fits below the limit.
func (q *queue) put(p []byte) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return 0, q.err
	}
	size := int(q.size.Load())
	n = min(len(p), max(int(q.limit.Load())-size, 0))
	if n == 0 {
		return 0, nil
	}
	q.grow(size + n)
	at := (q.first + size) & (len(q.ring) - 1)
	copy(q.ring, p[copy(q.ring[at:], p[:n]):n])
	q.size.Store(int64(size + n))
	return n, nil
}

// grow makes room for n octets in all.
func (q *queue) grow(n int) {
	if n <= len(q.ring) {
		return
	}
	room := max(len(q.ring), 256)
	for room < n {
		room *= 2
	}
	ring := make([]byte, room)
	k := copy(ring, q.ring[q.first:])
	copy(ring[k:], q.ring[:q.first])
	q.ring, q.first = ring, 0
}

// take moves octets to p and returns how many are left. The queue's error comes
// when nothing is left.
func (q *queue) take(p []byte) (n, left int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := int(q.size.Load())
	n = min(len(p), size)
	if len(q.marks) > 0 {
		if q.marks[0] == 0 {
			q.marks = q.marks[1:]
			return 0, size, ErrLoss
		}
		n = min(n, q.marks[0])
		for i := range q.marks {
			q.marks[i] -= n
		}
	}
	if n == 0 {
		if size > 0 {
			return 0, size, nil
		}
		return 0, 0, q.err
	}
	k := copy(p[:n], q.ring[q.first:])
	copy(p[k:n], q.ring)
	q.first = (q.first + n) & (len(q.ring) - 1)
	q.size.Store(int64(size - n))
	return n, size - n, nil
}

// maxMarks bounds the losses that are kept apart.
const maxMarks = 32

// mark notes a loss behind what is held.
func (q *queue) mark() {
	q.mu.Lock()
	at := int(q.size.Load())
	if n := len(q.marks); n < maxMarks && (n == 0 || q.marks[n-1] != at) {
		q.marks = append(q.marks, at)
	}
	q.mu.Unlock()
	q.signal()
}

// end lets nothing more in. The first cause stays. With drop, what is held is gone.
func (q *queue) end(cause error, drop bool) {
	q.mu.Lock()
	if q.err == nil {
		q.err = cause
	}
	if drop {
		q.size.Store(0)
	}
	q.mu.Unlock()
	q.signal()
}
