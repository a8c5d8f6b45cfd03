package profile

import (
	"time"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
	"github.com/telemodem/telemodem/sms"
)

// SIM7600 is SIMCom's LTE family, SIM7500 and SIM7600. Sources: SIM7500_SIM7600
// Series AT Command Manual; TinyGSM TinyGsmClientSIM7600.h; ModemManager
// plugins/simtech; espressif/esp-protocols esp_modem.
var SIM7600 = &Profile{
	Name: "SIM7600",
	// The maker writes its name so from LTE on; the GPRS family says SIMCOM_Ltd.
	Identities: []string{"SIMCOM INCORPORATED", "SIMCOM_SIM7600", "SIMCOM_SIM7500", "SIM7600", "SIM7500"},
	Notifications: rules("+CPIN", "SMS DONE", "PB DONE", "+NITZ", "+CTZV", "+CNSMOD", "+CRING", "RING", "+CLIP", "+RXDTMF",
		"VOICE CALL", "MISSED_CALL", "+CIPEVENT", "+IPCLOSE", "+CGEV"), // ModemManager plugins/simtech, 7600 TCPIP note
	BootTime: 24 * time.Second,               // TinyGSM, after +CRESET
	Setup:    []string{"+CTZR=0", "+CTZU=1"}, // TinyGSM init: the clock follows the network
	RadioOff: "+CFUN=4", RadioOn: "+CFUN=1",  // SIM7600 manual, +CFUN
	Restart:     "+CRESET",                                // SIM7600 manual, +CRESET
	Multiplexer: shortMux(31, 1, 2),                       // esp_modem; 31 is the default of 3GPP TS 27.007 clause 5.7
	SMS:         sms.Quirks{IndicationModes: []int{2, 1}}, // +CNMI=2,1
	Sockets:     socket.SIM7600,
	Data: gprs.Quirks{
		Domains: []gprs.Domain{gprs.DomainCS, gprs.DomainPS, gprs.DomainEPS},
		Tries:   gprs.TriesSPIC,
		// +CICCID answers +ICCID:.
		ICCIDCommands: []string{"+CICCID", "+CCID", readICCID},
		Auth:          gprs.AuthCGAUTHReversed, // TinyGSM; some firmware has it the other way
	},
}

// SIM5360 is SIMCom's UMTS family. Source: TinyGSM TinyGsmClientSIM5360.h.
var SIM5360 = sibling(SIM7600, "SIM5360", []string{"SIMCOM_SIM5360", "SIM5360"}, func(p *Profile) {
	p.Restart = "+REBOOT"
	p.Sockets = socket.Dialect{} // not tried
	p.Data.Domains = []gprs.Domain{gprs.DomainCS, gprs.DomainPS}
	p.Data.Auth = gprs.AuthCGAUTH // the user first here
})

// SIM7000 is SIMCom's Cat-M and NB-IoT family: SIM7000, SIM7070, SIM7080.
// Sources: TinyGSM TinyGsmClientSIM7000.h; zephyr modem_cellular.c, whose script
// for the SIM7080 begins with four AT in 100 ms steps, as the first is lost.
var SIM7000 = sibling(SIM7600, "SIM7000", []string{"SIMCOM_SIM70", "SIM7000", "SIM7070", "SIM7080"}, func(p *Profile) {
	p.BootTime = 15 * time.Second // 10 to 15 s from the power key to the UART
	p.Setup = nil
	p.Sockets = socket.Dialect{} // +CAOPEN, which no dialect speaks
	p.Restart = ""               // zephyr switches by +CFUN=4 as well; +CRESET is the others'
	p.Multiplexer = &Multiplexer{
		Command:        "+CMUX=0,0,5,127", // zephyr, SIM7080
		FrameSize:      127,
		Settle:         300 * time.Millisecond, // zephyr
		CommandChannel: 1,
		DataChannel:    2,
	}
	p.Data.Domains = nil
	p.Data.Auth = "" // the order is that of the standard, where it has the command
})

// A76xx is SIMCom's LTE Cat 1 family: A7670, A7672, SIM7670. Sources: zephyr
// modem_cellular.c; espressif/esp-protocols esp_modem, Kconfig and issue 669.
var A76xx = sibling(SIM7600, "A76xx", []string{"INCORPORATED", "A76", "SIMCOM_A76", "SIM7670"}, func(p *Profile) {
	p.BootTime = 20 * time.Second // zephyr
	p.Sockets = socket.Dialect{}  // not tried
	p.Multiplexer = &Multiplexer{
		Command:        "+CMUX=0,0,5,127", // zephyr
		FrameSize:      127,
		Settle:         muxSettle,
		LongLength:     true, // esp_modem, Kconfig
		CommandChannel: 1,
		DataChannel:    2,
	}
	p.Data.Auth = "" // the order is that of the standard
})

// shortMux is +CMUX=0 on a modem whose own N1 is size.
func shortMux(size, command, data int) *Multiplexer {
	return &Multiplexer{Command: "+CMUX=0", FrameSize: size, Settle: muxSettle, CommandChannel: command, DataChannel: data}
}

// readICCID reads EF-ICCID: 3GPP TS 31.102 annex, file 2FE2.
const readICCID = "+CRSM=176,12258,0,0,10"
