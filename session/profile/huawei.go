package profile

import (
	"time"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/sms"
)

// Huawei is Huawei's sticks and modules with serial ports: E173, E1752, K3715,
// ME909. Sources: ModemManager plugins/huawei; oFono plugins/huawei.c;
// asterisk-chan-dongle at_response.c and BUGS.
var Huawei = &Profile{
	Name:       "Huawei",
	Identities: []string{"huawei", "E173", "E1752", "K3715", "ME909"},
	Notifications: rules("^BOOT", "^RSSI", "^RSSILVL", "^HRSSILVL", "^MODE", "^DSFLOWRPT", "^HCSQ", "^SRVST", "^SIMST", "^STIN",
		"^NDISSTAT", "^NDISEND", "^PDPDEACT", "^NWTIME", "^ORIG", "^CONF", "^CONN", "^CEND", "^CSNR", "^SMMEMFULL",
		"^LTERSRP", "^EONS", "^LWURC", "^DDTMF", "+CUSATP", "RING", "+CRING", "+CLIP"), // ModemManager, chan_dongle
	Setup: []string{
		"^CURC=0",     // chan_dongle: else ^BOOT and ^RSSI come in the midst of answers
		`+CSCS="GSM"`, // oFono: under UCS2 the centre's number comes in hexadecimal
	},
	RadioOff: "+CFUN=7", RadioOn: "+CFUN=1", // ModemManager plugins/huawei
	Restart: "^RESET",
	SMS: sms.Quirks{
		Storages:        []string{"SM", "ME"}, // chan_dongle
		IndicationModes: []int{1, 2, 0},       // oFono: 1 although 2 is offered
	},
	Data: gprs.Quirks{
		SignalCommands: []string{"^HCSQ?", "+CSQ"},
		Tries:          gprs.TriesHuawei,
		SIMSettle:      3 * time.Second, // chan_dongle: else the firmware may restart
		ICCIDCommands:  []string{"^ICCID?", readICCID},
		NoAuth:         true, // PPP carries user and password
	},
}

// E3372 is Huawei's NCM sticks, which take the credentials from a command.
// Source: Azq2/openwrt-usbmodem, HuaweiNcm.
var E3372 = sibling(Huawei, "E3372", []string{"E3372"}, func(p *Profile) {
	p.Data.Auth, p.Data.NoAuth = gprs.AuthAUTHDATA, false
})
