package fakemodem

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// AddName lets the network's name server answer for a host name.
func (n *Network) AddName(name string, addrs ...netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.gateway.names == nil {
		n.gateway.names = make(map[string][]netip.Addr)
	}
	n.gateway.names[strings.ToLower(strings.TrimSuffix(name, "."))] = addrs
}

// resolve looks a name up as the network's name server does.
func (g *gateway) resolve(name string) ([]netip.Addr, bool) {
	addrs, ok := g.names[strings.ToLower(strings.TrimSuffix(name, "."))]
	return addrs, ok
}

// nameDelay is how long the name server takes for a modem: F75.
func (g *gateway) nameDelay(from netip.Addr) time.Duration {
	if m := g.leased[prefix6(from)]; m != nil {
		if x := m.faults.has("F75"); x != nil {
			return or(x.Delay, time.Minute)
		}
	}
	return 0
}

// Protocol numbers of IPv4 and the port of DNS (RFC 790, RFC 1035 section 4.2).
const (
	protocolICMP = 1
	protocolUDP  = 17
	portDNS      = 53
)

// answer is what the gateway itself replies to a packet: ICMP echo and DNS.
func (g *gateway) answer(p []byte) []byte {
	if p[0]>>4 == 6 {
		return g.answer6(p)
	}
	head := int(p[0]&15) * 4
	if p[0]>>4 != 4 || head < 20 || len(p) < head+8 || binary.BigEndian.Uint16(p[6:])&0x3fff != 0 {
		return nil
	}
	body := p[head:]
	switch p[9] {
	case protocolICMP:
		if body[0] != 8 { // echo, RFC 792
			return nil
		}
		reply := append([]byte(nil), body...)
		reply[0], reply[2], reply[3] = 0, 0, 0
		binary.BigEndian.PutUint16(reply[2:], checksum(reply, 0))
		return replyPacket(p, protocolICMP, reply)
	case protocolUDP:
		if reply := g.answerQuestion(body); reply != nil {
			return replyPacket(p, protocolUDP, reply) // without a checksum, RFC 768
		}
	}
	return nil
}

// answerQuestion answers a UDP datagram to the name server, without a checksum.
func (g *gateway) answerQuestion(body []byte) []byte {
	if binary.BigEndian.Uint16(body[2:]) != portDNS {
		return nil
	}
	message := g.answerName(body[8:])
	if message == nil {
		return nil
	}
	reply := make([]byte, 8, 8+len(message))
	copy(reply[0:2], body[2:4])
	copy(reply[2:4], body[0:2])
	binary.BigEndian.PutUint16(reply[4:], uint16(8+len(message)))
	return append(reply, message...)
}

// replyPacket puts an IPv4 header in front, from where the question went to.
func replyPacket(question []byte, protocol byte, body []byte) []byte {
	p := make([]byte, 20, 20+len(body))
	p[0], p[8], p[9] = 0x45, 64, protocol
	binary.BigEndian.PutUint16(p[2:], uint16(20+len(body)))
	copy(p[12:16], question[16:20])
	copy(p[16:20], question[12:16])
	binary.BigEndian.PutUint16(p[10:], checksum(p, 0))
	return append(p, body...)
}

// checksum: RFC 1071.
func checksum(b []byte, sum uint32) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// answerName answers a DNS question for an A or AAAA record (RFC 1035, RFC 3596).
func (g *gateway) answerName(b []byte) []byte {
	var parser dnsmessage.Parser
	header, err := parser.Start(b)
	if err != nil || header.Response {
		return nil
	}
	question, err := parser.Question()
	if err != nil {
		return nil
	}
	addrs, found := g.resolve(question.Name.String())
	header = dnsmessage.Header{ID: header.ID, Response: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true}
	if !found {
		header.RCode = dnsmessage.RCodeNameError
	}
	out := dnsmessage.NewBuilder(nil, header)
	out.StartQuestions()
	out.Question(question)
	out.StartAnswers()
	for _, addr := range addrs {
		head := dnsmessage.ResourceHeader{Name: question.Name, Class: question.Class, TTL: 60}
		switch {
		case question.Type == dnsmessage.TypeA && addr.Is4():
			out.AResource(head, dnsmessage.AResource{A: addr.As4()})
		case question.Type == dnsmessage.TypeAAAA && addr.Is6():
			out.AAAAResource(head, dnsmessage.AAAAResource{AAAA: addr.As16()})
		}
	}
	message, err := out.Finish()
	if err != nil {
		return nil
	}
	return message
}
