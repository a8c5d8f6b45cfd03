package cmux

import (
	"errors"
	"fmt"
	"net"
)

// Causes that a caller may branch on with errors.Is.
var (
	// ErrNoAnswer: the other side did not answer within N2 repeats.
	ErrNoAnswer = errors.New("cmux: no answer")
	// ErrRefused: the other side answered DM.
	ErrRefused = errors.New("cmux: refused by the other side (DM)")
	// ErrClosedByPeer: the other side closed the channel (DISC) or all of them (CLD).
	ErrClosedByPeer = errors.New("cmux: closed by the other side")
	// ErrPlainAT: the other side is a modem in plain AT, no multiplexer; it was
	// restarted, or never entered multiplexer mode. Start again with AT+CMUX.
	ErrPlainAT = errors.New("cmux: the other side is in plain AT mode")
	// ErrLineGone: reading or writing the line failed.
	ErrLineGone = errors.New("cmux: line gone")
	// ErrInUse: the DLCI is open already.
	ErrInUse = errors.New("cmux: DLCI in use")
	// ErrFlowStuck: the other side stopped the channel and did not let it go on
	// within Config.FlowTimeout. Close the channel and open it again.
	ErrFlowStuck = errors.New("cmux: stopped by flow control for too long")
	// ErrDamaged: one damaged frame after the other. Start again with a smaller N1.
	ErrDamaged = errors.New("cmux: too many damaged frames in a row")
	// ErrLoss: the line was damaged here, and data of this channel may be missing. The
	// channel goes on.
	ErrLoss = errors.New("cmux: data may be missing here")
	// ErrNotSupported: the other side answered NSC to a control message.
	ErrNotSupported = errors.New("cmux: not supported by the other side (NSC)")
	// ErrClosed: closed from this side. It is net.ErrClosed.
	ErrClosed = net.ErrClosed
)

// A ChannelError says on which DLCI what failed.
type ChannelError struct {
	DLCI int
	Op   string // "open", "read", "write"
	Err  error
}

func (e *ChannelError) Error() string {
	return fmt.Sprintf("cmux: %s DLCI %d: %v", e.Op, e.DLCI, e.Err)
}

// Unwrap returns the cause.
func (e *ChannelError) Unwrap() error { return e.Err }

// What a line that was given back cannot do.
var (
	errNoDTR      = errors.New("cmux: the line has no DTR")
	errNoDeadline = errors.New("cmux: the line has no deadlines")
)
