package ppp

import "fmt"

// protocol is the Protocol field of a frame (RFC 1661 section 2).
type protocol uint16

// Protocol numbers, from the assigned numbers of PPP.
const (
	protocolIPv4     protocol = 0x0021 // RFC 1332 section 2
	protocolIPv6     protocol = 0x0057 // RFC 5072 section 2
	protocolVJComp   protocol = 0x002d // RFC 1332 section 4: Van Jacobson compressed TCP/IP
	protocolVJUncomp protocol = 0x002f
	protocolIPCP     protocol = 0x8021 // RFC 1332 section 3
	protocolIPV6CP   protocol = 0x8057 // RFC 5072 section 3
	protocolLCP      protocol = 0xc021 // RFC 1661 section 5
	protocolPAP      protocol = 0xc023 // RFC 1334 section 2
	protocolCHAP     protocol = 0xc223 // RFC 1994 section 4
)

func (p protocol) String() string {
	switch p {
	case protocolIPv4:
		return "IPv4"
	case protocolIPv6:
		return "IPv6"
	case protocolIPCP:
		return "IPCP"
	case protocolIPV6CP:
		return "IPV6CP"
	case protocolLCP:
		return "LCP"
	case protocolPAP:
		return "PAP"
	case protocolCHAP:
		return "CHAP"
	}
	return fmt.Sprintf("protocol %#04x", uint16(p))
}

// splitFrame takes the header off a frame. A compressed address, control or
// protocol field is taken whether or not LCP agreed on it: it cannot be
// mistaken (RFC 1661 section 6.5 and 6.6).
func splitFrame(frame []byte) (p protocol, info []byte, ok bool) {
	if len(frame) >= 2 && frame[0] == addressOctet && frame[1] == controlOctet {
		frame = frame[2:]
	}
	switch {
	case len(frame) >= 1 && frame[0]&1 != 0:
		return protocol(frame[0]), frame[1:], true
	case len(frame) >= 2 && frame[1]&1 != 0:
		return protocol(frame[0])<<8 | protocol(frame[1]), frame[2:], true
	}
	return 0, nil, false
}

// headerForm says how headers of data are written.
type headerForm struct {
	shortAddress  bool // ACFC, RFC 1661 section 6.6
	shortProtocol bool // PFC, RFC 1661 section 6.5
}

// append appends the header of a frame that carries p. LCP's own frames are
// never compressed.
func (h headerForm) append(dst []byte, p protocol) []byte {
	if !h.shortAddress || p == protocolLCP {
		dst = append(dst, addressOctet, controlOctet)
	}
	if !h.shortProtocol || p > 0xff {
		dst = append(dst, byte(p>>8))
	}
	return append(dst, byte(p))
}
