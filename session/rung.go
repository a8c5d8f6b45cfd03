package session

import (
	"fmt"
	"time"
)

// Rung is a step of recovery. They are in the order of what they cost the
// modem, its network and whoever waits.
type Rung uint8

// The rungs of the ladder.
const (
	// RungProbe asks for a sign of life and finds the place in the modem's
	// talk again.
	RungProbe Rung = iota + 1
	// RungLeave brings the modem out of data and multiplexer mode.
	RungLeave
	// RungSetup makes the settings anew and opens the SIM.
	RungSetup
	// RungReopen closes the line and opens it again, by its USB identity if it
	// has come back under another name.
	RungReopen
	// RungSearch has the modem look for a network anew.
	RungSearch
	// RungAttach detaches from the packet service and attaches again (+CGATT).
	RungAttach
	// RungRadio switches the radio off and on (Profile.RadioOff, RadioOn).
	RungRadio
	// RungRestart starts the modem's software anew (Profile.Restart).
	RungRestart
	// RungPower cuts the power and gives it back (Config.Power).
	RungPower

	numRungs
)

var rungNames = [numRungs]string{
	RungProbe:   "ask the modem for a sign of life",
	RungLeave:   "bring the modem out of multiplexer and data mode",
	RungSetup:   "set the modem up again",
	RungReopen:  "open the line again",
	RungSearch:  "look for a network anew",
	RungAttach:  "detach from the packet service and attach again",
	RungRadio:   "switch the radio off and on",
	RungRestart: "restart the modem",
	RungPower:   "cut the modem's power and give it back",
}

// String says what the rung does.
func (r Rung) String() string {
	if r > 0 && r < numRungs {
		return rungNames[r]
	}
	return fmt.Sprintf("Rung(%d)", uint8(r))
}

// resets tells whether the modem starts anew by it.
func (r Rung) resets() bool { return r == RungRestart || r == RungPower }

// Budget is how often a rung may be climbed. It bounds what a modem that does
// not get well costs: its network in the spirit of GSMA TS.34, its flash memory
// and its relay.
type Budget struct {
	// Hour and Day are the most within 60 minutes and within 24 hours. Zero
	// means the default of the rung; negative means never.
	Hour, Day int
}

// Budgets are those of the rungs that load the network or stop the modem. The
// others cost neither; growing pauses are enough for them.
type Budgets struct {
	Attach  Budget // RungAttach: by default 4 an hour, 24 a day
	Radio   Budget // RungRadio: by default 3 an hour, 12 a day
	Restart Budget // RungRestart: by default 2 an hour, 8 a day
	Power   Budget // RungPower: by default 2 an hour, 6 a day
}

// of returns the budget of a rung with its defaults; ok is false for one that
// has none.
func (b *Budgets) of(r Rung) (budget Budget, ok bool) {
	var otherwise Budget
	switch r {
	case RungAttach:
		budget, otherwise = b.Attach, Budget{4, 24}
	case RungRadio:
		budget, otherwise = b.Radio, Budget{3, 12}
	case RungRestart:
		budget, otherwise = b.Restart, Budget{2, 8}
	case RungPower:
		budget, otherwise = b.Power, Budget{2, 6}
	default:
		return Budget{}, false
	}
	if budget.Hour == 0 {
		budget.Hour = otherwise.Hour
	}
	if budget.Day == 0 {
		budget.Day = otherwise.Day
	}
	return budget, true
}

// account is when the rungs with a budget were climbed, within the last day.
type account [numRungs][]time.Time

// allows tells whether one more climb at now is within the budget.
func (a *account) allows(r Rung, budget Budget, now time.Time) bool {
	hour, day := 0, 0
	for _, at := range a[r] {
		if now.Sub(at) < time.Hour {
			hour++
		}
		if now.Sub(at) < 24*time.Hour {
			day++
		}
	}
	return hour < budget.Hour && day < budget.Day
}

// enter notes a climb and forgets what is older than a day.
func (a *account) enter(r Rung, now time.Time) {
	kept := a[r][:0]
	for _, at := range a[r] {
		if now.Sub(at) < 24*time.Hour {
			kept = append(kept, at)
		}
	}
	a[r] = append(kept, now)
}
