package session

import "fmt"

// State is where a session is on its way to a usable modem, and back.
type State uint8

// States, in the order of a start.
const (
	// StateOpening: the line to the modem is being opened.
	StateOpening State = iota
	// StateStarting: the modem is being found, identified and set up.
	StateStarting
	// StateUnlocking: the SIM is being opened.
	StateUnlocking
	// StateSearching: the modem works and looks for a network.
	StateSearching
	// StateRegistered: the network has taken the modem.
	StateRegistered
	// StateRecovering: the modem misbehaves and is being brought back.
	StateRecovering
	// StateFailed: a human is needed, for instance because of a wrong PIN.
	StateFailed
	// StateClosed: Close was called.
	StateClosed
)

var stateNames = [...]string{"opening the line", "starting the modem", "opening the SIM", "searching a network",
	"registered", "recovering", "failed", "closed"}

// String returns the state in words.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}
