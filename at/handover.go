package at

import (
	"context"
	"io"
	"time"
)

// Handover runs cmd, such as "+CMUX=0" (3GPP TS 27.007 clause 5.7), and from
// its OK on gives the line to its caller, for another protocol: a change of
// owner for good. Bytes glued behind the OK are the caller's. Commands fail
// with ErrDataMode from then on, Done still tells when the line ends, and
// closing the stream closes the engine and its line. When cmd fails, nothing
// has changed.
func (m *Modem) Handover(ctx context.Context, cmd Command) (io.ReadWriteCloser, error) {
	c := m.newCall()
	c.handedOver = true
	if _, err := m.do(ctx, &cmd, c, false); err != nil {
		return nil, err
	}
	return handover{c}, nil
}

// handover is the line of an engine that has let go of it.
type handover struct{ call *DataCall }

// Read implements io.Reader.
func (h handover) Read(p []byte) (int, error) { return h.call.Read(p) }

// Write implements io.Writer.
func (h handover) Write(p []byte) (int, error) { return h.call.Write(p) }

// SetReadDeadline sets the time at which Read gives up; nothing is lost by it.
func (h handover) SetReadDeadline(t time.Time) error { return h.call.SetReadDeadline(t) }

// Close closes the engine and its line.
func (h handover) Close() error { return h.call.m.Close() }
