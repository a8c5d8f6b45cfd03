package fakemodem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// host is a computer of the simulated network, made when somebody first
// listens at its address. Its TCP/IP stack runs once a data call sends it a
// packet, or somebody needs it for more than to listen for TCP.
type host struct {
	g     *gateway
	addr  netip.Addr
	in    chan []byte   // packets for it
	open  chan struct{} // closed when the stack may read them
	done  chan struct{}
	once  sync.Once
	start sync.Once
	net   *netstack.Net // after open
	err   error         // after open

	listeners map[uint16]*listener // guarded by the network's lock
}

// Where listeners without an address are.
var (
	defaultHost  = netip.MustParseAddr("10.65.0.1")
	defaultHost6 = netip.MustParseAddr("2001:db8:65::1")
)

// hostQueue bounds the packets that wait for a host.
const hostQueue = 1024

// Listen listens for TCP inside the simulated network, where modems' data
// calls and sockets reach it. The network is "tcp", "tcp4" or "tcp6", the
// address "10.1.2.3:7000" or "[2001:db8:1::1]:7000", or ":7000" for 10.65.0.1,
// with "tcp6" 2001:db8:65::1; port 0 takes a free one. Connections from data calls come through
// a real TCP/IP stack, which does not run inside a testing/synctest bubble;
// those from sockets inside modems do.
func (n *Network) Listen(network, address string) (net.Listener, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, fmt.Errorf("fakemodem: listen: network %q is not tcp, tcp4 or tcp6", network)
	}
	h, text, err := n.host(network, address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("fakemodem: listen: port %q is not a number", text)
	}
	n.mu.Lock()
	l, err := h.listen(uint16(port))
	n.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case <-h.open:
		if err := h.join(l); err != nil {
			l.Close()
			return nil, err
		}
	default:
	}
	return l, nil
}

// join puts a listener on the stack.
func (h *host) join(l *listener) error {
	inner, err := h.net.Listen("tcp", l.at.String())
	if err != nil {
		return err
	}
	h.g.n.mu.Lock()
	l.inner = inner
	h.g.n.mu.Unlock()
	h.g.n.start(func() { l.serve(inner) })
	return nil
}

// ListenPacket listens for UDP inside the simulated network. It runs on a real
// TCP/IP stack: not inside a testing/synctest bubble.
func (n *Network) ListenPacket(network, address string) (net.PacketConn, error) {
	h, port, err := n.host(network, address)
	if err != nil {
		return nil, err
	}
	if err := h.stack(); err != nil {
		return nil, err
	}
	return h.net.ListenPacket(network, net.JoinHostPort(h.addr.String(), port))
}

// DialContext connects from a host of the simulated network, 10.65.0.1 or
// 2001:db8:65::1, to a modem's data call. It runs on a real TCP/IP stack.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	where := network
	if to, err := netip.ParseAddrPort(address); err == nil && to.Addr().Is6() {
		where = "tcp6"
	}
	h, _, err := n.host(where, ":0")
	if err != nil {
		return nil, err
	}
	if err := h.stack(); err != nil {
		return nil, err
	}
	return h.net.DialContext(ctx, network, address)
}

// stack starts the host's TCP/IP stack and puts its listeners on it, before it
// sees the first packet.
func (h *host) stack() error {
	h.start.Do(func() {
		defer close(h.open)
		config := &netstack.Config{Addresses: []netip.Prefix{netip.PrefixFrom(h.addr, h.addr.BitLen())}}
		if h.net, h.err = netstack.New(h, config); h.err != nil {
			return
		}
		h.g.n.mu.Lock()
		var list []*listener
		for _, l := range h.listeners {
			list = append(list, l)
		}
		h.g.n.mu.Unlock()
		for _, l := range list {
			h.err = errors.Join(h.err, h.join(l))
		}
	})
	<-h.open
	return h.err
}

