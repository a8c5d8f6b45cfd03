package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// ErrTooLong says that a datagram is longer than the modem can send, or empty,
// which no modem can send. Nothing was sent.
var ErrTooLong = errors.New("the modem cannot send a datagram of this length")

// packetConn is a conn for datagrams with one peer.
type packetConn struct{ *conn }

var _ net.PacketConn = (*packetConn)(nil)

// ReadFrom reads one datagram; what does not fit into p is lost.
func (c *packetConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := c.Read(p)
	return n, c.RemoteAddr(), err
}

// WriteTo sends one datagram to the peer; another address is an error.
func (c *packetConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	if addr == nil || addr.String() != c.RemoteAddr().String() {
		return 0, &net.OpError{Op: "write", Net: c.network, Addr: addr, Err: net.ErrWriteToConnected}
	}
	return c.Write(p)
}

// Write sends one datagram.
func (c *packetConn) Write(p []byte) (int, error) {
	if !c.fits(p) {
		return 0, c.opError("write", ErrTooLong)
	}
	return c.conn.Write(p)
}

// fits tells whether p can be sent as one datagram.
func (k *conn) fits(p []byte) bool { return len(p) > 0 && len(p) <= k.mostOctets() }

// ListenPacket opens a socket for datagrams from and to anybody, for "udp" or
// "udp4" and an address without a host, as ":5000". Port 0 takes one of the
// numbers from 49152 on, which LocalAddr tells; that nobody else uses it is the
// modem's to say. ReadFrom gives each datagram with its sender, WriteTo takes a
// *net.UDPAddr or another address that is not a name.
//
// SIM800 and SIM7600 do not tell who sent a datagram: the error is
// errors.ErrUnsupported. Use DialContext for one peer there.
func (s *Stack) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	k, err := s.listenPacket(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: hostPort{network, address}, Err: err}
	}
	return &listenConn{k}, nil
}

func (s *Stack) listenPacket(ctx context.Context, network, address string) (*conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, &net.AddrError{Err: "the port is no number", Addr: address}
	}
	if host != "" && host != "0.0.0.0" {
		return nil, &net.AddrError{Err: "a modem listens at all of its addresses", Addr: address}
	}
	if network != "udp" && network != "udp4" {
		return nil, net.UnknownNetworkError(network)
	}
	if port == 0 {
		port = s.somePort()
	}
	return s.establish(ctx, "udp", "", int(port), s.driver.listen)
}

// Ports for those who ask for none: RFC 6335 section 6.
const (
	firstPort = 49152
	manyPorts = 1<<16 - firstPort
)

// somePort is another one each time.
func (s *Stack) somePort() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.port = (s.port + 1) % manyPorts
	return firstPort + s.port
}

// listenConn is a socket for datagrams with no peer of its own.
type listenConn struct{ k *conn }

var _ net.PacketConn = (*listenConn)(nil)

// ReadFrom reads one datagram; what does not fit into p is lost.
func (c *listenConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.k.read(p)
	if err != nil || !from.IsValid() {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteTo sends one datagram.
func (c *listenConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	n, err := c.writeTo(p, addr)
	if err != nil {
		err = &net.OpError{Op: "write", Net: "udp", Source: c.LocalAddr(), Addr: addr, Err: err}
	}
	return n, err
}

func (c *listenConn) writeTo(p []byte, addr net.Addr) (int, error) {
	if !c.k.fits(p) {
		return 0, ErrTooLong
	}
	if addr == nil {
		return 0, &net.AddrError{Err: "no address to send to"}
	}
	to, err := netip.ParseAddrPort(addr.String())
	if err != nil || to.Port() == 0 || to.Addr().Zone() != "" {
		return 0, &net.AddrError{Err: "not an address and a port", Addr: addr.String()}
	}
	return c.k.write(p, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()))
}

func (c *listenConn) LocalAddr() net.Addr                { return c.k.LocalAddr() }
func (c *listenConn) Close() error                       { return c.k.Close() }
func (c *listenConn) SetDeadline(t time.Time) error      { return c.k.SetDeadline(t) }
func (c *listenConn) SetReadDeadline(t time.Time) error  { return c.k.SetReadDeadline(t) }
func (c *listenConn) SetWriteDeadline(t time.Time) error { return c.k.SetWriteDeadline(t) }
