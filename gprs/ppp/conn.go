package ppp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telemodem/telemodem/internal/nonblock"
)

// Conn is a link that came up. It is a Link. Any number of goroutines may use
// it.
type Conn struct {
	settings *settings
	stream   io.ReadWriteCloser

	in      inbox
	out     outbox
	capture *capture

	// From the reader to the loop and back: the reader waits until the loop
	// has dealt with a packet, so that what follows it is judged by the new
	// state, and the loop, which never waits for anybody, may use the packet
	// where it lies.
	control chan frame
	handled chan struct{}
	broken  chan broken // the stream ended; has room for the reader and the writer
	drop    atomic.Uint32
	found   atomic.Pointer[ReceivedCounts] // published by the reader

	closing chan struct{} // closed by Close
	once    sync.Once
	abort   chan error // to give up at once; has room for one

	loop loop // belongs to run's goroutine

	up      chan struct{} // closed when the link is up for the first time
	stopped chan struct{} // closed when the loop has ended
	done    chan struct{} // closed when everything has
	addrs   atomic.Pointer[addresses]
	err     error  // after done
	rest    []byte // of the reader; after done
}

var _ Link = (*Conn)(nil)

// frame is a control frame on its way to the loop.
type frame struct {
	protocol protocol
	info     []byte
}

// broken is the end of the stream as the reader or the writer met it.
type broken struct {
	err     error
	reading bool
}

// addresses are what the NCPs agreed on.
type addresses struct {
	local, peer   netip.Addr
	local6, peer6 netip.Addr
	dns           []netip.Addr
	mtu           int
	peerName      string
}

// Dial brings a link up on stream, as the side that is given its address: the
// terminal. It returns when the link carries IP, when it cannot come up, or
// when ctx ends; a link that is up no longer depends on ctx.
//
// Until the link has ended (Done), the stream's Read and Write are the link's.
// Then the stream is left to its owner, open and with nothing read beyond the
// link but what Rest tells, and a link can be brought up on it again. A link
// that the peer's Terminate-Ack ends has no Read in progress. One that ends by
// a limit has, and ends it by SetReadDeadline if the stream has that, as those
// of packages at and net do; any other stream is closed, since nothing else
// ends its Read. The same goes for a Write that does not end, and
// SetWriteDeadline. A failed Dial treats the stream likewise. An *os.File whose
// Fd was called is made non-blocking again, since nothing would end its Read.
//
// Errors are of type *Error, or tell of a Config that cannot be.
func Dial(ctx context.Context, stream io.ReadWriteCloser, config *Config) (*Conn, error) {
	return establish(ctx, stream, config, roleDial)
}

// Serve brings a link up on stream, as the side that gives addresses: the
// network. All else is as with Dial.
func Serve(ctx context.Context, stream io.ReadWriteCloser, config *Config) (*Conn, error) {
	return establish(ctx, stream, config, roleServe)
}

func establish(ctx context.Context, stream io.ReadWriteCloser, config *Config, r role) (*Conn, error) {
	s, err := config.settings(r)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, &Error{Op: string(r), Phase: PhaseEstablish, Err: context.Cause(ctx)}
	}
	nonblock.Restore(stream)
	c := newConn(stream, s)
	go c.run()
	select {
	case <-c.up:
		return c, nil
	case <-c.done:
		return nil, c.err
	case <-ctx.Done():
		c.abort <- context.Cause(ctx)
		<-c.done
		return nil, c.err
	}
}

func newConn(stream io.ReadWriteCloser, s *settings) *Conn {
	c := &Conn{
		settings: s,
		stream:   stream,
		control:  make(chan frame),
		handled:  make(chan struct{}),
		broken:   make(chan broken, 2),
		closing:  make(chan struct{}),
		abort:    make(chan error, 1),
		up:       make(chan struct{}),
		stopped:  make(chan struct{}),
		done:     make(chan struct{}),
	}
	if s.Capture != nil {
		c.capture = newCapture(s.Capture)
	}
	c.in.init(s.ReceiveQueue)
	c.out.init(c.capture)
	c.drop.Store(uint32(allControls))
	c.found.Store(&ReceivedCounts{})
	c.addrs.Store(&addresses{mtu: s.MRU})
	c.loop.init(c)
	return c
}

