package telemetry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// segmentCost is what a segment counts in the outbox beyond its octets, for its
// key and its place in memory.
const segmentCost = 64

// outSegment is a segment in the outbox. Its payload stays on disk.
type outSegment struct {
	id     ID
	size   int
	more   bool
	since  time.Time // when it was accepted, or found at opening
	stored bool      // the peer has it on disk
	flight *flight   // it is under way in that frame
	tries  int       // frames that took it out
	via    *path     // that carried it last; nil: none in this life

	// costlyTill is when it may next go over a costly path: an acknowledgement
	// of what was paid for may still come. On disk, too.
	costlyTill time.Time
}

// flight is a frame with segments that waits for its acknowledgement.
type flight struct {
	path     *path
	segments []*outSegment
	floor    uint64 // the lowest number not handled when it was made
	waiting  int    // segments that are still to be acknowledged
	sent     bool
	sentAt   time.Time
	deadline time.Time
}

// outbox is what is known in memory of the readings to be sent. The peer's lock
// guards it.
type outbox struct {
	queue    []*outSegment // in order, oldest first
	readings int
	octets   int // with those being accepted
	longest  int // octets of the longest segment ever in the queue
	receipts map[ID]*Receipt
	flights  []*flight

	ackEpoch   epoch // of the newest acknowledgement
	ackCounter uint32

	askAt time.Time // when to ask for an acknowledgement; zero: no need
	asks  int       // asked in vain
}

// Send accepts a reading, of at most MaxReading octets. When it returns nil
// for an error, the reading is on disk and will be delivered, in the order of
// acceptance, if need be by a later life of this program. ErrFull, ErrTooLarge,
// ErrClosed, a *StoreError, or the error of a ctx that had ended before: the
// reading was not accepted. There is no doubt in between: once begun, the
// writing is waited for. payload may be changed afterwards.
func (p *Peer) Send(ctx context.Context, payload []byte) (*Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(payload) > MaxReading {
		return nil, fmt.Errorf("%w: %d octets of %d", ErrTooLarge, len(payload), MaxReading)
	}
	leave, err := p.e.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	segments := cut(payload, p.segment)
	size := len(payload) + len(segments)*segmentCost
	if err := p.reserve(size); err != nil {
		return nil, err
	}
	r := &Receipt{done: make(chan struct{}), closed: p.e.ctx.Done()}
	err = p.e.store.Update(func(tx Tx) error { return p.accept(tx, segments, r) })
	if err != nil {
		p.reserve(-size)
		return nil, err
	}
	p.wakeUp()
	return r, nil
}

// cut divides a reading into segments.
func cut(payload []byte, size int) []segment {
	var out []segment
	for len(payload) > size {
		out = append(out, segment{payload[:size], true})
		payload = payload[size:]
	}
	return append(out, segment{payload, false})
}

func (p *Peer) reserve(size int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.e.maxOutbox
	if size > 0 && limit > 0 && p.out.octets+size > limit {
		return fmt.Errorf("%w: %d octets of %d in use", ErrFull, p.out.octets, limit)
	}
	p.out.octets += size
	return nil
}

// accept writes the segments of one reading. The numbers go on from those on
// disk, in the stream of this life of the endpoint.
func (p *Peer) accept(tx Tx, segments []segment, r *Receipt) error {
	last, err := decodeUint64(tx.Get(p.keys.stream(lastPrefix, p.stream)))
	if err != nil {
		return err
	}
	var queued []*outSegment
	now := time.Now()
	for _, s := range segments {
		last++
		if err := tx.Put(p.keys.segment(outPrefix, p.stream, last), encodeOut(s)); err != nil {
			return err
		}
		id := ID{p.stream, last}
		queued = append(queued, &outSegment{id: id, size: len(s.payload), more: s.more, since: now})
	}
	r.id = queued[len(queued)-1].id
	tx.OnCommit(func() { p.enqueue(queued, r) })
	return tx.Put(p.keys.stream(lastPrefix, p.stream), binary.BigEndian.AppendUint64(nil, last))
}

// enqueue runs as the transaction is committed, hence in the order of numbers.
func (p *Peer) enqueue(segments []*outSegment, r *Receipt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range segments {
		p.out.push(s)
	}
	p.out.receipts[r.id] = r
	p.stats.Accepted++
}

func (o *outbox) push(s *outSegment) {
	o.queue = append(o.queue, s)
	o.longest = max(o.longest, s.size)
	if !s.more {
		o.readings++
	}
}

// loadOutbox finds what an earlier life left.
func (p *Peer) loadOutbox(tx Tx) error {
	var err error
	now := time.Now()
	tx.Scan(p.keys.peer(outPrefix), nil, func(k, v []byte) bool {
		var s segment
		if s, err = decodeOut(v); err != nil {
			return false
		}
		id := ID{p.keys.streamOf(k), p.keys.numberOf(k)}
		till, fault := decodeUint64(tx.Get(p.keys.segment(costPrefix, id.stream, id.number)))
		if err = fault; err != nil {
			return false
		}
		p.out.push(&outSegment{
			id: id, size: len(s.payload), more: s.more, since: now,
			costlyTill: notLater(time.Unix(0, int64(till)), now.Add(maxHold)),
		})
		p.out.octets += len(s.payload) + segmentCost
		return true
	})
	return err
}

