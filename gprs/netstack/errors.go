package netstack

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// EndedError is what calls get once the link under them has ended or the Net
// was closed. It unwraps to the cause: that of the link, or net.ErrClosed.
type EndedError struct {
	Cause error // never nil
}

// Error implements error.
func (e *EndedError) Error() string {
	return "netstack: the link has ended: " + e.Cause.Error() + ": bring up a new link and connect again"
}

// Unwrap returns the cause.
func (e *EndedError) Unwrap() error { return e.Cause }

// errLinkEnded stands in for the cause where a link gives none.
var errLinkEnded = errors.New("no cause given by the link")

// causes gives the words of the stack's errors the values that package net's
// connections have, so that errors.Is finds syscall.ECONNREFUSED and the like.
var causes = map[string]error{
	(&tcpip.ErrAddressFamilyNotSupported{}).String(): syscall.EAFNOSUPPORT,
	(&tcpip.ErrBadLocalAddress{}).String():           syscall.EADDRNOTAVAIL,
	(&tcpip.ErrClosedForSend{}).String():             syscall.EPIPE,
	(&tcpip.ErrConnectionAborted{}).String():         syscall.ECONNABORTED,
	(&tcpip.ErrConnectionRefused{}).String():         syscall.ECONNREFUSED,
	(&tcpip.ErrConnectionReset{}).String():           syscall.ECONNRESET,
	(&tcpip.ErrHostUnreachable{}).String():           syscall.EHOSTUNREACH,
	(&tcpip.ErrInvalidEndpointState{}).String():      syscall.EINVAL,
	(&tcpip.ErrMessageTooLong{}).String():            syscall.EMSGSIZE,
	(&tcpip.ErrNetworkUnreachable{}).String():        syscall.ENETUNREACH,
	(&tcpip.ErrPortInUse{}).String():                 syscall.EADDRINUSE,
	(&tcpip.ErrTimeout{}).String():                   syscall.ETIMEDOUT,
}

// causeOf is the error that a stack's error stands for.
func causeOf(err tcpip.Error) error {
	if cause, ok := causes[err.String()]; ok {
		return cause
	}
	return errors.New(err.String())
}

// opError describes a failed call as package net does. The stack's own error
// is replaced by the cause it stands for, and whatever fails after the end of
// the link by that end.
func (n *Net) opError(op, network string, source, addr net.Addr, err error) error {
	if err == nil || errors.Is(err, io.EOF) && !n.isEnded() {
		return err
	}
	if inner := (*net.OpError)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	switch timeout, _ := err.(net.Error); {
	case n.isEnded():
		err = &EndedError{Cause: n.err}
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
	case timeout != nil && timeout.Timeout():
		err = os.ErrDeadlineExceeded
	default:
		if cause, ok := causes[err.Error()]; ok {
			err = cause
		}
	}
	return &net.OpError{Op: op, Net: network, Source: source, Addr: addr, Err: err}
}

// isEnded tells whether err is set.
func (n *Net) isEnded() bool {
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}
