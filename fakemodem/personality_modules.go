package fakemodem

import (
	"fmt"
	"time"
)

// Modules of Telit, Cinterion and Sierra Wireless, a modem that has nothing but
// the standards, and one for CDMA. Sources: ModemManager's and oFono's drivers.

// Telit is a Telit LE910 class modem: GSM, UMTS and LTE.
var Telit = &Personality{
	Name: "Telit", Manufacturer: "Telit", Model: "LE910C1-EU", Revision: "25.20.676",
	Identification: []string{"332"},
	Ready:          8 * time.Second, SIMBusy: 2 * time.Second, Registration: 5 * time.Second, ErrorLevel: 0,
	Technologies: []Technology{LTE, UMTS, EDGE, GSM}, RegistrationDomains: []string{"+CREG", "+CGREG", "+CEREG"},
	Storages: []Storage{{"SM", 20}, {"ME", 100}, {"SR", 10}}, EmptySlot: CMS(cmsInvalidIndex),
	PINRetries: "#PCT", MuxChannels: 3, MuxFrame: 127,
	Parameters: map[string]Parameter{
		"#AUTOATT": {Preset: "1", Test: "(0,1)"}, "#NOPT": {Preset: "0", Test: "(0-3)"}, "#PSNT": {Preset: "0,4", Test: "(0-1)"},
		"#BND": {Preset: "0", Test: ""}, "#PORTCFG": {Preset: "0,0", Test: "(0-8)"}, "#USBCFG": {Preset: "0", Test: ""}, "+WS46": {Preset: "31", Test: "(12,22,25,28,29,30,31)"},
	},
	Messages: Spellings{SIMReady: "#QSS: 3", SIMRemoved: "#QSS: 0"},
	commands: table{
		"#QSS":    {run: telitSIM, test: "(0-2)"},
		"#REBOOT": {run: restartCommand},
		"#SHDN":   {run: switchOff("")},
		"#CCID":   {run: func(c *Call) Result { c.Info("#CCID: " + c.m.sim.iccid); return OK }, sim: true},
		"#PCT":    {run: func(c *Call) Result { c.Info(fmt.Sprintf("#PCT: %d", c.m.sim.pinLeft)); return OK }},
		"#SWPKGV": {run: says(func(m *Modem) string { return m.kind.Revision + "-P0F.676000" })},
	},
}

// telitSIM is AT#QSS: absent, inserted, unlocked, ready.
func telitSIM(c *Call) Result {
	if c.Op != Read {
		return OK
	}
	state := 3
	switch {
	case !c.m.sim.present:
		state = 0
	case c.m.sim.state() != "READY":
		state = 1
	}
	c.Info(fmt.Sprintf("#QSS: 2,%d", state))
	return OK
}

// Cinterion is a Cinterion EHS class modem: GSM and UMTS.
var Cinterion = &Personality{
	Name: "Cinterion", Manufacturer: "Cinterion", Model: "EHS5-E", Revision: "REVISION 03.001",
	Identification: []string{"Cinterion", "EHS5-E", "REVISION 03.001"},
	Boot:           []BootStep{{After: 4 * time.Second, Line: "^SYSSTART"}},
	Ready:          4 * time.Second, SIMBusy: 2 * time.Second, Registration: 6 * time.Second,
	Technologies: []Technology{UMTS, EDGE, GSM},
	Storages:     []Storage{{"MT", 45}, {"SM", 20}, {"ME", 25}}, EmptySlot: CMS(cmsInvalidIndex), PINRetries: "^SPIC", MuxChannels: 3, MuxFrame: 98,
	Tests: map[string]string{"+CNMI": "(0-3),(0,1),(0,2,3),(0,2),(1)"},
	Parameters: map[string]Parameter{
		"^SCFG": {Preset: `"URC/DstIfc","app"`, Test: ""}, "^SCKS": {Preset: "0,1", Test: "(0,1)"}, "^SIND": {Preset: "psinfo,0,10", Test: ""},
		"^SXRAT": {Preset: "0", Test: "(0-2),(0,2)"},
	},
	Messages: Spellings{SIMRemoved: "^SCKS: 0"},
	commands: table{
		"^SMSO": {run: switchOff("^SHUTDOWN")},
		"^SPIC": {run: func(c *Call) Result { c.Info(fmt.Sprintf("^SPIC: %d", c.m.sim.pinLeft)); return OK }},
		"^SMONI": {run: func(c *Call) Result {
			c.Info(fmt.Sprintf("^SMONI: 3G,10564,296,-7.5,-79,%s,%04X,%07X,-92,-78,NOCONN", c.m.radio.cell.plmn, c.m.radio.cell.area, c.m.radio.cell.id))
			return OK
		}},
	},
}

