package fakemodem

import (
	"fmt"
	"time"
)

// SIM commands (3GPP TS 27.007 clauses 8.3, 7.4, 7.5).
func init() {
	add(table{
		"+CPIN":  {run: enterPIN, sim: true},
		"+CPINR": {run: remainingPINs, test: `("SIM PIN","SIM PUK","SIM PIN2","SIM PUK2")`, sim: true},
		"+CLCK":  {run: facilityLock, test: `("SC","PN","AO","OI","OX","AI","IR","AB","AG","AC")`, sim: true},
		"+CPWD":  {run: changePassword, test: `("SC",8),("P2",8)`, sim: true},
		"+CNUM":  {run: ownNumber, sim: true},
		"+CRSM":  {run: restrictedAccess, sim: true},
	})
}

func enterPIN(c *Call) Result {
	s := &c.m.sim
	switch c.Op {
	case Read:
		c.Info("+CPIN: " + s.state())
		return OK
	case Execute:
		return CME(cmeInvalidParam)
	}
	pin := c.text(0, "")
	switch s.state() {
	case "READY":
		return CME(cmeNotAllowed)
	case "SIM PUK":
		if c.count() < 2 {
			return CME(cmeSIMPUK)
		}
		return c.unlocked(s.unblock(pin, c.text(1, "")))
	}
	return c.unlocked(s.verify(pin))
}

// unlocked lets the modem go on once the card is open.
func (c *Call) unlocked(r Result) Result {
	if r == OK {
		m := c.m
		m.after(m.n.scale(300*time.Millisecond), func() {
			m.notify(m.kind.Messages.SIMReady)
			m.updateRadio()
		})
	}
	return r
}

func remainingPINs(c *Call) Result {
	s := &c.m.sim
	for _, line := range []struct {
		name string
		left int
	}{{"SIM PIN", s.pinLeft}, {"SIM PUK", s.pukLeft}, {"SIM PIN2", pinAttempts}, {"SIM PUK2", pukAttempts}} {
		if want := c.text(0, line.name); c.Op != Set || want == line.name {
			c.Info(fmt.Sprintf("+CPINR: %s,%d", line.name, line.left))
		}
	}
	return OK
}

func facilityLock(c *Call) Result {
	mode := c.between(1, 0, 2, 2)
	if c.bad || c.Op != Set {
		return CME(cmeInvalidParam)
	}
	s := &c.m.sim
	if c.text(0, "") != "SC" {
		if mode == 2 {
			c.Info("+CLCK: 0")
			return OK
		}
		return CME(cmeNotAllowed)
	}
	if mode == 2 {
		on := 0
		if s.locked {
			on = 1
		}
		c.Info(fmt.Sprintf("+CLCK: %d", on))
		return OK
	}
	if s.pin == "" && s.pinLeft == pinAttempts && mode == 1 {
		s.pin = c.text(2, "")
	}
	if r := s.verify(c.text(2, "")); r != OK {
		return r
	}
	s.locked = mode == 1
	return OK
}

func changePassword(c *Call) Result {
	s := &c.m.sim
	if c.text(0, "") != "SC" || !s.locked || !isPIN(c.text(2, "")) {
		return CME(cmeNotAllowed)
	}
	if r := s.verify(c.text(1, "")); r != OK {
		return r
	}
	s.pin = c.text(2, "")
	return OK
}

func ownNumber(c *Call) Result {
	if number := c.m.sim.number; number != "" {
		c.Info(fmt.Sprintf(`+CNUM: "","%s",145`, number))
	}
	return OK
}

// swapped writes digits as semi-octets (3GPP TS 51.011 clause 10.1.1).
func swapped(digits string) string {
	if len(digits)%2 == 1 {
		digits += "F"
	}
	b := []byte(digits)
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}
