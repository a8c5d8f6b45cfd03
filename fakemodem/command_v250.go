package fakemodem

import (
	"fmt"
	"strconv"
	"strings"
)

// Commands of ITU-T V.250.
func init() {
	add(table{
		"E":  {run: toggle(func(s *settings) *bool { return &s.echo })},    // clause 6.2.4
		"Q":  {run: toggle(func(s *settings) *bool { return &s.quiet })},   // clause 6.2.5
		"V":  {run: toggle(func(s *settings) *bool { return &s.verbose })}, // clause 6.2.6
		"X":  {run: level(4, func(s *settings) *int { return &s.extent })}, // clause 6.2.7
		"&C": {run: level(1, func(s *settings) *int { return &s.dcd })},    // clause 6.2.8
		"&D": {run: level(2, func(s *settings) *int { return &s.dtr })},    // clause 6.2.9
		"&F": {run: func(c *Call) Result { return c.restore(factory(c.m.kind)) }},
		"Z":  {run: func(c *Call) Result { return c.restore(c.m.stored) }},
		"&W": {run: func(c *Call) Result { c.m.stored = c.p.set; return OK }},
		"&V": {run: showSettings},
		"&K": accepted, "&S": accepted, "&R": accepted, "&G": accepted,
		"L": accepted, "M": accepted, "P": accepted, "T": accepted, "N": accepted, "B": accepted, "&Q": accepted, "&E": accepted, `\Q`: accepted, `\N`: accepted,
		"+IPR":  {run: setRate, test: "(),(0,1200,2400,4800,9600,19200,38400,57600,115200,230400,460800)"},
		"+CLAC": {run: listCommands, own: true},
		"+CMEE": {run: numericSetting("(0-2)", 2, func(s *settings) *int { return &s.errors }), own: true},
	})
}

func accept(*Call) Result { return OK }

// accepted is a command that answers OK to everything.
var accepted = command{run: accept, idle: true}

// toggle is a basic command with the values 0 and 1.
func toggle(field func(*settings) *bool) handler {
	return func(c *Call) Result {
		switch c.Text {
		case "", "0":
			*field(&c.p.set) = false
		case "1":
			*field(&c.p.set) = true
		default:
			return ERROR
		}
		return OK
	}
}

// level is a basic command with values from 0 to top.
func level(top int, field func(*settings) *int) handler {
	return func(c *Call) Result {
		k := 0
		if c.Text != "" {
			k, _ = strconv.Atoi(c.Text)
		}
		if k > top || len(c.Text) > 1 {
			return ERROR
		}
		*field(&c.p.set) = k
		return OK
	}
}

// numericSetting is an extended command with one value from 0 to top that a
// port keeps.
func numericSetting(test string, top int, field func(*settings) *int) handler {
	return func(c *Call) Result {
		v := field(&c.p.set)
		switch c.Op {
		case Test:
			c.Info(c.Name + ": " + c.m.kind.test(c.Name, test))
		case Read:
			c.Info(fmt.Sprintf("%s: %d", c.Name, *v))
		default:
			k := c.between(0, 0, top, 0)
			if !c.bad {
				*v = k
			}
		}
		return OK
	}
}

// restore brings settings back; it also hangs up (ITU-T V.250 clause 6.1.1).
func (c *Call) restore(s settings) Result {
	c.p.set = s
	if c.Name == "Z" && c.p.calls != nil {
		c.p.calls.end(errHungUp)
		c.p.calls = nil
	}
	c.m.messages.restore(c.m)
	return OK
}

func showSettings(c *Call) Result {
	s := &c.p.set
	digit := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	c.Info("ACTIVE PROFILE:\r\n" + fmt.Sprintf("E%d Q%d V%d X%d &C%d &D%d S0:%03d S3:%03d S4:%03d S5:%03d S7:%03d S12:%03d +CMEE:%d +CREG:%d",
		digit(s.echo), digit(s.quiet), digit(s.verbose), s.extent, s.dcd, s.dtr,
		s.s[0], s.s[3], s.s[4], s.s[5], s.s[7], s.s[12], s.errors, s.creg))
	return OK
}

// setRate is AT+IPR (ITU-T V.250 clause 6.2.10): the new speed holds behind the OK.
func setRate(c *Call) Result {
	if c.Op != Set {
		c.Info(fmt.Sprintf("+IPR: %d", c.p.rate.Load()))
		return OK
	}
	rate := c.between(0, 0, 4_000_000, 0)
	if !c.bad && c.p.rate.Load() > 0 {
		p := c.p
		c.m.after(0, func() { p.rate.Store(int64(rate)) })
	}
	return OK
}

// listCommands is AT+CLAC (3GPP TS 27.007 clause 8.37).
func listCommands(c *Call) Result {
	if c.Op == Test {
		return OK
	}
	c.Info(strings.Join(c.m.commandNames(), "\r\n"))
	return OK
}

// registers answers S3? and S3=13 (ITU-T V.250 clause 5.3.2).
func registers(c *Call) Result {
	i, err := strconv.Atoi(c.Name[1:])
	if err != nil || i > 255 {
		return ERROR
	}
	switch c.Op {
	case Read:
		v := byte(0)
		if i < len(c.p.set.s) {
			v = c.p.set.s[i]
		}
		c.Info(fmt.Sprintf("%03d", v))
	case Set:
		v, err := strconv.Atoi(c.Text)
		if err != nil || v > 255 {
			return ERROR
		}
		if i < len(c.p.set.s) {
			c.p.set.s[i] = byte(v)
		}
	case Test:
		c.Info("(0-255)")
	}
	return OK
}
