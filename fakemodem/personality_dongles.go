package fakemodem

import (
	"fmt"
	"time"
)

// USB dongles of Huawei and ZTE. Sources: ModemManager's and oFono's drivers,
// asterisk-chan-dongle.

func huawei() table {
	return table{
		"^SYSINFO": {run: func(c *Call) Result {
			service := 0
			if isRegistered(c.m.radio.circuit) {
				service = 2
			}
			c.Info(fmt.Sprintf("^SYSINFO:%d,3,0,5,1,,4", service))
			return OK
		}},
		"^CPIN": {run: func(c *Call) Result {
			s := &c.m.sim
			c.Info(fmt.Sprintf("^CPIN: %s,,%d,%d,%d,%d", s.state(), pukAttempts, pinAttempts, s.pukLeft, s.pinLeft))
			return OK
		}},
		"^ICCID": {run: func(c *Call) Result { c.Info("^ICCID: " + c.m.sim.iccid); return OK }, sim: true},
		"^HCSQ": {run: func(c *Call) Result {
			c.Info(fmt.Sprintf(`^HCSQ: "%s",%d,30,58`, huaweiMode(c.m.tech()), c.m.rssi()*2))
			return OK
		}},
		"^RESET":   {run: restartCommand},
		"^SYSCFG":  accepted,
		"^DDSETEX": accepted, "^GETPORTMODE": accepted, "^PORTSEL": accepted, "^CVOICE": accepted,
		"+CCID": {}, "+CNMA": {}, "+CMMS": {},
	}
}

func huaweiMode(t Technology) string {
	switch t {
	case UMTS:
		return "WCDMA"
	case LTE:
		return "LTE"
	}
	return "GSM"
}

func huaweiParameters() map[string]Parameter {
	return map[string]Parameter{
		"^CURC": {Preset: "1", Test: "(0-2)"}, "^USSDMODE": {Preset: "1", Test: "(0,1)"}, "^U2DIAG": {Preset: "0", Test: ""},
		"^RFSWITCH": {Preset: "1,1", Test: "(0,1)"}, "^SYSCFGEX": {Preset: `"00",3FFFFFFF,1,2,7FFFFFFFFFFFFFFF`, Test: ""},
	}
}

// E173 is a Huawei E173 class dongle: GSM and UMTS.
var E173 = &Personality{
	Name: "E173", Manufacturer: "huawei", Model: "E173", Revision: "11.126.85.01.143",
	Identification: []string{"Manufacturer: huawei", "Model: E173", "Revision: 11.126.85.01.143", "IMEI: %IMEI%", "+GCAP: +CGSM,+DS,+ES"},
	Capabilities:   "+CGSM,+DS,+ES",
	Boot:           []BootStep{{After: 5 * time.Second, Line: "^BOOT:35323129,0,0,0,26"}, {After: 150 * time.Millisecond, Line: "^SIMST:1", SIM: true}},
	Ready:          5 * time.Second, SIMBusy: 2 * time.Second, Registration: 5 * time.Second,
	Unknown: "COMMAND NOT SUPPORT", Technologies: []Technology{UMTS, EDGE, GSM},
	Storages: []Storage{{"SM", 20}, {"ME", 100}}, EmptySlot: CMS(cmsInvalidIndex), ZeroBased: true,
	ConnectText: "7200000", PINRetries: "^CPIN", PackedUSSD: true,
	Tests:   map[string]string{"+CNMI": "(0-2),(0-3),(0,2),(0-2),(0,1)"},
	Refused: []string{"+CMUX"}, DialReturns: true,
	Parameters: huaweiParameters(),
	Messages:   Spellings{SMSFull: `^SMMEMFULL:"%s"`, SIMRemoved: "^SIMST:255", Deactivate: "^PDPDEACT:%d", CallBegin: "^CONN:1,0", CallEnd: "^CEND:1,0,29,16"},
	commands:   huawei(),
}

