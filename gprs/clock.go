package gprs

import (
	"strconv"
	"strings"
	"time"
)

// NetworkTime is a time that a modem told, checked to be possible.
type NetworkTime struct {
	// Time is the moment, in a zone that has the offset the modem told, or in
	// UTC if it told none.
	Time time.Time
	// ZoneKnown says that the modem told an offset. Without one the time is
	// local time of an unknown place.
	ZoneKnown bool
	// Step is how far the modem's clock moved against the host's monotonic
	// clock since it was read before: near 0 for a clock that runs on, large
	// when somebody set it. Zero for the first reading.
	Step time.Duration
}

// ClockWindow is the span in which a time is believed. Modems that have not
// heard the network's time yet show 1980, 2004, 2080 or their build day.
type ClockWindow struct {
	// NotBefore is the earliest time that is believed; zero means the start
	// of 2024, before which this library did not exist.
	NotBefore time.Time
	// NotAfter is the latest; zero means the end of 2059.
	NotAfter time.Time
}

func (w ClockWindow) contains(t time.Time) bool {
	from, to := w.NotBefore, w.NotAfter
	if from.IsZero() {
		from = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if to.IsZero() {
		to = time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return !t.Before(from) && t.Before(to)
}

// ClockForm says what the digits of a modem's time mean.
type ClockForm uint8

// Meanings of the digits. The standard has local time (3GPP TS 27.007 clause
// 8.15), which most modems and networks follow.
const (
	ClockLocal ClockForm = iota // local time, the offset says of which zone
	ClockUTC                    // UTC, the offset is told beside it
)

// ParseClock reads a line that tells the time: the answer to AT+CCLK?, or one
// of the notifications *PSUTTZ (SIM800, UTC), +CTZE, +QNITZ, +QLTS, +NITZ,
// ^NWTIME. form says how the digits of all but *PSUTTZ are meant; a time
// outside the window and an offset outside -12 to +14 hours are errors.
func ParseClock(line string, form ClockForm, window ClockWindow) (NetworkTime, error) {
	name, f := splitLine(line)
	switch name {
	case "*PSUTTZ": // year,month,day,hour,minute,second,"zone",dst
		if len(f) < 7 {
			return NetworkTime{}, parseError(line, "too short for a time")
		}
		date := f[0].text + "/" + f[1].text + "/" + f[2].text
		clock := f[3].text + ":" + f[4].text + ":" + f[5].text
		return makeTime(line, date, clock, f[6].text, ClockUTC, window)
	case "+CTZE": // "zone",dst,"date,time" in local time: 3GPP TS 27.007 clause 8.41
		date, clock, _ := strings.Cut(fieldAt(f, 2).text, ",")
		return makeTime(line, date, clock, fieldAt(f, 0).text, ClockLocal, window)
	case "+CCLK", "+QNITZ", "+QLTS", "+NITZ", "^NWTIME":
		return parseStamp(line, strings.TrimSpace(line[len(name)+1:]), form, window)
	}
	return NetworkTime{}, parseError(line, "does not tell the time")
}

// parseStamp reads "yy/MM/dd,hh:mm:ss±zz" with what some modems put behind it
// (",dst"), in quotes or not.
func parseStamp(line, s string, form ClockForm, window ClockWindow) (NetworkTime, error) {
	s = strings.ReplaceAll(s, `"`, "")
	date, rest, ok := strings.Cut(s, ",")
	if !ok {
		return NetworkTime{}, parseError(line, "no comma between date and time")
	}
	rest, _, _ = strings.Cut(rest, ",")
	clock, zone := rest, ""
	if n := strings.IndexAny(rest, "+-"); n >= 0 {
		clock, zone = rest[:n], rest[n:]
	}
	return makeTime(line, date, clock, zone, form, window)
}

// makeTime puts the parts together and checks each.
func makeTime(line, date, clock, zone string, form ClockForm, window ClockWindow) (NetworkTime, error) {
	d, okDate := threeNumbers(date, "/")
	c, okClock := threeNumbers(clock, ":")
	if !okDate || !okClock || d[1] < 1 || d[1] > 12 || d[2] < 1 || d[2] > 31 || c[0] > 23 || c[1] > 59 || c[2] > 60 {
		return NetworkTime{}, parseError(line, "not a date and a time")
	}
	if d[0] < 100 {
		d[0] += 2000
	}
	if time.Date(d[0], time.Month(d[1]), d[2], 0, 0, 0, 0, time.UTC).Day() != d[2] {
		return NetworkTime{}, parseError(line, "no such day")
	}
	quarters, known, err := parseZone(line, zone)
	if err != nil {
		return NetworkTime{}, err
	}
	place := time.UTC
	if known {
		place = time.FixedZone("", quarters*15*60)
	}
	in := place
	if form == ClockUTC {
		in = time.UTC
	}
	t := time.Date(d[0], time.Month(d[1]), d[2], c[0], c[1], c[2], 0, in).In(place)
	if !window.contains(t) {
		return NetworkTime{}, parseError(line, "the clock was never set: the time is outside what is believed")
	}
	return NetworkTime{Time: t, ZoneKnown: known}, nil
}

// parseZone reads quarters of an hour. 3GPP TS 27.007 clause 8.15 has -47 to
// +48, real zones go from -48 to +56.
func parseZone(line, zone string) (quarters int, known bool, err error) {
	if zone == "" {
		return 0, false, nil
	}
	n, convErr := strconv.Atoi(zone)
	if convErr != nil || len(zone) > 4 || n < -48 || n > 56 {
		return 0, false, parseError(line, "the zone is outside -48 to +56 quarters of an hour")
	}
	return n, true, nil
}

func threeNumbers(s, separator string) (n [3]int, ok bool) {
	parts := strings.Split(s, separator)
	if len(parts) != 3 {
		return n, false
	}
	for i, p := range parts {
		if !isDigits(p) || len(p) > 4 {
			return n, false
		}
		n[i], _ = strconv.Atoi(p)
	}
	return n, true
}
