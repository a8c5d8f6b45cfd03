package tun

import "sync"

// packet is one that waits for the line.
type packet struct{ octets []byte }

// packetPool lends packets to all interfaces.
var packetPool = sync.Pool{New: func() any { return new(packet) }}

// newPacket makes a copy of p.
func newPacket(p []byte) *packet {
	k := packetPool.Get().(*packet)
	k.octets = append(k.octets[:0], p...)
	return k
}

// AsSlice gives the packet's octets.
func (p *packet) AsSlice() []byte { return p.octets }

// Release ends the packet's use.
func (p *packet) Release() { packetPool.Put(p) }
