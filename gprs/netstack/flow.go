package netstack

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// flowKey names a flow by what its packets have in common. Ports are zero for
// everything but TCP and UDP, and for fragments.
type flowKey struct {
	protocol         uint8
	source, dest     netip.Addr
	fromPort, toPort uint16
}

// reverse is the same flow in the other direction.
func (k flowKey) reverse() flowKey {
	k.source, k.dest = k.dest, k.source
	k.fromPort, k.toPort = k.toPort, k.fromPort
	return k
}

// dissect finds the flow of an IP packet and its transport header and what
// follows. ok is false for what is not a whole, unfragmented packet; the key
// then holds what could be read.
func dissect(p []byte) (key flowKey, transport []byte, ok bool) {
	if len(p) < header.IPv4MinimumSize {
		return key, nil, false
	}
	switch p[0] >> 4 {
	case header.IPv4Version:
		key, transport, ok = dissect4(p)
	case header.IPv6Version:
		key, transport, ok = dissect6(p)
	}
	if !ok || len(transport) < 4 {
		return key, nil, false
	}
	if key.protocol == uint8(header.TCPProtocolNumber) || key.protocol == uint8(header.UDPProtocolNumber) {
		key.fromPort = binary.BigEndian.Uint16(transport)
		key.toPort = binary.BigEndian.Uint16(transport[2:])
	}
	return key, transport, true
}

// dissect4 reads the header of RFC 791 section 3.1.
func dissect4(p []byte) (key flowKey, transport []byte, ok bool) {
	ip := header.IPv4(p)
	key.protocol = ip.Protocol()
	key.source = netip.AddrFrom4([4]byte(p[12:16]))
	key.dest = netip.AddrFrom4([4]byte(p[16:20]))
	start, end := int(ip.HeaderLength()), int(ip.TotalLength())
	if start < header.IPv4MinimumSize || end < start || end > len(p) || ip.More() || ip.FragmentOffset() != 0 {
		return key, nil, false
	}
	return key, p[start:end], true
}

// dissect6 reads the header of RFC 8200 section 3. Packets with extension
// headers are left alone.
func dissect6(p []byte) (key flowKey, transport []byte, ok bool) {
	if len(p) < header.IPv6MinimumSize {
		return key, nil, false
	}
	ip := header.IPv6(p)
	key.protocol = ip.NextHeader()
	key.source = netip.AddrFrom16([16]byte(p[8:24]))
	key.dest = netip.AddrFrom16([16]byte(p[24:40]))
	end := header.IPv6MinimumSize + int(ip.PayloadLength())
	if end > len(p) {
		return key, nil, false
	}
	return key, p[header.IPv6MinimumSize:end], true
}
