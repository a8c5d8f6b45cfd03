package tun

import (
	"io"
	"net"
	"net/netip"
	"sync"
)

// memoryLink is one end of a packet link in memory.
type memoryLink struct {
	out, in                    chan []byte
	local, peer, local6, peer6 netip.Addr
	done                       chan struct{}
	once                       sync.Once
	err                        error
}

var (
	here, there   = netip.MustParseAddr("10.64.0.2"), netip.MustParseAddr("10.64.0.1")
	here6, there6 = netip.MustParseAddr("fe80::2"), netip.MustParseAddr("fe80::1")
)

func newMemoryLinks() (a, b *memoryLink) {
	ab, ba := make(chan []byte, 64), make(chan []byte, 64)
	return &memoryLink{out: ab, in: ba, local: here, peer: there, local6: here6, peer6: there6, done: make(chan struct{})},
		&memoryLink{out: ba, in: ab, local: there, peer: here, local6: there6, peer6: here6, done: make(chan struct{})}
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
func (l *memoryLink) DNS() []netip.Addr      { return nil }
func (l *memoryLink) MTU() int               { return 1400 }
func (l *memoryLink) Done() <-chan struct{}  { return l.done }
func (l *memoryLink) Err() error             { return l.err }

func (l *memoryLink) end(cause error) {
	l.once.Do(func() { l.err = cause; close(l.done) })
}

func (l *memoryLink) Close() error {
	l.end(net.ErrClosed)
	return nil
}
