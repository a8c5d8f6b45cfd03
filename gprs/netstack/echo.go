package netstack

import (
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"github.com/telemodem/telemodem/internal/flow"
)

// echoReply turns an ICMP echo request into its reply, in place, and tells
// whether p was one. It stands in where Config.AnyAddress is set: the stack
// answers echo requests only to addresses it was told of.
func echoReply(p []byte) bool {
	key, message, ok := flow.Dissect(p)
	if !ok || len(message) < header.ICMPv4MinimumSize {
		return false
	}
	request, reply := byte(header.ICMPv4Echo), byte(header.ICMPv4EchoReply)
	protocol, from, size := uint8(header.ICMPv4ProtocolNumber), 12, header.IPv4AddressSize
	if key.Source.Is6() {
		request, reply = byte(header.ICMPv6EchoRequest), byte(header.ICMPv6EchoReply)
		protocol, from, size = uint8(header.ICMPv6ProtocolNumber), 8, header.IPv6AddressSize
	}
	if key.Protocol != protocol || message[0] != request || message[1] != 0 {
		return false
	}
	for i := from; i < from+size; i++ { // no checksum changes when two addresses change places
		p[i], p[i+size] = p[i+size], p[i]
	}
	message[0] = reply
	flow.ReplaceSum(message[2:], uint16(request)<<8, uint16(reply)<<8)
	return true
}
