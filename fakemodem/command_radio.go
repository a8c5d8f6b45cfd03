package fakemodem

import (
	"fmt"
	"strings"
	"time"
)

// Network commands (3GPP TS 27.007 clauses 7 and 8, and 10.1 for packets).
func init() {
	add(table{
		"+CFUN":  {run: setFunction, test: "(0,1,4),(0,1)"},
		"+CREG":  {run: registrationCommand, test: "(0-2)"},
		"+CGREG": {run: registrationCommand, test: "(0-2)"},
		"+CEREG": {run: registrationCommand, test: "(0-5)"},
		"+COPS":  {run: selectOperator, own: true, sim: true},
		"+CSQ":   {run: signalQuality, test: "(0-31,99),(0-7,99)"},
		"+CESQ":  {run: extendedSignal, test: "(0-63,99),(0-7,99),(0-96,255),(0-34,255),(0-97,255)"},
		"+CPAS":  {run: func(c *Call) Result { c.Info("+CPAS: 0"); return OK }, test: "(0,2,3,4)"},
		"+CBC":   {run: func(c *Call) Result { c.Info("+CBC: 0,85,3987"); return OK }, test: "(0-2),(0-100),(0-5000)"},
		"+CSPN":  {run: func(c *Call) Result { c.Info(fmt.Sprintf(`+CSPN: "%s",1`, c.m.n.config.operator())); return OK }, sim: true},
		"+CGATT": {run: attach, test: "(0,1)", sim: true},
	})
}

// setFunction is AT+CFUN (clause 8.2).
func setFunction(c *Call) Result {
	m := c.m
	if c.Op == Read {
		c.Info(fmt.Sprintf("+CFUN: %d", m.radio.function))
		return OK
	}
	fun, reset := c.between(0, 0, 16, 1), c.between(1, 0, 1, 0)
	if c.bad {
		return CME(cmeInvalidParam)
	}
	if reset == 1 || m.kind.resets(fun) {
		m.after(m.n.scale(500*time.Millisecond), m.restart)
		return OK
	}
	switch fun {
	case 0, 1, 4:
	case 7:
		fun = 4
	default:
		return CME(cmeInvalidParam)
	}
	if fun != m.radio.function {
		m.radio.function = fun
		if fun != 1 {
			m.contexts.lose()
			m.radioOff()
			if fun == 0 && m.kind.Messages.SIMReady != "" {
				c.p.notify("+CPIN: NOT READY")
			}
		}
		m.updateRadio()
	}
	return OK
}

// resets tells whether a value of +CFUN restarts the modem.
func (k *Personality) resets(fun int) bool {
	return fun == 15 || fun == 16
}

func registrationCommand(c *Call) Result {
	mode := c.p.set.registration(c.Name)
	switch c.Op {
	case Read:
		state := c.m.radio.packet
		if c.Name == "+CREG" {
			state = c.m.radio.circuit
		}
		c.Info(fmt.Sprintf("%s: %d,%s", c.Name, *mode, c.m.registrationFields(c.Name, *mode, state)))
	case Set:
		k := c.between(0, 0, 5, 0)
		if !c.bad {
			*mode = k
		}
	default:
		*mode = 0
	}
	return OK
}

// selectOperator is AT+COPS (clause 7.3).
func selectOperator(c *Call) Result {
	switch c.Op {
	case Test:
		return scanOperators(c)
	case Read:
		c.Info("+COPS: " + c.m.operatorFields())
		return OK
	case Execute:
		return CME(cmeInvalidParam)
	}
	r := &c.m.radio
	mode := c.between(0, 0, 4, 0)
	format := c.between(1, 0, 2, r.format)
	if c.bad {
		return CME(cmeInvalidParam)
	}
	r.format = format
	switch mode {
	case 3:
		return OK
	case copsDeregister:
		r.mode = mode
		c.m.contexts.lose()
		c.m.radioOff()
		return OK
	case copsManual, 4:
		wanted, ok := c.m.n.findOperator(c.text(2, ""))
		if !ok && mode == copsManual {
			return CME(cmeNoNetwork)
		}
		r.wanted = wanted
	}
	r.mode = mode
	if mode == 4 {
		r.mode = copsAutomatic
	}
	c.m.updateRadio()
	return c.awaitRegistration()
}

