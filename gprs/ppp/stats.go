package ppp

// Stats tells what a link has carried, by direction.
type Stats struct {
	Received ReceivedCounts
	Sent     SentCounts
}

// ReceivedCounts tells what was received.
type ReceivedCounts struct {
	FrameCounts
	Packets      uint64 // IP packets handed to ReadPacket
	PacketOctets uint64 // octets of those packets
	Overflowed   uint64 // IP packets dropped since ReadPacket was too slow
	Unready      uint64 // IP packets dropped since their protocol was not up
	Control      uint64 // packets of LCP, the NCPs and authentication
	Unknown      uint64 // frames of other protocols, or without a sound header
}
