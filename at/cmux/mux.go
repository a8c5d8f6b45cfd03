package cmux

import (
	"context"
	"errors"
	"io"
	"time"
)

// role says which side of the multiplexer this is (3GPP TS 27.010 clause 5.2.1.2).
type role int

const (
	initiator role = iota // sends AT+CMUX and opens channels: the host
	responder             // the modem
)

// Stats counts what a multiplexer has seen.
type Stats struct {
	FramesIn, FramesOut uint64
	OctetsIn, OctetsOut uint64 // on the line
	Damaged             uint64 // frames with a wrong FCS, length or flag
	Oversized           uint64 // frames longer than Config.MaxFrame
	Stray               uint64 // octets outside frames
	Unclaimed           uint64 // data frames for channels that are not open
	Repeats             uint64 // SABM, DISC and control messages sent again
}

// A Mux is one end of a multiplexer on a line. All methods may be used by several
// goroutines at once.
type Mux struct {
	cfg   Config
	role  role
	code  codec
	calls chan func()   // run by the loop
	wake  chan struct{} // holds one: a queue or a signal has changed
	done  chan struct{} // closed at the end

	accepted chan *Channel

	err  error              // why it ended; valid when done is closed
	left error              // what Close returns; valid when done is closed
	line io.ReadWriteCloser // to go on with; valid when done is closed

	loop // only the loop touches these
}

// maxAccepted bounds the channels opened by the other side and not yet accepted.
const maxAccepted = 64

// New starts a multiplexer as the initiator, the host, right after the modem's OK
// to AT+CMUX. It takes the line over until Done; see Line. The first Open says
// whether the modem took part.
func New(line io.ReadWriteCloser, cfg *Config) *Mux { return start(line, cfg, initiator) }

// Serve starts a multiplexer as the responder, the modem, right after it said OK to
// AT+CMUX. It takes the line over until Done; see Line and Accept.
func Serve(line io.ReadWriteCloser, cfg *Config) *Mux { return start(line, cfg, responder) }

func start(line io.ReadWriteCloser, cfg *Config, r role) *Mux {
	m := &Mux{cfg: cfg.withDefaults(), role: r, calls: make(chan func()), wake: make(chan struct{}, 1),
		done: make(chan struct{}), accepted: make(chan *Channel, maxAccepted)}
	m.code = codec{option: m.cfg.Option, long: m.cfg.LongLength}
	m.loop.init(m)
	go m.run(line)
	return m
}

// run starts every goroutine of m and is the last of them to end.
func (m *Mux) run(line io.ReadWriteCloser) {
	m.src, m.snk = newSource(line), newSink(line, m.cfg.Speed)
	err := m.serve()
	for _, c := range m.channels {
		m.drop(c, err)
	}
	m.failCommands(err)
	m.snk.release(m.cfg.CloseTimeout)
	m.line = m.src.release(append([]byte(nil), m.dec.rest()...))
	m.err = err
	if m.left == nil && err != ErrClosed && err != ErrClosedByPeer {
		m.left = err
	}
	close(m.done)
}

// do runs f in the loop; it says false if the loop has ended.
func (m *Mux) do(f func()) bool {
	ran := make(chan struct{})
	select {
	case m.calls <- func() { f(); close(ran) }:
		<-ran
		return true
	case <-m.done:
		return false
	}
}

// poke makes the loop look at the queues.
func (m *Mux) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Open opens a DLCI, 1 to 61, and waits until it can carry data: UA has come and
// our modem status is acknowledged or has been repeated N2 times. The error is a
// *ChannelError with ErrRefused, ErrNoAnswer, ErrInUse, ErrPlainAT or the reason
// why the mux ended. A channel that cannot be opened does not disturb the others.
func (m *Mux) Open(ctx context.Context, dlci int) (*Channel, error) {
	if dlci < 1 || dlci > maxDLCI {
		return nil, &ChannelError{dlci, "open", errors.New("cmux: DLCI outside 1 to 61")}
	}
	var c *Channel
	var waiter chan error
	if !m.do(func() {
		if m.channels[dlci] != nil {
			return
		}
		c = newChannel(m, dlci)
		waiter = c.waitOpen()
		m.openChannel(c)
	}) {
		return nil, &ChannelError{dlci, "open", m.Err()}
	}
	if c == nil {
		return nil, &ChannelError{dlci, "open", ErrInUse}
	}
	var err error
	select {
	case err = <-waiter:
	case <-ctx.Done():
		err = ctx.Err()
		m.do(func() { m.abandon(c) })
	}
	if err != nil {
		return nil, &ChannelError{dlci, "open", err}
	}
	return c, nil
}

