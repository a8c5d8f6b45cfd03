package gprs

import (
	"fmt"
	"strings"
	"time"
)

// Level is a measured level in dBm or dB. Its zero value is unknown, which is
// not the same as 0 dBm.
type Level struct {
	// DB is the value; it means something only if Known.
	DB    float64
	Known bool
}

// String gives the value with one decimal, or "unknown".
func (l Level) String() string {
	if !l.Known {
		return "unknown"
	}
	return fmt.Sprintf("%.1f", l.DB)
}

// Signal is what the modem last said of the radio signal.
type Signal struct {
	// RSSI is the received power, dBm.
	RSSI Level
	// RSRP is the power of the reference signals in LTE and NR; in UMTS it
	// holds the RSCP. dBm.
	RSRP Level
	// RSRQ is their quality in LTE and NR; in UMTS it holds Ec/No. dB.
	RSRQ Level
	// SINR is signal to interference and noise, dB.
	SINR Level
	// Percent is the strength as a share of full, for forms that tell bars and
	// no level (^HRSSILVL, ^HDRCSQ); 0 if not told.
	Percent int
	// Technology is told by some forms only.
	Technology Technology
	// At is when the first of these values was received; zero if none was.
	At time.Time
}

// Age is how old the values are at now; negative if there are none.
func (s Signal) Age(now time.Time) time.Duration {
	if s.At.IsZero() {
		return -1
	}
	return now.Sub(s.At)
}

// known tells whether any of the levels is.
func (s Signal) known() bool {
	return s.RSSI.Known || s.RSRP.Known || s.RSRQ.Known || s.SINR.Known || s.Percent > 0
}

// fill takes from o the levels that s lacks.
func (s *Signal) fill(o Signal) {
	for _, p := range [...]struct{ to, from *Level }{{&s.RSSI, &o.RSSI}, {&s.RSRP, &o.RSRP}, {&s.RSRQ, &o.RSRQ}, {&s.SINR, &o.SINR}} {
		if !p.to.Known {
			*p.to = *p.from
		}
	}
	if s.Technology == TechnologyUnknown {
		s.Technology = o.Technology
	}
	if s.Percent == 0 {
		s.Percent = o.Percent
	}
}

// CSQScale is how a modem counts <rssi>.
type CSQScale uint8

// Scales of <rssi>.
const (
	// CSQStandard is 3GPP TS 27.007 clause 8.5: 0 is -113 dBm or less, each step 2 dB.
	CSQStandard CSQScale = iota
	// CSQSIM800 is that of SIM800 Series AT Command Manual V1.12 clause 3.2.21:
	// 0 is -115, 1 is -111, 2 to 30 are -110 to -54, 31 is -52.
	CSQSIM800
)

// level gives n in dBm. 99 and whatever the standard does not name is unknown.
func (s CSQScale) level(n int) Level {
	switch {
	case n < 0 || n > 31 && (n < 100 || n > 191):
		return Level{}
	case n >= 100: // TD-SCDMA RSCP (Quectel EC2x manual V2.0, AT+CSQ): 100 is -116
		return Level{DB: float64(n - 216), Known: true}
	case s == CSQSIM800 && n == 0:
		return Level{DB: -115, Known: true}
	case s == CSQSIM800 && n == 31:
		return Level{DB: -52, Known: true}
	case s == CSQSIM800 && n >= 2:
		return Level{DB: float64(2*n - 114), Known: true}
	}
	return Level{DB: float64(2*n - 113), Known: true}
}

// ParseSignal reads a line that tells of the signal, asked for or not:
// +CSQ and +CSQN, +CESQ with or without the fields of NR, +QCSQ and +QIND: "csq"
// of Quectel, ^HCSQ and ^RSSI of Huawei, and of CDMA modems ^HDRRSSI and ^CRSSI
// (dBm), ^HRSSILVL and ^RSSILVL (bars) and ^HDRCSQ.
// ok is false if the line is none of these. Values that say unknown, or that
// are outside their scale, are unknown in the result.
func ParseSignal(line string, scale CSQScale) (s Signal, ok bool) {
	name, f := splitLine(line)
	if len(f) == 0 || f[0].list {
		return Signal{}, false
	}
	switch name {
	case "+CSQ", "+CSQN", "^RSSI":
		return parseCSQ(f[0], scale)
	case "+QIND":
		if f[0].text == "csq" {
			return parseCSQ(fieldAt(f, 1), scale)
		}
		return Signal{}, false
	case "+CESQ":
		return parseCESQ(f), len(f) >= 6
	case "+QCSQ":
		return parseQCSQ(f), true
	case "^HCSQ":
		return parseHCSQ(f), true
	case "^CRSSI", "^HDRRSSI":
		s, ok = parseCSQ(f[0], CSQStandard)
		s.Technology = cdmaTechnology(name)
		return s, ok
	case "^RSSILVL", "^HRSSILVL", "^HDRCSQ":
		return parseBars(name, f[0])
	}
	return Signal{}, false
}

func parseCSQ(f field, scale CSQScale) (Signal, bool) {
	n, ok := f.decimal()
	return Signal{RSSI: scale.level(n)}, ok
}

// scaled gives lowest + n*step for an n from 0 to highest.
func scaled(f field, highest int, lowest, step float64) Level {
	n, ok := f.number()
	if !ok || n < 0 || n > highest {
		return Level{}
	}
	return Level{DB: lowest + float64(n)*step, Known: true}
}

