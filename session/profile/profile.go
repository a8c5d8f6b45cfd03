// Package profile holds what differs between modems, as data, with the manual
// or driver that says so beside each value.
//
// A Profile is chosen by what the modem answers to +CGMI and +CGMM (Find), or
// by its user. A nil or zero Profile is a modem that keeps to the standards.
package profile

import (
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/sms"
)

// Profile is what a session has to know of a family of modems. Its values are
// read only once a session uses it.
type Profile struct {
	// Name is the family's name, as "SIM800".
	Name string
	// Identities are beginnings of the answers to +CGMM, and of +CGMI, that
	// mark the family, compared without regard to case.
	Identities []string

	// Notifications are the family's own unsolicited result codes.
	Notifications []at.NotificationRule
	// BootMessages are the lines that tell of a start; nil means the engine's
	// usual ones.
	BootMessages []string
	// BootTime is how long the modem may be deaf after a start or a reset.
	BootTime time.Duration
	// Pacing is the least time between a result and the next command.
	Pacing time.Duration
	// EscapeGuard is the silence around +++; zero means the usual 1.1 s.
	EscapeGuard time.Duration

	// Setup are commands that each start begins with, behind ATE0 and
	// +CMEE=1. A refusal is no failure.
	Setup []string
	// RadioOff and RadioOn switch the radio, the second rung of recovery;
	// empty means "+CFUN=0" and "+CFUN=1".
	RadioOff, RadioOn string
	// Restart starts the modem anew; empty means "+CFUN=1,1".
	Restart string

	// Multiplexer tells how to bring up 3GPP TS 27.010 multiplexing; nil
	// means not to use it.
	Multiplexer *Multiplexer

	// SMS and Data are the quirks of the layers above.
	SMS  sms.Quirks
	Data gprs.Quirks
}

// Multiplexer is how a family multiplexes (3GPP TS 27.010).
type Multiplexer struct {
	// Command switches it on, as "+CMUX=0,0,5,127,10,3,30,10,2".
	Command string
	// FrameSize is N1, the octets in a frame, as Command sets it.
	FrameSize int
	// Settle is waited between the OK and the first frame.
	Settle time.Duration
	// CommandChannel and DataChannel are the DLCIs for commands and for the
	// data call.
	CommandChannel, DataChannel int
}

// Engine returns the configuration of the AT engine for the family.
func (p *Profile) Engine() at.Config {
	return at.Config{
		Notifications: p.Notifications,
		BootMessages:  p.BootMessages,
		Pacing:        p.Pacing,
		EscapeGuard:   p.EscapeGuard,
	}
}

// Find returns the profile for what the modem says of itself: its model
// (+CGMM) counts before its maker (+CGMI). It never returns nil: a modem that
// nobody knows gets Standard.
func Find(manufacturer, model string) *Profile {
	for _, said := range []string{model, manufacturer} {
		if p := match(said); p != nil {
			return p
		}
	}
	return Standard
}

// match returns the profile with the longest identity that said begins with.
func match(said string) *Profile {
	said = strings.ToUpper(strings.TrimSpace(said))
	var best *Profile
	length := 0
	for _, p := range All {
		for _, id := range p.Identities {
			if len(id) > length && strings.HasPrefix(said, strings.ToUpper(id)) {
				best, length = p, len(id)
			}
		}
	}
	return best
}

// All are the profiles that Find chooses from.
var All = []*Profile{SIM800}

// Standard is a modem that keeps to ITU-T V.250, 3GPP TS 27.007 and 27.005.
var Standard = &Profile{Name: "standard"}

// Unidentified is for a modem that has not said yet what it is: it knows the
// notifications and boot messages of every family.
var Unidentified = unidentified()

func unidentified() *Profile {
	p := &Profile{Name: "unidentified"}
	known := make(map[string]bool)
	for _, family := range All {
		for _, rule := range family.Notifications {
			if !known[rule.Prefix] {
				known[rule.Prefix] = true
				p.Notifications = append(p.Notifications, rule)
			}
		}
	}
	return p
}
