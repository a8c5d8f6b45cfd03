package fakemodem

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// listener is a TCP listener of a simulated host. Data calls come to it
// through the host's TCP/IP stack, sockets inside modems directly.
type listener struct {
	h     *host
	at    netip.AddrPort
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	inner net.Listener // on the stack, once that runs; guarded by the network's lock
}

// backlog bounds the connections that nobody has accepted yet.
const backlog = 128

// Errors of connections between modems' sockets and hosts.
var (
	errRefused     = errors.New("connection refused")
	errUnreachable = errors.New("no route to host")
	errPortInUse   = errors.New("the port is in use")
)

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close ends the listener; accepted connections live on.
func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.done)
		n := l.h.g.n
		n.mu.Lock()
		delete(l.h.listeners, l.at.Port())
		inner := l.inner
		n.mu.Unlock()
		if inner != nil {
			inner.Close()
		}
	})
	return nil
}

// Addr is the address in the simulated network.
func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// offer hands a connection to Accept.
func (l *listener) offer(c net.Conn) bool {
	select {
	case <-l.done:
		return false
	default:
	}
	select {
	case l.conns <- c:
		return true
	default:
		return false
	}
}

// serve passes on what comes through the stack.
func (l *listener) serve(inner net.Listener) {
	for {
		c, err := inner.Accept()
		if err != nil {
			return
		}
		if !l.offer(c) {
			c.Close()
		}
	}
}

// listen makes a listener on the host. The caller holds the network's lock.
func (h *host) listen(port uint16) (*listener, error) {
	if port == 0 {
		for port = 49152; h.listeners[port] != nil; port++ { // RFC 6335 section 6
		}
	}
	if h.listeners[port] != nil {
		return nil, fmt.Errorf("fakemodem: listen: port %d of %v is in use", port, h.addr)
	}
	l := &listener{h: h, at: netip.AddrPortFrom(h.addr, port), conns: make(chan net.Conn, backlog), done: make(chan struct{})}
	if h.listeners == nil {
		h.listeners = make(map[uint16]*listener)
	}
	h.listeners[port] = l
	return l, nil
}

// dialNetwork connects a socket inside the modem: to a listener in memory
// where there is one, through the TCP/IP stack of a host otherwise.
func (m *Modem) dialNetwork(ctx context.Context, network, address string) (net.Conn, error) {
	if conn, ok, err := m.dialListener(network, address); ok {
		return conn, err
	}
	return m.n.DialContext(ctx, network, address)
}

// dialListener is dialNetwork for TCP listeners; ok is false for all else. A
// name that the network does not know is unreachable.
func (m *Modem) dialListener(network, address string) (conn net.Conn, ok bool, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || network != "tcp" {
		return nil, false, nil
	}
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	addr, err := netip.ParseAddr(host)
	if err != nil {
		if addr, ok = m.n.gateway.lookup(host); !ok {
			return nil, true, errUnreachable
		}
	}
	to, err := netip.ParseAddrPort(net.JoinHostPort(addr.String(), port))
	if err != nil {
		return nil, false, nil
	}
	switch h := m.n.gateway.hosts[to.Addr()]; {
	case h != nil && h.listeners[to.Port()] != nil:
	case h != nil:
		return nil, true, errRefused
	case m.n.gateway.links[prefix6(to.Addr())] != nil: // a program behind another modem's data call
		return nil, false, nil
	default:
		return nil, true, errUnreachable
	}
	for _, id := range m.contexts.ids() {
		if c := m.contexts.defs[id]; c.active && c.source(to.Addr()).IsValid() {
			m.socketPort++
			conn, err = m.n.gateway.dialInside(c, netip.AddrPortFrom(c.source(to.Addr()), 1024+m.socketPort%60000), to)
			return conn, true, err
		}
	}
	return nil, false, nil
}

// dialInside connects a socket inside a modem to a listener of the network.
// The caller holds the network's lock. Both ends are in memory: they work in a
// bubble.
func (g *gateway) dialInside(c *packetContext, from, to netip.AddrPort) (net.Conn, error) {
	if !c.active || g.leased[prefix6(from.Addr())] == nil {
		return nil, errUnreachable
	}
	h := g.hosts[to.Addr()]
	if h == nil {
		return nil, errUnreachable
	}
	l := h.listeners[to.Port()]
	if l == nil {
		return nil, errRefused
	}
	there, back := new(buffer), new(buffer)
	near := &insideConn{in: back, out: there, local: from, remote: to, path: &g.path}
	far := &insideConn{in: there, out: back, local: to, remote: from, path: &g.path}
	if !l.offer(far) {
		return nil, errRefused
	}
	return near, nil
}

// insideConn is one end of a connection between a modem's socket and a host.
type insideConn struct {
	in, out       *buffer
	local, remote netip.AddrPort
	path          *Path
	limit         readLimit
}

// Read waits for octets.
func (c *insideConn) Read(b []byte) (int, error) {
	return c.in.read(b, c.limit.get)
}

// Write sends octets; they arrive after the latency of the path.
func (c *insideConn) Write(b []byte) (int, error) {
	if err := c.out.write(piece{data: b, at: time.Now().Add(c.path.Latency)}); err != nil {
		return 0, &net.OpError{Op: "write", Net: "tcp", Addr: c.RemoteAddr(), Err: net.ErrClosed}
	}
	return len(b), nil
}

// CloseWrite tells the other end that no more comes.
func (c *insideConn) CloseWrite() error {
	c.out.close(nil)
	return nil
}

// Close ends both ways.
func (c *insideConn) Close() error {
	c.out.close(nil)
	c.in.close(net.ErrClosed)
	return nil
}

// LocalAddr is this end's address.
func (c *insideConn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr is the other end's address.
func (c *insideConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetDeadline is SetReadDeadline: writes wait only for room.
func (c *insideConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline bounds running and later Reads.
func (c *insideConn) SetReadDeadline(t time.Time) error {
	c.limit.set(t)
	return nil
}

// SetWriteDeadline does nothing: writes wait only for room.
func (c *insideConn) SetWriteDeadline(time.Time) error { return nil }
