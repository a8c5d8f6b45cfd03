package tun

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
)

// Error tells what could not be done with an interface. It unwraps to the
// cause: fs.ErrPermission where the privilege is missing, errors.ErrUnsupported
// where the system cannot do it.
type Error struct {
	Op        string // what was tried, such as "create" or "add route 0.0.0.0/0"
	Interface string // its name as far as it is known
	Err       error
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("tun: %s (interface %q): %v", e.Op, e.Interface, e.Err)
	switch {
	case errors.Is(e.Err, fs.ErrPermission):
		return text + ": making interfaces needs CAP_NET_ADMIN or root; package netstack needs neither"
	case errors.Is(e.Err, errors.ErrUnsupported):
		return text + " on " + runtime.GOOS + ": set Config.Bare and configure the interface yourself"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// errNoDevice says that the system has no TUN interfaces.
var errNoDevice = fmt.Errorf("the kernel offers no /dev/net/tun: load the module tun, or build the kernel with CONFIG_TUN: %w", fs.ErrNotExist)

// errLinkEnded stands in for the cause where a link gives none.
var errLinkEnded = errors.New("tun: the link has ended and gave no cause")
