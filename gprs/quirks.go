package gprs

import (
	"strconv"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// Quirks is what differs between modems, as plain data that a profile fills
// in. The zero value, and a nil *Quirks, is a modem that keeps to the standard.
//
// Templates hold {cid}, {type}, {auth}, {apn}, {user} and {password}; the last
// three are put in between quotes.
type Quirks struct {
	// Domains are the registrations that the modem has; nil tries all four
	// and leaves out what it refuses.
	Domains []Domain
	// PlainRegistration says that +CREG? is answered without <n> (LENA-R8),
	// so that answer and notification look alike.
	PlainRegistration bool
	// RegisterSteps are tried one after the other by Register when the
	// network does not take the modem; each is a list of commands. Nil means
	// an automatic selection, a radio cycle, and a cleared list of forbidden
	// networks.
	RegisterSteps [][]string
	// RadioOff and RadioOn are the radio cycle where RegisterSteps is nil; empty
	// means "+CFUN=4" and "+CFUN=1". A session takes them from its profile.
	RadioOff, RadioOn string

	// CSQ is the scale of +CSQ.
	CSQ CSQScale
	// SignalCommands are asked for the signal, the most telling first, until
	// one tells something. Nil means +CESQ and +CSQ.
	SignalCommands []string

	// Reports are commands that switch notifications on, beyond those for
	// registration; a refusal is no error. Each entry is a list of which the
	// first one that is accepted does. Nil means +CGEREP alone.
	Reports [][]string

	// Tries is the way to read the PIN tries left; zero finds it out.
	Tries TriesQuery
	// NoTries says that the modem cannot tell. Then each PIN is sent once at
	// most, and never after another one was refused.
	NoTries bool
	// SIMSettle is waited after a PIN was accepted (Huawei: 3 s). Zero means not at all.
	SIMSettle time.Duration
	// ICCIDCommands are tried in order for the card's number. Nil means
	// +CCID, +QCCID, +CICCID, ^ICCID? and the file itself by +CRSM.
	ICCIDCommands []string

	// Clock says what the digits of +CCLK mean.
	Clock ClockForm
	// ClockCommand reads the clock; empty means "+CCLK?".
	ClockCommand string

	// Auth is the template of the command for user and password; empty means
	// AuthCGAUTH. NoAuth: there is none, only PPP carries them.
	Auth   string
	NoAuth bool
	// NoDefine says that +CGDCONT is not to be sent (CDMA).
	NoDefine bool
	// NoAttach says that the modem attaches by itself when it dials, and
	// that +CGATT is not to be sent.
	NoAttach bool
	// AttachTimeout bounds +CGATT=1; zero means 140 s, the longest of any maker.
	AttachTimeout time.Duration
	// Dial is the template of the dial command; empty means DialContext99.
	Dial string
	// DialTimeout bounds the wait for CONNECT; zero means 180 s.
	DialTimeout time.Duration
	// DialPause is waited before dialling, for modems that answer NO CARRIER
	// if dialled right after they attached (EG800Q: 500 ms).
	DialPause time.Duration

	// CDMA are commands that a CDMA modem is asked for its registration with,
	// in place of +CREG: "+CSS?", "+CAD?", "^SYSINFO". Their answers fill
	// the view: the packet domain holds them.
	CDMA []string
}

// Templates for Quirks.Auth.
const (
	AuthCGAUTH         = "+CGAUTH={cid},{auth},{user},{password}"              // 3GPP TS 27.007 clause 10.1.31
	AuthCGAUTHReversed = "+CGAUTH={cid},{auth},{password},{user}"              // SARA-R4, LARA-R6, some SIM7600
	AuthQICSGP         = "+QICSGP={cid},{type},{apn},{user},{password},{auth}" // Quectel
	AuthUAUTHREQ       = "+UAUTHREQ={cid},{auth},{user},{password}"            // u-blox
	AuthAUTHDATA       = `^AUTHDATA={cid},{auth},"",{password},{user}`         // Huawei
	AuthSGAUTH         = "^SGAUTH={cid},{auth},{user},{password}"              // Cinterion
	AuthQCPDPP         = "$QCPDPP={cid},{auth},{password},{user}"              // Sierra, Qualcomm
)

// Templates for Quirks.Dial.
const (
	DialContext99 = "D*99***{cid}#"       // 3GPP TS 27.007 clause 10.2.1.1
	Dial99        = "D*99#"               // for modems that know no context here
	DialCGDATA    = `+CGDATA="PPP",{cid}` // 3GPP TS 27.007 clause 10.1.12
	Dial777       = "D#777"               // CDMA packet data, IS-707-A
)

// or returns q, or the zero Quirks for nil.
func (q *Quirks) or() *Quirks {
	if q == nil {
		return &Quirks{}
	}
	return q
}

func (q *Quirks) domains() []Domain {
	if q.Domains != nil {
		return q.Domains
	}
	return []Domain{DomainCS, DomainPS, DomainEPS, Domain5GS}
}

// clearForbidden overwrites EF-FPLMN with nothing: 3GPP TS 31.102 clause 4.2.16.
const clearForbidden = `+CRSM=214,28539,0,0,12,"FFFFFFFFFFFFFFFFFFFFFFFF"`

func (q *Quirks) registerSteps() [][]string {
	if q.RegisterSteps != nil {
		return q.RegisterSteps
	}
	return [][]string{{"+COPS=0"}, {q.radioOff(), q.radioOn()}, {clearForbidden, "+COPS=0"}}
}

func (q *Quirks) radioOff() string { return orString(q.RadioOff, "+CFUN=4") }
func (q *Quirks) radioOn() string  { return orString(q.RadioOn, "+CFUN=1") }

func (q *Quirks) signalCommands() []string {
	if q.SignalCommands != nil {
		return q.SignalCommands
	}
	return []string{"+CESQ", "+CSQ"}
}

func (q *Quirks) reports() [][]string {
	if q.Reports != nil {
		return q.Reports
	}
	return [][]string{{"+CGEREP=2,1", "+CGEREP=1,0", "+CGEREP=1"}}
}

// readICCID reads EF-ICCID: 3GPP TS 31.102 annex, file 2FE2.
const readICCID = "+CRSM=176,12258,0,0,10"

func (q *Quirks) iccidCommands() []string {
	if q.ICCIDCommands != nil {
		return q.ICCIDCommands
	}
	return []string{"+CCID", "+QCCID", "+CICCID", "^ICCID?", readICCID}
}

func (q *Quirks) clockCommand() string { return orString(q.ClockCommand, "+CCLK?") }
func (q *Quirks) auth() string         { return orString(q.Auth, AuthCGAUTH) }
func (q *Quirks) dial() string         { return orString(q.Dial, DialContext99) }

func (q *Quirks) attachTimeout() time.Duration { return orDuration(q.AttachTimeout, 140*time.Second) }
func (q *Quirks) dialTimeout() time.Duration   { return orDuration(q.DialTimeout, 180*time.Second) }

func orString(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// orDuration returns d, or otherwise for zero.
func orDuration(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// qicsgpTypes are the numbers that {type} stands for.
var qicsgpTypes = map[PDPType]string{IPv4: "1", IPv6: "2", IPv4v6: "3"}

// fillTemplate puts the parameters of a context into a template.
func fillTemplate(template string, c Context) (string, error) {
	pairs := []string{"{cid}", strconv.Itoa(c.id()), "{auth}", strconv.Itoa(int(c.auth())), "{type}", qicsgpTypes[c.pdpType()]}
	for _, p := range [...]struct{ name, value string }{{"{apn}", c.APN}, {"{user}", c.User}, {"{password}", c.Password}} {
		if !strings.Contains(template, p.name) {
			continue
		}
		quoted, err := at.Quote(p.value)
		if err != nil {
			return "", err
		}
		pairs = append(pairs, p.name, quoted)
	}
	return strings.NewReplacer(pairs...).Replace(template), nil
}
