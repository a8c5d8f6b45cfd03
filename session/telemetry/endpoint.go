package telemetry

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/telemodem/telemodem/internal/fanout"
)

// Config says who this endpoint is. Name and Store are needed.
type Config struct {
	// Name is what peers know this endpoint by, 1 to 64 octets.
	Name string
	// Store holds the readings. It belongs to this name for good. Close does
	// not close it.
	Store Store
	// Handler gets the readings from all peers: those of one peer in the order
	// of their Send, one at a time; those of different peers at the same time.
	// A reading counts as handled, and is acknowledged, when it returns nil.
	// After an error it is called again with the same reading, after a pause;
	// later ones of that peer wait. If the process ends between what the
	// handler did and its return, the next life calls it again with the same
	// Message.ID; a handler that must not act twice keeps that ID with its
	// effect, or is a HandlerTx. ctx ends with Close.
	Handler func(ctx context.Context, m Message) error
	// HandlerTx is a Handler whose effects are what it writes in tx: they are
	// committed together with the mark that the reading is handled, so they
	// happen exactly once, whenever the process ends. It may be run more than
	// once before it takes effect, and must be quick: it holds up all other
	// writing. Only one of Handler and HandlerTx may be set; with neither,
	// readings wait on disk. The keys are the application's own.
	HandlerTx func(tx Tx, m Message) error
	// MaxOutbox bounds the outbox for one peer, in octets on disk: those of the
	// readings, and 64 for each segment. Zero means 16 MiB; negative means no
	// bound.
	MaxOutbox int
}

const defaultOutbox = 16 << 20

// Endpoint is this machine, with links to its peers. Goroutines may share it.
type Endpoint struct {
	name      string
	store     Store
	handler   func(context.Context, Message) error
	handlerTx func(Tx, Message) error
	maxOutbox int
	epoch     epoch
	events    fanout.Hub[Event]

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup // all goroutines
	calls  sync.WaitGroup // calls that use the store

	mu     sync.Mutex
	closed bool
	peers  []*Peer // replaced, not changed
}

// Open starts an endpoint on the state in its store. It sends nothing until
// AddPeer says where to.
func Open(c Config) (*Endpoint, error) {
	switch {
	case c.Name == "" || len(c.Name) > maxName:
		return nil, fmt.Errorf("telemetry: the name of an endpoint has 1 to %d octets", maxName)
	case c.Store == nil:
		return nil, errors.New("telemetry: an endpoint needs a store; see OpenStore")
	case c.Handler != nil && c.HandlerTx != nil:
		return nil, errors.New("telemetry: Handler and HandlerTx exclude each other")
	}
	if err := claim(c.Store, c.Name); err != nil {
		return nil, err
	}
	first, err := newEpoch(c.Store)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{
		name: c.Name, store: c.Store,
		handler: c.Handler, handlerTx: c.HandlerTx,
		maxOutbox: c.MaxOutbox,
		epoch:     first,
	}
	if e.maxOutbox == 0 {
		e.maxOutbox = defaultOutbox
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// claim makes the store this name's, once and for all: the marks against
// duplicates hold for one name.
func claim(s Store, name string) error {
	return s.Update(func(tx Tx) error {
		switch owner := tx.Get([]byte(nameKey)); {
		case owner == nil:
			return tx.Put([]byte(nameKey), []byte(name))
		case string(owner) != name:
			return &StoreError{Op: "open", Err: fmt.Errorf("%w: %q, not %q", ErrStoreIdentity, owner, name)}
		}
		return nil
	})
}

// generationStart is where the hours that bound a generation from below count
// from.
var generationStart = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// newEpoch begins an epoch: its generation is above that of all before it in
// this store, and not below the hours since 2020, so that it also is above those
// of a later copy of the store if the clock is right.
func newEpoch(s Store) (epoch, error) {
	var random [8]byte
	rand.Read(random[3:])
	var generation uint64
	err := s.Update(func(tx Tx) error {
		last, err := decodeUint64(tx.Get([]byte(generationKey)))
		if err != nil {
			return err
		}
		hours := int64(time.Since(generationStart) / time.Hour)
		generation = max(last+1, uint64(max(hours, 0)))
		if generation >= 1<<24 {
			return fmt.Errorf("%w: no generation left", ErrStoreFormat)
		}
		return tx.Put([]byte(generationKey), binary.BigEndian.AppendUint64(nil, generation))
	})
	return epoch(generation<<40 | binary.BigEndian.Uint64(random[:])), err
}

// AddPeer begins the link to a peer: what the outbox holds for it goes out, and
// its frames are taken.
func (e *Endpoint) AddPeer(c PeerConfig) (*Peer, error) {
	leave, err := e.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if e.peerNamed(c.Name) != nil {
		return nil, fmt.Errorf("telemetry: peer %q is there already", c.Name)
	}
	p, err := newPeer(e, c)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	if slices.ContainsFunc(e.peers, func(other *Peer) bool { return other.name == c.Name }) {
		return nil, fmt.Errorf("telemetry: peer %q is there already", c.Name)
	}
	e.peers = append(slices.Clone(e.peers), p)
	p.start()
	return p, nil
}

// Peers returns the peers in the order in which they were added.
func (e *Endpoint) Peers() []*Peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.peers)
}

