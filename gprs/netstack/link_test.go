package netstack

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/gprs/ppp"
)

// memoryLink is one end of a packet link in memory. A queue that is full holds
// up its writer, as a serial line does.
type memoryLink struct {
	out, in       chan []byte
	local, peer   netip.Addr
	local6, peer6 netip.Addr
	dns           []netip.Addr
	mtu           int
	done          chan struct{}
	once          sync.Once
	err           error
	other         *memoryLink
	writes        func(p []byte) bool // says whether the packet passes; may be nil
}

var (
	here, there   = netip.MustParseAddr("10.64.0.2"), netip.MustParseAddr("10.64.0.1")
	here6, there6 = netip.MustParseAddr("fe80::2"), netip.MustParseAddr("fe80::1")
)

// newMemoryLinks makes both ends of a link whose queues hold depth packets.
func newMemoryLinks(depth int) (a, b *memoryLink) {
	ab, ba := make(chan []byte, depth), make(chan []byte, depth)
	a = &memoryLink{out: ab, in: ba, local: here, peer: there, local6: here6, peer6: there6, mtu: 1500, done: make(chan struct{})}
	b = &memoryLink{out: ba, in: ab, local: there, peer: here, local6: there6, peer6: here6, mtu: 1500, done: make(chan struct{})}
	a.other, b.other = b, a
	return a, b
}

func (l *memoryLink) ReadPacket(p []byte) (int, error) {
	select {
	case packet := <-l.in:
		if len(packet) > len(p) {
			return 0, io.ErrShortBuffer
		}
		return copy(p, packet), nil
	case <-l.done:
		return 0, l.err
	}
}

func (l *memoryLink) WritePacket(p []byte) error {
	if l.writes != nil && !l.writes(p) {
		return nil
	}
	select {
	case l.out <- append([]byte(nil), p...):
		return nil
	case <-l.done:
		return l.err
	}
}

func (l *memoryLink) LocalAddr() netip.Addr  { return l.local }
func (l *memoryLink) PeerAddr() netip.Addr   { return l.peer }
func (l *memoryLink) LocalAddr6() netip.Addr { return l.local6 }
func (l *memoryLink) PeerAddr6() netip.Addr  { return l.peer6 }
func (l *memoryLink) DNS() []netip.Addr      { return l.dns }
func (l *memoryLink) MTU() int               { return l.mtu }
func (l *memoryLink) Done() <-chan struct{}  { return l.done }

func (l *memoryLink) Err() error {
	select {
	case <-l.done:
		return l.err
	default:
		return nil
	}
}

var errPeerGone = errors.New("the peer has ended the link")

// end ends this side with a cause, and the other because of it.
func (l *memoryLink) end(cause error) {
	l.once.Do(func() { l.err = cause; close(l.done) })
	l.other.once.Do(func() { l.other.err = errPeerGone; close(l.other.done) })
}

func (l *memoryLink) Close() error {
	l.end(net.ErrClosed)
	return nil
}

// newPair joins two stacks by a link in memory and closes them at the end.
func newPair(tb testing.TB, config *Config) (a, b *Net) {
	tb.Helper()
	left, right := newMemoryLinks(64)
	return joined(tb, left, right, config)
}

// joined puts a stack on each end of a link and closes them at the end.
func joined(tb testing.TB, left, right ppp.Link, config *Config) (a, b *Net) {
	tb.Helper()
	a, err := New(left, config)
	require.NoError(tb, err)
	b, err = New(right, config)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		closeInTime(tb, a)
		closeInTime(tb, b)
	})
	return a, b
}

// closeInTime fails the test if Close does not end.
func closeInTime(tb testing.TB, n *Net) {
	tb.Helper()
	closed := make(chan struct{})
	go func() { _ = n.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		tb.Fatal("Close does not end: a goroutine is left")
	}
}
