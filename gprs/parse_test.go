package gprs

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
)

func TestSplitLine(t *testing.T) {
	name, f := splitLine(` +CGEV: NW DEACT "IP","10.0.0.1",1 `)
	require.Equal(t, "+CGEV", name)
	require.Len(t, f, 3)
	name, f = splitLine("10.64.12.7")
	require.Empty(t, name)
	require.Equal(t, "10.64.12.7", f[0].text)
	name, f = splitLine("http://x")
	require.Empty(t, name, "a name is in capitals")
	require.Len(t, f, 1)
	_, f = splitLine(`+X: (1,"a)b",(2,3)),"c,d",,e`)
	require.Len(t, f, 4)
	require.True(t, f[0].list)
	require.Equal(t, field{text: "c,d", quoted: true}, f[1])
	_, f = splitLine("+X: " + strings.Repeat(",", 1<<17))
	require.LessOrEqual(t, len(f), maxFields+1, "the number of parameters is bounded")
}

var operatorLists = []struct {
	device, line string
	want         []Operator
}{
	{"Sony Ericsson TM-506, parentheses closed early", `+COPS: (2,"","T-Mobile","31026",0),(2,"T - Mobile","T - Mobile","310260"),2),(1,"AT&T","AT&T","310410"),0)`, []Operator{
		{Availability: OperatorCurrent, Short: "T-Mobile", Code: "31026", Technology: TechnologyGSM},
		{Availability: OperatorCurrent, Long: "T - Mobile", Short: "T - Mobile", Code: "310260", Technology: TechnologyUTRAN},
		{Availability: OperatorAvailable, Long: "AT&T", Short: "AT&T", Code: "310410", Technology: TechnologyGSM}}},
	{"Option GlobeTrotter 3G+", `+COPS: (1,"T-Mobile US","TMO US","31026",0),(1,"Cingular","Cingular","310410",0),,(0, 1, 3),(0-2)`, []Operator{
		{Availability: OperatorAvailable, Long: "T-Mobile US", Short: "TMO US", Code: "31026", Technology: TechnologyGSM},
		{Availability: OperatorAvailable, Long: "Cingular", Short: "Cingular", Code: "310410", Technology: TechnologyGSM}}},
	{"Sierra AirCard 881, trailer torn", `+COPS: (1,"T-Mobile","TMO","31026",0),(1,"AT&T","AT&T","310410",2),,(0,1,2,3,4),)`, []Operator{
		{Availability: OperatorAvailable, Long: "T-Mobile", Short: "TMO", Code: "31026", Technology: TechnologyGSM},
		{Availability: OperatorAvailable, Long: "AT&T", Short: "AT&T", Code: "310410", Technology: TechnologyUTRAN}}},
	{"Motorola C-series, no technology", `+COPS: (2,"T-Mobile","","310260"),(0,"Cingular Wireless","","310410")`, []Operator{
		{Availability: OperatorCurrent, Long: "T-Mobile", Code: "310260"},
		{Availability: OperatorUnknown, Long: "Cingular Wireless", Code: "310410"}}},
	{"ZTE MF627, comma at the end", `+COPS: (2,"AT&T@","AT&TD","310410",0),(3,"Vstream Wireless","VSTREAM","31026",0),`, []Operator{
		{Availability: OperatorCurrent, Long: "AT&T@", Short: "AT&TD", Code: "310410", Technology: TechnologyGSM},
		{Availability: OperatorForbidden, Long: "Vstream Wireless", Short: "VSTREAM", Code: "31026", Technology: TechnologyGSM}}},
	{"Nokia N80, empty fields", `+COPS: (2,"T - Mobile",,"31026"),(1,"Einstein PCS",,"31064"),,(0,1,3),(0,2)`, []Operator{
		{Availability: OperatorCurrent, Long: "T - Mobile", Code: "31026"},
		{Availability: OperatorAvailable, Long: "Einstein PCS", Code: "31064"}}},
	{"Option Quicksilver, code of seven", `+COPS: (2,"AT&T","","310410",0),(2,"","","3104100",2),,(0-4),(0-2)`, []Operator{
		{Availability: OperatorCurrent, Long: "AT&T", Code: "310410", Technology: TechnologyGSM},
		{Availability: OperatorCurrent, Code: "3104100", Technology: TechnologyUTRAN}}},
	{"Fibocom FM350-GL, a value more", `+COPS: (2,"","EE","23430","609C",7)`, []Operator{
		{Availability: OperatorCurrent, Short: "EE", Code: "23430", Technology: TechnologyLTE}}},
	{"Quectel RM520N-GL", `+COPS: (2,"T-Mobile","T-Mobile","310260",12),(1,"T-Mobile","T-Mobile","310260",7)`, []Operator{
		{Availability: OperatorCurrent, Long: "T-Mobile", Short: "T-Mobile", Code: "310260", Technology: TechnologyNR},
		{Availability: OperatorAvailable, Long: "T-Mobile", Short: "T-Mobile", Code: "310260", Technology: TechnologyLTE}}},
}

