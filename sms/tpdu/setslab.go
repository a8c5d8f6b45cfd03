package tpdu

// setSlab holds sets in the order they began, each at a place that stays its
// own until the slab is packed.
type setSlab struct {
	chunks         []*setChunk
	count          int
	made           uint32 // places that were ever used; the next is a new one
	free           uint32 // a place to use again, linked by newer; noPlace if there is none
	oldest, newest uint32 // noPlace if there are none
}

// setChunk is small enough to be no waste where little is held.
type setChunk [chunkSets]heldSet

const (
	chunkSets = 32
	noPlace   = 1<<32 - 1
)

func newSetSlab() setSlab { return setSlab{free: noPlace, oldest: noPlace, newest: noPlace} }

func (l *setSlab) at(place uint32) *heldSet { return &l.chunks[place/chunkSets][place%chunkSets] }

// push makes a set that is the newest.
func (l *setSlab) push() (place uint32, s *heldSet) {
	if place = l.free; place != noPlace {
		s = l.at(place)
		l.free = s.newer
	} else {
		if place = l.made; place%chunkSets == 0 {
			l.chunks = append(l.chunks, new(setChunk))
		}
		l.made++
		s = l.at(place)
	}
	l.count++
	s.parts = s.room[:0]
	s.older, s.newer = l.newest, noPlace
	if l.newest != noPlace {
		l.at(l.newest).newer = place
	} else {
		l.oldest = place
	}
	l.newest = place
	return place, s
}

// remove empties a place.
func (l *setSlab) remove(place uint32) {
	s := l.at(place)
	older, newer := s.older, s.newer
	if older != noPlace {
		l.at(older).newer = newer
	} else {
		l.oldest = newer
	}
	if newer != noPlace {
		l.at(newer).older = older
	} else {
		l.newest = older
	}
	*s = heldSet{newer: l.free}
	l.free = place
	l.count--
}

// wasteful tells whether most of the slab is free.
func (l *setSlab) wasteful() bool {
	return l.made > 2*chunkSets && 2*l.count < int(l.made)
}

// packed returns a slab of the same sets with nothing free.
func (l *setSlab) packed() setSlab {
	p := newSetSlab()
	for _, s := range l.all {
		_, to := p.push()
		to.take(s)
	}
	return p
}

// all yields the sets, the oldest first.
func (l *setSlab) all(yield func(place uint32, s *heldSet) bool) {
	for place := l.oldest; place != noPlace; {
		s := l.at(place)
		if !yield(place, s) {
			return
		}
		place = s.newer
	}
}
