package telemetry

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"sync"
	"time"
)

// PeerConfig says who the other endpoint is and how to reach it.
type PeerConfig struct {
	// Name is the name that the other endpoint has in its Config.
	Name string
	// Key is the secret shared with it, and with nobody else.
	Key Key
	// Paths are the ways to reach it, the preferred one first. The first one
	// that works is used. Readings in the outbox were cut to fit all paths of
	// their time: a path added later with a smaller MTU is used when those are
	// gone. Without any path, only what comes in by Receive and Serve is taken,
	// and nothing is answered.
	Paths []Path
}

// Peer is the other end of a link. Goroutines may share it.
type Peer struct {
	e       *Endpoint
	name    string
	keys    keys
	seal    *sealer     // of what goes out
	opener  cipher.AEAD // of what comes in
	tag     tag         // on what comes in
	stream  epoch       // of the readings accepted in this life
	segment int         // octets in a segment
	paths   []*path     // in order of preference; the slice never changes

	wake chan struct{} // for loop
	work chan struct{} // for deliver

	mu         sync.Mutex
	out        outbox
	in         inbox
	windows    windows
	active     *path // for readings; nil while none works
	resets     []Resetter
	pausedTill time.Time // the store failed: no readings until then
	stats      Stats
}

func newPeer(e *Endpoint, c PeerConfig) (*Peer, error) {
	switch {
	case c.Name == "" || len(c.Name) > maxName:
		return nil, fmt.Errorf("telemetry: a peer's name has 1 to %d octets", maxName)
	case c.Name == e.name:
		return nil, fmt.Errorf("telemetry: peer %q has the name of this endpoint", c.Name)
	case c.Key.isZero():
		return nil, fmt.Errorf("telemetry: peer %q has no key", c.Name)
	}
	p := &Peer{
		e: e, name: c.Name, keys: keys{c.Name},
		stream:  e.epoch,
		segment: maxSegment,
		wake:    make(chan struct{}, 1),
		work:    make(chan struct{}, 1),
		out:     outbox{receipts: make(map[ID]*Receipt)},
		in:      inbox{acks: make(map[epoch]*ackChunk), due: make(map[epoch]bool)},
		stats:   Stats{AcknowledgedBy: make(map[string]uint64), HandledBy: make(map[string]uint64)},
	}
	now := time.Now()
	for i, pc := range c.Paths {
		if err := pc.check(); err != nil {
			return nil, err
		}
		for _, other := range c.Paths[:i] {
			if other.Name == pc.Name || other.Bearer == pc.Bearer {
				return nil, fmt.Errorf("telemetry: peer %q: path %q is there twice", c.Name, pc.Name)
			}
		}
		path := newPath(pc, now)
		p.paths = append(p.paths, path)
		p.segment = min(p.segment, path.capacity())
	}
	key, t := c.Key.derive(e.name, c.Name)
	p.seal = &sealer{aead: newAEAD(key), tag: t, epoch: e.epoch}
	key, p.tag = c.Key.derive(c.Name, e.name)
	p.opener = newAEAD(key)
	return p, p.load()
}

