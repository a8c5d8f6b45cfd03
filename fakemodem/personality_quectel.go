package fakemodem

import (
	"fmt"
	"time"
)

// Quectel modems. Sources: "Quectel EC2x&EG9x&EG2x-G&EM05 Series AT Commands
// Manual V2.0", "BG96 AT Commands Manual", "M95 AT Commands Manual".

// quectel are commands of the whole family.
func quectel() table {
	return table{
		"+QPOWD": {run: switchOff("POWERED DOWN"), test: "(0,1)"},
		"+QCCID": {run: func(c *Call) Result { c.Info("+QCCID: " + c.m.sim.iccid); return OK }, sim: true},
		"+QPINC": {run: quectelCounters, test: `("SC","P2")`},
		"+QCSQ":  {run: quectelSignal},
		"+QSPN": {run: func(c *Call) Result {
			c.Info(fmt.Sprintf(`+QSPN: "%s","%s","",0,"%s"`, c.m.radio.cell.operator, c.m.radio.cell.operator, c.m.radio.cell.plmn))
			return OK
		}},
		"+QNWINFO": {run: func(c *Call) Result {
			c.Info(fmt.Sprintf(`+QNWINFO: "FDD %s","%s","LTE BAND 20",6300`, c.m.tech(), c.m.radio.cell.plmn))
			return OK
		}},
		"+QLTS": {run: func(c *Call) Result {
			c.Info(fmt.Sprintf(`+QLTS: "%s%+03d,0"`, c.m.clock.now().Format("2006/01/02,15:04:05"), c.m.clock.zone))
			return OK
		}},
		"+QINISTAT": {run: func(c *Call) Result { c.Info("+QINISTAT: 3"); return OK }},
		"+QCFG":     {run: quectelConfig},
		"+QGMR":     {run: says(func(m *Modem) string { return m.kind.Revision + "_30.004.30.004" })},
		"+CCID":     {},
	}
}

func quectelParameters() map[string]Parameter {
	return map[string]Parameter{
		"+QURCCFG": {Preset: `"urcport","usbat"`, Test: `"urcport",("usbat","usbmodem","uart1")`}, "+QINDCFG": {Preset: `"all",1`, Test: ""},
		"+QSCLK": {Preset: "0", Test: "(0,1)"}, "+QSIMDET": {Preset: "0,0", Test: "(0,1),(0,1)"}, "+QSIMSTAT": {Preset: "0,1", Test: "(0,1)"},
		"+QNITZ": {Preset: "0", Test: "(0,1)"}, "+QIURC": {Preset: "1", Test: "(0,1)"}, "+QGPS": {Preset: "0", Test: ""},
	}
}

func quectelCounters(c *Call) Result {
	s := &c.m.sim
	if c.Op != Set || c.text(0, "") == "SC" {
		c.Info(fmt.Sprintf(`+QPINC: "SC",%d,%d`, s.pinLeft, s.pukLeft))
	}
	if c.Op != Set || c.text(0, "") == "P2" {
		c.Info(fmt.Sprintf(`+QPINC: "P2",%d,%d`, pinAttempts, pukAttempts))
	}
	return OK
}

func quectelSignal(c *Call) Result {
	dBm, ok := c.m.strength()
	if !ok {
		c.Info(`+QCSQ: "NOSERVICE"`)
		return OK
	}
	switch t := c.m.tech(); t {
	case GSM, EDGE:
		c.Info(fmt.Sprintf(`+QCSQ: "GSM",%d`, dBm))
	case LTEM:
		c.Info(fmt.Sprintf(`+QCSQ: "eMTC",%d,%d,195,-10`, dBm, dBm-29))
	default:
		c.Info(fmt.Sprintf(`+QCSQ: "%s",%d,%d,195,-10`, t, dBm, dBm-29))
	}
	return OK
}

// quectelConfig is AT+QCFG: it keeps what it is told by name.
func quectelConfig(c *Call) Result {
	name := c.text(0, "")
	if c.Op != Set || name == "" || len(c.Text) > 100 {
		return ERROR
	}
	key := "+QCFG " + name
	if c.count() == 1 {
		value, ok := c.m.params[key]
		if !ok {
			value = `"` + name + `",0`
		}
		c.Info("+QCFG: " + value)
		return OK
	}
	if c.m.params == nil {
		c.m.params = make(map[string]string)
	}
	if len(c.m.params) < 256 {
		c.m.params[key] = c.Text
	}
	return OK
}

