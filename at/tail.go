package at

// tail watches a stream for results that end data mode: they stand on a line
// of their own, however the stream is cut into reads.
type tail struct {
	last [16]byte // the last bytes, oldest first
}

// tailResults are the results that may end data mode.
var tailResults = []string{"OK", "NO CARRIER", "ERROR"}

// scan looks through p. It stops behind the first result and returns how much
// it has looked at and the result; else it returns all of p. A result that
// more of p follows is returned as well: what it means is for the caller.
func (t *tail) scan(p []byte) (n int, result string) {
	for i, c := range p {
		copy(t.last[:], t.last[1:])
		t.last[len(t.last)-1] = c
		if c != '\n' {
			continue
		}
		for _, r := range tailResults {
			if t.endsIn(r) {
				return i + 1, r
			}
		}
	}
	return len(p), ""
}

// endsIn tells whether the stream ends in a line of that text.
func (t *tail) endsIn(text string) bool {
	from := len(t.last) - 2 - len(text)
	return string(t.last[from:]) == text+"\r\n" && (t.last[from-1] == '\n' || t.last[from-1] == '\r')
}
