package profile

import (
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/sms"
)

// ZTE is ZTE's sticks. Sources: ModemManager plugins/zte; oFono plugins/zte.c.
var ZTE = &Profile{
	Name:          "ZTE",
	Identities:    []string{"ZTE", "K3565-Z", "M6280"},
	Notifications: rules("+ZUSIMR", "+ZDONR", "+ZPASR", "+ZPSTM", "+ZEND", "+CTZV", "RING", "+CRING", "+CLIP"),
	// +ZUSIMR comes without end until the storages were asked for.
	Setup:    []string{"+CPMS?"},
	RadioOff: "+ZOPRT=6", RadioOn: "+ZOPRT=5",
	SMS: sms.Quirks{IndicationModes: []int{1, 2, 0}}, // oFono drivers/atmodem/sms.c: 1 although 2 is offered
	Data: gprs.Quirks{
		Tries: gprs.TriesZTE,
	},
}