func (e *Endpoint) peerNamed(name string) *Peer {
	for _, p := range e.Peers() {
		if p.name == name {
			return p
		}
	}
	return nil
}

// Name returns the name of the endpoint.
func (e *Endpoint) Name() string { return e.name }

// Events returns what happens from now on, until ctx or the endpoint ends, when
// the channel is closed. The endpoint does not wait for the reader: up to 64
// events are kept for it, and Event.Lost tells how many were not.
func (e *Endpoint) Events(ctx context.Context) <-chan Event { return e.events.Listen(ctx) }

// enter begins a call that Close waits for.
func (e *Endpoint) enter() (leave func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	e.calls.Add(1)
	return e.calls.Done, nil
}

// Close ends the endpoint: frames being sent and handlers being run are
// cancelled and waited for. What is not acknowledged stays in the outbox. It
// may be called twice. The store stays open.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.calls.Wait()
	e.tasks.Wait()
	e.events.Close()
	return nil
}

// Receive takes in a frame that came over b, one of the peers' bearers, or nil
// if that is not known; the seal tells who sent it. It returns when what the
// frame brought is on disk, so that a network that stores and forwards may then
// forget it. On nil, the frame is done with, be it new or not. ErrFrame and
// ErrUnknownPeer say that it is not a frame for this endpoint and will never be;
// any other error, that it should be brought again. frame may be changed
// afterwards.
func (e *Endpoint) Receive(b Bearer, frame []byte) error {
	return e.receive(frame, func(p *Peer) (*path, func()) { return p.pathOf(b), nil })
}

// receive takes in a frame; arrival says over which path it came, once the peer
// is known, and what to do if it is new.
func (e *Endpoint) receive(frame []byte, arrival func(*Peer) (*path, func())) error {
	leave, err := e.enter()
	if err != nil {
		return err
	}
	defer leave()
	h, err := parseHeader(frame)
	if err != nil {
		return err
	}
	for _, p := range e.Peers() {
		if p.tag != h.tag {
			continue
		}
		if plain, ok := open(p.opener, frame); ok {
			from, attach := arrival(p)
			return p.receive(h, plain, len(frame), from, attach)
		}
	}
	return ErrUnknownPeer
}

// pathOf returns the peer's path over b; nil if there is none.
func (p *Peer) pathOf(b Bearer) *path {
	for _, path := range p.paths {
		if path.Bearer == b {
			return path
		}
	}
	return nil
}

// Limits on connections that have not shown yet whose they are.
const (
	maxStrangers = 64
	strangerTime = 30 * time.Second
)

// Serve accepts connections from peers' Dial bearers until l fails for good or
// the endpoint is closed, which closes l; then it returns the error of l, or
// ErrClosed. A failure that passes, such as too many open files, is waited out.
// A connection whose first frame is not that of a peer is closed; others serve
// their peer's Inbound path, if it has one, the newest first.
func (e *Endpoint) Serve(l net.Listener) error {
	leave, err := e.enter()
	if err != nil {
		l.Close()
		return err
	}
	stop := context.AfterFunc(e.ctx, func() { l.Close() })
	defer stop()
	leave()
	var conns sync.WaitGroup
	defer conns.Wait()
	strangers := make(chan struct{}, maxStrangers)
	for {
		conn, err := accept(e.ctx, l)
		if err != nil {
			l.Close()
			if e.ctx.Err() != nil {
				return ErrClosed
			}
			return err
		}
		select {
		case strangers <- struct{}{}:
			conns.Go(func() { e.serveConn(conn, strangers) })
		default:
			conn.Close()
		}
	}
}

// serveConn reads the frames of one connection.
func (e *Endpoint) serveConn(conn net.Conn, strangers <-chan struct{}) {
	stop := context.AfterFunc(e.ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	known := false
	defer func() {
		if !known {
			<-strangers
		}
	}()
	var inbound *Inbound
	defer func() {
		if inbound != nil {
			inbound.detach(conn)
		}
	}()
	conn.SetReadDeadline(time.Now().Add(strangerTime))
	r := newFrameReader(conn)
	for {
		frame, err := r.next()
		if err != nil {
			return
		}
		err = e.receive(frame, func(p *Peer) (*path, func()) {
			path, in := p.inbound()
			return path, func() {
				if !known {
					known = true
					<-strangers
					conn.SetReadDeadline(time.Time{})
				}
				if in != nil && inbound == nil {
					inbound = in
					in.attach(conn)
				}
			}
		})
		if err != nil && (!known || errors.Is(err, ErrClosed)) {
			return
		}
		if !known {
			return // a frame seen before is no introduction
		}
	}
}

// inbound returns the peer's path for connections that it opens.
func (p *Peer) inbound() (*path, *Inbound) {
	for _, path := range p.paths {
		if in, ok := path.Bearer.(*Inbound); ok {
			return path, in
		}
	}
	return nil, nil
}
