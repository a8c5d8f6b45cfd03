package netstack

import (
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// backlog bounds the connections of a listener that wait to be accepted.
const backlog = 128

// listener is a TCP listener: gonet's, with the errors of package net and a
// Close that ends Accept.
type listener struct {
	gonet   *gonet.TCPListener
	net     *Net
	network string
	addr    net.Addr
	closed  atomic.Bool
}

// Listen waits for TCP connections. The network is "tcp", "tcp4" or "tcp6",
// the address "host:port" with an IP address of this host, or none for all of
// them; port 0 takes a free one. With Config.AnyAddress the host may be any.
func (n *Net) Listen(network, address string) (net.Listener, error) {
	at, protocol, err := n.localAddr("tcp", network, address)
	if err != nil {
		return nil, n.opError("listen", network, nil, nil, err)
	}
	l, err := n.listenTCP(network, at, protocol)
	if err != nil {
		return nil, n.opError("listen", network, nil, net.TCPAddrFromAddrPort(at), err)
	}
	return l, nil
}

func (n *Net) listenTCP(network string, at netip.AddrPort, protocol tcpip.NetworkProtocolNumber) (*listener, error) {
	queue := new(waiter.Queue)
	endpoint, err := newBound(n, tcp.ProtocolNumber, protocol, queue, at, network)
	if err != nil {
		return nil, err
	}
	if err := endpoint.Listen(backlog); err != nil {
		endpoint.Close()
		return nil, causeOf(err)
	}
	l := &listener{gonet: gonet.NewTCPListener(n.stack, queue, endpoint), net: n, network: network}
	l.addr = l.gonet.Addr()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		endpoint.Close()
		return nil, net.ErrClosed
	}
	n.listeners[l] = struct{}{}
	return l, nil
}

// newBound makes an endpoint that is bound to at.
func newBound(n *Net, transport tcpip.TransportProtocolNumber, protocol tcpip.NetworkProtocolNumber,
	queue *waiter.Queue, at netip.AddrPort, network string) (tcpip.Endpoint, error) {
	if n.isEnded() {
		return nil, net.ErrClosed
	}
	endpoint, err := n.stack.NewEndpoint(transport, protocol, queue)
	if err != nil {
		return nil, causeOf(err)
	}
	endpoint.SocketOptions().SetV6Only(network[len(network)-1] == '6')
	if transport == tcp.ProtocolNumber {
		endpoint.SocketOptions().SetReuseAddress(true) // as package net: a port in TIME-WAIT is free
	}
	if err := endpoint.Bind(toFull(at)); err != nil {
		endpoint.Close()
		return nil, causeOf(err)
	}
	return endpoint, nil
}

// localAddr reads the address of a Listen and chooses the protocol: IPv6,
// which takes IPv4 too, only where this host has it.
func (n *Net) localAddr(transport, network, address string) (netip.AddrPort, tcpip.NetworkProtocolNumber, error) {
	got, family, err := splitNetwork(network)
	if err != nil || got != transport {
		return netip.AddrPort{}, 0, net.UnknownNetworkError(network)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, 0, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.AddrPort{}, 0, &net.AddrError{Err: "invalid port", Addr: address}
	}
	protocol := ipv4.ProtocolNumber
	if family == "ip6" || family == "ip" && n.has6 {
		protocol = ipv6.ProtocolNumber
	}
	if host == "" {
		unspecified := netip.IPv4Unspecified()
		if protocol == ipv6.ProtocolNumber {
			unspecified = netip.IPv6Unspecified()
		}
		return netip.AddrPortFrom(unspecified, uint16(port)), protocol, nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Unmap().Is4() && family == "ip6" || ip.Unmap().Is6() && family == "ip4" {
		return netip.AddrPort{}, 0, &net.AddrError{Err: "not an IP address of the network asked for", Addr: address}
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port)), protocolOf(ip), nil
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	if l.closed.Load() {
		return nil, l.fail("accept", net.ErrClosed)
	}
	c, err := l.gonet.Accept()
	if err != nil {
		return nil, l.fail("accept", err)
	}
	return l.net.newTCPConn(c.(*gonet.TCPConn), l.network), nil
}

// fail puts an error of the stack into the form of package net.
func (l *listener) fail(op string, err error) error {
	if l.closed.Load() {
		err = net.ErrClosed
	}
	return l.net.opError(op, l.network, nil, l.addr, err)
}

// Close implements net.Listener. Connections already accepted stay.
func (l *listener) Close() error {
	if l.closed.Swap(true) {
		return l.fail("close", net.ErrClosed)
	}
	l.net.mu.Lock()
	delete(l.net.listeners, l)
	l.net.mu.Unlock()
	l.gonet.Shutdown()
	return l.gonet.Close()
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.addr }

// ListenPacket opens a UDP socket on "udp", "udp4" or "udp6". The address is as
// that of Listen.
func (n *Net) ListenPacket(network, address string) (net.PacketConn, error) {
	at, protocol, err := n.localAddr("udp", network, address)
	if err != nil {
		return nil, n.opError("listen", network, nil, nil, err)
	}
	queue := new(waiter.Queue)
	endpoint, err := newBound(n, udp.ProtocolNumber, protocol, queue, at, network)
	if err != nil {
		return nil, n.opError("listen", network, nil, net.UDPAddrFromAddrPort(at), err)
	}
	return n.newUDPConn(gonet.NewUDPConn(queue, endpoint), network, nil), nil
}
