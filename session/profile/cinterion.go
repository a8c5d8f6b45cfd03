package profile

import "github.com/telemodem/telemodem/gprs"

// Cinterion is the modules that Siemens began: MC55, TC65, EHS, PLS, ELS.
// Sources: ModemManager plugins/cinterion; oFono plugins/cinterion.c; gammu
// pull request 1207 for the MC75i, which takes only 1 as the fifth value of
// +CNMI.
var Cinterion = &Profile{
	Name:          "Cinterion",
	Identities:    []string{"Cinterion", "Siemens", "Gemalto", "Thales", "TC65", "MC75i", "EHS", "PLS", "ELS"},
	Notifications: rules("+CIEV", "^SCKS", "^SISR", "^SISW", "^SIS", "^SHUTDOWN", "+CGEV", "RING", "+CRING", "+CLIP"),
	Setup:         []string{"^SCKS=1", `^SIND="psinfo",1`}, // ModemManager: SIM and technology as they change
	RadioOff:      "+CFUN=4", RadioOn: "+CFUN=1",
	Data: gprs.Quirks{
		Tries: gprs.TriesCinterion,
		Auth:  gprs.AuthSGAUTH, // ModemManager; the order depends on the model
	},
}