func TestParseOperators(t *testing.T) {
	for _, tt := range operatorLists {
		t.Run(tt.device, func(t *testing.T) {
			got, err := ParseOperators(tt.line)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
	for _, line := range []string{"+COPS: ,,(0-6),(0-2)", "+COPS:", "+COPS: 0", "+CREG: 1", "+COPS: (0-4),(0-2)"} {
		_, err := ParseOperators(line)
		require.Error(t, err, "%q", line)
	}
}

func TestParseOperator(t *testing.T) {
	tests := []struct {
		device, line string
		want         Operator
	}{
		{"not registered", "+COPS: 0", Operator{}},
		{"deregistered", "+COPS: 2", Operator{Selection: SelectionDeregistered}},
		{"SIMCom SIM7600", `+COPS: 0,0,"MegaFon",9`, Operator{Long: "MegaFon", Technology: TechnologyNBIoT, Availability: OperatorCurrent}},
		{"u-blox SARA-R410M", `+COPS: 0,2,"310410",7`, Operator{Code: "310410", Technology: TechnologyLTE, Availability: OperatorCurrent}},
		{"an empty name", `+COPS: 0,2,""`, Operator{Availability: OperatorCurrent}},
		{"the number in the long format", `+COPS: 1,0,"26202"`, Operator{Code: "26202", Selection: SelectionManual, Availability: OperatorCurrent}},
		{"the short name", `+COPS: 0,1,"TMO US"`, Operator{Short: "TMO US", Availability: OperatorCurrent}},
	}
	for _, tt := range tests {
		got, err := ParseOperator(tt.line)
		require.NoError(t, err, tt.device)
		require.Equal(t, tt.want, got, tt.device)
	}
	for _, line := range []string{"", "+COPS:", "+COPS: (0-4)", "+CREG: 1"} {
		_, err := ParseOperator(line)
		require.Error(t, err, "%q", line)
	}
}

func TestParseSignal(t *testing.T) {
	level := func(db float64) Level { return Level{DB: db, Known: true} }
	tests := []struct {
		device, line string
		scale        CSQScale
		want         Signal
	}{
		{"any", "+CSQ: 17,0", CSQStandard, Signal{RSSI: level(-79)}},
		{"any, lowest", "+CSQ: 0,0", CSQStandard, Signal{RSSI: level(-113)}},
		{"any, highest", "+CSQ: 31,99", CSQStandard, Signal{RSSI: level(-51)}},
		{"F62 unknown is not 0 dBm", "+CSQ: 99,99", CSQStandard, Signal{}},
		{"outside the scale", "+CSQ: 42,99", CSQStandard, Signal{}},
		{"SIMCom SIM800, lowest", "+CSQ: 0,0", CSQSIM800, Signal{RSSI: level(-115)}},
		{"SIMCom SIM800, 1", "+CSQ: 1,0", CSQSIM800, Signal{RSSI: level(-111)}},
		{"SIMCom SIM800, 2", "+CSQ: 2,0", CSQSIM800, Signal{RSSI: level(-110)}},
		{"SIMCom SIM800, 30", "+CSQ: 30,0", CSQSIM800, Signal{RSSI: level(-54)}},
		{"SIMCom SIM800, highest", "+CSQ: 31,0", CSQSIM800, Signal{RSSI: level(-52)}},
		{"SIMCom SIM800 notification", "+CSQN: 17,0", CSQSIM800, Signal{RSSI: level(-80)}},
		{"Quectel EC25 on TD-SCDMA", "+CSQ: 100,99", CSQStandard, Signal{RSSI: level(-116)}},
		{"Quectel EC25, TD-SCDMA unknown", "+CSQ: 199,99", CSQStandard, Signal{}},
		{"Quectel EC25 notification", `+QIND: "csq",18,99`, CSQStandard, Signal{RSSI: level(-77)}},
		{"Huawei E1752 notification", "^RSSI:18", CSQStandard, Signal{RSSI: level(-77)}},
		{"LTE", "+CESQ: 99,99,255,255,30,60", CSQStandard, Signal{RSRP: level(-81), RSRQ: level(-5), Technology: TechnologyLTE}},
		{"all unknown", "+CESQ: 99,99,255,255,255,255", CSQStandard, Signal{}},
		{"GSM", "+CESQ: 40,0,255,255,255,255", CSQStandard, Signal{RSSI: level(-71)}},
		{"UMTS", "+CESQ: 99,99,40,30,255,255", CSQStandard, Signal{RSRP: level(-81), RSRQ: level(-9.5), Technology: TechnologyUTRAN}},
		{"NR", "+CESQ: 99,99,255,255,255,255,70,86,76", CSQStandard, Signal{RSRP: level(-71), RSRQ: level(-8.5), SINR: level(14.5), Technology: TechnologyNR}},
		{"Quectel EC25", `+QCSQ: "LTE",-65,-96,140,-11`, CSQStandard, Signal{RSSI: level(-65), RSRP: level(-96), SINR: level(8), RSRQ: level(-11), Technology: TechnologyLTE}},
		{"Quectel EC25, absurd rssi", `+QCSQ: "LTE",48,-74,250,-7`, CSQStandard, Signal{RSRP: level(-74), SINR: level(30), RSRQ: level(-7), Technology: TechnologyLTE}},
		{"Quectel BG96", `+QCSQ: "CAT-M1",-52,-81,195,-10`, CSQStandard, Signal{RSSI: level(-52), RSRP: level(-81), SINR: level(19), RSRQ: level(-10), Technology: TechnologyLTEM}},
		{"Quectel, no service", `+QCSQ: "NOSERVICE"`, CSQStandard, Signal{}},
		{"Quectel, GSM", `+QCSQ: "GSM",-69`, CSQStandard, Signal{RSSI: level(-69), Technology: TechnologyGSM}},
		{"Huawei E3372", `^HCSQ:"LTE",47,32,101,20`, CSQStandard, Signal{RSSI: level(-74), RSRP: level(-109), SINR: level(0), RSRQ: level(-10), Technology: TechnologyLTE}},
		{"Huawei, UMTS", `^HCSQ:"WCDMA",30,30,58`, CSQStandard, Signal{RSSI: level(-91), RSRP: level(-91), RSRQ: level(-3.5), Technology: TechnologyUTRAN}},
		{"Huawei, unknown values", `^HCSQ:"LTE",255,255,255,255`, CSQStandard, Signal{Technology: TechnologyLTE}},
		{"EV-DO", "^HDRCSQ: 60", CSQStandard, Signal{Percent: 60, Technology: TechnologyEVDO}},
		{"EV-DO unknown", "^HDRCSQ: 99", CSQStandard, Signal{Technology: TechnologyEVDO}},
		{"EV-DO, not of the steps", "^HDRCSQ: 23", CSQStandard, Signal{Technology: TechnologyEVDO}},
		{"Huawei MC509, EV-DO", "^HDRRSSI:20", CSQStandard, Signal{RSSI: level(-73), Technology: TechnologyEVDO}},
		{"Huawei MC509, EV-DO unknown", "^HDRRSSI:99", CSQStandard, Signal{Technology: TechnologyEVDO}},
		{"Huawei MC509, 1x", "^CRSSI:31", CSQStandard, Signal{RSSI: level(-51), Technology: TechnologyCDMA}},
		{"Huawei MC509, three bars", "^RSSILVL:60", CSQStandard, Signal{Percent: 60}},
		{"Huawei MC509, five bars", "^RSSILVL:99", CSQStandard, Signal{Percent: 100}},
		{"Huawei, EV-DO in two bars", "^HRSSILVL:40", CSQStandard, Signal{Percent: 40, Technology: TechnologyEVDO}},
		{"Huawei, no signal", "^HRSSILVL:0", CSQStandard, Signal{Technology: TechnologyEVDO}},
	}
	for _, tt := range tests {
		t.Run(tt.device, func(t *testing.T) {
			got, ok := ParseSignal(tt.line, tt.scale)
			require.True(t, ok)
			for _, p := range [][2]Level{{tt.want.RSSI, got.RSSI}, {tt.want.RSRP, got.RSRP}, {tt.want.RSRQ, got.RSRQ}, {tt.want.SINR, got.SINR}} {
				require.Equal(t, p[0].Known, p[1].Known)
				require.InDelta(t, p[0].DB, p[1].DB, 0.01)
			}
			require.Equal(t, tt.want.Technology.String(), got.Technology.String())
			require.Equal(t, tt.want.Percent, got.Percent)
		})
	}
	for _, line := range []string{"", "+CSQ:", "+CSQ: (0-31),(0-7)", `+QIND: "act","LTE"`, "+CREG: 1", "+CESQ: 1,2", "+CSQ: x"} {
		_, ok := ParseSignal(line, CSQStandard)
		require.False(t, ok, "%q", line)
	}
}

func TestParseSIMState(t *testing.T) {
	tests := []struct {
		line string
		want SIMState
	}{
		{"+CPIN: READY", SIMReady}, {"+CPIN: SIM PIN", SIMPIN}, {"+CPIN: SIM PUK", SIMPUK},
		{"+CPIN: SIM PIN2", SIMPIN2}, {"+CPIN: SIM PUK2", SIMPUK2}, {"+CPIN: PH_SIM PIN", SIMPersonal},
		{"+CPIN: PH-NET PIN", SIMPersonal}, {"+CPIN: NOT INSERTED", SIMAbsent}, {"+CPIN: NOT READY", SIMNotReady},
		{"+CPIN: SIM REMOVED", SIMAbsent}, {`+CPIN:"READY"`, SIMReady}, {"+CSMINS: 1,0", SIMAbsent},
		{"+QSIMSTAT: 1,1", SIMNotReady}, {"#QSS: 0", SIMAbsent}, {"#QSS: 3", SIMReady}, {"#QSS: 2,1", SIMNotReady},
		{"^SIMST:255", SIMAbsent}, {"^SIMST:1,0", SIMReady}, {"^SCKS: 0", SIMAbsent},
	}
	for _, tt := range tests {
		got, err := ParseSIMState(tt.line)
		require.NoError(t, err, tt.line)
		require.Equal(t, tt.want.String(), got.String(), tt.line)
	}
	for _, line := range []string{"", "+CPIN:", "+CPIN: WHAT", "#QSS: 9", "+CSQ: 1", "^SIMST:"} {
		_, err := ParseSIMState(line)
		require.Error(t, err, "%q", line)
	}
	for code, want := range map[int]SIMState{10: SIMAbsent, 11: SIMPIN, 12: SIMPUK, 13: SIMFailure, 14: SIMBusy, 515: SIMBusy} {
		got, ok := simStateOfError(&at.CommandError{Err: at.CMEError{Code: code}})
		require.True(t, ok)
		require.Equal(t, want.String(), got.String())
	}
	got, ok := simStateOfError(at.CMEError{Code: -1, Text: "SIM not inserted"})
	require.True(t, ok, "the text of +CMEE=2")
	require.Equal(t, SIMAbsent, got)
	_, ok = simStateOfError(at.ErrNoAnswer)
	require.False(t, ok)
}

func TestParseTries(t *testing.T) {
	tests := []struct {
		device string
		query  TriesQuery
		lines  []string
		want   Tries // PIN, PUK, PIN2, PUK2
	}{
		{"SIMCom SIM800", TriesSPIC, []string{"+SPIC: 3,2,10,9"}, Tries{3, 10, 2, 9}},
		{"Quectel EC25", TriesQPINC, []string{`+QPINC: "SC",3,10`, `+QPINC: "P2",2,9`}, Tries{3, 10, 2, 9}},
		{"u-blox SARA-R410M", TriesUPINCNT, []string{"+UPINCNT: 3,2,10,9"}, Tries{3, 10, 2, 9}},
		{"27.007", TriesCPINR, []string{"+CPINR: SIM PIN,3,3", `+CPINR: "SIM PUK",10,10`}, Tries{3, 10, -1, -1}},
		{"Huawei E3372", TriesHuawei, []string{"^CPIN: SIM PIN,3,10,3,9,2"}, Tries{3, 10, 2, 9}},
		{"Huawei, ready", TriesHuawei, []string{"^CPIN: READY,,10,3,10,3"}, Tries{3, 10, 3, 10}},
		{"Sierra", TriesCPINC, []string{"+CPINC: 3,3,10,10"}, Tries{3, 10, 3, 10}},
		{"ZTE", TriesZTE, []string{"+ZPINPUK: 3,10"}, Tries{3, 10, -1, -1}},
		{"Telit", TriesTelit, []string{"#PCT: 3"}, Tries{3, -1, -1, -1}},
		{"Cinterion", TriesCinterion, []string{"^SPIC: 3"}, Tries{3, -1, -1, -1}},
		{"the test form is no counter", TriesSPIC, []string{"+SPIC: (0-3),(0-3),(0-10),(0-10)"}, Tries{-1, -1, -1, -1}},
		{"too short", TriesSPIC, []string{"+SPIC: 3"}, Tries{-1, -1, -1, -1}},
		{"absurd", TriesSPIC, []string{"+SPIC: -3,300,10,x"}, Tries{-1, 10, -1, -1}},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, ParseTries(tt.query, tt.lines...), tt.device)
	}
}

func TestParseIdentities(t *testing.T) {
	for line, want := range map[string]string{
		"8986012345678901234F":                "8986012345678901234",
		"+CCID: 89860626690008016183":         "89860626690008016183",
		`+CCID: "89860626690008016183"`:       "89860626690008016183",
		"+QCCID: 8986012345678901234F":        "8986012345678901234",
		"+ICCID: 898601234567890123":          "898601234567890123",
		`+CRSM: 144,0,"98681042087120545668"`: "89860124801702456586",
		`+CRSM: 144,0,"986810420871205456F8"`: "8986012480170245658",
		"89860a3456789012345f":                "89860A3456789012345",
	} {
		got, err := ParseICCID(line)
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
	for _, line := range []string{"", "OK", "12345678901234567890", "+CRSM: 106,130,\"\"", "+CCID: 89", "+CRSM: 144,0"} {
		_, err := ParseICCID(line)
		require.Error(t, err, "%q", line)
	}
	got, err := ParseIMSI("460011234567890")
	require.NoError(t, err)
	require.Equal(t, "460011234567890", got)
	for _, line := range []string{"", "4600", "4600112345678901", "+CSQ: 460011234567890", "46001x234567890"} {
		_, err := ParseIMSI(line)
		require.Error(t, err, "%q", line)
	}
	for line, want := range map[string]string{
		`+CNUM: "","+8613800000000",129`: "+8613800000000", `+CNUM: ,"15551234567",145`: "+15551234567",
		`+CNUM: "Own","5551234567",129`: "5551234567",
	} {
		got, err := ParseOwnNumber(line)
		require.NoError(t, err, line)
		require.Equal(t, want, got)
	}
	smsc, err := ParseSMSC(`+CSCA: "+15550000001",145`)
	require.NoError(t, err)
	require.Equal(t, "+15550000001", smsc)
	_, err = ParseSMSC(`+CSCA: "",129`)
	require.Error(t, err)
}

// F63: a clock that was never set, an impossible zone, local time and UTC.
func TestF63ClockPlausibility(t *testing.T) {
	tests := []struct {
		device, line string
		form         ClockForm
		want         string // RFC 3339; empty: refused
	}{
		{"local time, quarters", `+CCLK: "24/08/05,04:00:21+40"`, ClockLocal, "2024-08-05T04:00:21+10:00"},
		{"negative zone", `+CCLK: "25/02/28,20:30:40-32"`, ClockLocal, "2025-02-28T20:30:40-08:00"},
		{"UTC with the zone beside it", `+CCLK: "24/08/05,04:00:21+40"`, ClockUTC, "2024-08-05T14:00:21+10:00"},
		{"no zone", `+CCLK: "24/08/05,04:00:21"`, ClockLocal, "2024-08-05T04:00:21Z"},
		{"SIMCom SIM7600", `+CCLK: "24/04/02,13:39:57+08"`, ClockLocal, "2024-04-02T13:39:57+02:00"},
		{"SIMCom SIM800 NITZ", `*PSUTTZ: 2026,11,21,2,44,6,"+04",0`, ClockLocal, "2026-11-21T03:44:06+01:00"},
		{"Quectel EC25 +CTZE", `+CTZE: "+32",0,"2027/11/04,06:51:13"`, ClockLocal, "2027-11-04T06:51:13+08:00"},
		{"Quectel +QLTS", `+QLTS: "2027/10/23,06:51:13+32,0"`, ClockLocal, "2027-10-23T06:51:13+08:00"},
		{"Huawei ^NWTIME", `^NWTIME: 26/11/21,03:44:06+04,00`, ClockLocal, "2026-11-21T03:44:06+01:00"},
		{"leap second", `+CCLK: "24/12/31,23:59:60+00"`, ClockLocal, "2025-01-01T00:00:00Z"},
		{"the last zone", `+CCLK: "24/08/05,04:00:21+56"`, ClockLocal, "2024-08-05T04:00:21+14:00"},

		{"u-blox before NITZ", `+CCLK: "80/01/06,00:00:05+00"`, ClockLocal, ""},
		{"SIM800 before NITZ", `+CCLK: "04/01/01,00:00:05+00"`, ClockLocal, ""},
		{"1939", `*PSUTTZ: 1939,11,21,2,44,6,"+04",0`, ClockLocal, ""},
		{"zone 128", `+CCLK: "24/08/05,04:00:21+128"`, ClockLocal, ""},
		{"zone -49", `+CCLK: "24/08/05,04:00:21-49"`, ClockLocal, ""},
		{"not set", `+CCLK: "XX/XX/XX,XX:XX:XX+XX"`, ClockLocal, ""},
		{"no such day", `+CCLK: "25/02/30,04:00:21+00"`, ClockLocal, ""},
		{"no such month", `+CCLK: "25/13/01,04:00:21+00"`, ClockLocal, ""},
		{"empty", `+CCLK: ""`, ClockLocal, ""},
		{"another answer", `+CSQ: 17,0`, ClockLocal, ""},
		{"torn", `*PSUTTZ: 2026,11,21`, ClockLocal, ""},
	}
	for _, tt := range tests {
		t.Run(tt.device, func(t *testing.T) {
			got, err := ParseClock(tt.line, tt.form, ClockWindow{})
			if tt.want == "" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got.Time.Format(time.RFC3339))
		})
	}
	_, err := ParseClock(`+CCLK: "26/08/05,04:00:21+40"`, ClockLocal, ClockWindow{NotBefore: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)})
	require.Error(t, err, "before the window that was chosen")
}

func TestParseContexts(t *testing.T) {
	d, err := ParseDefinition(`+CGDCONT: 1,"IP","spe.inetd.vodafone.nbiot",,,,0,0,0,0,0,0,1,,0`)
	require.NoError(t, err)
	require.Equal(t, ContextDefinition{ID: 1, Type: IPv4, APN: "spe.inetd.vodafone.nbiot"}, d)
	for _, line := range []string{`+CGDCONT: (1-16),"IP",,,(0-2)`, "+CGDCONT: 1", "", `+CGDCONT: 1,("IP","IPV6")`} {
		_, err := ParseDefinition(line)
		require.Error(t, err, "%q", line)
	}
	id, active, err := ParseActive("+CGACT: 2,1")
	require.NoError(t, err)
	require.True(t, active)
	require.Equal(t, 2, id)
	_, _, err = ParseActive("+CGACT: (0,1)")
	require.Error(t, err)
	_, err = ParseAttached("+CGATT: (0,1)")
	require.Error(t, err)
}

func TestParseContextAddresses(t *testing.T) {
	tests := []struct {
		device, line string
		want         string
	}{
		{"SIMCom A7670", `+CGPADDR: 1, "10.36.130.148"`, "[10.36.130.148] "},
		{"u-blox, no quotes", `+CGPADDR: 1,10.126.84.47`, "[10.126.84.47] "},
		{"both kinds, one empty", `+CGPADDR: 1,"192.0.2.190",""`, "[192.0.2.190] "},
		{"nothing yet", `+CGPADDR: 1,"0.0.0.0"`, "[] "},
		{"dotted IPv6", `+CGPADDR: 1,"32.1.13.184.0.100.0.0.0.0.0.0.0.0.0.1"`, "[2001:db8:64::1] "},
		{"IPv6 by colons", `+CGPADDR: 1,"2001:db8::7"`, "[2001:db8::7] "},
		{"SIMCom, no mask", `+CGCONTRDP: 1,5,"test.MNC002.MCC255.GPRS","10.36.130.148","","10.97.52.68","10.97.52.76","","",0,0`, "[10.36.130.148] [10.97.52.68 10.97.52.76]"},
		{"Quectel RG501Q, no quotes", `+CGCONTRDP: 1,5,SMARTLTE,10.167.105.28,,10.151.151.44,10.151.151.48`, "[10.167.105.28] [10.151.151.44 10.151.151.48]"},
		{"Sequans, mask", `+CGCONTRDP: 1,5,"m2m.com.attz.mnc170.mcc310.gprs",10.192.234.63.255.255.255.128,10.192.234.1,8.8.8.8,8.8.4.4,,,`, "[10.192.234.63] [8.8.8.8 8.8.4.4]"},
		{"Sequans, IPv6 with mask", `+CGCONTRDP: 1,5,"x",254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.255.255.255.255.255.255.255.255.255.255.255.255.255.255.255.255,,252.177.202.254.0.0.0.0.0.0.0.0.0.0.0.2,,,`, "[fe80::1] [fcb1:cafe::2]"},
		{"prefix", `+CGCONTRDP: 1,5,"ctlte",192.168.97.2/30,192.168.97.1,8.8.8.8`, "[192.168.97.2] [8.8.8.8]"},
	}
	for _, tt := range tests {
		t.Run(tt.device, func(t *testing.T) {
			parse := ParseAddresses
			if strings.HasPrefix(tt.line, "+CGCONTRDP") {
				parse = ParseDynamic
			}
			a, err := parse(tt.line)
			require.NoError(t, err)
			got := []string{}
			for _, l := range a.Local {
				got = append(got, l.String())
			}
			dns := []string{}
			for _, s := range a.DNS {
				dns = append(dns, s.String())
			}
			text := "[" + strings.Join(got, " ") + "] "
			if len(dns) > 0 {
				text += "[" + strings.Join(dns, " ") + "]"
			}
			require.Equal(t, tt.want, text)
		})
	}
	a, err := ParseDynamic(`+CGCONTRDP: 1,5,"spe","10.175.213.177.255.255.255.255","","10.105.16.254","10.105.144.254","","",,,1430`)
	require.NoError(t, err)
	require.Equal(t, 1430, a.MTU)
}

func TestParseContextEvent(t *testing.T) {
	tests := []struct {
		line string
		want ContextEvent
		ok   bool
	}{
		{`+CGEV: NW DEACT "IP","10.0.0.1",2`, ContextEvent{ContextDeactivated, 2, true}, true},
		{`+CGEV: ME DEACT "IP","10.0.0.1",1`, ContextEvent{ContextDeactivated, 1, false}, true},
		{"+CGEV: NW PDN DEACT 3", ContextEvent{ContextDeactivated, 3, true}, true},
		{"+CGEV: ME PDN ACT 1,0", ContextEvent{ContextActivated, 1, false}, true},
		{"+CGEV: NW DETACH", ContextEvent{Detached, 0, true}, true},
		{"+CGEV: ME DETACH", ContextEvent{Detached, 0, false}, true},
		{"+CGEV: NW CLASS B", ContextEvent{ContextClass, 0, true}, true},
		{"+PDP: DEACT", ContextEvent{ContextDeactivated, 0, true}, true},
		{"+PDP DEACT", ContextEvent{ContextDeactivated, 0, true}, true},
		{"+SAPBR 1: DEACT", ContextEvent{ContextDeactivated, 0, true}, true},
		{`+QIURC: "pdpdeact",1`, ContextEvent{ContextDeactivated, 1, true}, true},
		{`+QIURC: "recv",0`, ContextEvent{}, false},
		{"+UUPSDD: 0", ContextEvent{ContextDeactivated, 0, true}, true},
		{"^PDPDEACT:1", ContextEvent{ContextDeactivated, 1, true}, true},
		{"+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY", ContextEvent{ContextDeactivated, 0, true}, true},
		{"+CGEV:", ContextEvent{}, false},
		{"+CGEV: WHAT", ContextEvent{}, false},
		{"+CMTI: \"SM\",1", ContextEvent{}, false},
	}
	for _, tt := range tests {
		got, ok := ParseContextEvent(tt.line)
		require.Equal(t, tt.ok, ok, tt.line)
		require.Equal(t, tt.want, got, tt.line)
	}
	require.True(t, ContextEvent{Kind: ContextDeactivated, ID: 1}.Loses(1))
	require.False(t, ContextEvent{Kind: ContextDeactivated, ID: 2}.Loses(1))
	require.True(t, ContextEvent{Kind: Detached}.Loses(1))
}

func TestParseCDMA(t *testing.T) {
	tests := []struct {
		line  string
		state RegistrationState
		tech  Technology
		ok    bool
	}{
		{"+CSS: 1,A,4384", StateHome, TechnologyCDMA, true},
		{"+CSS: ?,1,A,4384", StateHome, TechnologyCDMA, true},
		{"+CSS: 0,Z,99999", StateSearching, 0, true},
		{"+CAD: 1", StateHome, TechnologyCDMA, true},
		{"+CAD: 0", StateSearching, 0, true},
		{"^SYSINFO:2,255,0,4,240", StateHome, TechnologyEVDO, true},
		{"^SYSINFO:2,255,1,8,240", StateRoaming, TechnologyEVDO, true},
		{"^SYSINFO:0,255,0,0,240", StateIdle, 0, true},
		{"^MODE:2", StateHome, TechnologyCDMA, true},
		{"+CSS: 1", 0, 0, false},
		{"+CREG: 1", 0, 0, false},
	}
	for _, tt := range tests {
		got, ok := ParseCDMA(tt.line)
		require.Equal(t, tt.ok, ok, tt.line)
		if ok {
			require.Equal(t, tt.state.String(), got.State.String(), tt.line)
			require.Equal(t, tt.tech.String(), got.Technology.String(), tt.line)
		}
	}
}

// Promise 9: nothing given can inject a command, and 10: a refused secret is
// not in the error.
func TestTemplatesRefuseInjection(t *testing.T) {
	c := Context{APN: "internet", User: "u", Password: "p\"\rAT+CFUN=0", Auth: AuthPAP}
	for _, template := range []string{AuthCGAUTH, AuthCGAUTHReversed, AuthQICSGP, AuthUAUTHREQ, AuthAUTHDATA, AuthSGAUTH, AuthQCPDPP} {
		_, err := fillTemplate(template, c)
		require.ErrorIs(t, err, at.ErrInvalid, template)
		require.NotContains(t, err.Error(), "CFUN")
	}
	c.Password = "p"
	for template, want := range map[string]string{
		AuthCGAUTH:         `+CGAUTH=1,1,"u","p"`,
		AuthCGAUTHReversed: `+CGAUTH=1,1,"p","u"`,
		AuthQICSGP:         `+QICSGP=1,1,"internet","u","p",1`,
		AuthAUTHDATA:       `^AUTHDATA=1,1,"","p","u"`,
	} {
		got, err := fillTemplate(template, c)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	c.User = "{password}"
	got, err := fillTemplate(AuthCGAUTH, c)
	require.NoError(t, err)
	require.Equal(t, `+CGAUTH=1,1,"{password}","p"`, got, "a value is not a template")
}

// FuzzParse feeds every parser but that of registrations, which has its own.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"+CSQ: 17,0", "+CESQ: 99,99,255,255,30,60", `+QCSQ: "LTE",-65,-96,140,-11`, `^HCSQ:"LTE",47,32,101,20`,
		"+CPIN: SIM PIN", "+SPIC: 3,3,10,10", `+QPINC: "SC",3,10`, "^CPIN: READY,,10,3,10,3",
		`+COPS: (2,"","T-Mobile","31026",0),,(0-4),(0-2)`, `+COPS: 0,0,"MegaFon",9`,
		`+CCLK: "24/08/05,04:00:21+40"`, `*PSUTTZ: 2026,11,21,2,44,6,"+04",0`, "+CRSM: 144,0,\"98681042087120545668\"",
		`+CGDCONT: 1,"IP","internet"`, "+CGPADDR: 1,10.0.0.1", `+CGCONTRDP: 1,5,"x",10.1.1.1.255.255.255.0,,8.8.8.8`,
		`+CGEV: NW DEACT "IP","10.0.0.1",2`, "+CGEV: ", "+CSS: 1,A,4384", "^SYSINFO:2,255,0,4,240", `+CNUM: "","+1555",145`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if s, ok := ParseSignal(line, CSQStandard); ok && s.RSSI.Known && (s.RSSI.DB > 0 || s.RSSI.DB < -200) {
			t.Fatalf("%q gives %v dBm", line, s.RSSI)
		}
		if c, err := ParseClock(line, ClockLocal, ClockWindow{}); err == nil && (c.Time.Year() < 2023 || c.Time.Year() > 2060) {
			t.Fatalf("%q gives %v", line, c.Time)
		}
		if ops, err := ParseOperators(line); err == nil && (len(ops) == 0 || len(ops) > maxOperators) {
			t.Fatalf("%q gives %d operators", line, len(ops))
		}
		if id, err := ParseICCID(line); err == nil && (len(id) < 18 || len(id) > 20) {
			t.Fatalf("%q gives the card number %q", line, id)
		}
		for _, q := range triesQueries {
			for _, n := range ParseTries(q, line) {
				if n < -1 || n > maxTries {
					t.Fatalf("%q gives %d tries", line, n)
				}
			}
		}
		_, _ = ParseOperator(line)
		_, _ = ParseSIMState(line)
		_, _ = ParseIMSI(line)
		_, _ = ParseOwnNumber(line)
		_, _ = ParseSMSC(line)
		_, _ = ParseDefinition(line)
		_, _, _ = ParseActive(line)
		_, _ = ParseAttached(line)
		_, _ = ParseAddresses(line)
		_, _ = ParseDynamic(line)
		_, _ = ParseContextEvent(line)
		_, _ = ParseCDMA(line)
	})
}
