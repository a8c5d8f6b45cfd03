package fakemodem

import "strings"

// Identification (3GPP TS 27.007 clause 5, ITU-T V.250 clause 6.1).
func init() {
	add(table{
		"I":     {run: identify},
		"+CGMI": {run: says(func(m *Modem) string { return m.kind.Manufacturer })},
		"+GMI":  {run: says(func(m *Modem) string { return m.kind.Manufacturer })},
		"+CGMM": {run: says(func(m *Modem) string { return m.kind.Model })},
		"+GMM":  {run: says(func(m *Modem) string { return m.kind.Model })},
		"+CGMR": {run: says(func(m *Modem) string { return m.kind.Revision })},
		"+GMR":  {run: says(func(m *Modem) string { return m.kind.Revision })},
		"+CGSN": {run: says(func(m *Modem) string { return m.imei })},
		"+GSN":  {run: says(func(m *Modem) string { return m.imei })},
		"+GCAP": {run: func(c *Call) Result { c.Info("+GCAP: " + c.m.kind.capabilities()); return OK }},
		"+CIMI": {run: says(func(m *Modem) string { return m.sim.imsi }), sim: true},
		"+CCID": {run: says(func(m *Modem) string { return m.sim.iccid }), sim: true},
	})
}

// says prints one bare line.
func says(text func(*Modem) string) handler {
	return func(c *Call) Result {
		if c.Op == Set {
			return ERROR
		}
		c.Info(text(c.m))
		return OK
	}
}

func (k *Personality) capabilities() string {
	if k.Capabilities == "" {
		return "+CGSM"
	}
	return k.Capabilities
}

func identify(c *Call) Result {
	lines := c.m.kind.Identification
	if lines == nil {
		lines = []string{c.m.kind.Manufacturer, c.m.kind.Model, "Revision: " + c.m.kind.Revision}
	}
	text := strings.Join(lines, "\r\n")
	c.Info(strings.ReplaceAll(text, "%IMEI%", c.m.imei))
	return OK
}
