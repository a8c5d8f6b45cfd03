package telemetry

import (
	"encoding/binary"
	"fmt"
)

// Keys in the store. NAME is the length of a peer's name in one octet and the
// name; numbers are 8 octets, high first, so that keys sort as they count.
//
//	f                         the layout (bolt.go)
//	n                         name of the endpoint
//	g                         generation of the last epoch
//	l NAME stream             last segment number given out in that stream
//	o NAME stream number      a segment in the outbox
//	c NAME stream number      until when it must not go over a costly path again
//	h NAME stream             marks of a stream received: handled, stored
//	i NAME stream number      a segment in the inbox
//	x ...                     the application's
const (
	nameKey       = "n"
	generationKey = "g"

	lastPrefix  = 'l'
	outPrefix   = 'o'
	costPrefix  = 'c'
	marksPrefix = 'h'
	inPrefix    = 'i'

	maxName = 64 // octets in a name
)

// keys makes the keys of one peer.
type keys struct{ name string }

func (k keys) peer(prefix byte) []byte {
	b := make([]byte, 0, 2+len(k.name)+16)
	b = append(b, prefix, byte(len(k.name)))
	return append(b, k.name...)
}

func (k keys) stream(prefix byte, s epoch) []byte {
	return binary.BigEndian.AppendUint64(k.peer(prefix), uint64(s))
}

func (k keys) segment(prefix byte, s epoch, n uint64) []byte {
	return binary.BigEndian.AppendUint64(k.stream(prefix, s), n)
}

// streamOf reads the stream behind the name of a key.
func (k keys) streamOf(key []byte) epoch {
	return epoch(binary.BigEndian.Uint64(key[2+len(k.name):]))
}

// numberOf reads the number at the end of a segment's key.
func (k keys) numberOf(key []byte) uint64 {
	return binary.BigEndian.Uint64(key[2+len(k.name)+8:])
}

// encodeOut writes a segment of the outbox: one octet that says whether more
// follows, then the payload.
func encodeOut(s segment) []byte {
	b := make([]byte, 1, 1+len(s.payload))
	if s.more {
		b[0] = 1
	}
	return append(b, s.payload...)
}

func decodeOut(v []byte) (segment, error) {
	if len(v) == 0 || v[0] > 1 {
		return segment{}, fmt.Errorf("%w: segment in the outbox", ErrStoreFormat)
	}
	return segment{payload: v[1:], more: v[0] == 1}, nil
}

// encodeIn writes a segment of the inbox: as in the outbox, with the name of
// the bearer that brought it in front of the payload.
func encodeIn(s segment, bearer string) []byte {
	b := make([]byte, 2, 2+len(bearer)+len(s.payload))
	if s.more {
		b[0] = 1
	}
	b[1] = byte(len(bearer))
	return append(append(b, bearer...), s.payload...)
}

func decodeIn(v []byte) (s segment, bearer string, err error) {
	if len(v) < 2 || v[0] > 1 || len(v) < 2+int(v[1]) {
		return segment{}, "", fmt.Errorf("%w: segment in the inbox", ErrStoreFormat)
	}
	n := 2 + int(v[1])
	return segment{payload: v[n:], more: v[0] == 1}, string(v[2:n]), nil
}

// marks say how far a stream has been received.
type marks struct {
	handled uint64 // the handler has returned nil for all up to here
	stored  uint64 // all up to here are on disk or handled
}

func (m marks) encode() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), m.handled)
	return binary.BigEndian.AppendUint64(b, m.stored)
}

func decodeMarks(v []byte) (marks, error) {
	if len(v) != 16 {
		return marks{}, fmt.Errorf("%w: marks of a stream", ErrStoreFormat)
	}
	m := marks{binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])}
	if m.handled > m.stored {
		return marks{}, fmt.Errorf("%w: marks of a stream", ErrStoreFormat)
	}
	return m, nil
}

func decodeUint64(v []byte) (uint64, error) {
	switch len(v) {
	case 0:
		return 0, nil
	case 8:
		return binary.BigEndian.Uint64(v), nil
	}
	return 0, fmt.Errorf("%w: a number of %d octets", ErrStoreFormat, len(v))
}
