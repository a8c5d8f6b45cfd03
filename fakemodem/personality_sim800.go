package fakemodem

import (
	"fmt"
	"time"
)

// SIM800 is a SIMCom SIM800 class modem: GSM and GPRS. Sources: "SIM800 Series
// AT Command Manual V1.12", chapters 2, 3, 4, 6 and 7.
var SIM800 = &Personality{
	Name:           "SIM800",
	Manufacturer:   "SIMCOM_Ltd",
	Model:          "SIMCOM_SIM800L",
	Revision:       "Revision:1418B05SIM800L24",
	Identification: []string{"SIM800 R14.18"},

	Boot: []BootStep{
		{After: 1800 * time.Millisecond, Line: "RDY"},
		{After: 50 * time.Millisecond, Line: "+CFUN: 1"},
		{After: 900 * time.Millisecond, Line: "+CPIN: READY", SIM: true},
		{After: 2100 * time.Millisecond, Line: "Call Ready", SIM: true},
		{After: 800 * time.Millisecond, Line: "SMS Ready", SIM: true},
	},
	Ready:        1800 * time.Millisecond,
	SIMBusy:      time.Second,
	Registration: 6 * time.Second,

	NoTechnology: true,
	Storages:     []Storage{{"SM", 20}, {"ME", 50}, {"SM_P", 20}, {"ME_P", 50}, {"MT", 70}},
	EmptySlot:    OK,
	PINRetries:   "+SPIC",
	PowerOff:     "NORMAL POWER DOWN",
	MuxChannels:  5,

	Delays: map[string]time.Duration{
		"+CPIN": 10 * time.Millisecond, "+CPMS": 280 * time.Millisecond, "+CMGR": 120 * time.Millisecond,
		"+CMGD": 300 * time.Millisecond,
	},
	Tests: map[string]string{
		"+CGDCONT": `(1-16),"IP",,,(0-2),(0-4)`,
		"+CNMI":    "(0-3),(0-3),(0,2),(0,1),(0,1)",
		"+CMUX":    "(0),(0),(1-6),(16-1510),(1-255),(0-100),(2-255),(1-255),(1-7)",
	},
	Parameters: map[string]Parameter{
		"+CLTS": {Preset: "0", Test: `"(0-1)"`}, "+CIURC": {Preset: "1", Test: "(0,1)"},
		"+CSCLK": {Preset: "0", Test: "(0-2)"}, "+CSMINS": {Preset: "0,1", Test: "(0,1)"},
		"+EXUNSOL": {Preset: "", Test: `("SQ","FN","MW","UR"),(0,1)`}, "+CDRIND": {Preset: "0", Test: "(0,1)"},
		"+CBAND": {Preset: `"EGSM_DCS_MODE"`, Test: ""}, "+CMNRP": {Preset: "0,0", Test: ""},
		"+SCLASS0": {Preset: "0", Test: "(0,1)"}, "+CNETLIGHT": {Preset: "1", Test: "(0,1)"},
	},
	Messages: Spellings{
		Caller:     `+CLIP: "%s",%d,"",0,"",0`,
		SIMReady:   "+CPIN: READY",
		SIMRemoved: "+CPIN: NOT INSERTED",
		Deactivate: "+PDP: DEACT",
	},
	commands: table{
		"+CCID":   {run: says(func(m *Modem) string { return m.sim.iccid }), sim: true},
		"+GSV":    {run: says(func(m *Modem) string { return "SIMCOM_Ltd\r\nSIMCOM_SIM800L\r\nRevision:1418B05SIM800L24" })},
		"+SPIC":   {run: pinCounters("+SPIC: %d,%d,%d,%d", false)},
		"+CPOWD":  {run: powerDown, test: "(0,1)"},
		"+CMGDA":  {run: deleteAll},
		"+CSGS":   {},
		"+CGAUTH": {},
		"+CEREG":  {},
	},
}

// pinCounters prints the attempts that PIN, PIN2, PUK and PUK2 have left; u-blox
// and SIMCom list them in this order.
func pinCounters(format string, pukSecond bool) handler {
	return func(c *Call) Result {
		s := &c.m.sim
		if pukSecond {
			c.Info(fmt.Sprintf(format, s.pinLeft, s.pukLeft, pinAttempts, pukAttempts))
			return OK
		}
		c.Info(fmt.Sprintf(format, s.pinLeft, pinAttempts, s.pukLeft, pukAttempts))
		return OK
	}
}

// powerDown is AT+CPOWD: 1 says good-bye, 0 does not.
func powerDown(c *Call) Result {
	k := c.between(0, 0, 1, 1)
	if c.bad || c.Op != Set {
		return ERROR
	}
	m := c.m
	if k == 0 {
		m.after(0, func() { m.powerOff(errReset) })
		return Silent
	}
	m.after(m.n.scale(time.Second), func() { m.powerOff(errReset) })
	return Final(m.kind.PowerOff)
}

// deleteAll is AT+CMGDA of SIMCom: "DEL ALL" or 6, and the states by name or number.
func deleteAll(c *Call) Result {
	g := &c.m.messages
	keep := map[string]int{"DEL READ": recRead, "DEL UNREAD": recUnread, "DEL SENT": stoSent, "DEL UNSENT": stoUnsent}
	which, all := c.text(0, ""), false
	state, known := keep[which]
	switch which {
	case "DEL ALL", "6":
		all = true
	case "1":
		state, known = recRead, true
	case "2":
		state, known = recUnread, true
	case "3":
		state, known = stoSent, true
	case "4":
		state, known = stoUnsent, true
	case "5", "DEL INBOX":
		state, known = recRead, true
	}
	if !all && !known {
		return ERROR
	}
	slots := g.stores[g.memory[0]]
	for k, msg := range slots {
		if all || msg.state == state {
			delete(slots, k)
		}
	}
	c.m.n.smsc.reachable(c.m)
	return OK
}
