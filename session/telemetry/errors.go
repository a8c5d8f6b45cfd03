package telemetry

import (
	"errors"
	"fmt"
)

// Causes that a caller may branch on with errors.Is.
var (
	// ErrClosed says that the endpoint or the store was closed by its user.
	ErrClosed = errors.New("telemetry: closed")
	// ErrFull says that the outbox has reached its limit: the reading was not
	// accepted. Nothing that was accepted is ever dropped to make room.
	ErrFull = errors.New("telemetry: the outbox is full; the reading was not accepted")
	// ErrTooLarge says that a reading is longer than MaxReading.
	ErrTooLarge = errors.New("telemetry: the reading is longer than MaxReading")
	// ErrNotConnected is what a connection-shaped bearer answers while it has
	// no connection. The frame was not sent.
	ErrNotConnected = errors.New("telemetry: not connected")
	// ErrInDoubt is what a bearer wraps when a frame may or may not have left
	// (an SMS whose +CMGS got no answer, for instance): it is then treated as
	// sent, and the acknowledgement is waited for before anything is billed
	// again.
	ErrInDoubt = errors.New("telemetry: the frame may have been sent")
	// ErrNoAck says that a frame was sent and no acknowledgement came within
	// the path's AckWait.
	ErrNoAck = errors.New("telemetry: no acknowledgement in time")
	// ErrUnknownPeer says that a frame carries the tag of no peer of this
	// endpoint, or could be opened with no peer's key.
	ErrUnknownPeer = errors.New("telemetry: the frame is from no peer known here")
	// ErrFrame says that a frame is malformed, of another version, or outside
	// the limits of the protocol.
	ErrFrame = errors.New("telemetry: bad frame")
	// ErrReplay says that a frame was seen before, or is too old to tell.
	ErrReplay = errors.New("telemetry: the frame was seen before")
	// ErrStaleStream says that a sender continues from a store so old that its
	// numbers cannot be told from ones already used.
	ErrStaleStream = errors.New("telemetry: the peer sends from an older copy of its store")
)

// Causes of a StoreError.
var (
	// ErrStoreLocked: another process, or another endpoint, has the file open.
	ErrStoreLocked = errors.New("in use by another process")
	// ErrStoreFormat: the file is not a telemetry store, or is damaged.
	ErrStoreFormat = errors.New("not a telemetry store, or damaged")
	// ErrStoreIdentity: the store belongs to an endpoint of another name.
	ErrStoreIdentity = errors.New("belongs to an endpoint of another name")
)

// StoreError is an operation on a store that failed.
type StoreError struct {
	// Path is the file; empty where the store is not one.
	Path string
	// Op is what was tried: open, read, write.
	Op string
	// Err is the cause: one of the ErrStore errors, or that of the system.
	Err error
}

// Error implements error.
func (e *StoreError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("telemetry: store: %s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("telemetry: store %s: %s: %v", e.Path, e.Op, e.Err)
}

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }
