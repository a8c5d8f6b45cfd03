package profile

import (
	"github.com/telemodem/telemodem/gprs"
)

// M95 is Quectel's GSM family, M95, M66 and MC60, with the UMTS module UC15
// that the same driver knows. Sources: oFono plugins/quectel.c; TinyGSM
// TinyGsmClientM95.h and TinyGsmClientMC60.h.
var M95 = &Profile{
	Name:       "M95",
	Identities: []string{"Quectel_Ltd", "Quectel_M", "M95", "M66", "MC60", "UC15"},
	Notifications: rules("Call Ready", "+CPIN", "+CFUN", "+QNITZ", "+CTZV", "+QIND", "RING", "+CRING", "+CLIP",
		"NORMAL POWER DOWN", "UNDER_VOLTAGE WARNING", "UNDER_VOLTAGE POWER DOWN",
		"OVER_VOLTAGE WARNING", "OVER_VOLTAGE POWER DOWN", "+PDP DEACT"), // oFono plugins/quectel.c
	Setup: []string{"+QNITZ=1"}, // the network's time as +QNITZ
	Multiplexer: &Multiplexer{
		Command:        fullMux, // oFono plugins/quectel.c
		FrameSize:      127,
		Settle:         muxSettle,
		CommandChannel: 1,
		DataChannel:    2,
	},
	Data: gprs.Quirks{
		Domains: []gprs.Domain{gprs.DomainCS, gprs.DomainPS},
		NoAuth:  true, // its +QICSGP has other parameters, for its own stack: PPP carries user and password
	},
}
