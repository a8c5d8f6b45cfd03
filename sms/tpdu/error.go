package tpdu

import (
	"errors"
	"fmt"
)

// Causes of an [Error].
var (
	// ErrShort: the octets end inside the field.
	ErrShort = errors.New("octets end too early")
	// ErrTooLong: the field holds more than the standard allows.
	ErrTooLong = errors.New("longer than allowed")
	// ErrReserved: a value that no release of the standard gives a meaning,
	// where the standard does not say how to read it.
	ErrReserved = errors.New("reserved value")
	// ErrDigit: a semi-octet or character that is no digit of an address.
	ErrDigit = errors.New("not a digit")
	// ErrWrongType: the message type indicator is that of another TPDU.
	ErrWrongType = errors.New("another message type")
	// ErrHeader: the user data header is not a list of whole elements.
	ErrHeader = errors.New("malformed user data header")
	// ErrNotText: the data coding scheme says 8-bit data.
	ErrNotText = errors.New("8-bit data, not text")
	// ErrCompressed: the data coding scheme says compressed (3GPP TS 23.042),
	// which no network is known to carry and this package does not undo.
	ErrCompressed = errors.New("compressed text")
	// ErrTime: the semi-octets are no date and time.
	ErrTime = errors.New("not a date and time")
	// ErrHex: a character that is no hexadecimal digit, or an odd number of them.
	ErrHex = errors.New("not pairs of hexadecimal digits")
	// ErrMismatch: two fields of a TPDU contradict each other.
	ErrMismatch = errors.New("contradicts another field")
)

// Error says why a TPDU could not be decoded or encoded, and where.
type Error struct {
	// Offset counts octets from the first of the TPDU (or of the PDU with its
	// SMSC address). When encoding it is -1: nothing has a place yet.
	Offset int
	// Field is the standard's name of the field, such as TP-OA.
	Field string
	// Err is the cause, one of the Err variables of this package.
	Err error
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("tpdu: %s: %v", e.Field, e.Err)
	}
	return fmt.Sprintf("tpdu: octet %d, %s: %v", e.Offset, e.Field, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// cannotEncode reports a field of a TPDU that was given, not received.
func cannotEncode(field string, cause error) error {
	return &Error{Offset: -1, Field: field, Err: cause}
}

// reader takes a TPDU apart from its first octet to its last and remembers the
// first fault, after which it yields zeros.
type reader struct {
	octets []byte
	next   int // offset of the octet that comes next
	err    *Error
}

func (r *reader) fail(offset int, field string, cause error) {
	if r.err == nil {
		r.err = &Error{Offset: offset, Field: field, Err: cause}
	}
	r.next = len(r.octets)
}

// fault is r.err as an error that is nil when there is none.
func (r *reader) fault() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

func (r *reader) octet(field string) byte {
	if r.next >= len(r.octets) {
		r.fail(r.next, field, ErrShort)
		return 0
	}
	b := r.octets[r.next]
	r.next++
	return b
}

// take returns the next n octets, aliasing the input.
func (r *reader) take(n int, field string) []byte {
	if n > len(r.octets)-r.next {
		r.fail(len(r.octets), field, ErrShort)
		return nil
	}
	b := r.octets[r.next : r.next+n : r.next+n]
	r.next += n
	return b
}

func (r *reader) left() int { return len(r.octets) - r.next }