// ReadPacket waits for the next IP packet and copies it into p, see Link.
// Packets that came before the end of the link can be read after it.
func (c *Conn) ReadPacket(p []byte) (n int, err error) { return c.in.take(p) }

// WritePacket sends one IP packet, see Link. While the link is renegotiating
// it drops packets, and counts them.
func (c *Conn) WritePacket(p []byte) error { return c.out.packet(p) }

// LocalAddr is our IPv4 address, the zero Addr if the link has no IPv4.
func (c *Conn) LocalAddr() netip.Addr { return c.addrs.Load().local }

// PeerAddr is the peer's IPv4 address, the zero Addr if it named none.
func (c *Conn) PeerAddr() netip.Addr { return c.addrs.Load().peer }

// LocalAddr6 is our link-local IPv6 address, the zero Addr if the link has no
// IPv6.
func (c *Conn) LocalAddr6() netip.Addr { return c.addrs.Load().local6 }

// PeerAddr6 is the peer's link-local IPv6 address, the zero Addr if the link
// has no IPv6 or the peer named none.
func (c *Conn) PeerAddr6() netip.Addr { return c.addrs.Load().peer6 }

// DNS lists the name servers that the peer gave.
func (c *Conn) DNS() []netip.Addr { return slices.Clone(c.addrs.Load().dns) }

// MTU is the longest packet that WritePacket takes, in octets.
func (c *Conn) MTU() int { return c.addrs.Load().mtu }

// PeerName is the name that the peer proved to have, if Config.Require asked
// for one.
func (c *Conn) PeerName() string { return c.addrs.Load().peerName }

// Done is closed when the link has ended and the stream is free.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is the first cause of the end, an *Error, after Done; nil before. After
// Close it wraps net.ErrClosed.
func (c *Conn) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Close ends the link with a Terminate-Request, waits for its Ack or for its
// limit (Config.MaxTerminate times RestartInterval), and then until all of the
// link has ended. It returns nil if the link was up until then, and otherwise
// the cause of its end. It may be called twice.
func (c *Conn) Close() error {
	c.once.Do(func() { close(c.closing) })
	<-c.done
	if errors.Is(c.err, net.ErrClosed) {
		return nil
	}
	return c.err
}

// Rest is what was read from the stream behind the last frame of the link, at
// most 32 KiB: what a modem said after the link ended, perhaps. It is empty
// before Done.
func (c *Conn) Rest() []byte {
	select {
	case <-c.done:
		return slices.Clone(c.rest)
	default:
		return nil
	}
}

// Stats tells what the link has carried. The counts of what was received are
// those at the end of the last read from the stream.
func (c *Conn) Stats() Stats {
	var s Stats
	s.Received = *c.found.Load()
	c.in.mu.Lock()
	s.Received.Packets, s.Received.PacketOctets = c.in.packets, c.in.octets
	s.Received.Overflowed, s.Received.Unready = c.in.overflowed, c.in.unready
	c.in.mu.Unlock()
	c.out.mu.Lock()
	s.Sent = c.out.stats
	c.out.mu.Unlock()
	return s
}

// run starts every goroutine of c and is the last of them to end.
func (c *Conn) run() {
	defer close(c.done)
	reader, writer := make(chan struct{}), make(chan struct{})
	go func() { defer close(reader); c.read() }()
	go func() { defer close(writer); c.write() }()
	c.err = c.loop.run()
	close(c.stopped)
	c.in.end(c.err)
	c.out.end(c.err)
	c.out.finish()
	closed := c.endWrites(writer)
	closed = c.endReads(reader, closed)
	if c.settings.CloseStream && !closed {
		c.stream.Close()
	}
	if c.capture != nil {
		c.capture.close()
	}
}