// Sierra is a Sierra Wireless MC7304 class modem: GSM, UMTS and LTE.
var Sierra = &Personality{
	Name: "Sierra", Manufacturer: "Sierra Wireless, Incorporated", Model: "MC7304", Revision: "SWI9X15C_05.05.58.00",
	Identification: []string{"Manufacturer: Sierra Wireless, Incorporated", "Model: MC7304", "Revision: SWI9X15C_05.05.58.00", "IMEI: %IMEI%", "+GCAP: +CGSM"},
	Ready:          6 * time.Second, SIMBusy: 2 * time.Second, Registration: 5 * time.Second,
	Technologies: []Technology{LTE, UMTS, EDGE, GSM}, RegistrationDomains: []string{"+CREG", "+CGREG", "+CEREG"},
	Storages: []Storage{{"MT", 255}, {"SM", 30}, {"ME", 255}, {"SR", 10}}, EmptySlot: CMS(cmsInvalidIndex), ZeroBased: true,
	PINRetries: "+CPINC",
	Parameters: map[string]Parameter{"!SELRAT": {Preset: "00, Automatic", Test: ""}, "!ENTERCND": {Preset: "", Test: ""}},
	commands: table{
		"!RESET": {run: restartCommand},
		"!STATUS": {run: func(c *Call) Result {
			c.Info("Current Time:  102\tTemperature: 30\r\nMode:   ONLINE\r\nSystem mode: " + c.m.tech().String())
			return OK
		}},
		"!ICCID":   {run: func(c *Call) Result { c.Info("!ICCID: " + c.m.sim.iccid); return OK }, sim: true},
		"*CNTI":    {run: func(c *Call) Result { c.Info("*CNTI: 0," + c.m.tech().String()); return OK }},
		"+CPINC":   {run: pinCounters("+CPINC: %d,%d,%d,%d", false)},
		"!SCACT":   accepted,
		"$QCPDPP":  accepted,
		"!PCSTATE": accepted,
		"+CPWROFF": {run: switchOff("")},
	},
}

// Plain is a modem that has what 3GPP TS 27.005 and 27.007 ask for and nothing else.
var Plain = &Personality{
	Name: "Plain", Manufacturer: "telemodem", Model: "Plain 27.007", Revision: "1.0",
	Ready: time.Second, Registration: 2 * time.Second,
	Technologies: []Technology{LTE, UMTS, EDGE, GSM}, RegistrationDomains: []string{"+CREG", "+CGREG", "+CEREG"},
	Storages: []Storage{{"ME", 100}, {"SM", 20}, {"SR", 20}}, EmptySlot: CMS(cmsInvalidIndex), PINRetries: "+CPINR",
}

// CDMA is a CDMA 1x and EVDO modem: no SIM commands, data by #777.
var CDMA = &Personality{
	Name: "CDMA", Manufacturer: "Qualcomm Incorporated", Model: "CDMA 1xEV-DO", Revision: "Q1234",
	Identification: []string{"Manufacturer: Qualcomm Incorporated", "Model: CDMA 1xEV-DO", "Revision: Q1234", "ESN: 0x80123456", "+GCAP: +CIS707-A, CIS-856, CIS-856-A, +MS, +ES, +DS, +FCLASS"},
	Capabilities:   "+CIS707-A, CIS-856, CIS-856-A, +MS, +ES, +DS, +FCLASS",
	Ready:          3 * time.Second, Registration: 4 * time.Second, NoTechnology: true,
	RegistrationDomains: []string{"+CREG"}, Storages: []Storage{{"ME", 100}}, EmptySlot: CMS(cmsInvalidIndex), ConnectText: "3100000",
	Refused: []string{"+CPIN", "+CIMI", "+CCID", "+CGDCONT", "+CGACT", "+CGATT", "+COPS", "+CMUX", "+CGDATA", "+CGPADDR", "+CGAUTH", "+CLCK", "+CPWD", "+CRSM", "+CPINR"},
	commands: table{
		"+CSS": {run: func(c *Call) Result { c.Info("+CSS: 2,F,1234"); return OK }},
		"+CAD": {run: func(c *Call) Result { c.Info("+CAD: 1"); return OK }},
		"^SYSINFO": {run: func(c *Call) Result {
			c.Info("^SYSINFO: 2,255,0,8,255")
			return OK
		}},
		"^HDRCSQ": {run: func(c *Call) Result { c.Info("^HDRCSQ: 80"); return OK }},
	},
}
