package netstack

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
)

// DialContext connects to address on network: "tcp", "tcp4", "tcp6", "udp",
// "udp4" or "udp6". The address is "host:port" as package net has it. A host
// name is resolved through the link, and its addresses are tried in turn, each
// with its share of the time left. ctx bounds the whole; without a deadline
// the stack gives up after its six resent SYNs, two minutes for each address.
// In the first 6 s of a link, a global IPv6 address waits for the prefix that
// the network's Router Advertisement gives.
//
// Errors are *net.OpError and wrap what package net's would:
// syscall.ECONNREFUSED, *net.DNSError, context errors; or *EndedError.
func (n *Net) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	transport, family, err := splitNetwork(network)
	if err != nil {
		return nil, n.opError("dial", network, nil, nil, err)
	}
	addrs, err := n.resolve(ctx, transport, family, address)
	if err != nil {
		return nil, n.opError("dial", network, nil, nil, err)
	}
	var first error
	for i, addr := range addrs {
		conn, err := n.dialOne(ctx, transport, addr, len(addrs)-i)
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = n.opError("dial", network, nil, netAddr(transport, addr), err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// dialOne connects to one address; left is how many share the time that ctx
// leaves.
func (n *Net) dialOne(ctx context.Context, transport string, to netip.AddrPort, left int) (net.Conn, error) {
	if n.isEnded() {
		return nil, net.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := n.whileUp(ctx)
	defer cancel()
	if n.needsPrefix(to.Addr()) {
		n.router.waitAddress(ctx)
	}
	full := toFull(to)
	if transport == "udp" {
		c, err := gonet.DialUDP(n.stack, nil, &full, protocolOf(to.Addr()))
		if err != nil {
			return nil, err
		}
		return n.newUDPConn(c, transport, c.RemoteAddr()), nil
	}
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	c, err := gonet.DialContextTCP(ctx, n.stack, full, protocolOf(to.Addr()))
	if err != nil {
		return nil, err
	}
	return n.newTCPConn(c, transport), nil
}

// whileUp is ctx, and ends with the link too: the stack's end is not seen by a
// connection that is only about to be made.
func (n *Net) whileUp(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(n.alive, cancel)
	return ctx, func() { stop(); cancel() }
}

// needsPrefix tells whether a packet to an address should have a global source
// address that only a Router Advertisement can give (RFC 6724 section 5).
func (n *Net) needsPrefix(to netip.Addr) bool {
	return to.Is6() && to.IsGlobalUnicast() && n.router != nil && !n.global6 && !n.config.AnyAddress
}

// splitNetwork gives the transport of a network's name and the family it asks
// for, "ip", "ip4" or "ip6".
func splitNetwork(network string) (transport, family string, err error) {
	transport, family = network, "ip"
	if cut, ok := strings.CutSuffix(network, "4"); ok {
		transport, family = cut, "ip4"
	} else if cut, ok := strings.CutSuffix(network, "6"); ok {
		transport, family = cut, "ip6"
	}
	if transport != "tcp" && transport != "udp" {
		return "", "", net.UnknownNetworkError(network)
	}
	return transport, family, nil
}

// resolve turns "host:port" into addresses of the family that this host can
// send to, in the order to try them.
func (n *Net) resolve(ctx context.Context, transport, family, address string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := n.resolver.LookupPort(ctx, transport, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return nil, &net.AddrError{Err: "missing host", Addr: address}
	}
	ips, err := n.lookup(ctx, family, host)
	if err != nil {
		return nil, err
	}
	var addrs []netip.AddrPort
	for _, ip := range ips {
		ip = ip.Unmap()
		if ip.Is4() && n.has4 && family != "ip6" || ip.Is6() && n.has6 && family != "ip4" {
			addrs = append(addrs, netip.AddrPortFrom(ip, uint16(port)))
		}
	}
	if len(addrs) == 0 {
		return nil, &net.AddrError{Err: "the link has no address of this family", Addr: address}
	}
	return addrs, nil
}

// netAddr is addr as the address type of the transport.
func netAddr(transport string, addr netip.AddrPort) net.Addr {
	if transport == "udp" {
		return net.UDPAddrFromAddrPort(addr)
	}
	return net.TCPAddrFromAddrPort(addr)
}