// parseCESQ reads 3GPP TS 27.007 clause 8.69.
func parseCESQ(f []field) Signal {
	s := Signal{
		RSSI: scaled(fieldAt(f, 0), 63, -111, 1),   // rxlev
		RSRP: scaled(fieldAt(f, 2), 96, -121, 1),   // RSCP
		RSRQ: scaled(fieldAt(f, 3), 49, -24.5, .5), // Ec/No
	}
	if s.RSRP.Known {
		s.Technology = TechnologyUTRAN
	}
	if rsrp := scaled(fieldAt(f, 5), 97, -141, 1); rsrp.Known {
		s.RSRP, s.RSRQ = rsrp, scaled(fieldAt(f, 4), 34, -20, .5)
		s.Technology = TechnologyLTE
	}
	if rsrp := scaled(fieldAt(f, 7), 126, -157, 1); rsrp.Known {
		s.RSRP, s.RSRQ = rsrp, scaled(fieldAt(f, 6), 126, -43.5, .5)
		s.SINR = scaled(fieldAt(f, 8), 126, -23.5, .5)
		s.Technology = TechnologyNR
	}
	return s
}

// dbm reads a level that is sent as it is. One above 0 cannot be a received
// power, and below -200 there is none: both are fillers (an EC25 sends 48).
func dbm(f field) Level {
	n, ok := f.number()
	if !ok || n >= 0 || n < -200 {
		return Level{}
	}
	return Level{DB: float64(n), Known: true}
}

// parseQCSQ reads +QCSQ: "<sysmode>"[,…] (Quectel EC2x manual V2.0, AT+QCSQ).
func parseQCSQ(f []field) Signal {
	s := Signal{Technology: technologyByName(f[0].text)}
	switch s.Technology {
	case TechnologyGSM, TechnologyEGPRS:
		s.RSSI = dbm(fieldAt(f, 1))
	case TechnologyUTRAN:
		s.RSSI, s.RSRP, s.RSRQ = dbm(fieldAt(f, 1)), dbm(fieldAt(f, 2)), dbm(fieldAt(f, 3))
	case TechnologyLTE, TechnologyLTEM, TechnologyNBIoT:
		s.RSSI, s.RSRP, s.RSRQ = dbm(fieldAt(f, 1)), dbm(fieldAt(f, 2)), dbm(fieldAt(f, 4))
		s.SINR = scaled(fieldAt(f, 3), 250, -20, .2)
	}
	return s
}

// parseHCSQ reads ^HCSQ: "<sysmode>"[,…]: each value counts steps from the
// foot of its scale, 255 is unknown (Huawei ME909s AT manual, ^HCSQ).
func parseHCSQ(f []field) Signal {
	s := Signal{Technology: technologyByName(f[0].text)}
	if s.Technology == TechnologyUnknown {
		return s
	}
	s.RSSI = scaled(fieldAt(f, 1), 96, -121, 1)
	switch s.Technology {
	case TechnologyUTRAN:
		s.RSRP, s.RSRQ = scaled(fieldAt(f, 2), 96, -121, 1), scaled(fieldAt(f, 3), 65, -32.5, .5)
	case TechnologyLTE:
		s.RSRP, s.SINR = scaled(fieldAt(f, 2), 97, -141, 1), scaled(fieldAt(f, 3), 251, -20.2, .2)
		s.RSRQ = scaled(fieldAt(f, 4), 34, -20, .5)
	}
	return s
}

// cdmaTechnology is what the form of a CDMA modem speaks of: names with H of
// EV-DO (HDR), the others of 1x. Huawei's modems for UMTS have ^RSSILVL too.
func cdmaTechnology(name string) Technology {
	switch name {
	case "^CRSSI":
		return TechnologyCDMA
	case "^RSSILVL":
		return TechnologyUnknown
	}
	return TechnologyEVDO
}

// parseBars reads a strength in steps of 20 for each of up to four bars. The
// HUAWEI MC509 AT Command Interface Specification (issue 01, clause 6.8) has 99
// for five bars; what ^HDRCSQ means by it no manual at hand tells, so there it
// is unknown, as are values between the steps: some modems count it as +CSQ. No
// bar is a number of dBm, so no level is made up.
func parseBars(name string, f field) (Signal, bool) {
	n, ok := f.decimal()
	s := Signal{Technology: cdmaTechnology(name)}
	switch {
	case n > 0 && n <= 80 && n%20 == 0:
		s.Percent = n
	case n == 99 && name != "^HDRCSQ":
		s.Percent = 100
	}
	return s, ok
}

// signalPrefixes are the notifications that ParseSignal knows, but for those
// of bars that come beside one of a level: less would take the place of more.
var signalPrefixes = []string{"+CSQ", "+CSQN", "^RSSI", "+QIND", "+CESQ", "+QCSQ", "^HCSQ",
	"^CRSSI", "^HDRRSSI", "^HDRCSQ"}

// signalPrefix gives the name that begins the answer to a signal command:
// "+CSQ" for "+CSQ", "^HCSQ" for "^HCSQ?".
func signalPrefix(command string) string {
	if n := strings.IndexAny(command, "?="); n > 0 {
		return command[:n]
	}
	return command
}
