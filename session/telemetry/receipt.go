package telemetry

import (
	"context"
	"fmt"
)

// ID names a reading for good: the same one at the sender and at the receiver,
// the same one when it is handed to the handler again, and never that of
// another reading from the same sender, even after an old copy of its store was
// put back.
type ID struct {
	stream epoch
	number uint64 // of its last segment
}

// String implements fmt.Stringer: a form fit for a log or a database key.
func (id ID) String() string { return fmt.Sprintf("%s-%d", id.stream, id.number) }

// Receipt stands for a reading that is on disk and will get there. It lasts as
// long as the endpoint; the reading lasts until it is acknowledged. Goroutines
// may share it.
type Receipt struct {
	id     ID
	done   chan struct{} // closed when it is acknowledged
	closed <-chan struct{}
	path   string // that carried it; set before done is closed
}

// ID returns the name of the reading, which is also the receiver's.
func (r *Receipt) ID() ID { return r.id }

// Done is closed when the peer's handler has returned nil for the reading.
func (r *Receipt) Done() <-chan struct{} { return r.done }

// Wait returns nil when the peer's handler has returned nil for the reading.
// An error, that of ctx or ErrClosed, is about the waiting alone: the reading
// stays in the outbox and goes on.
func (r *Receipt) Wait(ctx context.Context) error {
	select {
	case <-r.done: // even if ctx has ended too
		return nil
	default:
	}
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-r.closed:
		return ErrClosed
	}
}

// Path returns the name of the path that carried the reading, once Done is
// closed; before, it is empty.
func (r *Receipt) Path() string {
	select {
	case <-r.done:
		return r.path
	default:
		return ""
	}
}
