package at

// ring is a queue of notifications that grows up to a limit.
type ring struct {
	slots []Notification
	first int // index of the oldest
	count int
}

// keptRing is the size of a ring that is kept for the next burst.
const keptRing = 16

// push adds n. The caller keeps count below limit.
func (r *ring) push(n Notification, limit int) {
	if r.count == len(r.slots) {
		r.grow(limit)
	}
	i := r.first + r.count
	if i >= len(r.slots) {
		i -= len(r.slots)
	}
	r.slots[i] = n
	r.count++
}

// grow doubles the ring.
func (r *ring) grow(limit int) {
	bigger := make([]Notification, min(max(2*len(r.slots), 4), limit))
	n := copy(bigger, r.slots[r.first:])
	copy(bigger[n:], r.slots[:r.first])
	r.slots, r.first = bigger, 0
}

// pop takes the oldest.
func (r *ring) pop() Notification {
	n := r.slots[r.first]
	r.slots[r.first] = Notification{}
	if r.first++; r.first == len(r.slots) {
		r.first = 0
	}
	r.count--
	return n
}
