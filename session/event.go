package session

import (
	"fmt"
	"time"

	"github.com/telemodem/telemodem/gprs"
)

// EventKind tells what an Event is about.
type EventKind uint8

// Kinds of events.
const (
	// EventState: the session went from one State to another.
	EventState EventKind = iota + 1
	// EventRadio: registration, SIM, signal or context changed; see Event.Radio.
	EventRadio
	// EventDataUp: a data call is up.
	EventDataUp
	// EventDataDown: the data call ended; Err tells why, nil if it was asked for.
	EventDataDown
	// EventRecovery: a step of recovery begins; Rung and Step name it, Err is
	// the reason.
	EventRecovery
	// EventHeldBack: a step of recovery would be due, but its budget is spent;
	// Err is a *BudgetError. Cheaper steps go on, and this one when there is
	// budget again.
	EventHeldBack
	// EventStepFailed: a step of recovery could not be taken; Err tells why.
	// The next one follows.
	EventStepFailed
)

// Event is something that happened to a session.
type Event struct {
	Kind  EventKind
	At    time.Time
	State State      // the new state, for EventState
	Radio gprs.Event // for EventRadio
	Rung  Rung       // for EventRecovery, EventHeldBack and EventStepFailed
	Step  string     // what Rung does, in words
	Err   error      // the reason, where there is one
	// Lost is how many events this listener lost right before this one,
	// because it was slow.
	Lost int
}

// String describes the event in a line.
func (e Event) String() string {
	because := ""
	if e.Err != nil {
		because = ": " + e.Err.Error()
	}
	switch e.Kind {
	case EventState:
		return e.State.String() + because
	case EventRadio:
		return radioText(e.Radio)
	case EventDataUp:
		return "data call up"
	case EventDataDown:
		return "data call down" + because
	case EventRecovery:
		return "recovery: " + e.Step + because
	case EventHeldBack:
		return "recovery held back" + because
	case EventStepFailed:
		return "recovery: could not " + e.Step + because
	}
	return fmt.Sprintf("EventKind(%d)%s", e.Kind, because)
}

func radioText(e gprs.Event) string {
	switch e.Kind {
	case gprs.EventRegistration:
		return "registration: " + e.Registration.String()
	case gprs.EventSIM:
		return "SIM: " + e.SIM.String()
	case gprs.EventSignal:
		return "signal: " + e.Signal.RSSI.String() + " dBm"
	}
	return "packet context changed"
}

// publish hands e to every listener that has room for it and waits for none.
func (s *Session) publish(e Event) {
	e.At = time.Now()
	if s.hook != nil {
		s.hook(e)
	}
	s.events.Publish(func(lost int) Event {
		e.Lost = lost
		return e
	})
}
