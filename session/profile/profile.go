// Package profile holds what differs between modems, as data, with the manual
// or driver that says so beside each value.
//
// # Families
//
// There is one file for each maker's family, and one variable for each modem
// that needs values of its own:
//
//	SIM800                  SIMCom GPRS: SIM800, SIM900
//	SIM7600, SIM5360        SIMCom LTE and UMTS
//	SIM7000                 SIMCom Cat-M and NB-IoT: SIM7000, SIM7070, SIM7080
//	A76xx                   SIMCom LTE Cat 1: A7670, A7672 and their like
//	M95                     Quectel GSM and UMTS: M95, M66, MC60, UC15
//	EC25, EG800Q            Quectel LTE: EC2x, EG9x, EG2x
//	BG9x                    Quectel Cat-M and NB-IoT: BG95, BG96, BG77
//	SARAU2                  u-blox GSM and UMTS: SARA-U2, SARA-G3
//	SARAR4, SARAR422        u-blox Cat-M and NB-IoT
//	SARAR5, LARAR6, LENAR8  u-blox LTE
//	Huawei, E3372           Huawei sticks and modules, serial and NCM
//	Telit                   Telit LE910, ME910, HE910, GL865
//	Sierra, HL78xx          Sierra Wireless cards and modules
//	Cinterion               Siemens, Cinterion, Gemalto, Thales
//	ZTE                     ZTE sticks
//	NRF91                   Nordic nRF91 with the serial modem application
//	CDMA                    CDMA 1X and EV-DO, which dial #777
//	Standard                everything else
//
// # Choosing
//
// [Find] chooses by what the modem answers to +CGMI and +CGMM. Until it has
// answered, [Unidentified] knows the lines that any family says by itself. Who
// knows better copies a profile, changes the copy and gives that to the
// session:
//
//	mine := *profile.EC25
//	mine.SMS.Storages = []string{"SM"}
//
// # Limits
//
// Firmware differs inside a family. So a profile is what a session starts
// from: a set-up command that is refused is no failure, and where a list of
// choices is given the first one that the modem takes is used. Values that
// depend on the wiring of one machine (flow control, which port carries the
// notifications) are in no profile.
//
// Profiles are shared by all sessions and must not be changed in place; read
// so, they may be used by any number of goroutines.
package profile

import (
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
	"github.com/telemodem/telemodem/sms"
)

// Profile is what a session has to know of a family of modems. Its values are
// read only once a session uses it.
type Profile struct {
	// Name is the family's name, as "SIM800".
	Name string
	// Identities are beginnings of the answers to +CGMM, and of +CGMI, that
	// mark the family, compared without regard to case.
	Identities []string

	// Notifications are the family's own unsolicited result codes.
	Notifications []at.NotificationRule
	// BootMessages are the whole lines that tell of a start; nil means the
	// usual ones of at.Config.
	BootMessages []string
	// BootTime is how long the modem may be deaf after a start or a reset: a
	// session that has reset it waits so long for a boot message before it
	// speaks. Zero means not known; a session takes 15 s then.
	BootTime time.Duration
	// Pacing is the least time between a result and the next command; zero
	// means none.
	Pacing time.Duration
	// EscapeGuard is the silence around +++; zero means the usual 1.1 s,
	// negative none.
	EscapeGuard time.Duration

	// NoSIM says that the modem has no SIM to ask for or to open (CDMA).
	NoSIM bool
	// Setup are commands that each start begins with, behind ATE0 and
	// +CMEE=1. A refusal is no failure.
	Setup []string
	// RadioOff and RadioOn switch the radio; empty means "+CFUN=0" and
	// "+CFUN=1". A session switches it off and on where the modem cannot be
	// used or no data call comes up; what it does about a network that does not
	// take the modem is in Data.RegisterSteps.
	RadioOff, RadioOn string
	// Restart starts the modem anew; empty means "+CFUN=1,1". A session does so
	// where the radio's rung did not help, within its budget.
	Restart string

	// Multiplexer tells how to bring up 3GPP TS 27.010 multiplexing; nil
	// means not to use it.
	Multiplexer *Multiplexer

	// Sockets is the dialect of the TCP and UDP sockets inside the modem; the
	// zero value means that none is known.
	Sockets socket.Dialect

	// SMS and Data are the quirks of the layers above.
	SMS  sms.Quirks
	Data gprs.Quirks
}

// Engine returns the configuration of the AT engine for the family.
func (p *Profile) Engine() at.Config {
	return at.Config{
		Notifications: p.Notifications,
		BootMessages:  p.BootMessages,
		Pacing:        p.Pacing,
		EscapeGuard:   p.EscapeGuard,
	}
}

// radioTimeout bounds a switch of the radio: 50 s on ASR1802 sticks by a driver
// for them (Azq2/openwrt-usbmodem, Asr1802), 5 to 30 s on others (ModemManager).
const radioTimeout = time.Minute

// RadioCycle returns the commands that switch the radio off and on.
func (p *Profile) RadioCycle() []at.Command {
	return []at.Command{
		{Text: orText(p.RadioOff, "+CFUN=0"), Timeout: radioTimeout},
		{Text: orText(p.RadioOn, "+CFUN=1"), Timeout: radioTimeout, Reboots: true}, // fault F98: some start anew by it
	}
}

// RestartCommand returns the command that starts the modem anew, without AT.
func (p *Profile) RestartCommand() string { return orText(p.Restart, "+CFUN=1,1") }

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// Standard is a modem that keeps to ITU-T V.250, 3GPP TS 27.007 and 27.005.
var Standard = &Profile{Name: "standard"}

// sibling returns a copy of a profile under another name, with what change
// makes of it.
func sibling(of *Profile, name string, identities []string, change func(*Profile)) *Profile {
	p := *of
	p.Name, p.Identities = name, identities
	if of.Multiplexer != nil {
		own := *of.Multiplexer
		p.Multiplexer = &own
	}
	change(&p)
	return &p
}

// rules makes a rule without a body of each prefix.
func rules(prefixes ...string) []at.NotificationRule {
	list := make([]at.NotificationRule, len(prefixes))
	for i, p := range prefixes {
		list[i].Prefix = p
	}
	return list
}
