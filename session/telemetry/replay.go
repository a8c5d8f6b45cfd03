package telemetry

// windowSize is how far behind the newest frame of the same epoch and bearer a
// frame may arrive, in frames.
const windowSize = 256

// maxWindows bounds the windows kept for one peer: a few epochs on each path.
const maxWindows = 16

// window remembers which frames of one epoch came over one bearer, as IPsec
// does (RFC 4303 section 3.4.3).
//
// It only saves work: what makes a replay harmless is that readings are told
// apart by marks on disk, and acknowledgements only ever say what is true.
type window struct {
	epoch  epoch
	path   *path // nil: a bearer that is none of the peer's paths
	newest uint32
	seen   [windowSize / 64]uint64 // bit n%windowSize: frame n was seen
}

// first reports whether frame n is seen for the first time, and notes it.
func (w *window) first(n uint32) bool {
	bit := func(n uint32) (*uint64, uint64) {
		return &w.seen[n%windowSize/64], 1 << (n % 64)
	}
	switch {
	case n == 0 || w.newest >= windowSize && n <= w.newest-windowSize:
		return false
	case n > w.newest:
		if n-w.newest >= windowSize {
			w.seen = [windowSize / 64]uint64{}
		} else {
			for i := w.newest + 1; i < n; i++ {
				word, mask := bit(i)
				*word &^= mask
			}
		}
		w.newest = n
	default:
		if word, mask := bit(n); *word&mask != 0 {
			return false
		}
	}
	word, mask := bit(n)
	*word |= mask
	return true
}

// forget has frame n taken as new again: it could not be put on disk.
func (w *window) forget(n uint32) { w.seen[n%windowSize/64] &^= 1 << (n % 64) }

// windows are those of one peer, most recently used first.
type windows []*window

// first reports whether this frame is seen for the first time, and notes it.
func (ws *windows) first(e epoch, p *path, n uint32) (*window, bool) {
	for i, w := range *ws {
		if w.epoch == e && w.path == p {
			copy((*ws)[1:i+1], (*ws)[:i])
			(*ws)[0] = w
			return w, w.first(n)
		}
	}
	if len(*ws) == maxWindows {
		*ws = (*ws)[:maxWindows-1]
	}
	w := &window{epoch: e, path: p}
	*ws = append(windows{w}, *ws...)
	return w, w.first(n)
}
