package sms

import (
	"crypto/rand"
	"encoding/binary"
)

// referenceBlock is how many references one commit reserves; those that a
// restart leaves unused are skipped.
const referenceBlock = 16

// references gives long messages their 16-bit references (TS 23.040 clause
// 9.2.3.24.8). One sequence serves all recipients, so that a reference comes
// again to one of them after 65,536 long messages at the earliest, and not
// while a message with it is in flight.
type references struct {
	store    Store
	next     uint16
	reserved int // of next and those after it, how many are written to the store
	inFlight func(uint16) bool
}

// load begins where the store ends, or at random where there is none: after a
// restart the same references must not come again at once.
func (r *references) load() error {
	var start [2]byte
	if _, err := rand.Read(start[:]); err != nil {
		return err
	}
	r.next = binary.BigEndian.Uint16(start[:])
	if r.store == nil {
		return nil
	}
	return r.store.Load(bucketReference, func(_, value []byte) error {
		if len(value) == 2 {
			r.next = binary.BigEndian.Uint16(value)
		}
		return nil
	})
}

// take returns a reference that is not in use.
func (r *references) take() (uint16, error) {
	for range 1 << 16 {
		if r.reserved == 0 && r.store != nil {
			end := binary.BigEndian.AppendUint16(nil, r.next+referenceBlock)
			if err := r.store.Commit([]Change{{bucketReference, []byte("next"), end}}); err != nil {
				return 0, err
			}
			r.reserved = referenceBlock
		}
		n := r.next
		r.next++
		r.reserved--
		if !r.inFlight(n) {
			return n, nil
		}
	}
	return r.next, nil // cannot be: far fewer are tracked
}
