package sms

import (
	"errors"
	"fmt"

	"github.com/telemodem/telemodem/at"
)

// Causes and outcomes that a caller may branch on with errors.Is.
var (
	// ErrInDoubt says that the message, or a part of it, went to the modem
	// and nothing is known of its fate: it may arrive. Sending it again may
	// deliver it twice.
	ErrInDoubt = errors.New("sms: sent or not is unknown")
	// ErrNotSent says that the message certainly did not leave: the modem
	// never got it or refused it. Sending it again is safe.
	ErrNotSent = errors.New("sms: not sent")
	// ErrInvalidMessage says that a message was refused before anything was
	// written to the modem.
	ErrInvalidMessage = errors.New("sms: invalid message")
	// ErrBusy says that another call of Receive is running on the Service.
	ErrBusy = errors.New("sms: messages are being received already")
)

// Outcome is the fate of one part of a message.
type Outcome uint8

// Outcomes, as promise 4 of the design keeps them apart.
const (
	// NotSent: the part certainly did not leave.
	NotSent Outcome = iota
	// Sent: the network took the part; its reference is known.
	Sent
	// InDoubt: the part went to the modem, its result never came.
	InDoubt
)

// String returns the outcome in words.
func (o Outcome) String() string {
	switch o {
	case NotSent:
		return "not sent"
	case Sent:
		return "sent"
	case InDoubt:
		return "in doubt"
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// SendError is a message that was not wholly sent. The Receipt that comes with
// it tells the outcome of each part.
type SendError struct {
	// Part is the part that failed, from 1, and Parts how many the message has.
	Part, Parts int
	// Outcome is the fate of that part: NotSent or InDoubt.
	Outcome Outcome
	// Err is the cause, most often an *at.CommandError.
	Err error
}

// Error implements error.
func (e *SendError) Error() string {
	return fmt.Sprintf("sms: part %d of %d %v: %v", e.Part, e.Parts, e.Outcome, e.Err)
}

// Class tells what helps: a pause, room in the storage, a setting. It is
// at.ClassPermanent where the modem has said nothing.
func (e *SendError) Class() at.Class {
	class, _ := classOf(e.Err)
	return class
}

// Unwrap returns the cause, and ErrInDoubt or ErrNotSent for the outcome. A
// message of which an earlier part was sent is still ErrNotSent when a later
// one was refused: the receiver cannot put it together.
func (e *SendError) Unwrap() []error {
	if e.Outcome == InDoubt {
		return []error{ErrInDoubt, e.Err}
	}
	return []error{ErrNotSent, e.Err}
}
