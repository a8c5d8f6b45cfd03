package flow

import (
	"encoding/binary"
	"net/netip"
)

// Numbers of protocols over IP (RFC 9293 section 3.1, RFC 768).
const (
	protocolTCP = 6
	protocolUDP = 17
)

// Key names a flow by what its packets have in common. Ports are zero for
// everything but TCP and UDP, and for fragments.
type Key struct {
	Protocol         uint8
	Source, Dest     netip.Addr
	FromPort, ToPort uint16
}

// reverse is the same flow in the other direction.
func (k Key) reverse() Key {
	k.Source, k.Dest = k.Dest, k.Source
	k.FromPort, k.ToPort = k.ToPort, k.FromPort
	return k
}

// Dissect finds the flow of an IP packet and its transport header and what
// follows. ok is false for what is not a whole, unfragmented packet; the key
// then holds what could be read.
func Dissect(p []byte) (key Key, transport []byte, ok bool) {
	if len(p) < ipv4Header {
		return key, nil, false
	}
	switch p[0] >> 4 {
	case 4:
		transport, ok = key.dissect4(p)
	case 6:
		transport, ok = key.dissect6(p)
	}
	if !ok || len(transport) < 4 {
		return key, nil, false
	}
	if key.Protocol == protocolTCP || key.Protocol == protocolUDP {
		key.FromPort = binary.BigEndian.Uint16(transport)
		key.ToPort = binary.BigEndian.Uint16(transport[2:])
	}
	return key, transport, true
}

// Octets of a header without options or extensions.
const (
	ipv4Header = 20
	ipv6Header = 40
)

// dissect4 reads the header of RFC 791 section 3.1.
func (k *Key) dissect4(p []byte) (transport []byte, ok bool) {
	k.Protocol = p[9]
	k.Source = netip.AddrFrom4([4]byte(p[12:16]))
	k.Dest = netip.AddrFrom4([4]byte(p[16:20]))
	start, end := int(p[0]&0xf)*4, int(binary.BigEndian.Uint16(p[2:]))
	const fragment = 0x3fff // MF and the offset
	if start < ipv4Header || end < start || end > len(p) || binary.BigEndian.Uint16(p[6:])&fragment != 0 {
		return nil, false
	}
	return p[start:end], true
}

// dissect6 reads the header of RFC 8200 section 3. Packets with extension
// headers are left alone.
func (k *Key) dissect6(p []byte) (transport []byte, ok bool) {
	if len(p) < ipv6Header {
		return nil, false
	}
	k.Protocol = p[6]
	k.Source = netip.AddrFrom16([16]byte(p[8:24]))
	k.Dest = netip.AddrFrom16([16]byte(p[24:40]))
	end := ipv6Header + int(binary.BigEndian.Uint16(p[4:]))
	if end > len(p) {
		return nil, false
	}
	return p[ipv6Header:end], true
}
