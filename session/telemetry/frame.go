package telemetry

import (
	"encoding/binary"
	"fmt"
)

// The body of a frame is a row of chunks. Numbers are unsigned varints
// (encoding/binary) unless said otherwise.
//
//	data   1, or 2 and the stream in 8 octets if it is not the frame's epoch;
//	       number of the first segment; how far that is above the floor, the
//	       lowest number not yet known to be handled; how many segments; for
//	       each one its length times two, plus one if more of the same reading
//	       follows in the next segment; its octets. None at all: please answer.
//	ack    3; the stream in 8 octets; the highest number handled, everything
//	       below it included; how many after it are stored without a gap; how
//	       many ranges are stored behind gaps; for each one the numbers
//	       missing before it and its length.
//	ping   4; a number
//	pong   5; the number of the ping
const (
	chunkData       = 1
	chunkDataStream = 2
	chunkAck        = 3
	chunkPing       = 4
	chunkPong       = 5
)

const (
	// MaxReading is the most octets in one reading.
	MaxReading = 64 << 10
	// maxWindow is how many segments beyond the last handled one a sender may
	// have under way: it bounds what a receiver stores for one peer, and has
	// room for the longest reading in the shortest segments.
	maxWindow = 4096
	// maxRanges bounds the ranges in an acknowledgement.
	maxRanges = 32

	// minSegment and maxSegment bound the octets of one segment.
	minSegment = MinMTU - overhead - dataOverhead
	maxSegment = 4 << 10
	// dataOverhead is the most that a data chunk with one segment adds to it:
	// kind, stream, number, distance to the floor, count, length.
	dataOverhead = 1 + 8 + 5 + 2 + 2 + 2
)

// segment is a reading, or a part of one, with a number of its own, so that a
// long reading may change bearer half-way and a lost part is sent again alone.
type segment struct {
	payload []byte
	more    bool // the reading goes on in the next segment
}

// dataChunk carries consecutive segments of one stream.
type dataChunk struct {
	stream   epoch
	first    uint64
	floor    uint64
	segments []segment
}

// ackChunk says how far the receiver of a stream has come. It is a snapshot.
type ackChunk struct {
	stream  epoch
	handled uint64  // all up to here
	stored  uint64  // all up to here; not below handled
	ranges  []spans // beyond stored, rising, not touching
}

// spans is an inclusive range of segment numbers.
type spans struct{ first, last uint64 }

// has reports whether the receiver had segment n on disk.
func (a *ackChunk) has(n uint64) bool {
	if n <= a.stored {
		return true
	}
	for _, r := range a.ranges {
		if n >= r.first && n <= r.last {
			return true
		}
	}
	return false
}

// body is the content of a frame.
type body struct {
	data  []dataChunk
	acks  []ackChunk
	pings []uint64
	pongs []uint64
}

func (a *ackChunk) append(b []byte) []byte {
	b = append(b, chunkAck)
	b = binary.BigEndian.AppendUint64(b, uint64(a.stream))
	b = binary.AppendUvarint(b, a.handled)
	b = binary.AppendUvarint(b, a.stored-a.handled)
	b = binary.AppendUvarint(b, uint64(len(a.ranges)))
	at := a.stored
	for _, r := range a.ranges {
		b = binary.AppendUvarint(b, r.first-at-1)
		b = binary.AppendUvarint(b, r.last-r.first+1)
		at = r.last
	}
	return b
}

// append writes the chunk into a frame of the given epoch.
func (d *dataChunk) append(b []byte, frame epoch) []byte {
	if d.stream == frame {
		b = append(b, chunkData)
	} else {
		b = append(b, chunkDataStream)
		b = binary.BigEndian.AppendUint64(b, uint64(d.stream))
	}
	b = binary.AppendUvarint(b, d.first)
	b = binary.AppendUvarint(b, d.first-d.floor)
	b = binary.AppendUvarint(b, uint64(len(d.segments)))
	for _, s := range d.segments {
		n := uint64(len(s.payload)) << 1
		if s.more {
			n |= 1
		}
		b = binary.AppendUvarint(b, n)
		b = append(b, s.payload...)
	}
	return b
}

func appendPing(b []byte, kind byte, token uint64) []byte {
	return binary.AppendUvarint(append(b, kind), token)
}

// decoder reads a body and remembers its first fault.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrFrame, what)
	}
	d.rest = nil
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail("it ends within a chunk")
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

// uvarint reads a number of at most max.
func (d *decoder) uvarint(max uint64) uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > max {
		d.fail("a number is out of range")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) octets(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail("it ends within a chunk")
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) stream() epoch {
	b := d.octets(8)
	if d.err != nil {
		return 0
	}
	return epoch(binary.BigEndian.Uint64(b))
}

// maxNumber bounds segment numbers, so that sums cannot overflow.
const maxNumber = 1 << 62

// decodeBody reads the body of a frame sealed in the given epoch. Payloads
// point into b.
func decodeBody(b []byte, frame epoch) (body, error) {
	d := &decoder{rest: b}
	var out body
	for len(d.rest) > 0 {
		switch kind := d.byte(); kind {
		case chunkData:
			out.data = append(out.data, d.data(frame))
		case chunkDataStream:
			out.data = append(out.data, d.data(d.stream()))
		case chunkAck:
			out.acks = append(out.acks, d.ack())
		case chunkPing:
			out.pings = append(out.pings, d.uvarint(maxNumber))
		case chunkPong:
			out.pongs = append(out.pongs, d.uvarint(maxNumber))
		default:
			d.fail(fmt.Sprintf("unknown chunk %d", kind))
		}
	}
	if d.err != nil {
		return body{}, d.err
	}
	return out, nil
}

func (d *decoder) data(stream epoch) dataChunk {
	c := dataChunk{stream: stream, first: d.uvarint(maxNumber)}
	c.floor = c.first - d.uvarint(min(maxWindow, c.first))
	if c.floor == 0 {
		d.fail("segments count from 1")
	}
	count := d.uvarint(min(maxWindow, uint64(len(d.rest)))) // each takes an octet at least
	for range count {
		n := d.uvarint(maxSegment<<1 | 1)
		s := segment{payload: d.octets(n >> 1), more: n&1 != 0}
		if d.err != nil {
			break
		}
		c.segments = append(c.segments, s)
	}
	if d.err == nil && c.first+uint64(len(c.segments)) > c.floor+maxWindow {
		d.fail("segments beyond the window")
	}
	return c
}

func (d *decoder) ack() ackChunk {
	a := ackChunk{stream: d.stream(), handled: d.uvarint(maxNumber)}
	a.stored = a.handled + d.uvarint(maxWindow)
	at := a.stored
	for range d.uvarint(maxRanges) {
		first := at + 1 + d.uvarint(maxWindow)
		length := d.uvarint(maxWindow)
		if length == 0 || first == at+1 {
			d.fail("an empty range")
		}
		if d.err != nil {
			break
		}
		at = first + length - 1
		a.ranges = append(a.ranges, spans{first, at})
	}
	return a
}
