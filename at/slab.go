package at

import "strings"

// slab makes texts of lines, and lists of one line, several to an allocation.
// Whoever keeps one keeps its neighbours as well, so they are few and small.
type slab struct {
	b     strings.Builder
	lists []Info
}

const (
	slabSize  = 512 // octets
	slabLists = 8
)

// add returns a copy of text.
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

// info returns a list for the lines of x, of which text is the first. A line
// with a body, or a long one, gets a list of its own.
func (s *slab) info(x *exchange, text string) []Info {
	if x.cmd.Body != nil || len(text) > slabSize/4 {
		return make([]Info, 0, 1) // as most have
	}
	if len(s.lists) == 0 {
		s.lists = make([]Info, slabLists)
	}
	list := s.lists[:0:1]
	s.lists = s.lists[1:]
	return list
}
