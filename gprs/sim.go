package gprs

import (
	"errors"
	"strings"

	"github.com/telemodem/telemodem/at"
)

// SIMState is what the modem says of its SIM.
type SIMState uint8

// SIM states: the codes of +CPIN (3GPP TS 27.007 clause 8.3) and the +CME
// ERROR values that come in their place (clause 9.2).
const (
	SIMUnknown  SIMState = iota
	SIMReady             // READY
	SIMPIN               // SIM PIN: Unlock will do
	SIMPUK               // SIM PUK: the PIN was entered wrongly too often, UnlockPUK will do
	SIMPIN2              // SIM PIN2: everything but what PIN2 guards works
	SIMPUK2              // SIM PUK2
	SIMPersonal          // a personalisation (PH-SIM PIN, PH-NET PIN and their like): another SIM or the operator's code
	SIMAbsent            // not inserted
	SIMNotReady          // still starting
	SIMBusy              // busy, ask again
	SIMFailure           // inserted, but does not work
	SIMBlocked           // blocked for good
	numSIMStates
)

var simStateNames = [numSIMStates]string{"unknown", "ready", "PIN required", "PUK required", "PIN2 required",
	"PUK2 required", "personalisation code required", "not inserted", "not ready", "busy", "failure", "blocked"}

// String names the state.
func (s SIMState) String() string {
	if s < numSIMStates {
		return simStateNames[s]
	}
	return "unknown"
}

// Ready tells whether the SIM is open: ready, or asking for PIN2 or PUK2 only.
func (s SIMState) Ready() bool { return s == SIMReady || s == SIMPIN2 || s == SIMPUK2 }

// transient tells whether the state goes away by itself.
func (s SIMState) transient() bool { return s == SIMNotReady || s == SIMBusy || s == SIMUnknown }

// simCodes maps the texts of +CPIN in capitals; SIM800 writes PH_SIM.
var simCodes = map[string]SIMState{
	"READY": SIMReady, "SIM PIN": SIMPIN, "SIM PUK": SIMPUK, "SIM PIN2": SIMPIN2, "SIM PUK2": SIMPUK2,
	"NOT INSERTED": SIMAbsent, "SIM REMOVED": SIMAbsent, "NOT READY": SIMNotReady,
	"SIM FAILURE": SIMFailure, "SIM BLOCKED": SIMBlocked, "BLOCKED": SIMBlocked,
	"SIM NOT INSERTED": SIMAbsent, "SIM NOT READY": SIMNotReady, "SIM BUSY": SIMBusy,
}

// ParseSIMState reads a line that tells of the SIM, asked for or not:
// +CPIN, +CSMINS (SIMCom), +QSIMSTAT and +QUSIM (Quectel), #QSS (Telit),
// ^SIMST (Huawei), ^SCKS (Cinterion), +UUSIMSTAT (u-blox).
func ParseSIMState(line string) (SIMState, error) {
	name, f := splitLine(line)
	switch name {
	case "+CPIN":
		return parseCPIN(line, f)
	case "+CSMINS", "+QSIMSTAT": // <n>,<inserted>
		return inserted(fieldAt(f, len(f)-1))
	case "^SCKS":
		return inserted(fieldAt(f, len(f)-1))
	case "+QUSIM": // type of the card, sent when it is initialised
		return SIMNotReady, nil
	case "#QSS":
		return simByNumber(fieldAt(f, len(f)-1), SIMAbsent, SIMNotReady, SIMNotReady, SIMReady)
	case "^SIMST":
		if n, ok := fieldAt(f, 0).decimal(); ok && n == 255 {
			return SIMAbsent, nil
		}
		return simByNumber(fieldAt(f, 0), SIMFailure, SIMReady, SIMReady, SIMReady, SIMReady)
	}
	return SIMUnknown, parseError(line, "does not tell of a SIM")
}

func parseCPIN(line string, f []field) (SIMState, error) {
	code := strings.ToUpper(strings.ReplaceAll(fieldAt(f, 0).text, "_", "-"))
	if s, ok := simCodes[code]; ok {
		return s, nil
	}
	if strings.HasPrefix(code, "PH-") {
		return SIMPersonal, nil
	}
	return SIMUnknown, parseError(line, "no SIM state that is known")
}

func inserted(f field) (SIMState, error) {
	return simByNumber(f, SIMAbsent, SIMNotReady)
}

func simByNumber(f field, states ...SIMState) (SIMState, error) {
	n, ok := f.decimal()
	if !ok || n < 0 || n >= len(states) {
		return SIMUnknown, parseError(f.text, "no SIM state that is known")
	}
	return states[n], nil
}

// cmeSIMStates are the +CME ERROR values that tell the state of the SIM:
// 3GPP TS 27.007 clause 9.2.1.
var cmeSIMStates = map[int]SIMState{
	5: SIMPersonal, 6: SIMPersonal, 7: SIMPersonal, 10: SIMAbsent, 11: SIMPIN, 12: SIMPUK,
	13: SIMFailure, 14: SIMBusy, 15: SIMFailure, 17: SIMPIN2, 18: SIMPUK2,
	40: SIMPersonal, 41: SIMPersonal, 262: SIMBlocked,
	515: SIMBusy, // Wavecom: please wait, the SIM is being initialised
}

// simStateOfError gives the state that a refusal tells, if it tells one.
func simStateOfError(err error) (SIMState, bool) {
	var cme at.CMEError
	if !errors.As(err, &cme) {
		return SIMUnknown, false
	}
	if s, ok := cmeSIMStates[cme.Code]; ok {
		return s, true
	}
	s, ok := simCodes[strings.ToUpper(cme.Text)]
	return s, ok
}
