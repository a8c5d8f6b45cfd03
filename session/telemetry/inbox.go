package telemetry

import (
	"fmt"
	"time"
)

// maxStreams is how many streams of one sender are remembered. Each life of a
// sender that sends anything makes one.
const maxStreams = 64

// inbox is what is known in memory of the readings received. The peer's lock
// guards it; the marks on disk decide.
type inbox struct {
	acks  map[epoch]*ackChunk // what to tell the peer, for each stream
	due   map[epoch]bool      // streams to tell about
	dueAt time.Time           // when; zero: nothing is due
	path  *path               // over which the last frame came
}

// loadInbox reads the marks of all streams.
func (p *Peer) loadInbox(tx Tx) error {
	streams, err := p.streams(tx)
	if err != nil {
		return err
	}
	for s, m := range streams {
		p.in.acks[s] = p.snapshot(tx, s, m)
	}
	return nil
}

// streams returns the marks of every stream on disk.
func (p *Peer) streams(tx Tx) (map[epoch]marks, error) {
	out := make(map[epoch]marks)
	var err error
	tx.Scan(p.keys.peer(marksPrefix), nil, func(k, v []byte) bool {
		out[p.keys.streamOf(k)], err = decodeMarks(v)
		return err == nil
	})
	return out, err
}

// snapshot returns the acknowledgement that is true in tx.
func (p *Peer) snapshot(tx Tx, s epoch, m marks) *ackChunk {
	a := &ackChunk{stream: s, handled: m.handled, stored: m.stored}
	from := p.keys.segment(inPrefix, s, m.stored+1)
	tx.Scan(p.keys.stream(inPrefix, s), from, func(k, _ []byte) bool {
		n := p.keys.numberOf(k)
		if last := len(a.ranges) - 1; last >= 0 && a.ranges[last].last+1 == n {
			a.ranges[last].last = n
			return true
		}
		if len(a.ranges) == maxRanges {
			return false
		}
		a.ranges = append(a.ranges, spans{n, n})
		return true
	})
	return a
}

// allKnown reports whether the chunk brings nothing that is not on disk, and
// counts the readings in it that came before.
func (p *Peer) allKnown(c *dataChunk) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.in.acks[c.stream]
	if a == nil || c.floor > a.handled+1 {
		return false
	}
	for i := range c.segments {
		if !a.has(c.first + uint64(i)) {
			return false
		}
	}
	for _, s := range c.segments {
		if !s.more {
			p.stats.Duplicates++
		}
	}
	return true
}

// stored is what storing a chunk came to.
type stored struct {
	ack        *ackChunk
	duplicates uint64
	skipped    uint64
}

// store puts the chunk's segments on disk, together with the marks that tell
// them from ones to come. Frames that are stored are owed an acknowledgement.
func (p *Peer) store(c *dataChunk, from *path) error {
	err := p.e.store.Update(func(tx Tx) error {
		s, err := p.storeIn(tx, c, pathName(from))
		if err != nil {
			return err
		}
		tx.OnCommit(func() { p.noteStored(s, from) })
		return nil
	})
	if err == nil {
		p.workUp()
	}
	return err
}

func (p *Peer) noteStored(s stored, from *path) {
	p.mu.Lock()
	p.in.acks[s.ack.stream] = s.ack
	p.stats.Duplicates += s.duplicates
	p.stats.Skipped += s.skipped
	p.mu.Unlock()
	if s.skipped > 0 {
		p.emit(Event{Kind: EventSkipped, Path: pathName(from), Count: s.skipped})
	}
}

func (p *Peer) storeIn(tx Tx, c *dataChunk, bearer string) (stored, error) {
	m, skipped, err := p.openStream(tx, c)
	if err != nil {
		return stored{}, err
	}
	out := stored{skipped: skipped}
	for i, s := range c.segments {
		n := c.first + uint64(i)
		key := p.keys.segment(inPrefix, c.stream, n)
		switch {
		case n <= m.stored || tx.Get(key) != nil:
			if !s.more {
				out.duplicates++
			}
		case n > m.handled+maxWindow:
			return stored{}, fmt.Errorf("%w: segment %d beyond the window after %d", ErrFrame, n, m.handled)
		default:
			if err := tx.Put(key, encodeIn(s, bearer)); err != nil {
				return stored{}, err
			}
		}
	}
	for tx.Get(p.keys.segment(inPrefix, c.stream, m.stored+1)) != nil {
		m.stored++
	}
	out.ack = p.snapshot(tx, c.stream, m)
	return out, tx.Put(p.keys.stream(marksPrefix, c.stream), m.encode())
}

// openStream returns the marks of the chunk's stream. A new one takes the place
// of the oldest if there are too many. If the sender's floor is beyond what was
// handled here, this store is older than the acknowledgements the sender got;
// what lies between will not come again.
func (p *Peer) openStream(tx Tx, c *dataChunk) (m marks, skipped uint64, err error) {
	if v := tx.Get(p.keys.stream(marksPrefix, c.stream)); v != nil {
		if m, err = decodeMarks(v); err != nil {
			return m, 0, err
		}
	} else if err := p.makeRoom(tx, c.stream); err != nil {
		return m, 0, err
	}
	if c.floor <= m.handled+1 {
		return m, 0, nil
	}
	skipped = c.floor - 1 - m.handled
	for n := m.handled + 1; n < min(c.floor, m.handled+1+maxWindow); n++ {
		if err := tx.Delete(p.keys.segment(inPrefix, c.stream, n)); err != nil {
			return m, 0, err
		}
	}
	m.handled = c.floor - 1
	m.stored = max(m.stored, m.handled)
	return m, skipped, nil
}

// makeRoom forgets the oldest stream if there are too many. Streams older than
// all remembered ones are refused from then on: it could not be told whether
// their segments came before.
func (p *Peer) makeRoom(tx Tx, fresh epoch) error {
	known, err := p.streams(tx)
	if err != nil || len(known) < maxStreams {
		return err
	}
	oldest := fresh
	for s := range known {
		oldest = min(oldest, s)
	}
	if oldest == fresh {
		return fmt.Errorf("%w (stream %s)", ErrStaleStream, fresh)
	}
	if m := known[oldest]; m.handled < m.stored {
		return fmt.Errorf("%w: %d streams with readings not handled", ErrFrame, len(known))
	}
	a := p.snapshot(tx, oldest, known[oldest])
	for _, r := range a.ranges { // ends of a stream that its sender gave up
		for n := r.first; n <= r.last; n++ {
			if err := tx.Delete(p.keys.segment(inPrefix, oldest, n)); err != nil {
				return err
			}
		}
	}
	tx.OnCommit(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.in.acks, oldest)
		delete(p.in.due, oldest)
	})
	return tx.Delete(p.keys.stream(marksPrefix, oldest))
}

// owe has the state of a stream told to the peer.
func (p *Peer) owe(stream epoch, from *path, now time.Time) {
	a := p.in.acks[stream]
	if a == nil {
		return
	}
	p.in.due[stream] = true
	if from == nil {
		from = p.active
	}
	var at time.Time
	if from != nil {
		at = now.Add(from.ackDelay(a.handled < a.stored))
	} else {
		at = now
	}
	if p.in.dueAt.IsZero() || at.Before(p.in.dueAt) {
		p.in.dueAt = at
	}
}
