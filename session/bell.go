package session

import "sync"

// bell wakes all who wait for a change. The zero value is ready. It calls
// nobody, so it may be rung with any lock held.
type bell struct {
	mu   sync.Mutex
	rung chan struct{} // nil while nobody listens
}

// listen returns a channel that is closed at the next ring.
func (b *bell) listen() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}