// flushTime bounds the writing of what waits when the link ends.
const flushTime = time.Second

// endWrites lets the writer come to its end, or makes it. It tells whether it
// had to close the stream for that.
func (c *Conn) endWrites(writer <-chan struct{}) (closed bool) {
	limit := time.NewTimer(flushTime)
	defer limit.Stop()
	select {
	case <-writer:
		return false
	case <-limit.C:
	}
	d, ok := c.stream.(interface{ SetWriteDeadline(time.Time) error })
	if ok && d.SetWriteDeadline(time.Now()) == nil {
		<-writer
		d.SetWriteDeadline(time.Time{})
		return false
	}
	c.stream.Close()
	<-writer
	return true
}

// endReads ends a Read in progress and tells whether the stream is closed.
func (c *Conn) endReads(reader <-chan struct{}, closed bool) bool {
	if c.loop.readDone {
		<-reader
		return closed
	}
	d, ok := c.stream.(interface{ SetReadDeadline(time.Time) error })
	if ok && d.SetReadDeadline(time.Now()) == nil {
		<-reader
		d.SetReadDeadline(time.Time{})
		return closed
	}
	if !closed {
		c.stream.Close()
	}
	<-reader
	return true
}

// readSize is how much is read from the stream at once, in octets.
const readSize = 32 << 10

// read takes the stream apart into frames. It never writes to the stream.
func (c *Conn) read() {
	d := decoder{maxFrame: max(c.settings.MRU, defaultMRU) + len("\xff\x03\x00\x21") + fcsLength}
	counts := new(ReceivedCounts)
	buf := make([]byte, readSize)
	for {
		n, err := c.stream.Read(buf)
		select {
		case <-c.stopped:
			c.rest = slices.Clone(buf[:n])
			return
		default:
		}
		rest, ok := c.take(&d, counts, buf[:n])
		c.in.flush()
		counts.FrameCounts = d.received
		published := *counts
		c.found.Store(&published)
		switch {
		case !ok:
			c.rest = slices.Clone(rest)
			return
		case d.text.found:
			c.rest = slices.Clone(rest)
			c.broken <- broken{ErrNoCarrier, true}
			return
		case err != nil:
			c.broken <- broken{streamError(err), true}
			return
		}
	}
}

// streamError is the error of the stream, where the end of a line is never a
// good one.
func streamError(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return os.ErrDeadlineExceeded
	}
	return err
}

// take handles what one Read gave. It returns what lies behind the end of the
// link, and false if the loop has ended.
func (c *Conn) take(d *decoder, counts *ReceivedCounts, p []byte) (rest []byte, ok bool) {
	for len(p) > 0 && !d.text.found {
		d.drop = accm(c.drop.Load())
		n, f := d.next(p)
		p = p[n:]
		if f == nil {
			continue
		}
		proto, info, ok := splitFrame(f)
		if !ok {
			counts.Unknown++
			continue
		}
		if c.capture != nil {
			c.capture.add(inbound, proto, info)
		}
		switch proto {
		case protocolIPv4:
			c.in.put(IPv4, info)
			continue
		case protocolIPv6:
			c.in.put(IPv6, info)
			continue
		case protocolLCP, protocolIPCP, protocolIPV6CP, protocolPAP, protocolCHAP:
			counts.Control++
		default:
			counts.Unknown++
		}
		if !c.consult(frame{proto, info}) {
			return p, false
		}
	}
	return p, true
}

// consult has the loop deal with f. It returns false when the loop has ended.
func (c *Conn) consult(f frame) bool {
	select {
	case c.control <- f:
	case <-c.stopped:
		return false
	}
	select {
	case <-c.handled:
	case <-c.stopped:
		return false
	}
	return true
}

// write gives frames to the stream. It never decides.
func (c *Conn) write() {
	if err := c.out.writeTo(c.stream); err != nil {
		c.broken <- broken{streamError(err), false}
	}
}
