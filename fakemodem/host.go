package fakemodem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// host is a computer of the simulated network: a TCP/IP stack of its own,
// made when somebody first listens at its address.
type host struct {
	g     *gateway
	addr  netip.Addr
	in    chan []byte // packets for it
	done  chan struct{}
	once  sync.Once
	cause error
	net   *netstack.Net
}

// defaultHost is where listeners without an address are.
var defaultHost = netip.MustParseAddr("10.65.0.1")

// hostQueue bounds the packets that wait for a host.
const hostQueue = 1024

// Listen listens for TCP inside the simulated network, where modems' data
// calls and sockets reach it. The address is "10.1.2.3:7000", or ":7000" for
// 10.65.0.1; port 0 takes a free one. Listeners run on a real TCP/IP stack:
// not inside a testing/synctest bubble.
func (n *Network) Listen(network, address string) (net.Listener, error) {
	h, port, err := n.host(address)
	if err != nil {
		return nil, err
	}
	return h.net.Listen(network, net.JoinHostPort(h.addr.String(), port))
}

// ListenPacket listens for UDP inside the simulated network, as Listen does
// for TCP.
func (n *Network) ListenPacket(network, address string) (net.PacketConn, error) {
	h, port, err := n.host(address)
	if err != nil {
		return nil, err
	}
	return h.net.ListenPacket(network, net.JoinHostPort(h.addr.String(), port))
}

// DialContext connects from a host of the simulated network, 10.65.0.1, to a
// modem's data call.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	h, _, err := n.host(":0")
	if err != nil {
		return nil, err
	}
	return h.net.DialContext(ctx, network, address)
}

// host finds or makes the host at an address.
func (n *Network) host(address string) (h *host, port string, err error) {
	where, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", fmt.Errorf("fakemodem: listen: %w", err)
	}
	addr := defaultHost
	if where != "" && where != "0.0.0.0" {
		if addr, err = netip.ParseAddr(where); err != nil || !addr.Is4() {
			return nil, "", fmt.Errorf("fakemodem: listen: %q is no IPv4 address of the simulated network", where)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closed:
		return nil, "", net.ErrClosed
	case addr == gatewayAddr || n.gateway.leased[addr] != nil:
		return nil, "", fmt.Errorf("fakemodem: listen: %v is taken by the network", addr)
	}
	if h := n.gateway.hosts[addr]; h != nil {
		return h, port, nil
	}
	h = &host{g: &n.gateway, addr: addr, in: make(chan []byte, hostQueue), done: make(chan struct{})}
	h.net, err = netstack.New(h, nil)
	if err != nil {
		return nil, "", fmt.Errorf("fakemodem: listen: %w", err)
	}
	n.gateway.hosts[addr] = h
	return h, port, nil
}

// receive queues a packet for the host.
func (h *host) receive(p []byte) bool {
	select {
	case h.in <- p:
		return true
	default:
		return false
	}
}

func (h *host) close() {
	h.Close()
	h.net.Close()
}

// host is the ppp.Link below its own stack.
var _ ppp.Link = (*host)(nil)

var errHostClosed = errors.New("fakemodem: the simulated network is closed")

// ReadPacket waits for a packet for the host.
func (h *host) ReadPacket(p []byte) (int, error) {
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

// LocalAddr is the host's address.
func (h *host) LocalAddr() netip.Addr { return h.addr }

// PeerAddr is the gateway's address.
func (h *host) PeerAddr() netip.Addr { return gatewayAddr }

// LocalAddr6 is not there: hosts have IPv4 alone.
func (h *host) LocalAddr6() netip.Addr { return netip.Addr{} }

// PeerAddr6 is not there.
func (h *host) PeerAddr6() netip.Addr { return netip.Addr{} }

// DNS is the network's name server.
func (h *host) DNS() []netip.Addr { return []netip.Addr{gatewayAddr} }

// MTU is that of an Ethernet.
func (h *host) MTU() int { return 1500 }

// Close takes the host off the network.
func (h *host) Close() error {
	h.once.Do(func() {
		h.cause = errHostClosed
		close(h.done)
	})
	return nil
}

// Done is closed when the host has gone.
func (h *host) Done() <-chan struct{} { return h.done }

// Err tells why.
func (h *host) Err() error {
	select {
	case <-h.done:
		return h.cause
	default:
		return nil
	}
}
