package fakemodem

import "time"

// u-blox modems. Sources: "SARA-R4/N4 Series AT Commands Manual" UBX-17003787,
// "u-blox Cellular Modules AT Commands Manual" UBX-13002752.

func ublox() table {
	return table{
		"+CPWROFF": {run: switchOff("")},
		"+UPINCNT": {run: pinCounters("+UPINCNT: %d,%d,%d,%d", false)},
		"+UMNOPROF": {run: func(c *Call) Result {
			return keepValue(c, Parameter{Preset: "0", Test: "(0-5,19,21,39,43,44,90,100)"})
		}, own: true},
		"+UREG": {run: func(c *Call) Result {
			return keepValue(c, Parameter{Preset: "0,0", Test: "(0-1)"})
		}, own: true},
		"+CCID": {run: func(c *Call) Result { c.Info("+CCID: " + c.m.sim.iccid); return OK }, sim: true},
	}
}

func ubloxParameters() map[string]Parameter {
	return map[string]Parameter{
		"+UPSV": {Preset: "0", Test: "(0-4),(40-65000)"}, "+URAT": {Preset: "7,8", Test: "(7,8,9),(7,8,9)"},
		"+UBANDMASK": {Preset: "0,185473183", Test: ""}, "+UGPIOC": {Preset: "", Test: ""}, "+CSGT": {Preset: `"",0`, Test: "32,(0,1)"},
		"+UDCONF": {Preset: "", Test: ""}, "+CGATTX": {Preset: "0", Test: ""},
	}
}

// SARAU201 is a u-blox SARA-U201 class modem: GSM and UMTS.
var SARAU201 = &Personality{
	Name: "SARA-U201", Manufacturer: "u-blox", Model: "SARA-U201", Revision: "23.60",
	Identification: []string{"SARA-U201-03B-00"},
	Boot:           []BootStep{{After: 4 * time.Second, Line: "+UMWI: 0,1", SIM: true}, {After: time.Second, Line: "+PBREADY", SIM: true}},
	Ready:          4 * time.Second, SIMBusy: 2 * time.Second, Registration: 6 * time.Second,
	Technologies: []Technology{UMTS, EDGE, GSM},
	Storages:     []Storage{{"SM", 20}, {"ME", 100}, {"MT", 120}, {"SR", 10}}, EmptySlot: CMS(cmsInvalidIndex),
	PINRetries: "+UPINCNT", MuxChannels: 6, MuxFrame: 31,
	Tests:      map[string]string{"+CNMI": "(0-2),(0-3),(0,2),(0-2),(0,1)"},
	Parameters: ubloxParameters(),
	Messages:   Spellings{SIMRemoved: "+CIEV: 12,0"}, DialReturns: true,
	commands: ublox(),
}

// SARAR410 is a u-blox SARA-R410M-02B class modem: LTE-M and NB-IoT.
var SARAR410 = &Personality{
	Name: "SARA-R410", Manufacturer: "u-blox", Model: "SARA-R410M-02B", Revision: "L0.0.00.00.05.08 [Feb 03 2019 13:00:41]",
	Identification: []string{"Manufacturer: u-blox", "Model: SARA-R410M-02B", "Revision: L0.0.00.00.05.08 [Feb 03 2019 13:00:41]", "IMEI: %IMEI%"},
	Boot:           []BootStep{{After: 5 * time.Second, Raw: []byte("\x00\x00")}, {After: time.Second, Line: "+PBREADY", SIM: true}},
	Ready:          5 * time.Second, SIMBusy: 3 * time.Second, Registration: 8 * time.Second,
	Technologies: []Technology{LTEM, NBIoT}, RegistrationDomains: []string{"+CREG", "+CGREG", "+CEREG"},
	Storages: []Storage{{"ME", 23}, {"SM", 20}, {"MT", 43}}, EmptySlot: CMS(cmsInvalidIndex), ZeroBased: true,
	ConnectText: "150000000", PINRetries: "+UPINCNT", MuxChannels: 3, MuxFrame: 31, PasswordFirst: true,
	Tests:      map[string]string{"+CNMI": "(0-2),(0-3),(0,2),(0-2),(0,1)"},
	Parameters: ubloxParameters(),
	commands:   ublox(),
}

// SARAR510 is a u-blox SARA-R510S class modem: LTE-M and NB-IoT.
var SARAR510 = &Personality{
	Name: "SARA-R510", Manufacturer: "u-blox", Model: "SARA-R510S", Revision: "02.06",
	Identification: []string{"SARA-R510S-00B-00"},
	Boot:           []BootStep{{After: 4 * time.Second, Line: "+AT: READY"}, {After: 2 * time.Second, Line: "+PBREADY", SIM: true}},
	Ready:          4 * time.Second, SIMBusy: 2 * time.Second, Registration: 8 * time.Second,
	Technologies: []Technology{LTEM, NBIoT}, RegistrationDomains: []string{"+CREG", "+CGREG", "+CEREG"},
	Storages: []Storage{{"ME", 23}, {"SM", 20}, {"MT", 43}}, EmptySlot: CMS(cmsInvalidIndex), ZeroBased: true,
	ConnectText: "150000000", PINRetries: "+UPINCNT", MuxChannels: 4, MuxFrame: 31,
	Tests:      map[string]string{"+CNMI": "(0-2),(0-3),(0,2),(0-2),(0,1)"},
	Parameters: ubloxParameters(),
	commands:   ublox(),
}
