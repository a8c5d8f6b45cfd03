package profile

import (
	"time"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
	"github.com/telemodem/telemodem/sms"
)

// SARAU2 is u-blox's GSM and UMTS family, SARA-U2 and SARA-G3. Sources: u-blox
// ubxlib cell/src, u_cell_private.c (times), u_cell_mux.c, u_cell_net.c; particle
// sara_ncp_client.cpp.
var SARAU2 = &Profile{
	Name:       "SARA-U2",
	Identities: []string{"SARA-U2", "SARA-G3"},
	Notifications: rules("+CPIN", "+UMWI", "+PBREADY", "+CIEV", "+UUSORD", "+UUSORF", "+UUSOCL", "+UUSOCO", "+UUSOLI",
		"+UUPSDA", "+UUPSDD", "+UUPSMR", "+CSCON", "+CTZV", "+CTZE", "+CGEV", "+UREG", "RING", "+CRING", "+CLIP"),
	BootMessages: []string{"RDY", "+AT: READY"},
	BootTime:     5 * time.Second,       // u_cell_private.c: boot wait
	Pacing:       50 * time.Millisecond, // u_cell_private.c: command gap
	// The greeting is the only sure sign of a restart. That it is RDY here is
	// the choice of FreeRTOS-Cellular-Interface, SARA-R4 port.
	Setup:    []string{`+CSGT=1,"RDY"`, "+CTZU=1"},
	RadioOff: "+CFUN=0", RadioOn: "+CFUN=1",
	Restart: "+CFUN=15", // with the SIM
	Multiplexer: &Multiplexer{
		Command:        "+CMUX=0,0,,128", // u_cell_mux.c; the speed is left empty
		FrameSize:      128,
		Settle:         muxSettle,              // u_cell_mux.c
		Flush:          200 * time.Millisecond, // u_cell_mux.c: a new channel repeats old notifications
		CommandChannel: 1,
		DataChannel:    2,
	},
	Sockets: socket.UBloxPSD,
	SMS: sms.Quirks{
		IndicationModes: []int{1, 2}, // +CNMI=1,1
		PromptGap:       50 * time.Millisecond,
	},
	Data: gprs.Quirks{
		Domains: []gprs.Domain{gprs.DomainCS, gprs.DomainPS},
		Tries:   gprs.TriesUPINCNT,
		Auth:    gprs.AuthUAUTHREQ,
	},
}

// SARAR4 is u-blox's Cat-M and NB-IoT family, SARA-R410M and SARA-R412M. Sources
// as for SARAU2; SARA-R4/N4 Series AT Commands Manual, UBX-17003787. Its second
// channel accepts commands only after the first was used.
var SARAR4 = sibling(SARAU2, "SARA-R4", []string{"SARA-R4", "SARA-N4"}, func(p *Profile) {
	p.BootTime = 6 * time.Second
	p.Sockets = socket.UBlox
	p.Pacing = 100 * time.Millisecond
	p.RadioOff = "+CFUN=4"
	p.Setup = append(p.Setup[:len(p.Setup):len(p.Setup)], "+CPSMS=0") // ubxlib: power saving returns with an MNO profile
	p.Data.Domains = nil
	p.Data.Auth = gprs.AuthCGAUTHReversed // UBX-17003787, +CGAUTH
	p.Data.AttachTimeout = 90 * time.Second
})

// SARAR422 is the SARA-R422, quicker than the other R4. Sources as for SARAR4.
var SARAR422 = sibling(SARAR4, "SARA-R422", []string{"SARA-R422"}, func(p *Profile) {
	p.BootTime = 5 * time.Second
	p.Pacing = 20 * time.Millisecond
})

// SARAR5 is u-blox's SARA-R5. Sources as for SARAU2.
var SARAR5 = sibling(SARAR4, "SARA-R5", []string{"u-blox", "SARA-R5"}, func(p *Profile) {
	p.Pacing = 20 * time.Millisecond
	p.Data.Auth = gprs.AuthUAUTHREQ
})

// LARAR6 is u-blox's LARA-R6. Sources as for SARAU2; zephyr modem_cellular.c:
// N1 of 127 gives frames with a wrong FCS, its own 31 works.
var LARAR6 = sibling(SARAR5, "LARA-R6", []string{"LARA-R6"}, func(p *Profile) {
	p.BootTime = 10 * time.Second
	p.Multiplexer = shortMux(31, 1, 2)
	p.Multiplexer.Flush = 200 * time.Millisecond
	p.Data.Auth = gprs.AuthCGAUTHReversed // ubxlib u_cell_net.c
})

// LENAR8 is u-blox's LENA-R8, which answers +CREG? without <n>. Sources as for
// SARAU2.
var LENAR8 = sibling(SARAR5, "LENA-R8", []string{"LENA-R8"}, func(p *Profile) {
	p.BootTime = 5 * time.Second
	p.Restart = "+CFUN=16"
	p.Sockets = socket.Dialect{} // not tried: it resolves names by another line
	p.Data.PlainRegistration = true
})
