package socket

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// conn is one socket. Read and Write may be called at the same time.
type conn struct {
	s       *Stack
	id      int // -1 until the modem has given one
	network string
	host    string // empty for a socket that listens
	port    int    // the peer's, or the one that it listens at

	started bool // pump and push run; guarded by Stack.mu

	in            inbox
	readDeadline  *deadline
	writeDeadline *deadline
	writeTurn     chan struct{} // holds a token while a Write is at work
	pieces        chan piece    // to push
	results       chan error    // of push, one for each piece

	kick       chan struct{} // there may be data
	ask        atomic.Bool   // and the state is to be asked for
	closing    chan struct{} // closed by Close and by a failure
	failOnce   sync.Once
	pumpDone   chan struct{}
	pushDone   chan struct{}
	closeBegun atomic.Bool
	closeDone  chan struct{} // closed once Close has its answer
	closeErr   error         // before closeDone

	mu     sync.Mutex
	err    error // first cause of the end
	closed bool  // the modem said that the peer has closed
	most   int   // octets in one piece

	// flying says that a piece was on its way when a deadline ended the Write
	// that gave it. Whoever has writeTurn may touch it.
	flying bool
}

func newConn(s *Stack, network, host string, port int) *conn {
	most := s.driver.limits().send
	if s.cfg.MaxSend > 0 {
		most = min(most, s.cfg.MaxSend)
	}
	k := &conn{s: s, id: -1, network: network, host: host, port: port, most: most,
		readDeadline: newDeadline(), writeDeadline: newDeadline(),
		writeTurn: make(chan struct{}, 1), pieces: make(chan piece), results: make(chan error, 1),
		kick: make(chan struct{}, 1), closing: make(chan struct{}), closeDone: make(chan struct{}), pumpDone: make(chan struct{}), pushDone: make(chan struct{})}
	k.in.init(network == "udp")
	return k
}

// wake lets pump look for data.
func (k *conn) wake() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

// askState lets pump look for data and then ask for the state.
func (k *conn) askState() {
	k.ask.Store(true)
	k.wake()
}

// closedByPeer notes the modem's word; what was received before comes first.
func (k *conn) closedByPeer() {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.wake()
}

// notClosed takes back closedByPeer.
func (k *conn) notClosed() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = false
}

// fail ends the socket with a cause, the first one.
func (k *conn) fail(cause error) {
	k.failOnce.Do(func() {
		k.mu.Lock()
		k.err = cause
		k.mu.Unlock()
		close(k.closing)
		k.in.end(cause)
	})
}

// secure tells whether the modem speaks TLS on the connection.
func (k *conn) secure() bool { return k.network == "tcp" && k.s.cfg.TLS != nil }

func (k *conn) cause() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

func (k *conn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: k.network, Source: k.LocalAddr(), Addr: k.RemoteAddr(), Err: err}
}

// LocalAddr is the socket's number at the modem, or the port that it listens
// at: the address is the modem's own.
func (k *conn) LocalAddr() net.Addr {
	if k.host == "" {
		return &net.UDPAddr{IP: net.IPv4zero, Port: k.port}
	}
	return hostPort{k.network, "modem socket " + strconv.Itoa(k.id)}
}

// RemoteAddr is the peer as it was named; nil for a socket that listens.
func (k *conn) RemoteAddr() net.Addr {
	if k.host == "" {
		return nil
	}
	return hostPort{k.network, net.JoinHostPort(k.host, strconv.Itoa(k.port))}
}

func (k *conn) SetDeadline(t time.Time) error {
	k.readDeadline.set(t)
	k.writeDeadline.set(t)
	return nil
}

func (k *conn) SetReadDeadline(t time.Time) error {
	k.readDeadline.set(t)
	return nil
}

func (k *conn) SetWriteDeadline(t time.Time) error {
	k.writeDeadline.set(t)
	return nil
}

// Close closes the socket at the modem and waits until it is closed. It may be
// called twice. If the modem does not confirm that, the error says so, and the
// number stays in use until it does: it is asked again and again. A connection
// that has failed is closed at the modem without it.
func (k *conn) Close() error {
	if !k.closeBegun.CompareAndSwap(false, true) {
		<-k.closeDone // no lock is held across the wait
		return k.closeErr
	}
	defer close(k.closeDone)
	k.fail(net.ErrClosed)
	<-k.pumpDone
	if k.s.holds(k) {
		k.closeErr = k.opError("close", errNotClosed)
	}
	return k.closeErr
}

var errNotClosed = errors.New("the modem has not confirmed the close and may have the socket open still")

func (k *conn) Read(p []byte) (int, error) {
	n, _, err := k.read(p)
	return n, err
}

// read is Read, and tells who sent a datagram.
func (k *conn) read(p []byte) (int, netip.AddrPort, error) {
	for {
		if k.readDeadline.isPast() {
			return 0, netip.AddrPort{}, k.opError("read", os.ErrDeadlineExceeded)
		}
		n, from, changed, err := k.in.take(p)
		if n > 0 || err != nil || changed == nil {
			k.wakeIfDrained()
			return n, from, k.opError("read", err)
		}
		select {
		case <-changed:
		case <-k.readDeadline.wait():
		}
	}
}

// wakeIfDrained lets pump go on that had waited for room.
func (k *conn) wakeIfDrained() {
	if k.in.wanted() {
		k.wake()
	}
}

func (k *conn) Write(p []byte) (int, error) {
	n, err := k.write(p, netip.AddrPort{})
	return n, k.opError("write", err)
}

func (k *conn) write(p []byte, to netip.AddrPort) (n int, err error) {
	if k.writeDeadline.isPast() {
		return 0, os.ErrDeadlineExceeded
	}
	select {
	case k.writeTurn <- struct{}{}:
		defer func() { <-k.writeTurn }()
	case <-k.writeDeadline.wait():
		return 0, os.ErrDeadlineExceeded
	case <-k.closing:
		return 0, k.cause()
	}
	if err := k.landed(); err != nil {
		return 0, err
	}
	for n < len(p) {
		part := p[n:min(len(p), n+k.mostOctets())]
		taken, err := k.give(piece{append([]byte(nil), part...), to})
		n += taken
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// landed waits for a piece that was on its way when a deadline ended the Write
// that gave it.
func (k *conn) landed() error {
	if !k.flying {
		return nil
	}
	select {
	case err := <-k.results:
		k.flying = false
		return err
	case <-k.writeDeadline.wait():
		return os.ErrDeadlineExceeded
	case <-k.closing:
		return k.cause()
	}
}

// give hands a piece to push and waits until the modem has it.
func (k *conn) give(p piece) (int, error) {
	select {
	case k.pieces <- p:
	case <-k.writeDeadline.wait():
		return 0, os.ErrDeadlineExceeded
	case <-k.closing:
		return 0, k.cause()
	}
	select {
	case err := <-k.results:
		if err != nil {
			return 0, err
		}
		return len(p.data), nil
	case <-k.writeDeadline.wait():
		k.flying = true // it cannot be taken back
		return len(p.data), os.ErrDeadlineExceeded
	case <-k.closing:
		return 0, k.cause()
	}
}

func (k *conn) mostOctets() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.most
}
