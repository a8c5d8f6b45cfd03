package ppp

import "bytes"

// Octets of the HDLC-like framing (RFC 1662 sections 3.1 and 4.2).
const (
	flagOctet    = 0x7e
	escapeOctet  = 0x7d
	escapeBit    = 0x20
	addressOctet = 0xff // All-Stations
	controlOctet = 0x03 // Unnumbered Information

	fcsLength     = 2
	shortestFrame = 4 // RFC 1662 section 3.1: shorter frames than this are invalid
)

// allControls is the ACCM that holds until LCP agrees on another, and for all
// LCP packets that negotiate (RFC 1662 section 7.1).
const allControls accm = 0xffffffff

// accm is an Async-Control-Character-Map: bit n set means that octet n, below
// 32, is escaped by the sender and dropped by the receiver if it comes bare.
type accm uint32

func (m accm) has(c byte) bool { return c < 0x20 && m>>c&1 != 0 }

// appendFrame appends header and payload as one frame with its FCS and its
// closing flag. The opening flag is the closing flag of the frame before; the
// caller writes one when there is none (RFC 1662 section 4.1).
func appendFrame(dst []byte, escape accm, header, payload []byte) []byte {
	fcs := ^fcs16(fcs16(fcsInitial, header), payload)
	dst = appendStuffedBytewise(dst, escape, header)
	if escape == 0 {
		dst = appendStuffed(dst, payload)
	} else {
		dst = appendStuffedBytewise(dst, escape, payload)
	}
	dst = appendStuffedBytewise(dst, escape, []byte{byte(fcs), byte(fcs >> 8)})
	return append(dst, flagOctet)
}

// appendStuffedBytewise appends p, escaping octet by octet.
func appendStuffedBytewise(dst []byte, escape accm, p []byte) []byte {
	for _, c := range p {
		if c == flagOctet || c == escapeOctet || escape.has(c) {
			dst = append(dst, escapeOctet, c^escapeBit)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// appendStuffed does the same for an empty ACCM, when only two of 256 octets
// are escaped and whole runs between them can be found and copied at once.
func appendStuffed(dst, p []byte) []byte {
	flag, escape := indexOrEnd(p, flagOctet, 0), indexOrEnd(p, escapeOctet, 0)
	for from := 0; ; {
		at := min(flag, escape)
		dst = append(dst, p[from:at]...)
		if at == len(p) {
			return dst
		}
		dst = append(dst, escapeOctet, p[at]^escapeBit)
		from = at + 1
		if at == flag {
			flag = indexOrEnd(p, flagOctet, from)
		} else {
			escape = indexOrEnd(p, escapeOctet, from)
		}
	}
}

// indexOrEnd is the index of the first c in p at or behind from, or len(p).
func indexOrEnd(p []byte, c byte, from int) int {
	if i := bytes.IndexByte(p[from:], c); i >= 0 {
		return from + i
	}
	return len(p)
}

// A decoder finds frames in what a line delivers, in pieces of any size. It
// holds at most one frame, and no more than two times maxFrame octets.
type decoder struct {
	maxFrame int  // longest frame without its flags, in octets; longer ones are dropped
	drop     accm // the ACCM for reception

	buf      []byte // the open frame as far as it had to be kept, unstuffed
	used     bool   // buf was handed out and starts anew with the next octet
	inFrame  bool   // a flag was seen
	escaped  bool   // the last octet was an escape
	tooLong  bool   // the open frame passed maxFrame
	text     lineText
	received FrameCounts
}

// FrameCounts tells what was found on a line, good and bad.
type FrameCounts struct {
	Octets    uint64 // octets on the line, with flags and escapes
	Frames    uint64 // frames with a good FCS
	FCSErrors uint64 // frames with a bad FCS
	Aborted   uint64 // frames that ended in an escape (RFC 1662 section 4.3)
	Short     uint64 // frames too short to be one
	TooLong   uint64 // frames longer than the MRU allows
}

// next takes octets from p up to the end of one frame. It returns how many it
// took, and the frame without its FCS if it was a good one. The frame lies in
// p or in the decoder and is valid until the next call.
func (d *decoder) next(p []byte) (n int, frame []byte) {
	if d.used {
		d.buf, d.used = d.buf[:0], false
	}
	n = bytes.IndexByte(p, flagOctet)
	if n < 0 {
		if d.text.scan(p, d.inFrame) {
			p = p[:d.text.end]
		}
		d.received.Octets += uint64(len(p))
		if d.inFrame {
			d.collect(p)
		}
		return len(p), nil
	}
	if d.text.scan(p[:n], d.inFrame) {
		d.received.Octets += uint64(d.text.end)
		return d.text.end, nil
	}
	d.received.Octets += uint64(n + 1)
	frame = d.finish(p[:n])
	d.inFrame, d.escaped, d.tooLong, d.used = true, false, false, true
	d.text.restart()
	return n + 1, frame
}

// finish checks the frame that ends with the octets p.
func (d *decoder) finish(p []byte) []byte {
	if !d.inFrame {
		return nil // what came before the first flag
	}
	body := p
	if len(d.buf) > 0 || d.escaped || d.drop != 0 || bytes.IndexByte(p, escapeOctet) >= 0 {
		d.collect(p)
		body = d.buf
	}
	switch {
	case d.escaped:
		d.received.Aborted++
	case d.tooLong || len(body) > d.maxFrame:
		d.received.TooLong++
	case len(body) == 0: // a repeated flag
	case len(body) < shortestFrame:
		d.received.Short++
	case fcs16(fcsInitial, body) != fcsGood:
		d.received.FCSErrors++
	default:
		d.received.Frames++
		return body[:len(body)-fcsLength]
	}
	return nil
}

// collect appends p to the open frame, unstuffed.
func (d *decoder) collect(p []byte) {
	if d.tooLong {
		if len(p) > 0 {
			d.escaped = p[len(p)-1] == escapeOctet
		}
		return
	}
	switch {
	case d.drop != 0:
		d.collectBytewise(p)
	case len(p) > 2*d.maxFrame: // too long even if every other octet is an escape
		d.tooLong, d.escaped = true, p[len(p)-1] == escapeOctet
	default:
		d.collectRuns(p)
	}
	if len(d.buf) > d.maxFrame {
		d.tooLong, d.buf = true, d.buf[:0]
	}
}

// collectBytewise obeys RFC 1662 section 4.2: control characters that the
// ACCM names were put in by something on the way, and vanish first.
func (d *decoder) collectBytewise(p []byte) {
	for _, c := range p {
		switch {
		case d.drop.has(c):
		case d.escaped:
			d.buf, d.escaped = append(d.buf, c^escapeBit), false
		case c == escapeOctet:
			d.escaped = true
		default:
			d.buf = append(d.buf, c)
		}
		if len(d.buf) > d.maxFrame {
			d.escaped = p[len(p)-1] == escapeOctet
			return
		}
	}
}

// collectRuns does it for an empty ACCM, run by run.
func (d *decoder) collectRuns(p []byte) {
	if d.escaped && len(p) > 0 {
		d.buf, d.escaped = append(d.buf, p[0]^escapeBit), false
		p = p[1:]
	}
	for len(p) > 0 {
		i := bytes.IndexByte(p, escapeOctet)
		if i < 0 {
			d.buf = append(d.buf, p...)
			return
		}
		d.buf = append(d.buf, p[:i]...)
		if i+1 == len(p) {
			d.escaped = true
			return
		}
		d.buf = append(d.buf, p[i+1]^escapeBit)
		p = p[i+2:]
	}
}
