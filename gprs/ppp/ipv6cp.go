package ppp

import (
	"encoding/binary"
	"net/netip"
)

// optionInterfaceID is the Interface-Identifier of IPV6CP (RFC 5072 section
// 4.1). Compression of headers (option 2) is never asked for, always rejected.
const optionInterfaceID = 1

// interfaceID is the lower half of a link-local address (RFC 5072 section 5).
type interfaceID uint64

func (id interfaceID) bytes() []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

// linkLocal is the address fe80::/64 that id stands for; the zero Addr for 0.
func (id interfaceID) linkLocal() netip.Addr {
	if id == 0 {
		return netip.Addr{}
	}
	a := [16]byte{0: 0xfe, 1: 0x80}
	binary.BigEndian.PutUint64(a[8:], uint64(id))
	return netip.AddrFrom16(a)
}

// ipv6cpOptions is the negotiator of IPV6CP.
type ipv6cpOptions struct {
	newID func() interfaceID
	local interfaceID
	ask   bool
	peer  interfaceID // as granted
}

func (o *ipv6cpOptions) request(dst []byte) []byte {
	if !o.ask {
		return dst
	}
	return appendOption(dst, optionInterfaceID, o.local.bytes()...)
}

func (o *ipv6cpOptions) nak(options []option) {
	for _, n := range options {
		if n.kind == optionInterfaceID && len(n.data) == 8 {
			o.local = interfaceID(binary.BigEndian.Uint64(n.data))
			if o.local == 0 {
				o.local = o.newID()
			}
		}
	}
}

func (o *ipv6cpOptions) reject(options []option) {
	for _, r := range options {
		if r.kind == optionInterfaceID {
			o.ask = false
		}
	}
}

// judge obeys RFC 5072 section 4.1: zero, or our own identifier, gets another.
func (o *ipv6cpOptions) judge(options []option, v *verdict) {
	o.peer = 0
	for _, r := range options {
		if r.kind != optionInterfaceID || len(r.data) != 8 {
			v.reject(r)
			continue
		}
		o.peer = interfaceID(binary.BigEndian.Uint64(r.data))
		if o.peer == 0 || o.peer == o.local {
			id := o.newID()
			v.nak(optionInterfaceID, id.bytes()...)
		}
	}
}
