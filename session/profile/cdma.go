package profile

import "github.com/telemodem/telemodem/gprs"

// CDMA is modems for CDMA 1X and EV-DO (TIA IS-707-A), which have no SIM in
// 3GPP's sense, no contexts, and messages that are not those of 3GPP TS 27.005.
// The identities are those of the answers that ModemManager's tests hold
// (test-mm-modem-helpers.c), of Huawei's EC169 and Sierra's MC5725. The modem
// says of itself only sometimes that it is of this kind: choose the profile by
// hand where Find does not.
var CDMA = &Profile{
	Name:          "CDMA",
	Identities:    []string{"CDMA", "C-MOTECH", "CDX-650", "Audiovox", "PC5740", "EC121", "EC169", "MC5725"},
	Notifications: rules("^MODE", "^HDRCSQ", "^SYSINFO", "^RSSILVL", "^HRSSILVL", "RING"), // ModemManager plugins/huawei
	NoSIM:         true,
	Data: gprs.Quirks{
		Domains:        []gprs.Domain{},
		SignalCommands: []string{"^HDRCSQ", "+CSQ"},
		Reports:        [][]string{},
		NoTries:        true,
		NoAuth:         true, // PPP carries user and password
		NoDefine:       true,
		NoAttach:       true,
		Dial:           gprs.Dial777,
		CDMA:           []string{"^SYSINFO", "+CSS?", "+CAD?"},
	},
}
