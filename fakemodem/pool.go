package fakemodem

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// Addresses of the network. Those of IPv6 are of the prefix for documentation
// (RFC 3849).
var (
	poolPrefix   = netip.MustParsePrefix("10.64.0.0/16")
	pool6Prefix  = netip.MustParsePrefix("2001:db8:64::/48")
	gatewayAddr  = netip.MustParseAddr("10.64.0.1") // the network's end of every data call, and its name server
	gatewayAddr6 = netip.MustParseAddr("2001:db8:64::1")
)

// GatewayAddr is the network's end of every data call. It answers pings and
// questions for names.
func (n *Network) GatewayAddr() netip.Addr { return gatewayAddr }

// GatewayAddr6 is GatewayAddr by IPv6.
func (n *Network) GatewayAddr6() netip.Addr { return gatewayAddr6 }

// pool6Bits is the length of the prefix that a context has for itself
// (3GPP TS 23.401 clause 5.3.1.2.2).
const pool6Bits = 64

// prefix6 is the prefix that an address belongs to: what is leased, and what
// packets are routed by.
func prefix6(addr netip.Addr) netip.Addr {
	if addr.Is4() || !addr.IsValid() {
		return addr
	}
	p, _ := addr.Prefix(pool6Bits)
	return p.Addr()
}

// pool gives the addresses of a prefix out, one behind the other.
type pool struct {
	prefix netip.Prefix
	next   netip.Addr
}

// after is the address behind addr; for IPv6 the next prefix of 64 bits.
func (p *pool) after(addr netip.Addr) netip.Addr {
	next := addr.Next()
	if addr.Is6() {
		b := addr.As16()
		binary.BigEndian.PutUint64(b[:8], binary.BigEndian.Uint64(b[:8])+1)
		next = netip.AddrFrom16(b)
	}
	if !p.prefix.Contains(next) {
		next = p.prefix.Masked().Addr()
	}
	return next
}

// lease takes a free address of a prefix for a modem; the zero Addr if there
// is none. The first of a pool, IPv4's name of the network, is left out.
func (g *gateway) lease(m *Modem, prefix netip.Prefix) netip.Addr {
	p := g.pools[prefix]
	if p == nil {
		p = &pool{prefix: prefix}
		p.next = prefix.Masked().Addr()
		if prefix.Bits() < 31 && p.next.Is4() {
			p.next = p.after(p.next)
		}
		g.pools[prefix] = p
	}
	for range 1 << 16 {
		addr := p.next
		p.next = p.after(addr)
		if g.leased[addr] == nil && g.hosts[addr] == nil && addr != gatewayAddr && addr != prefix6(gatewayAddr6) {
			g.leased[addr] = m
			return addr
		}
	}
	return netip.Addr{}
}

// grant gives a context its addresses: of the versions of IP that it asks for,
// those that the access point has. It reports whether there are any.
func (g *gateway) grant(m *Modem, c *packetContext) bool {
	apn, ok := g.access(c.apn)
	if !ok {
		return false
	}
	if c.kind != "IPV6" && apn.Only != "IPV6" {
		c.addr = g.lease(m, or(apn.Pool, poolPrefix))
	}
	if strings.HasPrefix(c.kind, "IPV") && apn.Only != "IP" {
		if prefix := or(apn.Pool6, pool6Prefix); prefix.Bits() <= pool6Bits {
			c.addr6 = g.lease(m, prefix)
		}
		if c.addr6.IsValid() {
			c.addr6 = c.addr6.Next() // the interface identifier 1
		}
	}
	return c.addr.IsValid() || c.addr6.IsValid()
}

// release takes the addresses of a context back.
func (g *gateway) release(c *packetContext) {
	delete(g.leased, c.addr)
	delete(g.leased, prefix6(c.addr6))
	c.addr, c.addr6 = netip.Addr{}, netip.Addr{}
}

// source is the address that a context reaches another one from; the zero Addr
// if it has none of that version of IP.
func (c *packetContext) source(to netip.Addr) netip.Addr {
	if to.Is4() {
		return c.addr
	}
	return c.addr6
}

// local is the context's address, the one of IPv4 if it has both.
func (c *packetContext) local() netip.Addr {
	if c.addr.IsValid() {
		return c.addr
	}
	return c.addr6
}

// shown are the addresses as +CGPADDR shows them (3GPP TS 27.007 clause
// 10.1.14); IPv6 in sixteen numbers with dots unless +CGPIAF asks for colons.
func (c *packetContext) shown(colons bool) []string {
	var out []string
	if c.kind != "IPV6" && (c.addr.IsValid() || !c.active) {
		out = append(out, dotted(or(c.addr, netip.IPv4Unspecified())))
	}
	if strings.HasPrefix(c.kind, "IPV") && (c.addr6.IsValid() || !c.active) {
		addr := or(c.addr6, netip.IPv6Unspecified())
		if colons {
			out = append(out, addr.String())
		} else {
			out = append(out, dotted(addr))
		}
	}
	return out
}

// dotted writes the octets of an address as decimal numbers with dots.
func dotted(addr netip.Addr) string {
	var numbers []string
	for _, b := range addr.AsSlice() {
		numbers = append(numbers, fmt.Sprint(b))
	}
	return strings.Join(numbers, ".")
}