// maxDLCI: 62 and 63 are reserved, because their address would look like a flag
// (3GPP TS 27.010 clause 5.6).
const maxDLCI = 61

// waitOpen prepares the answer to Open.
func (c *Channel) waitOpen() chan error {
	c.waiter = make(chan error, 1)
	return c.waiter
}

// Accept returns the next channel that the other side has opened.
func (m *Mux) Accept(ctx context.Context) (*Channel, error) {
	select {
	case c := <-m.accepted:
		return c, nil
	default:
	}
	select {
	case c := <-m.accepted:
		return c, nil
	case <-m.done:
		return nil, m.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the multiplexer: what was written is sent, CLD goes out, and its
// answer is awaited, all within Config.CloseTimeout. Then the line is free for
// plain AT; get it from Line. The error says that the other side did not answer
// (it may still be in multiplexer mode: see Recover) or why the mux had ended
// before, if not by the other side's CLD. Close waits for every goroutine and may be called again.
func (m *Mux) Close() error {
	m.do(func() { m.beginClose() })
	<-m.done
	return m.left
}

// Done is closed when the multiplexer has ended, for whatever reason.
func (m *Mux) Done() <-chan struct{} { return m.done }

// Err returns why the multiplexer ended, nil while it runs: ErrClosed after Close,
// ErrClosedByPeer after the other side's CLD, ErrPlainAT, ErrLineGone, ErrNoAnswer
// or ErrDamaged.
func (m *Mux) Err() error {
	select {
	case <-m.done:
		return m.err
	default:
		return nil
	}
}

// Line waits for the end of the multiplexer and returns the line, for plain AT.
// Use it in place of the one given to New: octets that came behind the last frame
// are read from it first. It is the line itself if there are none and the line has
// read deadlines. The mux never closes a line, unless a Write hangs for longer than
// Config.CloseTimeout on a line without write deadlines.
func (m *Mux) Line() io.ReadWriteCloser {
	<-m.done
	return m.line
}

// Stats returns what was counted so far.
func (m *Mux) Stats() (s Stats) {
	if !m.do(func() { s = m.stats }) {
		s = m.stats // nothing writes it any more
	}
	return s
}

// Test sends data in a Test message and waits until it comes back
// (3GPP TS 27.010 clause 5.4.6.3.4): it proves that the other side is there.
func (m *Mux) Test(ctx context.Context, data []byte) error {
	if len(data) > m.cfg.N1-4 {
		return errors.New("cmux: test data longer than N1 allows")
	}
	return m.request(ctx, message{kind: msgTest, value: append([]byte(nil), data...)}, 0, func(value []byte) error {
		if string(value) != string(data) {
			return errors.New("cmux: test data came back changed")
		}
		return nil
	})
}

// Sleep tells the other side that we want to save power (PSC, clause 5.4.6.3.2).
// Whatever is written next wakes it with flags first.
func (m *Mux) Sleep(ctx context.Context) error {
	return m.request(ctx, message{kind: msgPSC}, 0, func([]byte) error {
		m.asleep = true
		return nil
	})
}

// request sends a command and waits for its answer; check runs in the loop.
func (m *Mux) request(ctx context.Context, msg message, dlci int, check func(value []byte) error) error {
	answer := make(chan error, 1)
	if !m.do(func() {
		m.command(msg, dlci, func(value []byte, err error) {
			if err == nil && check != nil {
				err = check(value)
			}
			answer <- err
		})
	}) {
		return m.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// outLimit bounds what a channel may hold for sending: two frames on a slow line,
// two batches on a fast one.
func (m *Mux) outLimit(n1 int) int { return max(2*n1, 2*m.batchSize) }

// maxBatch bounds one Write to the line; it is reached on fast lines alone.
const (
	maxBatch  = 16 << 10
	batchTime = 2 * time.Millisecond // what one Write should take at most, if it holds more than a frame
)
