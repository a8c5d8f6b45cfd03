package fakemodem

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Numbers of IPv6 (RFC 8200 section 4.7, RFC 4443, RFC 4861 section 4).
const (
	protocolICMPv6      = 58
	echoRequest6        = 128
	echoReply6          = 129
	routerSolicitation  = 133
	routerAdvertisement = 134
	head6               = 40
)

// advertiseInterval is the time between two Router Advertisements that nobody
// has asked for; a router's lifetime is longer.
const advertiseInterval = 4 * time.Hour

// answer6 is answer for IPv6.
func (g *gateway) answer6(p []byte) []byte {
	if len(p) < head6+8 {
		return nil
	}
	body := p[head6:]
	switch p[6] {
	case protocolICMPv6:
		if body[0] != echoRequest6 {
			return nil
		}
		reply := append([]byte{echoReply6}, body[1:]...)
		return packet6(destinationOf(p), sourceOf(p), protocolICMPv6, reply)
	case protocolUDP:
		if reply := g.answerQuestion(body); reply != nil {
			return packet6(destinationOf(p), sourceOf(p), protocolUDP, reply)
		}
	}
	return nil
}

func sourceOf(p []byte) netip.Addr      { return netip.AddrFrom16([16]byte(p[8:24])) }
func destinationOf(p []byte) netip.Addr { return netip.AddrFrom16([16]byte(p[24:40])) }

// packet6 puts an IPv6 header in front of a body of ICMPv6 or UDP and fills in
// its checksum (RFC 8200 section 8.1).
func packet6(from, to netip.Addr, protocol byte, body []byte) []byte {
	p := make([]byte, head6, head6+len(body))
	p[0], p[6], p[7] = 0x60, protocol, 255
	binary.BigEndian.PutUint16(p[4:], uint16(len(body)))
	copy(p[8:], from.AsSlice())
	copy(p[24:], to.AsSlice())
	p = append(p, body...)
	at := head6 + 2 // of the checksum, in ICMPv6
	if protocol == protocolUDP {
		at = head6 + 6
	}
	p[at], p[at+1] = 0, 0
	// The pseudo-header: both addresses, the length, the protocol.
	sum := checksum(p[8:], uint32(len(body))+uint32(protocol))
	if sum == 0 && protocol == protocolUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(p[at:], sum)
	return p
}

// onLink takes what a modem sends to its own link: it asks for a router.
func (l *dataLink) onLink(p []byte) {
	if len(p) < head6+8 || p[6] != protocolICMPv6 {
		return
	}
	switch p[head6] {
	case routerSolicitation:
		l.send(l.advertisement())
	case echoRequest6:
		if destinationOf(p) == l.router {
			l.send(l.g.answer6(p))
		}
	}
}

// advertise tells the modem its prefix now and then, while the link lives. The
// caller holds the network's lock.
func (l *dataLink) advertise() {
	if !l.s.dead && l.g.links[prefix6(l.addr6)] == l {
		l.send(l.advertisement())
		l.g.n.after(advertiseInterval, l.advertise)
	}
}

// advertisement is a Router Advertisement with the context's prefix and the
// network's name server (RFC 4861 section 4.2, RFC 8106 section 5.1; 3GPP TS
// 29.061 clause 11.2.1.3.4).
func (l *dataLink) advertisement() []byte {
	b := make([]byte, 16, 16+32+24)
	b[0], b[4] = routerAdvertisement, 64      // hop limit
	binary.BigEndian.PutUint16(b[6:], 0xffff) // the router's lifetime in seconds
	prefix := make([]byte, 32)
	prefix[0], prefix[1], prefix[2], prefix[3] = 3, 4, pool6Bits, 0x40 // for autoconfiguration, not on-link
	binary.BigEndian.PutUint32(prefix[4:], 0xffffffff)                 // valid for ever
	binary.BigEndian.PutUint32(prefix[8:], 0xffffffff)                 // preferred for ever
	copy(prefix[16:], prefix6(l.addr6).AsSlice())
	servers := make([]byte, 24)
	servers[0], servers[1] = 25, 3
	binary.BigEndian.PutUint32(servers[4:], 0xffffffff)
	copy(servers[8:], gatewayAddr6.AsSlice())
	b = append(append(b, prefix...), servers...)
	return packet6(l.router, netip.IPv6LinkLocalAllNodes(), protocolICMPv6, b)
}
