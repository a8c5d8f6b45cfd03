package session

import "context"

// turn is that of messages to one recipient: one after the other, in the order of
// the calls, so that a message that is refused for a while or has lost its modem
// is not overtaken.
type turn struct {
	taken chan struct{} // holds a value while it is somebody's; the next gets it who has waited longest
	calls int           // that have it or wait for it; guarded by the lock of the bank
}

// takeTurn waits until it is the turn of a message to a recipient. Close ends those
// before it.
func (b *Bank) takeTurn(ctx context.Context, to string) (give func(), err error) {
	b.mu.Lock()
	t := b.turns[to]
	if t == nil {
		t = &turn{taken: make(chan struct{}, 1)}
		b.turns[to] = t
	}
	t.calls++
	b.mu.Unlock()
	select {
	case t.taken <- struct{}{}:
		return func() {
			<-t.taken
			b.leaveTurn(to, t)
		}, nil
	case <-ctx.Done():
		b.leaveTurn(to, t)
		return nil, context.Cause(ctx)
	}
}

func (b *Bank) leaveTurn(to string, t *turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.calls--; t.calls == 0 {
		delete(b.turns, to)
	}
}
