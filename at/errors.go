package at

import (
	"errors"
	"strconv"
)

// Causes that a caller may branch on with errors.Is.
var (
	// ErrNoAnswer says that no final result came within the limit.
	ErrNoAnswer = errors.New("no answer from the modem")
	// ErrLineGone says that the line to the modem ended: unplugged, closed,
	// connection lost.
	ErrLineGone = errors.New("the line to the modem is gone")
	// ErrDataMode says that the line carries a data call, so no command can
	// be sent on it.
	ErrDataMode = errors.New("the line is in data mode")
	// ErrRebooted says that the modem started again by itself while the
	// command ran; what the command did is unknown.
	ErrRebooted = errors.New("the modem has rebooted")
	// ErrInvalid says that the command was refused before anything was
	// written, for instance because of a control character in it.
	ErrInvalid = errors.New("invalid command")
	// ErrTooLong says that a line or the whole answer went beyond the limits
	// of Config; what fitted is lost too.
	ErrTooLong = errors.New("the answer is too long")
	// ErrCallEnded says that a data call is over, on its own or by Close.
	ErrCallEnded = errors.New("the data call has ended")
	// ErrClosed says that the engine was closed by its user.
	ErrClosed = errors.New("the modem engine is closed")
)

// CommandError is a command that failed: what was tried, how far it came and why.
type CommandError struct {
	// Command is the command line with AT in front; a sensitive one ends
	// behind its name.
	Command string
	// Progress is how much of it had reached the line.
	Progress Progress
	// Err is the cause: a CMEError, CMSError or ResultError of the modem, one
	// of the errors above, or that of the context.
	Err error
}

// Error implements error.
func (e *CommandError) Error() string { return e.Command + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *CommandError) Unwrap() error { return e.Err }

// Progress is how much of a command had reached the line when it failed: the
// difference between not done and in doubt.
type Progress uint8

// Degrees of progress.
const (
	// NothingWritten: the modem cannot have done anything.
	NothingWritten Progress = iota
	// CommandWritten: the command line went out, wholly or in part, but no
	// prompt data.
	CommandWritten
	// DataWritten: prompt data went out, wholly or in part.
	DataWritten
)

// CMEError is a +CME ERROR (3GPP TS 27.007 clause 9.2).
type CMEError struct {
	// Code is the number; -1 if the modem sent an unknown text.
	Code int
	// Text is what the modem sent in place of a number, if it did.
	Text string
}

// CMSError is a +CMS ERROR (3GPP TS 27.005 clause 3.2.5).
type CMSError struct {
	// Code is the number; -1 if the modem sent an unknown text.
	Code int
	// Text is what the modem sent in place of a number, if it did.
	Text string
}

// ResultError is any other final result that is not a success, as the modem
// sent it: "ERROR", "NO CARRIER", "BUSY", "COMMAND NOT SUPPORT".
type ResultError struct {
	Result string
}

// Error implements error.
func (e ResultError) Error() string { return "the modem answered " + strconv.Quote(e.Result) }

// Error implements error.
func (e CMEError) Error() string { return "+CME ERROR: " + codeText(e.Code, e.Name()) }

// Error implements error.
func (e CMSError) Error() string { return "+CMS ERROR: " + codeText(e.Code, e.Name()) }

// codeText returns the number and its name; an unknown code is its number.
func codeText(code int, name string) string {
	switch {
	case code < 0:
		return strconv.Quote(name)
	case name == "":
		return strconv.Itoa(code)
	}
	return strconv.Itoa(code) + " (" + name + ")"
}
