package ppp

import (
	"encoding/binary"
	"errors"
)

// code is the Code field of a control packet (RFC 1661 section 5).
type code byte

const (
	codeConfigureRequest code = 1
	codeConfigureAck     code = 2
	codeConfigureNak     code = 3
	codeConfigureReject  code = 4
	codeTerminateRequest code = 5
	codeTerminateAck     code = 6
	codeCodeReject       code = 7
	codeProtocolReject   code = 8  // LCP only, as are those below
	codeEchoRequest      code = 9  // RFC 1661 section 5.8
	codeEchoReply        code = 10 // RFC 1661 section 5.8
	codeDiscardRequest   code = 11 // RFC 1661 section 5.9
)

const packetHeader = 4 // code, identifier, length

// packet is a control packet of LCP, an NCP or an authentication protocol:
// they share one layout (RFC 1661 section 5).
type packet struct {
	code code
	id   byte
	data []byte
}

// parsePacket reads a control packet; octets behind its length are padding.
func parsePacket(b []byte) (p packet, ok bool) {
	if len(b) < packetHeader {
		return packet{}, false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < packetHeader || n > len(b) {
		return packet{}, false
	}
	return packet{code(b[0]), b[1], b[packetHeader:n]}, true
}

// append appends p in its layout on the line.
func (p packet) append(dst []byte) []byte {
	n := packetHeader + len(p.data)
	dst = append(dst, byte(p.code), p.id, byte(n>>8), byte(n))
	return append(dst, p.data...)
}

// option is a Configuration Option (RFC 1661 section 6).
type option struct {
	kind byte
	data []byte
}

const optionHeader = 2 // type, length

var errOption = errors.New("ppp: malformed configuration option")

// parseOptions reads a list of options.
func parseOptions(b []byte) (list []option, err error) {
	for len(b) > 0 {
		if len(b) < optionHeader || int(b[1]) < optionHeader || int(b[1]) > len(b) {
			return list, errOption
		}
		list = append(list, option{b[0], b[optionHeader:b[1]]})
		b = b[b[1]:]
	}
	return list, nil
}

// appendOption appends one option. Its data is at most 253 octets.
func appendOption(dst []byte, kind byte, data ...byte) []byte {
	dst = append(dst, kind, byte(optionHeader+len(data)))
	return append(dst, data...)
}

// verdict collects the answer to a Configure-Request. RFC 1661 section 5.2 to
// 5.4: rejects go before naks, and naks before an ack of the whole.
type verdict struct {
	naks    []byte
	rejects []byte
}

func (v *verdict) nak(kind byte, data ...byte) { v.naks = appendOption(v.naks, kind, data...) }
func (v *verdict) reject(o option)             { v.rejects = appendOption(v.rejects, o.kind, o.data...) }

// answer gives code and options of the reply to the request's options.
func (v *verdict) answer(request []byte) (code, []byte) {
	switch {
	case len(v.rejects) > 0:
		return codeConfigureReject, v.rejects
	case len(v.naks) > 0:
		return codeConfigureNak, v.naks
	}
	return codeConfigureAck, request
}
