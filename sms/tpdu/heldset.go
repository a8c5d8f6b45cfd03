package tpdu

import "time"

// heldSet is an incomplete message.
type heldSet struct {
	key   setKey
	parts []HeldPart // by their numbers
	room  [fewParts]HeldPart
	first time.Duration // when it began, since Reassembler.began
	from  uint32        // its place in senderCounts

	older, newer uint32 // its neighbours in the slab
}

// fewParts is how many parts a set has room for without an allocation. The last
// part needs none, and most long messages have three at most.
const fewParts = 2

// find returns where a part is, or would be.
func (s *heldSet) find(part uint8) (at int, ok bool) {
	for at < len(s.parts) && s.parts[at].Part < part {
		at++
	}
	return at, at < len(s.parts) && s.parts[at].Part == part
}

// add takes in a part that is not there, at its place. The parts grow by half,
// so that little of what they have is empty.
func (s *heldSet) add(at int, part HeldPart) {
	n := len(s.parts)
	if n == cap(s.parts) {
		grown := make([]HeldPart, n, min(n+n/2, int(s.key.total())-1))
		copy(grown, s.parts)
		s.parts, s.room = grown, [fewParts]HeldPart{}
	}
	s.parts = s.parts[:n+1]
	for ; n > at; n-- {
		s.parts[n] = s.parts[n-1]
	}
	s.parts[at] = part
}

// lacksOne tells whether the next part is the last.
func (s *heldSet) lacksOne() bool { return len(s.parts) == int(s.key.total())-1 }

// whole appends the TPDUs of all parts to dst, of which this one was missing.
func (s *heldSet) whole(dst [][]byte, at int, tpdu []byte) [][]byte {
	for i := range s.parts {
		if i == at {
			dst = append(dst, tpdu)
		}
		dst = append(dst, s.parts[i].TPDU)
	}
	if at == len(s.parts) {
		dst = append(dst, tpdu)
	}
	return dst
}

// take takes over what another set holds, but for its neighbours.
func (s *heldSet) take(from *heldSet) {
	older, newer := s.older, s.newer
	*s = *from
	s.older, s.newer = older, newer
	if len(s.parts) <= fewParts {
		s.parts = s.room[:len(s.parts)]
	}
}
