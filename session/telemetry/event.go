package telemetry

import (
	"fmt"
	"time"
)

// EventKind says what happened.
type EventKind uint8

// Kinds of events.
const (
	// EventSwitched: readings now go over another path; none is named while no
	// path works.
	EventSwitched EventKind = iota + 1
	// EventPathUp: a path that was down works again.
	EventPathUp
	// EventPathDown: a path failed; Err says how.
	EventPathDown
	// EventHandlerFailed: the handler returned Err; it will be called again.
	EventHandlerFailed
	// EventStoreFailed: the store failed with Err outside of any call.
	EventStoreFailed
	// EventRefused: a frame or a reading of a peer was refused because of Err.
	EventRefused
	// EventSkipped: the sender says it has had Count segments acknowledged that
	// this store knows nothing of: an old copy of the store was put back, or a
	// new one begun. They will not come again.
	EventSkipped
)

// String implements fmt.Stringer.
func (k EventKind) String() string {
	names := [...]string{
		EventSwitched: "switched", EventPathUp: "path up", EventPathDown: "path down",
		EventHandlerFailed: "handler failed", EventStoreFailed: "store failed",
		EventRefused: "refused", EventSkipped: "skipped",
	}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return fmt.Sprintf("event %d", uint8(k))
}

// Event is something worth showing to the person who runs the machine.
type Event struct {
	// Time is when it happened.
	Time time.Time
	// Kind says what happened.
	Kind EventKind
	// Peer is the name of the peer that it is about.
	Peer string
	// Path is the name of the path that it is about, if any.
	Path string
	// Err is the cause, if any.
	Err error
	// Count is how many, where the kind says so.
	Count uint64
	// Lost is how many events before this one the subscriber was too slow for.
	Lost int
}
