package profile

import (
	"time"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
	"github.com/telemodem/telemodem/sms"
)

// SIM800 is SIMCom's GPRS family, SIM800 and SIM900. Source: SIM800 Series AT
// Command Manual V1.12, unless another is named.
var SIM800 = &Profile{
	Name:       "SIM800",
	Identities: []string{"SIMCOM_Ltd", "SIMCOM_SIM800", "SIMCOM_SIM900", "SIM800", "SIM900"},
	Notifications: rules("Call Ready", "SMS Ready", "+CPIN", "+CFUN", "*PSUTTZ", "*PSNWID", "+CTZV", "DST",
		"RING", "+CRING", "+CLIP", "MO RING", "MO CONNECTED", "+CMTE", "ALARM RING", "+CSMINS", "+CSQN", "+PDP",
		"+SAPBR 1", "+CDRIND", "NORMAL POWER DOWN", "UNDER-VOLTAGE WARNNING", "UNDER-VOLTAGE POWER DOWN",
		"OVER-VOLTAGE WARNNING", "OVER-VOLTAGE POWER DOWN", "CHARGE-ONLY MODE"), // chapters 3.2, 6.2, 19; the double N is real
	BootTime: 5 * time.Second, // 6.2.20: 3 to 5 s before the first AT
	Multiplexer: &Multiplexer{
		Command:        fullMux, // chapter 17; 127 is its default for N1
		FrameSize:      127,
		Settle:         muxSettle,
		CommandChannel: 1,
		DataChannel:    4, // oFono plugins/sim900.c
	},
	Sockets: socket.SIM800,
	SMS: sms.Quirks{
		Storages:        []string{"SM", "ME"}, // 4.2.2: ME takes what does not fit on the SIM
		IndicationModes: []int{2, 1},          // 4.2.13
		MoreMessages:    true,                 // 4.2.10
	},
	Data: gprs.Quirks{
		Domains:        []gprs.Domain{gprs.DomainCS, gprs.DomainPS}, // 3.2, 7.2.10: it has no +CEREG
		CSQ:            gprs.CSQSIM800,                              // 3.2.21
		SignalCommands: []string{"+CSQ"},                            // 3.2.21: it has no +CESQ
		Tries:          gprs.TriesSPIC,                              // +SPIC
		ICCIDCommands:  []string{"+CCID"},
		NoAuth:         true,             // chapter 7 has no +CGAUTH: PPP carries user and password
		AttachTimeout:  75 * time.Second, // 7.2.1
		Dial:           gprs.DialContext99,
	},
}
