package telemetry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// air is a simulated network between two endpoints, one direction of one
// bearer: it loses, doubles and delays frames, as told.
type air struct {
	mtu    int
	to     *side
	peer   *air // the other direction: what the receiver answers over
	random *rand.Rand

	mu      sync.Mutex
	fault   error         // SendFrame fails
	silent  bool          // frames vanish
	loss    float64       // of frames
	double  float64       // of frames
	delay   time.Duration // at least
	spread  time.Duration // more, by chance: frames overtake each other
	frames  int           // taken
	flights sync.WaitGroup
	tap     func(frame []byte)
}

var errNoCoverage = errors.New("no coverage")

func (a *air) MTU() int { return a.mtu }

func (a *air) set(change func(*air)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

// taken returns how many frames were handed over.
func (a *air) taken() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.frames
}

func (a *air) SendFrame(_ context.Context, frame []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fault != nil {
		return a.fault
	}
	a.frames++
	if a.tap != nil {
		a.tap(frame)
	}
	copies := 1
	if a.silent || a.random.Float64() < a.loss {
		copies = 0
	} else if a.random.Float64() < a.double {
		copies = 2
	}
	for range copies {
		frame := append([]byte(nil), frame...)
		wait := a.delay + time.Duration(a.random.Float64()*float64(a.spread))
		a.flights.Go(func() {
			time.Sleep(wait)
			_ = a.to.endpoint().Receive(a.peer, frame) // errors are counted there
		})
	}
	return nil
}

// side is one machine of a test: its endpoint comes and goes, its file stays.
type side struct {
	t     *testing.T
	name  string
	file  string
	key   Key
	other string
	paths []Path

	mu     sync.Mutex
	got    []string // payloads that the handler returned nil for
	ids    map[ID]string
	cameBy []string // paths they came over
	fail   func(Message) error
	store  *BoltStore
	e      *Endpoint
	p      *Peer
}

func (s *side) endpoint() *Endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.e
}

// open starts the machine.
func (s *side) open() {
	store, err := OpenStore(s.file)
	require.NoError(s.t, err)
	store.db.NoSync = true // no power is cut in a bubble
	e, err := Open(Config{Name: s.name, Store: store, Handler: s.handle})
	require.NoError(s.t, err)
	s.mu.Lock()
	s.store, s.e = store, e
	s.mu.Unlock()
	p, err := e.AddPeer(PeerConfig{Name: s.other, Key: s.key, Paths: s.paths})
	require.NoError(s.t, err)
	s.p = p
}

// leftovers counts the segments in the outbox and the inbox on disk.
func (s *side) leftovers() (n int) {
	require.NoError(s.t, s.store.View(func(tx Tx) error {
		for _, prefix := range []byte{outPrefix, inPrefix, costPrefix} {
			tx.Scan([]byte{prefix}, nil, func(_, _ []byte) bool { n++; return true })
		}
		return nil
	}))
	return n
}

func (s *side) close() {
	require.NoError(s.t, s.e.Close())
	require.NoError(s.t, s.e.Close(), "twice")
	require.NoError(s.t, s.store.Close())
}

func (s *side) handle(_ context.Context, m Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(m); err != nil {
			return err
		}
	}
	s.got = append(s.got, string(m.Payload))
	s.cameBy = append(s.cameBy, m.Path)
	if s.ids == nil {
		s.ids = make(map[ID]string)
	}
	s.ids[m.ID] = string(m.Payload)
	return nil
}

// failWith has the handler fail as f says.
func (s *side) failWith(f func(Message) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

func (s *side) handled() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

func (s *side) send(payload string) *Receipt {
	s.t.Helper()
	r, err := s.p.Send(s.t.Context(), []byte(payload))
	require.NoError(s.t, err)
	return r
}

// world is a device and a collector with a free and a costly bearer between
// them; data and sms are the directions from the device.
type world struct {
	device, collector *side
	data, sms         *air
}

// newWorld makes both machines, not yet open. Call within a bubble.
func newWorld(t *testing.T, seed uint64) *world {
	dir := t.TempDir()
	key := NewKey()
	w := &world{
		device:    &side{t: t, name: "device", other: "collector", key: key, file: filepath.Join(dir, "device.db")},
		collector: &side{t: t, name: "collector", other: "device", key: key, file: filepath.Join(dir, "collector.db")},
	}
	pair := func(n uint64, mtu int, delay time.Duration) (*air, *air) {
		there := &air{mtu: mtu, delay: delay, to: w.collector, random: rand.New(rand.NewPCG(seed, n))}
		back := &air{mtu: mtu, delay: delay, to: w.device, random: rand.New(rand.NewPCG(seed, n+1)), peer: there}
		there.peer = back
		return there, back
	}
	var dataBack, smsBack *air
	w.data, dataBack = pair(0, 1400, 300*time.Millisecond)
	w.sms, smsBack = pair(2, 133, 5*time.Second)
	w.device.paths = []Path{{Name: "data", Bearer: w.data}, {Name: "sms", Bearer: w.sms, Costly: true}}
	w.collector.paths = []Path{{Name: "data", Bearer: dataBack}, {Name: "sms", Bearer: smsBack, Costly: true}}
	return w
}

func (w *world) open() {
	w.device.open()
	w.collector.open()
}

func (w *world) close() {
	synctest.Wait() // what is acknowledged is then deleted, too
	for _, s := range []*side{w.device, w.collector} {
		if s.p.Stats().Outstanding == 0 && s.endpoint() != nil {
			require.Zero(s.t, s.leftovers(), "segments on the disk of %s when all is done", s.name)
		}
		s.close()
	}
	for _, a := range w.airs() {
		a.flights.Wait() // to nobody
	}
}

func (w *world) airs() []*air { return []*air{w.data, w.data.peer, w.sms, w.sms.peer} }

// both changes both directions of a bearer.
func both(a *air, change func(*air)) {
	a.set(change)
	a.peer.set(change)
}

func numbered(from, to int) []string {
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf("reading %d", i))
	}
	return out
}