// load takes up what an earlier life left on disk.
func (p *Peer) load() error {
	err := p.e.store.Update(func(tx Tx) error {
		var old [][]byte // streams of earlier lives get no more numbers
		tx.Scan(p.keys.peer(lastPrefix), nil, func(k, _ []byte) bool {
			old = append(old, append([]byte(nil), k...))
			return true
		})
		for _, k := range old {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.e.store.View(func(tx Tx) error {
		if err := p.loadOutbox(tx); err != nil {
			return err
		}
		return p.loadInbox(tx)
	})
}

// Name returns the name of the peer.
func (p *Peer) Name() string { return p.name }

// wakeUp has loop look again.
func (p *Peer) wakeUp() { signal(p.wake) }

// workUp has deliver look again.
func (p *Peer) workUp() { signal(p.work) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (p *Peer) emit(e Event) {
	e.Peer = p.name
	e.Time = time.Now()
	p.e.events.Publish(func(lost int) Event {
		e.Lost = lost
		return e
	})
}

// start starts the goroutines of the peer; they end with the endpoint.
func (p *Peer) start() {
	e := p.e
	e.tasks.Go(func() { p.loop(e.ctx) })
	if e.handler != nil || e.handlerTx != nil {
		e.tasks.Go(func() { p.deliver(e.ctx) })
	}
	for _, path := range p.paths {
		e.tasks.Go(func() { p.carry(e.ctx, path) })
		if r, ok := path.Bearer.(Runner); ok {
			e.tasks.Go(func() {
				r.Run(e.ctx, func(frame []byte) error { return e.Receive(path.Bearer, frame) })
			})
		}
	}
}

// loop decides, and waits nowhere but in its select.
func (p *Peer) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p.mu.Lock()
		now := time.Now()
		orders, resets, next := p.plan(now)
		p.mu.Unlock()
		for _, r := range resets {
			r.Reset()
		}
		for _, o := range orders {
			p.dispatch(o)
		}
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(next.Sub(now))
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// dispatch makes the frame of an order and hands it to the path's goroutine,
// which is idle, so this does not wait.
func (p *Peer) dispatch(o *order) {
	var err error
	var body []byte
	if o.flight == nil {
		body = o.build(p.seal.current(), nil)
	} else {
		err = p.e.store.View(func(tx Tx) error {
			body = o.build(p.seal.current(), func(id ID) (segment, bool) {
				s, err := decodeOut(tx.Get(p.keys.segment(outPrefix, id.stream, id.number)))
				return s, err == nil
			})
			return nil
		})
	}
	if err != nil {
		p.finish(o, &storeFailed{err})
		return
	}
	frame, ok := p.seal.seal(body)
	if !ok {
		if err := p.renew(); err != nil {
			p.finish(o, &storeFailed{err})
			return
		}
		p.finish(o, errRenewed)
		return
	}
	o.frame = frame
	o.path.jobs <- o
}

// renew goes on in a fresh epoch when the numbers of frames have run out.
func (p *Peer) renew() error {
	e, err := newEpoch(p.e.store)
	if err == nil {
		p.seal.renew(e)
	}
	return err
}

// errRenewed has an order done again in another epoch.
var errRenewed = errors.New("telemetry: a new epoch has begun")

// storeFailed keeps failures of the store apart from those of a bearer.
type storeFailed struct{ err error }

func (s *storeFailed) Error() string { return s.err.Error() }

// storePause is how long readings rest after the store could not be read.
const storePause = time.Second

// carry hands frames to one bearer, one at a time.
func (p *Peer) carry(ctx context.Context, path *path) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-path.jobs:
			if err := p.bill(o); err != nil {
				p.finish(o, &storeFailed{err})
				continue
			}
			limited, cancel := context.WithTimeout(ctx, path.SendLimit)
			err := path.Bearer.SendFrame(limited, o.frame)
			cancel()
			if ctx.Err() == nil {
				p.finish(o, err)
			}
		}
	}
}

// finish notes what became of an order.
func (p *Peer) finish(o *order, err error) {
	defer p.wakeUp()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	path := o.path
	path.busy = false
	path.used = now
	if err == nil || errors.Is(err, ErrInDoubt) {
		p.departed(o, now)
		return
	}
	if o.flight != nil {
		p.out.recall(o.flight)
	}
	for _, a := range o.acks {
		p.owe(a.stream, path, now)
	}
	switch failed := (*storeFailed)(nil); {
	case errors.As(err, &failed):
		p.pausedTill = now.Add(storePause)
		p.emit(Event{Kind: EventStoreFailed, Err: failed.err})
	case err != errRenewed:
		p.fail(path, err, now)
	}
}

// departed notes that an order's frame was taken by the network.
func (p *Peer) departed(o *order, now time.Time) {
	path := o.path
	path.stats.FramesSent++
	path.stats.OctetsSent += uint64(len(o.frame))
	if o.ping != 0 && o.ping == path.ping {
		path.pingSent = true
		path.pingTill = now.Add(path.AckWait)
	}
	f := o.flight
	if f == nil {
		return
	}
	f.sent, f.sentAt = true, now
	f.deadline = now.Add(path.ackWait(f.tries()))
	for _, s := range f.segments {
		if s.flight != f {
			continue
		}
		s.tries++
		s.via = path
		if path.Costly {
			s.costlyTill = f.deadline
		}
	}
}

// receive takes in the body of a frame that the peer sealed. attach, if not
// nil, is called when the frame is new.
func (p *Peer) receive(h header, plain []byte, frameSize int, from *path, attach func()) error {
	b, err := decodeBody(plain, h.epoch)
	if err != nil {
		p.refuse(from, err)
		return err
	}
	p.mu.Lock()
	w, fresh := p.windows.first(h.epoch, from, h.counter)
	if !fresh {
		p.stats.Replayed++
	}
	p.mu.Unlock()
	if !fresh {
		return nil
	}
	if attach != nil {
		attach()
	}
	defer p.wakeUp()
	p.take(h, &b, frameSize, from)
	for i := range b.data {
		err := p.takeData(&b.data[i], from)
		switch {
		case errors.Is(err, ErrFrame), errors.Is(err, ErrStaleStream):
			p.refuse(from, err)
		case err != nil:
			p.mu.Lock()
			w.forget(h.counter)
			p.mu.Unlock()
			return err
		}
	}
	for i := range b.acks {
		if err := p.trim(b.acks[i].stream, b.acks[i].handled); err != nil {
			p.emit(Event{Kind: EventStoreFailed, Path: pathName(from), Err: err})
		}
	}
	return nil
}

// take takes in all but the readings: nothing of it has to be on disk first.
func (p *Peer) take(h header, b *body, frameSize int, from *path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if from != nil {
		from.stats.FramesReceived++
		from.stats.OctetsReceived += uint64(frameSize)
		from.used = now
		if !from.Costly { // a connection that brings frames takes them, too
			p.prove(from, now)
		}
		from.pongs = append(from.pongs, b.pings[:min(len(b.pings), maxPongs)]...)
		from.pongs = from.pongs[:min(len(from.pongs), maxPongs)]
	}
	if len(b.acks) == 0 {
		return
	}
	newest := h.epoch != p.out.ackEpoch || h.counter > p.out.ackCounter
	if newest {
		p.out.ackEpoch, p.out.ackCounter = h.epoch, h.counter
	}
	for i := range b.acks {
		p.acknowledge(&b.acks[i], newest, now)
	}
}

// maxPongs bounds the answers owed on one path.
const maxPongs = 4

// takeData puts readings on disk, and has them acknowledged.
func (p *Peer) takeData(c *dataChunk, from *path) error {
	if !p.allKnown(c) {
		if err := p.store(c, from); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in.path = from
	p.owe(c.stream, from, time.Now())
	return nil
}

func (p *Peer) refuse(from *path, err error) {
	p.mu.Lock()
	p.stats.Refused++
	p.mu.Unlock()
	p.emit(Event{Kind: EventRefused, Path: pathName(from), Err: err})
}
