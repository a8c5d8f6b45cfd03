package socket

import (
	"errors"
	"net"
)

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
	if len(p) > c.mostOctets() {
		return 0, c.opError("write", errTooLong)
	}
	return c.conn.Write(p)
}

var errTooLong = errors.New("the datagram is longer than the modem can send")
