package at

import "strings"

// slab makes strings, several to an allocation. Whoever keeps one keeps its
// neighbours as well, so it is small.
type slab struct{ b strings.Builder }

const slabSize = 512 // octets

func (s *slab) add(text []byte) string {
	if len(text) > slabSize/4 {
		return string(text)
	}
	if s.b.Cap()-s.b.Len() < len(text) {
		s.b.Reset()
		s.b.Grow(slabSize)
	}
	from := s.b.Len()
	s.b.Write(text)
	return s.b.String()[from:]
}
