package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

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
