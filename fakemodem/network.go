package fakemodem

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Network is a simulated operator: cells, a short message centre, a packet
// gateway and the modems and phones that use them. Its methods may be called
// by several goroutines at once.
//
// One lock guards the state of the network and of all its modems; it is never
// held across a wait. Nothing happens but by a byte that arrives, a call of a
// method or a point in time, so a network runs inside a testing/synctest bubble.
type Network struct {
	config Config
	work   sync.WaitGroup // goroutines of data calls, lines and handlers
	done   chan struct{}  // closed by Close

	mu       sync.Mutex
	closed   bool
	rand     *rand.Rand
	schedule schedule
	modems   []*Modem
	numbers  map[string]subscriber // by number with its plus sign
	serial   int                   // modems made so far
	cells    []*Cell
	smsc     smsc
	gateway  gateway
	ussd     ussdService
}

// Config holds what is chosen when a network is made. A nil *Config is a sound
// choice.
type Config struct {
	// Seed is where everything random comes from. Zero means 1, so that runs
	// repeat unless another one is asked for. Network.Seed tells it.
	Seed uint64

	// Timing says how long modems and the network take. Zero is TimingQuick.
	Timing Timing

	// Operator is the name that +COPS and +CSPN show. Empty means "Telemodem".
	Operator string
	// PLMN is the operator's code, three digits of country and two or three
	// of network (3GPP TS 23.003 clause 2.2). Empty means "00101", the test
	// network.
	PLMN string

	// LossGrace is how long a data call lives, carrying nothing, after its
	// modem has lost coverage for data. Zero means 1 s; negative means that
	// the network never ends it.
	LossGrace time.Duration
}

// Timing is the relation between a real modem's times and ours.
type Timing uint8

// Kinds of timing. Guard times, such as that of +++, are always the real ones.
const (
	// TimingQuick answers at once and registers within a tenth of a second:
	// for tests on the real clock. Sending a message takes 20 ms.
	TimingQuick Timing = iota
	// TimingReal takes the times of the personality: for tests in a bubble
	// and for soak tests.
	TimingReal
	// TimingInstant takes no time for anything but guard times and what a
	// configuration asks for: for measurements, in which the network's time
	// would hide the program's.
	TimingInstant
)

func (c *Config) seed() uint64 {
	if c.Seed == 0 {
		return 1
	}
	return c.Seed
}

func (c *Config) operator() string {
	if c.Operator == "" {
		return "Telemodem"
	}
	return c.Operator
}

func (c *Config) plmn() string {
	if c.PLMN == "" {
		return "00101" // 3GPP TS 34.108 clause 8.3.2.2, the test PLMN
	}
	return c.PLMN
}

func (c *Config) lossGrace() time.Duration {
	if c.LossGrace == 0 {
		return time.Second
	}
	return c.LossGrace
}

// NewNetwork makes a network with one cell that covers everything.
func NewNetwork(config *Config) *Network {
	n := &Network{done: make(chan struct{}), numbers: make(map[string]subscriber)}
	if config != nil {
		n.config = *config
	}
	n.rand = rand.New(rand.NewPCG(n.config.seed(), 0x7465_6c65_6d6f_6465))
	n.cells = []*Cell{newCell(n, n.config.plmn(), n.config.operator())}
	n.smsc.init(n)
	n.gateway.init(n)
	return n
}

// Seed is the seed of everything random in this network.
func (n *Network) Seed() uint64 { return n.config.seed() }

// String names the network by its operator and seed.
func (n *Network) String() string {
	return fmt.Sprintf("fakemodem network %q, seed %d", n.config.operator(), n.Seed())
}

// Modems lists the modems that have not been closed, in the order of making.
func (n *Network) Modems() []*Modem {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*Modem(nil), n.modems...)
}

// Close ends every modem, call, listener and line of the network and waits
// until all its goroutines have ended. It may be called twice.
func (n *Network) Close() error {
	n.mu.Lock()
	first := !n.closed
	modems := append([]*Modem(nil), n.modems...)
	n.mu.Unlock()
	for _, m := range modems {
		m.Close()
	}
	if first {
		n.gateway.close()
		n.mu.Lock()
		if !n.closed {
			n.closed = true
			close(n.done)
		}
		if n.schedule.timer != nil {
			n.schedule.timer.Stop()
		}
		n.mu.Unlock()
	}
	n.work.Wait()
	return nil
}

// start runs fn on a goroutine that Close waits for.
func (n *Network) start(fn func()) { n.work.Go(fn) }

// scale turns a real modem's time into one of ours.
func (n *Network) scale(d time.Duration) time.Duration {
	switch n.config.Timing {
	case TimingReal:
		return d
	case TimingInstant:
		return 0
	}
	return d / 100
}
