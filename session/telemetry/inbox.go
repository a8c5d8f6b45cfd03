package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxStreams is how many streams of one sender are remembered. Each life of a
// sender that sends anything makes one.
const maxStreams = 64

// Message is a reading as the handler gets it.
type Message struct {
	// ID is the same each time the reading is handed over.
	ID ID
	// From is the name of the peer.
	From string
	// Path is the name of the path that brought it; empty if it came over a
	// bearer that is none of the peer's.
	Path string
	// Payload is the handler's to keep.
	Payload []byte
}

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

// reading is a complete reading in the inbox.
type reading struct {
	Message
	first, last uint64
	discard     error // why it must not be handed over
}

// next finds the oldest complete reading that is not handled.
func (p *Peer) next(tx Tx) (*reading, error) {
	var found *reading
	var err error
	tx.Scan(p.keys.peer(marksPrefix), nil, func(k, v []byte) bool {
		var m marks
		if m, err = decodeMarks(v); err == nil && m.handled < m.stored {
			found, err = p.assemble(tx, p.keys.streamOf(k), m)
		}
		return err == nil && found == nil
	})
	return found, err
}

// assemble puts the segments after the last handled one together; nil if the
// reading is not complete.
func (p *Peer) assemble(tx Tx, stream epoch, m marks) (*reading, error) {
	r := &reading{first: m.handled + 1}
	r.From = p.name
	r.Payload = []byte{}
	for n := r.first; n <= m.stored; n++ {
		s, bearer, err := decodeIn(tx.Get(p.keys.segment(inPrefix, stream, n)))
		if err != nil {
			return nil, err
		}
		r.Payload = append(r.Payload, s.payload...)
		r.last, r.Path, r.ID = n, bearer, ID{stream, n}
		if len(r.Payload) > MaxReading {
			r.discard = fmt.Errorf("%w: from %s, reading %s", ErrTooLarge, p.name, r.ID)
			return r, nil
		}
		if !s.more {
			return r, nil
		}
	}
	if m.stored-m.handled >= maxWindow {
		r.discard = fmt.Errorf("%w: from %s, reading %s", ErrTooLarge, p.name, r.ID)
		return r, nil
	}
	return nil, nil
}

// mark notes in tx that r is handled, and takes it out of the inbox.
func (p *Peer) mark(tx Tx, r *reading) error {
	key := p.keys.stream(marksPrefix, r.ID.stream)
	m, err := decodeMarks(tx.Get(key))
	if err != nil {
		return err
	}
	if m.handled+1 != r.first {
		return nil // it was skipped meanwhile
	}
	for n := r.first; n <= r.last; n++ {
		if err := tx.Delete(p.keys.segment(inPrefix, r.ID.stream, n)); err != nil {
			return err
		}
	}
	m.handled = r.last
	ack := p.snapshot(tx, r.ID.stream, m)
	tx.OnCommit(func() { p.noteHandled(r, ack) })
	return tx.Put(key, m.encode())
}

func (p *Peer) noteHandled(r *reading, ack *ackChunk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in.acks[ack.stream] = ack
	p.owe(ack.stream, p.in.path, time.Now())
	if r.discard == nil {
		p.stats.Handled++
		p.stats.HandledBy[r.Path]++
	} else {
		p.stats.Refused++
	}
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

// Pauses after a handler failed.
const (
	handlerPause    = time.Second
	handlerPauseMax = 5 * time.Minute
)

// deliver hands readings to the handler, one after the other, until ctx ends.
func (p *Peer) deliver(ctx context.Context) {
	pause := handlerPause
	for ctx.Err() == nil {
		n, err := p.deliverSome(ctx)
		if n > 0 {
			pause = handlerPause
			p.wakeUp()
		}
		if err != nil && ctx.Err() == nil {
			p.emit(Event{Kind: handlerOrStore(err), Err: err})
			sleep(ctx, jitter(pause))
			pause = min(2*pause, handlerPauseMax)
			continue
		}
		if n == 0 {
			select {
			case <-ctx.Done():
			case <-p.work:
			}
		}
	}
}

func handlerOrStore(err error) EventKind {
	if failed := (*StoreError)(nil); errors.As(err, &failed) || errors.Is(err, ErrStoreFormat) {
		return EventStoreFailed
	}
	return EventHandlerFailed
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// handlerBatch is how many readings a HandlerTx sees in one transaction.
const handlerBatch = 64

func (p *Peer) deliverSome(ctx context.Context) (int, error) {
	if p.e.handlerTx != nil {
		return p.deliverTx(handlerBatch)
	}
	return p.deliverOne(ctx)
}

// deliverOne hands over one reading outside of any transaction and marks it
// when the handler has returned nil.
func (p *Peer) deliverOne(ctx context.Context) (int, error) {
	var r *reading
	err := p.e.store.View(func(tx Tx) (err error) {
		r, err = p.next(tx)
		return err
	})
	if err != nil || r == nil {
		return 0, err
	}
	if r.discard != nil {
		p.emit(Event{Kind: EventRefused, Err: r.discard})
	} else if err := p.e.handler(ctx, r.Message); err != nil {
		return 0, err
	}
	if err := p.e.store.Update(func(tx Tx) error { return p.mark(tx, r) }); err != nil {
		return 0, err
	}
	return 1, nil
}

// deliverTx hands over up to limit readings in one transaction, which also
// takes the marks. If the handler fails for one of them, all is rolled back and
// the ones before it are done again without it.
func (p *Peer) deliverTx(limit int) (int, error) {
	done := 0
	err := p.e.store.Update(func(tx Tx) error {
		for done = 0; done < limit; done++ {
			r, err := p.next(tx)
			if err != nil || r == nil {
				return err
			}
			if r.discard != nil {
				tx.OnCommit(func() { p.emit(Event{Kind: EventRefused, Err: r.discard}) })
			} else if err := p.e.handlerTx(userTx{tx}, r.Message); err != nil {
				return err
			}
			if err := p.mark(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case err == nil:
		return done, nil
	case done > 0 && handlerOrStore(err) == EventHandlerFailed:
		return p.deliverTx(done)
	}
	return 0, err
}
