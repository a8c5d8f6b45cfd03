package profile

import "github.com/telemodem/telemodem/gprs"

// NRF91 is Nordic's nRF91 with the serial modem application. Sources:
// nrfconnect/ncs-serial-modem doc/app; the names are those in sdk-nrf
// tests/lib/at_parser. Its PPP ends only by LCP.
var NRF91 = &Profile{
	Name:          "nRF91",
	Identities:    []string{"Nordic Semiconductor", "nRF91"},
	Notifications: rules("#XPPP", "#XDATAMODE", "#XAPOLL", "#XSENDNTF", "+CSCON", "+CGEV"),
	BootMessages:  []string{"Ready"},
	RadioOff:      "+CFUN=4", RadioOn: "+CFUN=1", // 0 writes to the flash each time
	Restart:     "#XRESET",
	Multiplexer: shortMux(127, 1, 2), // N1 is fixed
	Data: gprs.Quirks{
		Domains: []gprs.Domain{gprs.DomainEPS}, // it has neither +CREG nor +CGREG
		Dial:    gprs.DialCGDATA,               // and no ATD*99#
	},
}