// host finds or makes the host at an address.
func (n *Network) host(network, address string) (h *host, port string, err error) {
	where, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", fmt.Errorf("fakemodem: listen: %w", err)
	}
	addr, err := hostAddr(network, where)
	if err != nil {
		return nil, "", err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closed:
		return nil, "", net.ErrClosed
	case addr == gatewayAddr || addr == gatewayAddr6 || n.gateway.leased[prefix6(addr)] != nil:
		return nil, "", fmt.Errorf("fakemodem: listen: %v is taken by the network", addr)
	}
	if h := n.gateway.hosts[addr]; h != nil {
		return h, port, nil
	}
	h = &host{g: &n.gateway, addr: addr, in: make(chan []byte, hostQueue), open: make(chan struct{}), done: make(chan struct{})}
	n.gateway.hosts[addr] = h
	return h, port, nil
}

// hostAddr is the address that a listener asks for.
func hostAddr(network, where string) (netip.Addr, error) {
	six := strings.HasSuffix(network, "6")
	switch where {
	case "", "0.0.0.0", "::":
		if six || where == "::" {
			return defaultHost6, nil
		}
		return defaultHost, nil
	}
	addr, err := netip.ParseAddr(where)
	if err != nil || addr.Zone() != "" || six && addr.Is4() || strings.HasSuffix(network, "4") && !addr.Is4() {
		return netip.Addr{}, fmt.Errorf("fakemodem: listen: %q is no address of the simulated network for %q", where, network)
	}
	return addr.Unmap(), nil
}

// receive queues a packet for the host, whose stack starts at the first one.
// The caller holds the network's lock.
func (h *host) receive(p []byte) bool {
	select {
	case <-h.open:
	default:
		if len(h.in) == 0 {
			h.g.n.start(func() { h.stack() })
		}
	}
	select {
	case h.in <- p:
		return true
	default:
		return false
	}
}

func (h *host) close() {
	h.Close()
	h.g.n.mu.Lock()
	var list []*listener
	for _, l := range h.listeners {
		list = append(list, l)
	}
	h.g.n.mu.Unlock()
	for _, l := range list {
		l.Close()
	}
	h.start.Do(func() { close(h.open) })
	if <-h.open; h.net != nil {
		h.net.Close()
	}
}

// host is the ppp.Link below its own stack.
var _ ppp.Link = (*host)(nil)

var errHostClosed = errors.New("fakemodem: the simulated network is closed")

// ReadPacket waits for a packet for the host.
func (h *host) ReadPacket(p []byte) (int, error) {
	select {
	case <-h.open:
	case <-h.done:
		return 0, errHostClosed
	}
	select {
	case b := <-h.in:
		if len(p) < len(b) {
			return 0, io.ErrShortBuffer
		}
		return copy(p, b), nil
	case <-h.done:
		return 0, errHostClosed
	}
}

// WritePacket sends a packet from the host into the network.
func (h *host) WritePacket(p []byte) error {
	h.g.n.mu.Lock()
	defer h.g.n.mu.Unlock()
	select {
	case <-h.done:
		return errHostClosed
	default:
	}
	h.g.route(h.addr, append([]byte(nil), p...))
	return nil
}

// LocalAddr is the host's address of IPv4; one of IPv6 goes to the stack by its
// configuration, as a link tells link-local ones alone.
func (h *host) LocalAddr() netip.Addr {
	if h.addr.Is4() {
		return h.addr
	}
	return netip.Addr{}
}

// PeerAddr is the gateway's address.
func (h *host) PeerAddr() netip.Addr { return gatewayAddr }

// LocalAddr6 is not there: hosts need no link-local address.
func (h *host) LocalAddr6() netip.Addr { return netip.Addr{} }

// PeerAddr6 is not there.
func (h *host) PeerAddr6() netip.Addr { return netip.Addr{} }

// DNS is the network's name server.
func (h *host) DNS() []netip.Addr { return []netip.Addr{gatewayAddr} }

// MTU is that of an Ethernet.
func (h *host) MTU() int { return 1500 }

// Close takes the host off the network.
func (h *host) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Done is closed when the host has gone.
func (h *host) Done() <-chan struct{} { return h.done }

// Err tells why.
func (h *host) Err() error {
	select {
	case <-h.done:
		return errHostClosed
	default:
		return nil
	}
}
