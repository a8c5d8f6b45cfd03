package fakemodem

import (
	"fmt"
	"time"
)

// SIM7600 is a SIMCom SIM7600 class modem: GSM, UMTS and LTE. Sources:
// "SIM7500_SIM7600 Series AT Command Manual".
var SIM7600 = &Personality{
	Name:           "SIM7600",
	Manufacturer:   "SIMCOM INCORPORATED",
	Model:          "SIMCOM_SIM7600E-H",
	Revision:       "+CGMR: LE20B03SIM7600M22",
	Identification: []string{"Manufacturer: SIMCOM INCORPORATED", "Model: SIMCOM_SIM7600E-H", "Revision: SIM7600M22_V2.0", "IMEI: %IMEI%", "+GCAP: +CGSM"},
	Boot: []BootStep{
		{After: 13500 * time.Millisecond, Line: "RDY"},
		{After: 900 * time.Millisecond, Line: "+CPIN: READY", SIM: true},
		{After: 1400 * time.Millisecond, Line: "SMS DONE", SIM: true},
		{After: 1600 * time.Millisecond, Line: "PB DONE", SIM: true},
	},
	Ready:               13500 * time.Millisecond,
	SIMBusy:             time.Second,
	Registration:        4 * time.Second,
	ErrorLevel:          2,
	Technologies:        []Technology{LTE, UMTS, EDGE, GSM},
	RegistrationDomains: []string{"+CREG", "+CGREG", "+CEREG"},
	Storages:            []Storage{{"SM", 20}, {"ME", 23}, {"MT", 43}, {"SR", 10}},
	EmptySlot:           CMS(cmsInvalidIndex),
	ConnectText:         "115200",
	PINRetries:          "+SPIC",
	MuxChannels:         4,
	PasswordFirst:       true,
	DialReturns:         true,
	Parameters: map[string]Parameter{
		"+CNMP": {Preset: "2", Test: "(2,9,10,13,14,19,22,38,39,48,51,54,59,60,63,67)"}, "+AUTOCSQ": {Preset: "0,0", Test: "(0,1),(0,1)"},
		"+CSCLK": {Preset: "0", Test: "(0,1)"}, "+CGNSSPWR": {Preset: "0", Test: "(0,1)"}, "+UIMHOTSWAPON": {Preset: "1", Test: "(0,1)"},
		"+CIPMODE": {Preset: "0", Test: "(0,1)"}, "+CIPSENDMODE": {Preset: "0", Test: "(0,1)"},
	},
	Messages: Spellings{
		SIMReady: "+CPIN: READY", SIMRemoved: "+CPIN: SIM REMOVED",
		CallBegin: "VOICE CALL: BEGIN", CallEnd: "VOICE CALL: END",
	},
	commands: table{
		"+CRESET":    {run: restartCommand},
		"+CPOF":      {run: switchOff("")},
		"+CNSMOD":    {run: systemMode, test: "(0-1)"},
		"+SPIC":      {run: pinCounters("+SPIC: %d,%d,%d,%d", false)},
		"+CICCID":    {run: func(c *Call) Result { c.Info("+ICCID: " + c.m.sim.iccid); return OK }, sim: true},
		"+SIMCOMATI": {run: identify},
		"+CCID":      {},
		"+CPSI":      {run: func(c *Call) Result { c.Info(c.m.servingCell()); return OK }},
	},
}

// restartCommand answers OK and restarts the modem.
func restartCommand(c *Call) Result {
	c.m.after(c.m.n.scale(500*time.Millisecond), c.m.restart)
	return OK
}

// switchOff answers OK and switches off, with a last word.
func switchOff(word string) handler {
	return func(c *Call) Result {
		if c.Op == Test {
			return OK
		}
		m := c.m
		m.after(m.n.scale(2*time.Second), func() {
			m.notify(word)
			m.powerOff(errReset)
		})
		return OK
	}
}

// systemMode is AT+CNSMOD of SIMCom.
func systemMode(c *Call) Result {
	modes := map[Technology]int{GSM: 1, EDGE: 3, UMTS: 4, LTE: 8, LTEM: 8}
	if c.Op == Read {
		c.Info(fmt.Sprintf("+CNSMOD: 0,%d", modes[c.m.tech()]))
	}
	return OK
}

// servingCell is the answer to +CPSI? (its field list differs by firmware).
func (m *Modem) servingCell() string {
	if !isRegistered(m.radio.circuit) {
		return "+CPSI: NO SERVICE,Online"
	}
	plmn := m.radio.cell.plmn
	return fmt.Sprintf("+CPSI: %s,Online,%s-%s,0x%04X,%d,142,EUTRAN-BAND20,6300,3,3,-98,-1230,-912,11", m.tech(), plmn[:3], plmn[3:], m.radio.cell.area, m.radio.cell.id)
}
