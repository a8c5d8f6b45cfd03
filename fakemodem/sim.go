package fakemodem

import (
	"fmt"
	"time"
)

// Attempts that a SIM grants (3GPP TS 51.011 clause 11.2.1 and 8.9).
const (
	pinAttempts = 3
	pukAttempts = 10
)

// simCard is the subscriber's card and where it stands.
type simCard struct {
	present  bool
	number   string // with its plus sign
	imsi     string
	iccid    string
	center   string // service centre address, with its plus sign
	pin      string
	puk      string
	locked   bool // asks for the PIN at power-on
	verified bool // the PIN was given since power-on
	pinLeft  int
	pukLeft  int
	failed   bool // answers nothing
	busy     time.Time
	contacts map[int]contact

	forbidden []string // networks in EF FPLMN, the oldest first
}

// contact is an entry of the phone book.
type contact struct{ number, name string }

// newSIM makes a card for a number.
func newSIM(serial int, plmn, number string) simCard {
	return simCard{
		present: true, number: number, center: "+15550009999",
		imsi:    fmt.Sprintf("%s%0*d", plmn, 15-len(plmn), serial),
		iccid:   luhn(fmt.Sprintf("898800000000%06d", serial)),
		puk:     "12345678",
		pinLeft: pinAttempts, pukLeft: pukAttempts,
	}
}

// luhn adds the check digit of ITU-T E.118 (ISO/IEC 7812-1 annex B).
func luhn(digits string) string {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

// state is the code that +CPIN? shows (3GPP TS 27.007 clause 8.3).
func (s *simCard) state() string {
	switch {
	case s.pinLeft == 0:
		return "SIM PUK"
	case s.locked && !s.verified:
		return "SIM PIN"
	}
	return "READY"
}

// usable tells whether the network can be used with the card.
func (s *simCard) usable() bool {
	return s.present && !s.failed && s.pukLeft > 0 && s.state() == "READY" && !s.isBusy()
}

func (s *simCard) isBusy() bool { return time.Now().Before(s.busy) }

// refusal is why a command that needs the card cannot run. Commands that deal
// with the PIN itself run while it is locked.
func (s *simCard) refusal(name string) (Result, bool) {
	unlock := name == "+CPIN" || name == "+CLCK" || name == "+CPWD"
	code := 0
	switch {
	case !s.present:
		code = cmeSIMNotInserted
	case s.failed || s.pukLeft == 0:
		code = cmeSIMFailure
	case s.isBusy():
		code = cmeSIMBusy
	case unlock:
	case s.state() == "SIM PIN":
		code = cmeSIMPIN
	case s.state() == "SIM PUK":
		code = cmeSIMPUK
	}
	if code == 0 {
		return OK, false
	}
	if isMessageCommand(name) {
		if code == cmeSIMPUK {
			return CMS(316), true
		}
		return CMS(code + 300), true // 310, 311, 313, 314: 3GPP TS 27.005 clause 3.2.5
	}
	return CME(code), true
}

// isMessageCommand tells whether a command's errors are +CMS ERROR.
func isMessageCommand(name string) bool {
	switch name {
	case "+CMGS", "+CMGW", "+CMGR", "+CMGL", "+CMGD", "+CMSS", "+CMGC", "+CNMA", "+CPMS", "+CSCA":
		return true
	}
	return false
}

// verify checks a PIN (3GPP TS 51.011 clause 9.2.9).
func (s *simCard) verify(pin string) Result {
	switch {
	case s.pinLeft == 0:
		return CME(cmeSIMPUK)
	case pin == s.pin:
		s.pinLeft, s.verified = pinAttempts, true
		return OK
	}
	s.pinLeft--
	if s.pinLeft == 0 {
		s.verified = false
		return CME(cmeSIMPUK)
	}
	return CME(cmeWrongPassword)
}

// unblock sets a new PIN by the PUK (3GPP TS 51.011 clause 9.2.13).
func (s *simCard) unblock(puk, pin string) Result {
	switch {
	case s.pukLeft == 0:
		return CME(cmeSIMFailure)
	case puk == s.puk && isPIN(pin):
		s.pin, s.pinLeft, s.pukLeft, s.verified = pin, pinAttempts, pukAttempts, true
		return OK
	}
	s.pukLeft--
	if s.pukLeft == 0 {
		return CME(cmeSIMFailure)
	}
	return CME(cmeWrongPassword)
}

// isPIN: four to eight digits (3GPP TS 51.011 clause 9.3).
func isPIN(s string) bool {
	if len(s) < 4 || len(s) > 8 {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// InsertSIM puts the modem's card in, RemoveSIM takes it out, while it runs.
func (m *Modem) InsertSIM() { m.plugSIM(true) }

// RemoveSIM takes the card out while the modem runs.
func (m *Modem) RemoveSIM() { m.plugSIM(false) }

func (m *Modem) plugSIM(in bool) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	if m.sim.present == in {
		return
	}
	m.sim.present, m.sim.verified = in, false
	if !m.on {
		return
	}
	if in {
		m.notify("+CPIN: " + m.sim.state())
	} else {
		m.notify(m.kind.simRemoved())
	}
	m.updateRadio()
}

func (k *Personality) simRemoved() string {
	if k.Messages.SIMRemoved == "" {
		return "+CPIN: NOT INSERTED"
	}
	return k.Messages.SIMRemoved
}

// PINAttempts tells how many wrong PINs and PUKs the card still grants.
func (m *Modem) PINAttempts() (pin, puk int) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	return m.sim.pinLeft, m.sim.pukLeft
}
