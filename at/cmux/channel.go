package cmux

import (
	"context"
	"io"
	"os"
	"sync"
	"time"
)

// channelState says how far a DLC is.
type channelState int

const (
	waiting    channelState = iota // for the mux itself; nothing was sent
	proposing                      // PN is out
	connecting                     // SABM is out; data that comes is kept
	opened                         // data may flow
	parting                        // DISC is out; data that comes is thrown away
	closed                         // nothing is sent or kept
)

// A Channel is one data link connection: a line of its own. All methods may be
// used by several goroutines at once.
type Channel struct {
	mux  *Mux
	dlci int
	in   *queue // received, not yet read
	out  *queue // written, not yet sent

	readBy, writeBy *deadline

	mu      sync.Mutex
	peer    Signals       // guarded by mu
	changed chan struct{} // closed and renewed with peer, guarded by mu
	losses  uint64        // guarded by mu
	status  LineStatus    // guarded by mu

	loopChannel // only the loop of the mux touches these
}

// loopChannel is what the loop knows of a channel.
type loopChannel struct {
	state    channelState
	settings ChannelConfig
	tries    int
	due      time.Time  // of SABM or DISC
	waiter   chan error // of Open, holds one; nil when told
	openAt   time.Time  // when Open may return; zero until MSC is settled
	flushEnd time.Time  // data before it is thrown away

	local     Signals
	stopPeer  bool      // we asked the other side to stop
	stopped   bool      // the other side asked us to stop
	stoppedAt time.Time // when, or when something last went out; for FlowTimeout
	asked     bool      // MSC was repeated at half of FlowTimeout
	draining  bool      // Close waits for out to be sent
	drainEnd  time.Time
	gone      chan struct{} // closed when state is closed
	skipped   int           // how often others went first
	port      []byte        // set by RPN
}

func newChannel(m *Mux, dlci int) *Channel {
	c := &Channel{mux: m, dlci: dlci, readBy: newDeadline(), writeBy: newDeadline(), changed: make(chan struct{})}
	c.settings = m.cfg.channel(dlci)
	c.in = newQueue(m.cfg.Buffer + underWay)
	c.out = newQueue(m.outLimit(c.settings.N1))
	c.local = Signals{RTC: true, RTR: true, DV: true}
	c.gone = make(chan struct{})
	return c
}

// DLCI returns the channel's number.
func (c *Channel) DLCI() int { return c.dlci }

// Read waits for data. After the other side closed the channel it returns what
// came before and then io.EOF; after the mux ended, the cause. A deadline gives
// os.ErrDeadlineExceeded.
func (c *Channel) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	over := c.readBy.passed()
	for {
		select {
		case <-over:
			return 0, os.ErrDeadlineExceeded
		default:
		}
		n, left, err := c.in.take(p)
		if n > 0 {
			if left > 0 {
				c.in.signal()
			}
			if c.mustPoke(left, n) {
				c.mux.poke() // the other side may go on
			}
			return n, nil
		}
		if err != nil {
			c.in.signal() // for the next reader
			if err == ErrClosedByPeer {
				return 0, io.EOF
			}
			return 0, err
		}
		select {
		case <-c.in.ready:
		case <-over:
		}
	}
}

// mustPoke tells that a Read that left so much has made room: for the other side to
// go on, or for a frame that is held.
func (c *Channel) mustPoke(left, n int) bool {
	low := c.mux.cfg.Buffer / 2
	return left <= low && left+n > low || left+n > c.mux.cfg.Buffer
}

// Write returns when everything is on its way to the line, at most two frames or
// one batch ahead of it. It waits while the other side has stopped the channel; a
// deadline gives os.ErrDeadlineExceeded and the count of what was taken.
func (c *Channel) Write(p []byte) (n int, err error) {
	over := c.writeBy.passed()
	for {
		select {
		case <-over:
			return n, os.ErrDeadlineExceeded
		default:
		}
		k, err := c.out.put(p[n:])
		n += k
		if k > 0 {
			c.mux.poke()
		}
		if err != nil {
			c.out.signal()
			return n, &ChannelError{c.dlci, "write", err}
		}
		if n == len(p) {
			c.out.signal() // there may be room for another writer
			return n, nil
		}
		select {
		case <-c.out.ready:
		case <-over:
		}
	}
}

// SetDeadline is SetReadDeadline and SetWriteDeadline in one.
func (c *Channel) SetDeadline(t time.Time) error {
	c.readBy.set(t)
	c.writeBy.set(t)
	return nil
}

// SetReadDeadline bounds Read; a zero time takes the bound away.
func (c *Channel) SetReadDeadline(t time.Time) error { c.readBy.set(t); return nil }

// SetWriteDeadline bounds Write; a zero time takes the bound away.
func (c *Channel) SetWriteDeadline(t time.Time) error { c.writeBy.set(t); return nil }

// Close sends what was written, within Config.CloseTimeout, then DISC, and waits
// for its answer as long as N2 repeats take. Some modems never answer DISC: that is
// no error. Close may be called twice.
func (c *Channel) Close() error {
	c.mux.do(func() { c.mux.closeChannel(c) })
	select {
	case <-c.gone:
	case <-c.mux.done:
	}
	return nil
}

// Signals returns the V.24 signals that the other side sent last.
func (c *Channel) Signals() Signals {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peer
}

// SignalsChanged returns a channel that is closed when Signals change next.
func (c *Channel) SignalsChanged() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// WaitSignals waits until ok says yes to the other side's signals.
func (c *Channel) WaitSignals(ctx context.Context, ok func(Signals) bool) error {
	for {
		changed := c.SignalsChanged()
		if ok(c.Signals()) {
			return nil
		}
		select {
		case <-changed:
		case <-c.gone:
			return &ChannelError{c.dlci, "wait", ErrClosed}
		case <-c.mux.done:
			return &ChannelError{c.dlci, "wait", c.mux.Err()}
		case <-ctx.Done():
			return &ChannelError{c.dlci, "wait", ctx.Err()}
		}
	}
}

// setPeer notes what the other side says of itself.
func (c *Channel) setPeer(s Signals) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s != c.peer {
		c.peer = s
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

// SetSignals sends our V.24 signals by MSC. It does not wait for the answer, which
// the mux awaits and asks for again.
func (c *Channel) SetSignals(s Signals) error {
	return c.signalChange(func(local *Signals) { *local = s })
}

// SetDTR changes the RTC signal alone.
func (c *Channel) SetDTR(on bool) error {
	return c.signalChange(func(local *Signals) { local.RTC = on })
}

// SetRTS changes the RTR signal alone.
func (c *Channel) SetRTS(on bool) error {
	return c.signalChange(func(local *Signals) { local.RTR = on })
}

// SendBreak sends a break signal of a length between 200 ms and 3 s.
func (c *Channel) SendBreak(length time.Duration) error {
	return c.signalChange(func(local *Signals) { local.Break = max(length, breakStep) })
}

func (c *Channel) signalChange(change func(*Signals)) error {
	err := ErrClosed
	ran := c.mux.do(func() {
		if c.state == opened {
			change(&c.local)
			c.mux.sendMSC(c)
			c.local.Break = 0
			err = nil
		}
	})
	if !ran {
		err = c.mux.Err()
	}
	if err != nil {
		return &ChannelError{c.dlci, "signal", err}
	}
	return nil
}

// Losses counts the damaged places in what the line brought while this channel was
// open. A damaged frame cannot say whose it was, so each counts for every channel
// open at the time; the multiplexer has no retransmission of data (3GPP TS 27.010
// clause 5.4): what was in it is gone.
func (c *Channel) Losses() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.losses
}