// awaitRegistration ends +COPS when the search has ended one way or another.
func (c *Call) awaitRegistration() Result {
	if c.m.radio.search == nil {
		if c.m.radio.circuit == regDenied {
			return CME(cmeEmergencyOnly)
		}
		return OK
	}
	c.wait = c.m.after(50*time.Millisecond, func() {
		if r := c.awaitRegistration(); r != pending {
			c.finish(r)
		}
	})
	return pending
}

// operatorFields are mode, format, name and technology.
func (m *Modem) operatorFields() string {
	r := &m.radio
	if !isRegistered(r.circuit) && !isRegistered(r.packet) {
		return fmt.Sprint(r.mode)
	}
	name := r.cell.operator
	switch r.format {
	case 1:
		name = firstLetters(name, 8)
	case 2:
		name = r.cell.plmn
	}
	text := fmt.Sprintf(`%d,%d,"%s"`, r.mode, r.format, name)
	if !m.kind.NoTechnology {
		text += fmt.Sprintf(",%d", m.tech())
	}
	return text
}

func firstLetters(s string, k int) string {
	return s[:min(len(s), k)]
}

// findOperator knows an operator by name or number.
func (n *Network) findOperator(name string) (plmn string, ok bool) {
	for _, c := range n.cells {
		if name == c.plmn || strings.EqualFold(name, c.operator) {
			return c.plmn, true
		}
	}
	return name, false
}

// scanOperators is AT+COPS=?: it takes long, and any character ends it.
func scanOperators(c *Call) Result {
	m := c.m
	seen := make(map[string]bool)
	var list []string
	for _, cell := range m.n.cells {
		if seen[cell.plmn] || cell.coverage == NoCoverage {
			continue
		}
		seen[cell.plmn] = true
		status := 1
		switch {
		case cell.refusal != 0:
			status = 3
		case cell == m.radio.cell && isRegistered(m.radio.circuit):
			status = 2
		}
		entry := fmt.Sprintf(`(%d,"%s","%s","%s"`, status, cell.operator, firstLetters(cell.operator, 8), cell.plmn)
		if !m.kind.NoTechnology {
			entry += fmt.Sprintf(",%d", m.tech())
		}
		list = append(list, entry+")")
	}
	c.Info("+COPS: " + strings.Join(append(list, ",(0-4)", "(0-2)"), ","))
	c.abort = func() {
		m.n.cancel(c.wait)
		c.p.exec.answer = nil
		c.finish(OK)
	}
	return c.later(m.n.scale(30*time.Second), func() Result { return OK })
}

func signalQuality(c *Call) Result {
	c.Info(fmt.Sprintf("+CSQ: %d,%d", c.m.rssi(), c.m.bitErrors()))
	return OK
}

// bitErrors is the second value of +CSQ.
func (m *Modem) bitErrors() int {
	if m.rssi() == 99 {
		return 99
	}
	return 0
}

// extendedSignal is AT+CESQ (clause 8.69).
func extendedSignal(c *Call) Result {
	dBm, ok := c.m.strength()
	switch {
	case !ok:
		c.Info("+CESQ: 99,99,255,255,255,255")
	case c.m.tech() == GSM || c.m.tech() == EDGE:
		c.Info(fmt.Sprintf("+CESQ: %d,0,255,255,255,255", min(max(dBm+111, 0), 63)))
	default:
		c.Info(fmt.Sprintf("+CESQ: 99,99,255,255,20,%d", min(max(dBm-20+141, 0), 97)))
	}
	return OK
}

// attach is AT+CGATT (clause 10.1.9).
func attach(c *Call) Result {
	m := c.m
	if c.Op == Read {
		on := 0
		if isRegistered(m.radio.packet) {
			on = 1
		}
		c.Info(fmt.Sprintf("+CGATT: %d", on))
		return OK
	}
	on := c.between(0, 0, 1, 1)
	if c.bad {
		return CME(cmeInvalidParam)
	}
	m.radio.detached = on == 0
	if on == 0 {
		m.contexts.lose()
		m.updateRadio()
		return OK
	}
	if m.covered()&DataCoverage == 0 && m.radio.function == 1 {
		return c.later(m.n.scale(5*time.Second), func() Result {
			if isRegistered(m.radio.packet) {
				return OK
			}
			return CME(cmeNoNetwork)
		})
	}
	m.updateRadio()
	return c.awaitRegistration()
}
