package profile

import (
	"time"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
	"github.com/telemodem/telemodem/sms"
)

// EC25 is Quectel's LTE family, EC2x, EG9x and EG2x-G. Source: Quectel
// EC2x&EG9x&EG2x-G&EM05 Series AT Commands Manual V2.0, unless another is named.
var EC25 = &Profile{
	Name:          "EC25",
	Identities:    []string{"Quectel", "EC20", "EC21", "EC25", "EG21", "EG25", "EG91", "EG95", "EM05", "EC200", "EG915"},
	Notifications: quectelNotifications,
	BootTime:      12 * time.Second,        // particle quectel_ncp_client.cpp: EG91 from the power key
	EscapeGuard:   1100 * time.Millisecond, // particle: EG91 wants 1,004 ms behind +++
	Setup: []string{
		"+CTZU=3",                // the clock follows the network, in local time
		`+QINDCFG="smsfull",1`,   // +QIND: "smsfull"
		`+QCFG="cmux/urcport",1`, // notifications on DLCI 1
	},
	Multiplexer: &Multiplexer{
		Command:        fullMux, // zephyr modem_cellular.c, EG25
		FrameSize:      127,
		Settle:         muxSettle,
		CommandChannel: 1,
		DataChannel:    2,
	},
	Sockets: socket.Quectel,
	SMS: sms.Quirks{
		Storages:        []string{"ME", "SM"}, // +CPMS: ME is the preset
		IndicationModes: []int{2, 1, 0},       // +CNMI: 0 to 2
	},
	Data: gprs.Quirks{
		RegisterSteps:  quectelRegister,
		SignalCommands: []string{"+QCSQ", "+CESQ", "+CSQ"}, // +QCSQ tells the technology, too
		Tries:          gprs.TriesQPINC,
		ICCIDCommands:  []string{"+QCCID", readICCID},
		Auth:           gprs.AuthQICSGP,
		AttachTimeout:  140 * time.Second, // +CGATT, maximum response time
	},
}

// EG800Q answers NO CARRIER if it is dialled right behind +CFUN=1. Source:
// zephyr modem_cellular.c, EG800Q.
var EG800Q = sibling(EC25, "EG800Q", []string{"EG800"}, func(p *Profile) {
	p.Data.DialPause = 500 * time.Millisecond
})

// quectelNotifications are those of the LTE families; the last one says that the
// modem has switched itself off.
var quectelNotifications = rules("+CPIN", "+QUSIM", "+QIND", "+QIURC", "+QSIMSTAT", "+CTZV", "+CTZE", "+CGEV", "+QTONEDET",
	"+QLWURC", "+QGPSURC", "^DSCI", "MISSED_CALL", "RING", "+CRING", "+CLIP", "POWERED DOWN")

// quectelRegister is what to do against a network that does not take the modem:
// select again, then the radio fully off and on, which helps SIMs of several
// networks more than +CFUN=4 does; then the list of forbidden networks goes.
// Sources: particle quectel_ncp_client.cpp, interveneRegistration; the list is
// EF-FPLMN of 3GPP TS 31.102 clause 4.2.16.
var quectelRegister = [][]string{
	{"+COPS=0,2"},
	{"+CFUN=0,0", "+CFUN=1,0"},
	{`+CRSM=214,28539,0,0,12,"FFFFFFFFFFFFFFFFFFFFFFFF"`, "+COPS=0"},
}
