package flow

import "encoding/binary"

// Offsets and flags of a TCP header: RFC 9293 section 3.1.
const (
	tcpHeader   = 20
	tcpWindow   = 14 // offset of the window
	tcpChecksum = 16 // offset of the checksum

	flagFIN = 0x01
	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
)

// Kinds of TCP options: RFC 9293 section 3.2, RFC 7323 sections 2.2 and 3.2.
const (
	optionEnd        = 0
	optionNone       = 1
	optionMSS        = 2
	optionScale      = 3
	optionTimestamps = 8
)

// segment is what the governor reads of a TCP segment.
type segment struct {
	header      []byte // and all that follows; writing to it changes the packet
	seq, ack    uint32
	flags       byte
	window      uint16
	payload     int
	timestamped bool
	value, echo uint32 // of the timestamps option
	scaled      bool
	scale       uint8
	mss         int
}

// parseSegment reads a TCP segment. ok is false if it is cut short.
func parseSegment(p []byte) (s segment, ok bool) {
	if len(p) < tcpHeader {
		return s, false
	}
	start := int(p[12]>>4) * 4
	if start < tcpHeader || start > len(p) {
		return s, false
	}
	s = segment{
		header:  p,
		seq:     binary.BigEndian.Uint32(p[4:]),
		ack:     binary.BigEndian.Uint32(p[8:]),
		flags:   p[13],
		window:  binary.BigEndian.Uint16(p[tcpWindow:]),
		payload: len(p) - start,
	}
	return s, s.parseOptions(p[tcpHeader:start])
}

// parseOptions reads the options that matter and tells whether they are whole.
func (s *segment) parseOptions(p []byte) bool {
	for len(p) > 0 && p[0] != optionEnd {
		if p[0] == optionNone {
			p = p[1:]
			continue
		}
		if len(p) < 2 || p[1] < 2 || int(p[1]) > len(p) {
			return false
		}
		body := p[2:p[1]]
		switch {
		case p[0] == optionMSS && len(body) == 2:
			s.mss = int(binary.BigEndian.Uint16(body))
		case p[0] == optionScale && len(body) == 1:
			s.scaled, s.scale = true, min(body[0], 14) // RFC 7323 section 2.3
		case p[0] == optionTimestamps && len(body) == 8:
			s.timestamped = true
			s.value, s.echo = binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
		}
		p = p[p[1]:]
	}
	return true
}

// has tells whether one of the flags is set.
func (s *segment) has(flag byte) bool { return s.flags&flag != 0 }

// end is the sequence number after the segment's last octet.
func (s *segment) end() uint32 { return s.seq + uint32(s.payload) }

// setWindow changes the window that the segment advertises.
func (s *segment) setWindow(window uint16) {
	ReplaceSum(s.header[tcpChecksum:], s.window, window)
	binary.BigEndian.PutUint16(s.header[tcpWindow:], window)
	s.window = window
}

// after tells whether sequence number a comes after b: RFC 9293 section 3.4.
func after(a, b uint32) bool { return int32(a-b) > 0 }
