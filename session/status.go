package session

import (
	"net/netip"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
)

// Status is what is known of a session at one moment.
type Status struct {
	// State is where the session is, since Since.
	State State
	Since time.Time
	// Err is the last trouble; it stays readable after recovery.
	Err error

	// Profile is the name of the profile in use; Manufacturer, Model and
	// Revision are what the modem says of itself.
	Profile, Manufacturer, Model, Revision string
	// Multiplexed tells that commands and data share the line by 3GPP TS 27.010.
	Multiplexed bool

	// SIM, Registration and Signal are the last that was heard.
	SIM          gprs.SIMState
	Registration gprs.Registration
	Signal       gprs.Signal

	// DataUp tells that a data call is up, with the address LocalAddr.
	DataUp    bool
	LocalAddr netip.Addr

	// Starts counts how often the modem was set up, DataCalls how often a
	// data call came up, Recoveries how many steps of recovery were taken.
	Starts, DataCalls, Recoveries int
	// Rungs counts the steps of recovery by what they were: Rungs[RungPower].
	Rungs [RungPower + 1]int

	// Commands counts the commands that came to their end, of users, messages
	// and radio, and Unanswered those of them that got no answer.
	Commands, Unanswered int
	// Engine is what the AT engines had to put up with, on all lines since Open.
	Engine at.Stats
}

// Status returns what is known now. It asks the modem nothing.
func (s *Session) Status() Status {
	s.mu.Lock()
	status, radio, u := s.status, s.radio, s.unit
	s.mu.Unlock()
	if u != nil {
		status.Engine = plus(status.Engine, u.stats())
	}
	if radio != nil {
		status.SIM = radio.LastSIM()
		status.Registration = radio.Steady()
		status.Signal = radio.LastSignal()
	}
	return status
}

// setState records and announces a change.
func (s *Session) setState(state State, err error) {
	s.mu.Lock()
	changed := s.status.State != state || s.status.Since.IsZero()
	if changed {
		s.status.State, s.status.Since = state, time.Now()
	}
	if err != nil {
		s.status.Err = err
	}
	s.mu.Unlock()
	if changed {
		s.log.Info("session "+state.String(), "err", err)
		s.publish(Event{Kind: EventState, State: state, Err: err})
	}
}
