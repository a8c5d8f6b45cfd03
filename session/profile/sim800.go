package profile

import (
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/sms"
)

// SIM800 is SIMCom's GPRS family, SIM800 and SIM900. Source: SIM800 Series AT
// Command Manual V1.12, unless another is named.
var SIM800 = &Profile{
	Name:       "SIM800",
	Identities: []string{"SIMCOM_SIM800", "SIMCOM_SIM900", "SIM800", "SIM900"},
	Notifications: rules("Call Ready", "SMS Ready", "+CPIN", "+CFUN", "*PSUTTZ", "*PSNWID", "+CTZV", "DST",
		"RING", "+CRING", "+CLIP", "+CMTE", "+CSMINS", "+CSQN", "+PDP", "+SAPBR 1", "+CDRIND",
		"UNDER-VOLTAGE WARNNING", "OVER-VOLTAGE WARNNING", "CHARGE-ONLY MODE"), // chapters 3.2, 6.2, 19
	BootTime: 5 * time.Second, // 6.2.20: 3 to 5 s before the first AT
	Multiplexer: &Multiplexer{
		Command:        "+CMUX=0,0,5,127,10,3,30,10,2", // chapter 17; 127 is its default for N1
		FrameSize:      127,
		Settle:         100 * time.Millisecond,
		CommandChannel: 1,
		DataChannel:    4, // as the sim900 driver of oFono
	},
	SMS: sms.Quirks{
		Storages:        []string{"SM", "ME"}, // 4.2.2: ME takes what does not fit on the SIM
		IndicationModes: []int{2, 1},          // 4.2.13
		MoreMessages:    true,                 // 4.2.10
	},
	Data: gprs.Quirks{
		CSQ:  gprs.CSQSIM800,  // 3.2.21
		Dial: "D*99***{cid}#", // the sim900 driver of oFono: ATD, not +CGDATA
	},
}

func rules(prefixes ...string) []at.NotificationRule {
	list := make([]at.NotificationRule, len(prefixes))
	for i, p := range prefixes {
		list[i].Prefix = p
	}
	return list
}
