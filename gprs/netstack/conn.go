package netstack

import (
	"net"
	"net/netip"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
)

// tcpConn is a TCP connection: gonet's, with the errors and the behaviour
// after Close of package net. Its addresses stay readable after the end.
type tcpConn struct {
	*gonet.TCPConn
	net           *Net
	network       string
	local, remote net.Addr
	closed        atomic.Bool
}

func (n *Net) newTCPConn(c *gonet.TCPConn, network string) *tcpConn {
	return &tcpConn{TCPConn: c, net: n, network: network, local: c.LocalAddr(), remote: c.RemoteAddr()}
}

// fail puts an error of the stack into the form of package net.
func (c *tcpConn) fail(op string, err error) error {
	if err != nil && c.closed.Load() {
		err = net.ErrClosed
	}
	return c.net.opError(op, c.network, c.local, c.remote, err)
}

// Read implements net.Conn.
func (c *tcpConn) Read(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, c.fail("read", net.ErrClosed)
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.TCPConn.Read(p)
	return n, c.fail("read", err)
}

// Write implements net.Conn. It returns when the send buffer has taken all of
// p; what the buffer holds is sent even after Close.
func (c *tcpConn) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, c.fail("write", net.ErrClosed)
	}
	n, err := c.TCPConn.Write(p)
	return n, c.fail("write", err)
}

// Close implements net.Conn.
func (c *tcpConn) Close() error {
	if c.closed.Swap(true) {
		return c.fail("close", net.ErrClosed)
	}
	return c.TCPConn.Close()
}

// CloseRead and CloseWrite end one direction, as those of net.TCPConn do.
func (c *tcpConn) CloseRead() error  { return c.fail("close", c.TCPConn.CloseRead()) }
func (c *tcpConn) CloseWrite() error { return c.fail("close", c.TCPConn.CloseWrite()) }

// LocalAddr implements net.Conn.
func (c *tcpConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *tcpConn) RemoteAddr() net.Addr { return c.remote }

// udpConn is a UDP socket: gonet's, with the errors of package net. It is
// connected if remote is not nil.
type udpConn struct {
	*gonet.UDPConn
	net           *Net
	network       string
	local, remote net.Addr
	closed        atomic.Bool
}

func (n *Net) newUDPConn(c *gonet.UDPConn, network string, remote net.Addr) *udpConn {
	return &udpConn{UDPConn: c, net: n, network: network, local: c.LocalAddr(), remote: remote}
}

// fail puts an error of the stack into the form of package net.
func (c *udpConn) fail(op string, addr net.Addr, err error) error {
	if err != nil && c.closed.Load() {
		err = net.ErrClosed
	}
	return c.net.opError(op, c.network, c.local, addr, err)
}

// Read implements net.Conn. What does not fit into p of a datagram is lost.
func (c *udpConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	return n, err
}

// ReadFrom implements net.PacketConn.
func (c *udpConn) ReadFrom(p []byte) (int, net.Addr, error) {
	if c.closed.Load() {
		return 0, nil, c.fail("read", c.remote, net.ErrClosed)
	}
	n, from, err := c.UDPConn.ReadFrom(p)
	return n, from, c.fail("read", c.remote, err)
}

// Write implements net.Conn.
func (c *udpConn) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, c.fail("write", c.remote, net.ErrClosed)
	}
	n, err := c.UDPConn.Write(p)
	return n, c.fail("write", c.remote, err)
}

// WriteTo implements net.PacketConn. The address is a *net.UDPAddr.
func (c *udpConn) WriteTo(p []byte, addr net.Addr) (int, error) {
	if c.closed.Load() {
		return 0, c.fail("write", addr, net.ErrClosed)
	}
	if c.remote != nil {
		return 0, c.fail("write", addr, net.ErrWriteToConnected)
	}
	to, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, c.fail("write", addr, net.InvalidAddrError("netstack: WriteTo takes a *net.UDPAddr"))
	}
	ip := to.AddrPort().Addr().Unmap()
	if !ip.IsValid() {
		return 0, c.fail("write", addr, net.InvalidAddrError("netstack: WriteTo to an address without IP"))
	}
	n, err := c.UDPConn.WriteTo(p, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, to.AddrPort().Port())))
	return n, c.fail("write", addr, err)
}

// Close implements net.Conn.
func (c *udpConn) Close() error {
	if c.closed.Swap(true) {
		return c.fail("close", c.remote, net.ErrClosed)
	}
	return c.UDPConn.Close()
}

// LocalAddr implements net.Conn.
func (c *udpConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn; nil for a socket of ListenPacket.
func (c *udpConn) RemoteAddr() net.Addr { return c.remote }