// maxHold bounds how long an earlier life can keep a segment from a costly
// path: the clock may have been wrong then, or be wrong now.
const maxHold = time.Hour

func notLater(t, limit time.Time) time.Time {
	if t.After(limit) {
		return limit
	}
	return t
}

// bill writes down that the segments of an order are about to be paid for, so
// that a later life waits for their acknowledgement as this one would.
func (p *Peer) bill(o *order) error {
	if o.flight == nil || !o.path.Costly {
		return nil
	}
	p.mu.Lock()
	tries := o.flight.tries()
	ids := make([]ID, 0, len(o.flight.segments))
	for _, s := range o.flight.segments {
		ids = append(ids, s.id)
	}
	p.mu.Unlock()
	till := time.Now().Add(o.path.ackWait(tries))
	value := binary.BigEndian.AppendUint64(nil, uint64(till.UnixNano()))
	return p.e.store.Update(func(tx Tx) error {
		for _, id := range ids {
			if tx.Get(p.keys.segment(outPrefix, id.stream, id.number)) == nil {
				continue // acknowledged meanwhile
			}
			if err := tx.Put(p.keys.segment(costPrefix, id.stream, id.number), value); err != nil {
				return err
			}
		}
		return nil
	})
}

// tries is how often the segment that was sent most often was sent.
func (f *flight) tries() (n int) {
	for _, s := range f.segments {
		n = max(n, s.tries)
	}
	return n
}

// window returns the segments that may be under way: those of the oldest
// stream, up to maxWindow. A stream waits until the ones before it are done, so
// that the order holds across a restart.
func (o *outbox) window() []*outSegment {
	n := min(len(o.queue), maxWindow)
	for i, s := range o.queue[:n] {
		if s.id.stream != o.queue[0].id.stream {
			return o.queue[:i]
		}
	}
	return o.queue[:n]
}

// acknowledge takes in what the peer says about a stream. newest says that no
// later word of the peer was heard, so that what it does not name, it does not
// have: an old copy of its store may have been put back.
func (p *Peer) acknowledge(a *ackChunk, newest bool, now time.Time) {
	o := &p.out
	done := 0
	for _, s := range o.window() {
		switch {
		case s.id.stream != a.stream:
			return
		case s.id.number <= a.handled:
			p.landed(s, now)
			p.finished(s)
			done++
		case a.has(s.id.number):
			p.landed(s, now)
			s.stored = true
		case newest:
			s.stored = false
		}
	}
	clear(o.queue[:done])
	o.queue = o.queue[done:]
	if done > 0 {
		o.asks = 0
	}
	o.askAt = time.Time{} // set again by plan if there is something left to ask
}

// landed takes s off its flight.
func (p *Peer) landed(s *outSegment, now time.Time) {
	f := s.flight
	if f == nil {
		if s.via != nil && s.tries == 1 && !s.stored {
			p.prove(s.via, now) // late, but there is no doubt which way it went
		}
		return
	}
	s.flight = nil
	if f.waiting--; f.waiting == 0 {
		p.out.drop(f)
	}
	if f.sent {
		f.path.stats.smooth(now.Sub(f.sentAt))
		p.prove(f.path, now)
	}
}

func (o *outbox) drop(f *flight) {
	for i, other := range o.flights {
		if other == f {
			o.flights = append(o.flights[:i], o.flights[i+1:]...)
			f.path.inFlight--
			return
		}
	}
}

// recall makes what is left of a flight ready to be sent again.
func (o *outbox) recall(f *flight) {
	for _, s := range f.segments {
		if s.flight == f {
			s.flight = nil
		}
	}
	o.drop(f)
}

// finished counts a segment out that the peer has handled.
func (p *Peer) finished(s *outSegment) {
	o := &p.out
	o.octets -= s.size + segmentCost
	if s.more {
		return
	}
	o.readings--
	p.stats.Acknowledged++
	p.stats.AcknowledgedBy[pathName(s.via)]++
	if r := o.receipts[s.id]; r != nil {
		delete(o.receipts, s.id)
		r.path = pathName(s.via)
		close(r.done)
	}
}

// trim deletes from disk what is acknowledged. If that fails, the next one
// catches up; until then a restart sends it again, and the peer drops it.
func (p *Peer) trim(stream epoch, handled uint64) error {
	return p.e.store.Update(func(tx Tx) error {
		var done [][]byte
		tx.Scan(p.keys.stream(outPrefix, stream), nil, func(k, _ []byte) bool {
			if p.keys.numberOf(k) > handled {
				return false
			}
			done = append(done, append([]byte(nil), k...))
			return true
		})
		for _, k := range done {
			cost := p.keys.segment(costPrefix, stream, p.keys.numberOf(k))
			if err := errors.Join(tx.Delete(k), tx.Delete(cost)); err != nil {
				return err
			}
		}
		return nil
	})
}