// M95 is a Quectel M95 class modem: GSM and GPRS.
var M95 = &Personality{
	Name: "M95", Manufacturer: "Quectel_Ltd", Model: "Quectel_M95", Revision: "Revision: M95FAR02A08",
	Identification: []string{"Quectel_Ltd", "Quectel_M95", "Revision: M95FAR02A08"},
	Boot: []BootStep{
		{After: 2 * time.Second, Line: "RDY"}, {After: 100 * time.Millisecond, Line: "+CFUN: 1"},
		{After: time.Second, Line: "+CPIN: READY", SIM: true}, {After: 3 * time.Second, Line: "Call Ready", SIM: true},
	},
	Ready: 2 * time.Second, SIMBusy: time.Second, Registration: 6 * time.Second,
	NoTechnology: true, EmptySlot: CMS(cmsInvalidIndex),
	Storages:   []Storage{{"SM", 20}, {"ME", 50}, {"MT", 70}},
	PINRetries: "+QPINC", DialReturns: true, PowerOff: "NORMAL POWER DOWN", MuxChannels: 4, MuxFrame: 127,
	Tests:      map[string]string{"+CGDCONT": `(1-16),"IP",,,(0-2),(0-4)`},
	Parameters: quectelParameters(),
	Messages:   Spellings{SIMReady: "+CPIN: READY", SIMRemoved: "+CPIN: NOT INSERTED", Deactivate: "+PDP DEACT"},
	commands: with(quectel(), table{
		"+QPOWD": {run: powerDown, test: "(0,1)"},
	}),
}

// EC25 is a Quectel EC25 class modem: GSM, UMTS and LTE.
var EC25 = &Personality{
	Name: "EC25", Manufacturer: "Quectel", Model: "EC25", Revision: "EC25EFAR06A04M4G",
	Identification: []string{"Quectel", "EC25", "Revision: EC25EFAR06A04M4G"},
	Boot: []BootStep{
		{After: 9 * time.Second, Line: "RDY"}, {After: 110 * time.Millisecond, Line: "+CFUN: 1"},
		{After: 420 * time.Millisecond, Line: "+CPIN: READY", SIM: true}, {After: 30 * time.Millisecond, Line: "+QUSIM: 1", SIM: true},
		{After: 2600 * time.Millisecond, Line: "+QIND: SMS DONE", SIM: true}, {After: 210 * time.Millisecond, Line: "+QIND: PB DONE", SIM: true},
	},
	Ready: 9 * time.Second, SIMBusy: time.Second, Registration: 4 * time.Second, ErrorLevel: 1,
	Technologies: []Technology{LTE, UMTS, EDGE, GSM}, RegistrationDomains: []string{"+CREG", "+CGREG", "+CEREG"},
	Storages:  []Storage{{"ME", 255}, {"SM", 50}, {"MT", 255}, {"SR", 100}},
	ZeroBased: true, EmptySlot: CMS(cmsInvalidIndex), NoticePreset: [5]int{2, 1, 0, 0, 0},
	ConnectText: "150000000", PINRetries: "+QPINC", DialReturns: true, MuxChannels: 4, MuxFrame: 127,
	Tests:      map[string]string{"+CNMI": "(0-2),(0-3),(0,2),(0-2),(0,1)", "+CMUX": "(0),(0),(1-8),(1-1509),(1-255),(0-100),(2-255),(1-255),(1-7)"},
	Parameters: quectelParameters(),
	Messages: Spellings{
		SIMReady: "+CPIN: READY", SIMRemoved: "+CPIN: NOT INSERTED", SMSFull: `+QIND: "smsfull","%s"`,
		Deactivate: `+QIURC: "pdpdeact",%d`,
	},
	commands: quectel(),
}

// BG96 is a Quectel BG96 class modem: GSM, LTE-M and NB-IoT.
var BG96 = &Personality{
	Name: "BG96", Manufacturer: "Quectel", Model: "BG96", Revision: "BG96MAR02A07M1G",
	Identification: []string{"Quectel", "BG96", "Revision: BG96MAR02A07M1G"},
	Boot: []BootStep{
		{After: 5 * time.Second, Line: "APP RDY"}, {After: 1900 * time.Millisecond, Line: "+CPIN: READY", SIM: true},
		{After: 300 * time.Millisecond, Line: "+QUSIM: 1", SIM: true}, {After: 1200 * time.Millisecond, Line: "+QIND: SMS DONE", SIM: true},
	},
	Ready: 5 * time.Second, SIMBusy: time.Second, Registration: 10 * time.Second, ErrorLevel: 1,
	Technologies: []Technology{LTEM, NBIoT, EDGE, GSM}, RegistrationDomains: []string{"+CREG", "+CGREG", "+CEREG"},
	Storages:  []Storage{{"ME", 23}, {"SM", 50}, {"MT", 23}},
	ZeroBased: true, EmptySlot: CMS(cmsInvalidIndex), NoticePreset: [5]int{2, 1, 0, 0, 0},
	ConnectText: "150000000", PINRetries: "+QPINC", DialReturns: true, MuxChannels: 4, MuxFrame: 127,
	Tests:      map[string]string{"+CNMI": "(0-2),(0-3),(0,2),(0-2),(0,1)", "+CMUX": "(0),(0),(1-8),(1-1509),(1-255),(0-100),(2-255),(1-255),(1-7)"},
	Parameters: quectelParameters(),
	Messages:   Spellings{SIMReady: "+CPIN: READY", SIMRemoved: "+CPIN: NOT INSERTED", SMSFull: `+QIND: "smsfull","%s"`, Deactivate: `+QIURC: "pdpdeact",%d`},
	commands:   quectel(),
}

// with puts tables together; later ones win.
func with(tables ...table) table {
	out := table{}
	for _, t := range tables {
		for name, c := range t {
			out[name] = c
		}
	}
	return out
}