// E3372 is a Huawei E3372 class dongle in stick mode: GSM, UMTS and LTE.
var E3372 = &Personality{
	Name: "E3372", Manufacturer: "huawei", Model: "E3372", Revision: "21.200.07.00.00",
	Identification: []string{"Manufacturer: huawei", "Model: E3372", "Revision: 21.200.07.00.00", "IMEI: %IMEI%", "+GCAP: +CGSM,+DS,+ES"},
	Capabilities:   "+CGSM,+DS,+ES",
	Boot:           []BootStep{{After: 8 * time.Second, Line: "^SIMST:1", SIM: true}},
	Ready:          8 * time.Second, SIMBusy: 2 * time.Second, Registration: 5 * time.Second,
	Unknown: "COMMAND NOT SUPPORT", Technologies: []Technology{LTE, UMTS, EDGE, GSM},
	RegistrationDomains: []string{"+CREG", "+CGREG", "+CEREG"},
	Storages:            []Storage{{"SM", 50}, {"ME", 500}}, EmptySlot: CMS(cmsInvalidIndex), ZeroBased: true,
	ConnectText: "150000000", PINRetries: "^CPIN",
	Tests:   map[string]string{"+CNMI": "(0-2),(0-3),(0,2),(0-2),(0,1)"},
	Refused: []string{"+CMUX"}, DialReturns: true,
	Parameters: huaweiParameters(),
	Messages:   Spellings{SMSFull: `^SMMEMFULL:"%s"`, SIMRemoved: "^SIMST:255", Deactivate: "^PDPDEACT:%d", CallBegin: "^CONN:1,0", CallEnd: "^CEND:1,0,29,16"},
	commands:   huawei(),
}

// ZTE is a ZTE MF190 class dongle: GSM and UMTS.
var ZTE = &Personality{
	Name: "ZTE", Manufacturer: "ZTE INCORPORATED", Model: "MF190", Revision: "BD_MF190V1.0.0B03",
	Identification: []string{"Manufacturer: ZTE INCORPORATED", "Model: MF190", "Revision: BD_MF190V1.0.0B03", "IMEI: %IMEI%", "+GCAP: +CGSM,+DS,+ES"},
	Capabilities:   "+CGSM,+DS,+ES",
	Boot:           []BootStep{{After: 5 * time.Second, Line: "+ZUSIMR:2"}, {After: 500 * time.Millisecond, Line: "+ZUSIMR:2"}, {After: 500 * time.Millisecond, Line: "+ZUSIMR:2"}},
	Ready:          5 * time.Second, SIMBusy: 2 * time.Second, Registration: 5 * time.Second,
	Technologies: []Technology{UMTS, EDGE, GSM},
	Storages:     []Storage{{"SM", 15}, {"ME", 100}}, EmptySlot: CMS(cmsInvalidIndex), ZeroBased: true,
	ConnectText: "7200000", PINRetries: "+ZPINPUK", Refused: []string{"+CMUX", "+CNMA"},
	Parameters: map[string]Parameter{"+ZSNT": {Preset: "0,0,0", Test: "(0-2),(0,1),(0-2)"}},
	commands: table{
		"+ZPAS":  {run: func(c *Call) Result { c.Info(`+ZPAS: "UMTS","CS_PS"`); return OK }},
		"+ZOPRT": {run: zteOperate},
		"+ZPINPUK": {run: func(c *Call) Result {
			c.Info(fmt.Sprintf("+ZPINPUK: %d,%d", c.m.sim.pinLeft, c.m.sim.pukLeft))
			return OK
		}, own: true},
		"+CCID": {},
	},
}

// zteOperate is AT+ZOPRT: 5 goes online, 6 offline.
func zteOperate(c *Call) Result {
	switch c.number(0, 0) {
	case 5:
		c.m.radio.function = 1
	case 6:
		c.m.radio.function = 4
		c.m.contexts.lose()
		c.m.radioOff()
	default:
		return ERROR
	}
	c.m.updateRadio()
	return OK
}
