package gprs

import (
	"context"
	"errors"
	"fmt"

	"github.com/telemodem/telemodem/at"
)

// Causes that a caller may branch on.
var (
	// ErrClosed says that the Radio or the Bearer was closed by its user.
	ErrClosed = errors.New("closed")
	// ErrLastTry says that a PIN or PUK was not sent, because only one try
	// is left, and a wrong one would lock the SIM.
	ErrLastTry = errors.New("only the last try is left, and it is never spent")
	// ErrTriesUnknown says that a PIN was not sent because the modem does not
	// tell how many tries are left, or because one was refused before.
	ErrTriesUnknown = errors.New("the number of tries left is unknown")
	// ErrWrongPIN says that the SIM refused the PIN.
	ErrWrongPIN = errors.New("the SIM refused it")
	// ErrNoSIM says that there is no SIM that works.
	ErrNoSIM = errors.New("no working SIM")
	// ErrNotReady says that the SIM did not become ready in time.
	ErrNotReady = errors.New("the SIM did not become ready")
)

// PINError is an attempt to open the SIM that failed, or was not made.
type PINError struct {
	// Secret is what was to be entered.
	Secret Secret
	// Left is how many tries are left now; -1 if the modem does not tell.
	Left int
	// State is what the SIM asked for.
	State SIMState
	// Err is the cause.
	Err error
}

// Error implements error. It holds no PIN.
func (e *PINError) Error() string {
	left := "an unknown number of tries"
	switch {
	case e.Left == 1:
		left = "1 try"
	case e.Left >= 0:
		left = fmt.Sprintf("%d tries", e.Left)
	}
	return fmt.Sprintf("SIM %v (%v, %s left): %v", e.Secret, e.State, left, e.Err)
}

// Unwrap returns the cause.
func (e *PINError) Unwrap() error { return e.Err }

// RegistrationError says why there is no registration, with all that is known
// about it, so that a missing SIM, a missing network and a refusal can be told
// apart.
type RegistrationError struct {
	Registration Registration
	SIM          SIMState
	Signal       Signal
	// Err is what ended the wait.
	Err error
}

// Error implements error.
func (e *RegistrationError) Error() string {
	return fmt.Sprintf("not registered (%v, SIM %v, signal %v dBm): %v: %v",
		e.Registration, e.SIM, e.Signal.RSSI, e.advice(), e.Err)
}

func (e *RegistrationError) advice() string {
	switch {
	case e.SIM == SIMAbsent:
		return "insert a SIM"
	case e.SIM != SIMUnknown && !e.SIM.Ready():
		return "the SIM is not open"
	case e.Registration.State == StateDenied:
		return "the network refuses this SIM: is it activated, in credit, allowed to roam?"
	case e.Signal.RSSI.Known && e.Signal.RSSI.DB <= -113:
		return "no signal: check the antenna"
	}
	return "no network found yet"
}

// Unwrap returns what ended the wait.
func (e *RegistrationError) Unwrap() error { return e.Err }

// refused tells whether err is the modem's refusal, as opposed to a line that
// is gone, a time-out or an end of the context: after a refusal something else
// may be tried.
func refused(err error) bool {
	var cme at.CMEError
	var result at.ResultError
	var cms at.CMSError
	return errors.As(err, &cme) || errors.As(err, &result) || errors.As(err, &cms)
}

// busy tells whether err asks to come again: SIM busy (3GPP TS 27.007 clause
// 9.2.1: 14), Wavecom's 515, and 100 "unknown", which MSM modems mean as that.
func busy(err error) bool {
	var cme at.CMEError
	return errors.As(err, &cme) && (cme.Code == 14 || cme.Code == 515 || cme.Code == 100)
}

// over tells whether err ends every further attempt.
func over(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, at.ErrLineGone) || errors.Is(err, at.ErrClosed) || errors.Is(err, ErrClosed)
}
