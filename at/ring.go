package at

// ring is a queue of notifications that grows up to a limit.
type ring struct {
	slots []queued
	first int // index of the oldest
	count int
	lost  int // dropped right before the oldest
}

// queued is a notification in a queue. Most are a line and nothing else, and
// a burst of those shall not wear out the caches.
type queued struct {
	line string
	full *Notification // nil if the line is all
}

// keptRing is the size of a ring that is kept for the next burst.
const keptRing = 64

// push adds a line. The caller keeps count below limit.
func (r *ring) push(q queued, limit int) {
	if r.count == len(r.slots) {
		r.grow(limit)
	}
	i := r.first + r.count
	if i >= len(r.slots) {
		i -= len(r.slots)
	}
	r.slots[i] = q
	r.count++
}

// grow doubles the ring.
func (r *ring) grow(limit int) {
	bigger := make([]queued, min(max(2*len(r.slots), 4), limit))
	n := copy(bigger, r.slots[r.first:])
	copy(bigger[n:], r.slots[:r.first])
	r.slots, r.first = bigger, 0
}

// drop removes the oldest, which counts as lost.
func (r *ring) drop() {
	r.slots[r.first] = queued{}
	if r.first++; r.first == len(r.slots) {
		r.first = 0
	}
	r.count--
	r.lost++
}

// parts returns what is in the ring, the oldest first, in two pieces.
func (r *ring) parts() [2][]queued {
	end := r.first + r.count
	if end <= len(r.slots) {
		return [2][]queued{r.slots[r.first:end]}
	}
	return [2][]queued{r.slots[r.first:], r.slots[:end-len(r.slots)]}
}

// empty forgets all, and keeps the room.
func (r *ring) empty() {
	for _, part := range r.parts() {
		clear(part)
	}
	r.first, r.count, r.lost = 0, 0, 0
}
