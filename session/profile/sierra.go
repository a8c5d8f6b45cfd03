package profile

import (
	"time"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/sms"
)

// Sierra is Sierra Wireless's cards and modules on USB: MC, EM and WP. Source:
// ModemManager plugins/sierra; oFono drivers/atmodem/sms.c.
var Sierra = &Profile{
	Name:          "Sierra",
	Identities:    []string{"Sierra Wireless"},
	Notifications: rules("+PACSP0", "+CTZV", "+CGEV", "RING", "+CRING", "+CLIP"),
	BootTime:      10 * time.Second, // ModemManager: 5 s new cards, 10 s old ones
	Restart:       "!RESET",
	SMS:           sms.Quirks{IndicationModes: []int{1, 2, 0}}, // oFono, for Qualcomm's chips: 1 although 2 is offered
	Data: gprs.Quirks{
		Tries: gprs.TriesCPINC,
		Auth:  gprs.AuthQCPDPP,
	},
}

// HL78xx is Sierra Wireless's Cat-M and NB-IoT family. Sources: AirPrime HL78xx
// AT Commands Interface Guide rev 11; zephyr modem_cellular.c, swir_hl7800.
var HL78xx = &Profile{
	Name:          "HL78xx",
	Identities:    []string{"HL78"},
	Notifications: rules("+KTCP_IND", "+KTCP_DATA", "+KTCP_NOTIF", "+CTZV", "+CGEV", "RING"),
	BootMessages:  []string{"+KSUP: 0"},
	BootTime:      4 * time.Second,                                           // zephyr: four AT, a second apart
	Setup:         []string{"+KSLEEP=2", "+CPSMS=0", "+CEDRXS=0", "+WPPP=0"}, // zephyr: awake, and PPP without a name
	Multiplexer: &Multiplexer{
		Command:        "+CMUX=0,0,5,127", // zephyr
		FrameSize:      127,
		Settle:         muxSettle,
		CommandChannel: 1,
		DataChannel:    2,
	},
}
