package gprs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What modems sent, by maker and model. The strings of named devices are from
// ModemManager's, ubxlib's and TinyGSM's collections and from dialogs of real
// sessions; area 0 and cell 0 with known false is "not told".
var registrationLines = []struct {
	device, line string
	domain       Domain
	state        RegistrationState
	area         uint32
	cell         uint64
	known        bool
	technology   Technology
	cause        int
}{
	{"any, +CREG=1 asked", "+CREG: 1,3", DomainCS, StateDenied, 0, 0, false, 0, 0},
	{"any, notification", "+CREG: 3", DomainCS, StateDenied, 0, 0, false, 0, 0},
	{"SIMCom SIM800 asked", `+CREG: 2,2`, DomainCS, StateSearching, 0, 0, false, 0, 0},
	{"SIMCom SIM800 notification", `+CREG: 1,"1816","D04E"`, DomainCS, StateHome, 0x1816, 0xD04E, true, 0, 0},
	{"SIMCom SIM800 asked, cell", `+CREG: 2,1,"1816","D04E"`, DomainCS, StateHome, 0x1816, 0xD04E, true, 0, 0},
	{"Sierra Mercury asked", "+CREG: 0,1,84CD,00D30173", DomainCS, StateHome, 0x84CD, 0xD30173, true, 0, 0},
	{"Sierra Mercury notification", "+CREG: 1,84CD,00D30156", DomainCS, StateHome, 0x84CD, 0xD30156, true, 0, 0},
	{"Sony Ericsson K850i asked", `+CREG: 2,1,"CE00","01CEAD8F"`, DomainCS, StateHome, 0xCE00, 0x1CEAD8F, true, 0, 0},
	{"Sony Ericsson K850i notification", `+CREG: 1,"CE00","00005449"`, DomainCS, StateHome, 0xCE00, 0x5449, true, 0, 0},
	{"Huawei E160G not registered", "+CREG: 2,0,00,0", DomainCS, StateIdle, 0, 0, false, 0, 0},
	{"Huawei E160G, notification not registered", "+CREG: 0,00,0", DomainCS, StateIdle, 0, 0, false, 0, 0},
	{"Huawei E160G asked", "+CREG: 2,1,8BE3,2BAF", DomainCS, StateHome, 0x8BE3, 0x2BAF, true, 0, 0},
	{"Huawei E160G notification", "+CREG: 1,8BE3,2BAF", DomainCS, StateHome, 0x8BE3, 0x2BAF, true, 0, 0},
	{"Sony Ericsson TM-506 asked", `+CREG: 2,1,"8BE3","00002BAF"`, DomainCS, StateHome, 0x8BE3, 0x2BAF, true, 0, 0},
	{"Novatel XU870 notification", "+CREG: 2,,", DomainCS, StateSearching, 0, 0, false, 0, 0},
	{"Iridium asked", `+CREG:002,001,"18d8","ffff"`, DomainCS, StateHome, 0x18D8, 0xFFFF, true, 0, 0},
	{"unpadded area asked", "+CREG:2,1,0001,0010", DomainCS, StateHome, 1, 0x10, true, 0, 0},
	{"padded area asked", `+CREG:002,001,"0001","0010"`, DomainCS, StateHome, 1, 0x10, true, 0, 0},
	{"padded area notification", `+CREG: 001,"0001","0010",000`, DomainCS, StateHome, 1, 0x10, true, TechnologyGSM, 0},
	{"short area notification", "+CREG: 1,0001,0010,0", DomainCS, StateHome, 1, 0x10, true, TechnologyGSM, 0},
	{"u-blox TOBY-L2 asked on LTE", `+CREG: 2,6,"8B37","0A265185",7`, DomainCS, StateSMSOnlyHome, 0x8B37, 0xA265185, true, TechnologyLTE, 0},
	{"u-blox TOBY-L2 notification on LTE", `+CREG: 6,"8B37","0A265185",7`, DomainCS, StateSMSOnlyHome, 0x8B37, 0xA265185, true, TechnologyLTE, 0},
	{"Ericsson F3607gw asked", `+CGREG: 2,1,"8BE3","00002B5D",3`, DomainPS, StateHome, 0x8BE3, 0x2B5D, true, TechnologyEGPRS, 0},
	{"Ericsson F3607gw notification", `+CGREG: 1,"8BE3","00002B5D",3`, DomainPS, StateHome, 0x8BE3, 0x2B5D, true, TechnologyEGPRS, 0},
	{"Sony Ericsson MD400 notification with n", `+CREG: 2,5,"0502","0404736D"`, DomainCS, StateRoaming, 0x502, 0x404736D, true, 0, 0},
	{"Sony Ericsson MD400 notification", `+CGREG: 5,"0502","0404736D",2`, DomainPS, StateRoaming, 0x502, 0x404736D, true, TechnologyUTRAN, 0},
	{"Alcatel X220D, blanks", "+CGREG: 2,1, 81ED, 1A9CEB", DomainPS, StateHome, 0x81ED, 0x1A9CEB, true, 0, 0},
	{"Samsung Wave S8500, extra fields", "+CREG: 2,1,000B,2816, B, C2816", DomainCS, StateHome, 0xB, 0x2816, true, 0, 0},
	{"Qualcomm Gobi 1000, torn area", "+CREG: 2,1,  0 5, 2715", DomainCS, StateHome, 0, 0, false, 0, 0},
	{"routing area behind the technology", `+CGREG: 1,"1422","00000142",3,"00"`, DomainPS, StateHome, 0x1422, 0x142, true, TechnologyEGPRS, 0},
	{"any, LTE asked, denied", "+CEREG: 1,3", DomainEPS, StateDenied, 0, 0, false, 0, 0},
	{"blanks asked", "+CEREG: 2,1, 1F00, 79D903 ,7", DomainEPS, StateHome, 0x1F00, 0x79D903, true, TechnologyLTE, 0},
	{"blanks notification", "+CEREG: 1, 1F00, 79D903 ,7", DomainEPS, StateHome, 0x1F00, 0x79D903, true, TechnologyLTE, 0},
	{"Altair asked", "+CEREG: 1, 2, 0001, 00000100, 7", DomainEPS, StateSearching, 1, 0x100, true, TechnologyLTE, 0},
	{"Altair notification", "+CEREG: 2, 0001, 00000100, 7", DomainEPS, StateSearching, 1, 0x100, true, TechnologyLTE, 0},
	{"Novatel E362 asked, routing area", "+CEREG: 2,1, 1F00, 20 ,79D903 ,7", DomainEPS, StateHome, 0x1F00, 0x79D903, true, TechnologyLTE, 0},
	{"Novatel E362 notification", "+CEREG: 1, 1F00, 20 ,79D903 ,7", DomainEPS, StateHome, 0x1F00, 0x79D903, true, TechnologyLTE, 0},
	{"ZTE, fallback not preferred", "+CEREG: 2,10,2CA8,20,B5583D,7", DomainEPS, StateRoaming, 0x2CA8, 0xB5583D, true, TechnologyLTE, 0},
	{"Thuraya asked", `+CGREG: 2, 1, "0426", "F00F"`, DomainPS, StateHome, 0x426, 0xF00F, true, 0, 0},
	{"Thuraya notification", `+CGREG: 1, "0426", "F00F"`, DomainPS, StateHome, 0x426, 0xF00F, true, 0, 0},
	{"u-blox SARA-R410M, extra field", `+CEREG: 4,5,"6A33","7F0B50F",7,,"00000010","10100101"`, DomainEPS, StateRoaming, 0x6A33, 0x7F0B50F, true, TechnologyLTE, 0},
	{"u-blox LENA-R8 asked, without n", `+CEREG: 1,"2A1B","0B29C2A1",7`, DomainEPS, StateHome, 0x2A1B, 0xB29C2A1, true, TechnologyLTE, 0},
	{"u-blox LARA-R6, no technology", `+CEREG: 2,1,"2A1B","0B29C2A1"`, DomainEPS, StateHome, 0x2A1B, 0xB29C2A1, true, 0, 0},
	{"u-blox SARA-R510, minus one", `+CEREG: 2,1,"2A1B","0B29C2A1",-1`, DomainEPS, StateHome, 0x2A1B, 0xB29C2A1, true, TechnologyLTEM, 0},
	{"Quectel EC25 notification", `+CEREG: 5,"2A1B","0B29C2A1",7`, DomainEPS, StateRoaming, 0x2A1B, 0xB29C2A1, true, TechnologyLTE, 0},
	{"Quectel RM520N-GL on 5G", `+C5GREG: 2,1,"2D6600","1CA74B017",11,1,"01"`, Domain5GS, StateHome, 0x2D6600, 0x1CA74B017, true, TechnologyNR, 0},
	{"5G, bare hexadecimal", "+C5GREG: 2,1,1F00,79D903,11,6,ABCDEF", Domain5GS, StateHome, 0x1F00, 0x79D903, true, TechnologyNR, 0},
	{"5G notification", "+C5GREG: 1,1F00,79D903,11,6,ABCDEF", Domain5GS, StateHome, 0x1F00, 0x79D903, true, TechnologyNR, 0},
	{"5G, area of 24 bits alone", `+C5GREG: 2,1,"175006"`, Domain5GS, StateHome, 0, 0, false, 0, 0},
	{"5G denied with cause", `+C5GREG: 3,3,"1F00","79D903",11,0,"",0,27`, Domain5GS, StateDenied, 0x1F00, 0x79D903, true, TechnologyNR, 27},
	{"LTE denied with cause", `+CEREG: 3,3,"0000","0000000",7,0,15`, DomainEPS, StateDenied, 0, 0, false, TechnologyLTE, 15},
	{"2G denied with cause", `+CREG: 3,"1816","D04E",0,0,13`, DomainCS, StateDenied, 0x1816, 0xD04E, true, TechnologyGSM, 13},
	{"GPRS denied with routing area and cause", `+CGREG: 3,3,"1816","D04E",0,"01",0,7`, DomainPS, StateDenied, 0x1816, 0xD04E, true, TechnologyGSM, 7},
	{"area and cell exchanged", `+CREG: 2,1,"0404736D","0502"`, DomainCS, StateHome, 0x502, 0x404736D, true, 0, 0},
	{"emergency only", "+CREG: 0,8", DomainCS, StateEmergency, 0, 0, false, 0, 0},
	{"SMS only", "+CREG: 0,6", DomainCS, StateSMSOnlyHome, 0, 0, false, 0, 0},
	{"a state that is not assigned", "+CREG: 0,14", DomainCS, StateUnknown, 0, 0, false, 0, 0},
}

