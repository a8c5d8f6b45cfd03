package fakemodem

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Datagrams of sockets inside modems travel through the simulated network as
// packets, from the modem's own address. Nothing of this waits: it works in a
// testing/synctest bubble where both ends are such sockets, or one is the
// network's name server.

// firstPort begins the ports that a socket gets if it asks for none (RFC 6335
// section 6).
const firstPort = 49152

// bindTo gives a datagram socket a local port and its only peer.
func (k *modemSocket) bindTo(host string, port int) error {
	addr, ok := k.m.n.gateway.lookup(host)
	if !ok {
		return errUnreachable
	}
	if err := k.bind(0); err != nil {
		return err
	}
	k.peer = netip.AddrPortFrom(addr, uint16(port))
	return nil
}

// bind gives a datagram socket a local port; zero takes a free one.
func (k *modemSocket) bind(port uint16) error {
	if port == 0 {
		for port = firstPort; k.m.sockets.atPort(port) != nil; port++ {
		}
	}
	if k.m.sockets.atPort(port) != nil {
		return errPortInUse
	}
	k.bound = port
	return nil
}

// atPort finds the datagram socket with a local port.
func (s *socketSet) atPort(port uint16) *modemSocket {
	for _, k := range s.list {
		if port != 0 && k.bound == port {
			return k
		}
	}
	return nil
}

// lookup finds the IPv4 address of a name or of an address in text.
func (g *gateway) lookup(host string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr, addr.Is4()
	}
	addrs, _ := g.resolve(host)
	for _, addr := range addrs {
		if addr.Is4() {
			return addr, true
		}
	}
	return netip.Addr{}, false
}

// headers are those of IPv4 without options and of UDP, in octets.
const headers = 20 + 8

// transmit sends a datagram from the modem's address and calls done as send does.
func (k *modemSocket) transmit(to netip.AddrPort, data []byte, done func(int, error) Result) Result {
	from := k.m.sockets.addr(k.m)
	if !from.IsValid() || k.bound == 0 {
		return done(0, errUnreachable)
	}
	k.sent += len(data)
	if takeFault(&k.m.sockets.faults.LoseDatagram) {
		return done(len(data), nil)
	}
	p := make([]byte, headers, headers+len(data))
	p[0], p[8], p[9] = 0x45, 64, protocolUDP
	binary.BigEndian.PutUint16(p[2:], uint16(headers+len(data)))
	copy(p[12:16], from.AsSlice())
	copy(p[16:20], to.Addr().AsSlice())
	binary.BigEndian.PutUint16(p[10:], checksum(p[:20], 0))
	binary.BigEndian.PutUint16(p[20:], k.bound)
	binary.BigEndian.PutUint16(p[22:], to.Port())
	binary.BigEndian.PutUint16(p[24:], uint16(8+len(data))) // no checksum, RFC 768
	p = append(p, data...)
	n := k.m.n
	n.after(n.gateway.path.Latency, func() { n.gateway.route(from, p) })
	return done(len(data), nil)
}

// addr is the modem's address in the context of the sockets.
func (s *socketSet) addr(m *Modem) netip.Addr {
	for _, id := range m.contexts.ids() {
		if c := m.contexts.defs[id]; c.active && c.sockets != nil {
			return c.addr
		}
	}
	return netip.Addr{}
}

// takePacket gives a packet for the modem's address to the socket that it is
// for. A socket with a peer takes nothing from others.
func (s *socketSet) takePacket(p []byte) bool {
	if len(p) < headers || p[0] != 0x45 || p[9] != protocolUDP {
		return false
	}
	k := s.atPort(binary.BigEndian.Uint16(p[22:]))
	size := int(binary.BigEndian.Uint16(p[24:]))
	if k == nil || size < 8 || 20+size > len(p) {
		return false
	}
	from := netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[12:16])), binary.BigEndian.Uint16(p[20:]))
	if k.peer.IsValid() && k.peer != from || k.size+size-8 > socketBuffer {
		return false
	}
	k.receive(arrival{data: append([]byte(nil), p[headers:20+size]...), from: from})
	return true
}

// sendTo sends a datagram to a peer that is named with it. Through a dialer of
// the test's own, it connects with the first peer instead.
func (k *modemSocket) sendTo(c *Call, host string, port int, data []byte, done func(int, error) Result) Result {
	if k.network != "udp" || k.conn != nil {
		return k.send(c, data, done)
	}
	s := &k.m.sockets
	if s.dial == nil {
		if takeFault(&s.faults.SendFails) {
			return done(0, net.ErrClosed)
		}
		if s.faults.Partial > 0 {
			data = data[:min(len(data), s.faults.Partial)]
		}
		addr, ok := k.m.n.gateway.lookup(host)
		if !ok || k.bound == 0 && k.bind(0) != nil {
			return done(0, errUnreachable)
		}
		return k.transmit(netip.AddrPortFrom(addr, uint16(port)), data, done)
	}
	k.host, k.port = host, port
	data = append([]byte(nil), data...)
	k.connect(func(err error) {
		r := done(0, err)
		if err == nil {
			r = k.send(c, data, done)
		}
		if r.kind != kindPending {
			c.finish(r)
		}
	})
	return pending
}

// sender is who sent a datagram; the peer, where a dialer of the test's own is
// between.
func (k *modemSocket) sender(from netip.AddrPort) (host string, port int) {
	if from.IsValid() {
		return from.Addr().String(), int(from.Port())
	}
	return k.host, k.port
}