func TestParseRegistration(t *testing.T) {
	for _, tt := range registrationLines {
		t.Run(tt.device, func(t *testing.T) {
			domain, r, err := ParseRegistration(tt.line)
			require.NoError(t, err)
			require.Equal(t, tt.domain, domain)
			require.Equal(t, tt.state.String(), r.State.String())
			require.Equal(t, Cell{Area: tt.area, ID: tt.cell, Known: tt.known}, r.Cell)
			require.Equal(t, tt.technology.String(), r.Technology.String())
			require.Equal(t, tt.cause, r.Cause.Number)
			require.Equal(t, tt.cause != 0, r.Cause.Known)
		})
	}
}

func TestParseRegistrationRefuses(t *testing.T) {
	for _, line := range []string{
		"", "+CREG", "+CREG:", "+CREG: ", "+CREG: (0-2)", `+CREG: (0,1,2),(0)`, "+CSQ: 17,0", "+CREG: x", `+CREG: "1"`,
	} {
		_, _, err := ParseRegistration(line)
		require.Error(t, err, "%q", line)
	}
}

// The merged view is what a caller branches on: each row says what the domains
// told and what it must make of them.
func TestMergeRegistration(t *testing.T) {
	now := time.Now()
	is := func(s RegistrationState, tech Technology) DomainRegistration {
		return DomainRegistration{State: s, Technology: tech, At: now}
	}
	tests := []struct {
		name            string
		cs, ps, eps, nr DomainRegistration
		want            string
		packet          bool
	}{
		{"nothing known", DomainRegistration{}, DomainRegistration{}, DomainRegistration{}, DomainRegistration{}, "unknown", false},
		{"2G before it attaches", is(StateHome, TechnologyGSM), is(StateIdle, 0), DomainRegistration{}, DomainRegistration{}, "home on GSM", false},
		{"LTE with SMS over SGs", is(StateSMSOnlyHome, TechnologyLTE), is(StateUnknown, 0), is(StateHome, TechnologyLTE), DomainRegistration{}, "home on LTE", true},
		{"LTE denied, 2G serves", is(StateRoaming, TechnologyGSM), is(StateRoaming, TechnologyGSM), is(StateDenied, 0), DomainRegistration{}, "roaming on GSM", true},
		{"denied beats a search", is(StateSearching, 0), is(StateDenied, 0), is(StateSearching, 0), DomainRegistration{}, "denied, no cause told", false},
		{"SMS only beats emergency", is(StateSMSOnlyRoam, 0), is(StateEmergency, 0), DomainRegistration{}, DomainRegistration{}, "SMS only, roaming", false},
		{"the newest generation gives the technology", is(StateHome, TechnologyUTRAN), DomainRegistration{}, is(StateHome, TechnologyLTE), is(StateHome, TechnologyNR), "home on NR", true},
		{"technology from another domain", is(StateHome, TechnologyGSM), is(StateHome, 0), DomainRegistration{}, DomainRegistration{}, "home on GSM", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mergeRegistration([numDomains]DomainRegistration{tt.cs, tt.ps, tt.eps, tt.nr})
			require.Equal(t, tt.want, r.String())
			require.Equal(t, tt.packet, r.Packet)
		})
	}
}

func FuzzParseRegistration(f *testing.F) {
	for _, tt := range registrationLines {
		f.Add(tt.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		domain, r, err := ParseRegistration(line)
		if err != nil {
			return
		}
		if domain >= numDomains || r.State >= numRegistrationStates {
			t.Fatalf("%q gives domain %d, state %d", line, domain, r.State)
		}
		if !r.Cell.Known && r.Cell != (Cell{}) {
			t.Fatalf("%q gives an unknown cell a value", line)
		}
	})
}
