package tpdu

import "time"

// ValidityFormat is TP-VPF (3GPP TS 23.040 clause 9.2.3.3).
type ValidityFormat byte

// The validity formats, with the values of the first octet's bits 4 and 3.
const (
	NoValidity       ValidityFormat = 0 // the network's default, often days
	EnhancedValidity ValidityFormat = 1
	RelativeValidity ValidityFormat = 2
	AbsoluteValidity ValidityFormat = 3
)

// Validity is TP-VP, how long the service centre keeps trying (clause
// 9.2.3.12). The zero value is absent.
type Validity struct {
	Format ValidityFormat
	// Octets are as sent: one for a relative validity, otherwise seven.
	Octets [7]byte
}

const week = 7 * 24 * time.Hour

// Relative returns the shortest relative validity that is not below d (clause
// 9.2.3.12.1): steps of 5 minutes up to 12 hours, of 30 minutes up to a day,
// of a day up to 30, of a week up to 63. Below 5 minutes it is 5 minutes,
// above 63 weeks 63 weeks.
func Relative(d time.Duration) Validity {
	v := Validity{Format: RelativeValidity}
	v.Octets[0] = relativeOctet(d)
	return v
}

func relativeOctet(d time.Duration) byte {
	const day = 24 * time.Hour
	up := func(d, step time.Duration) int { return int((d + step - 1) / step) }
	switch {
	case d <= 5*time.Minute:
		return 0
	case d <= 12*time.Hour:
		return byte(up(d, 5*time.Minute) - 1)
	case d <= day:
		return byte(143 + up(d-12*time.Hour, 30*time.Minute))
	case d <= 30*day:
		return byte(166 + up(d, day))
	case d <= 63*week:
		return byte(192 + max(5, up(d, week)))
	}
	return 255
}

func relativeDuration(b byte) time.Duration {
	n := time.Duration(b)
	switch {
	case b <= 143:
		return (n + 1) * 5 * time.Minute
	case b <= 167:
		return 12*time.Hour + (n-143)*30*time.Minute
	case b <= 196:
		return (n - 166) * 24 * time.Hour
	}
	return (n - 192) * week
}

// Until returns the absolute validity that ends at t (clause 9.2.3.12.2).
func Until(t time.Time) Validity {
	return Validity{Format: AbsoluteValidity, Octets: NewTimestamp(t)}
}

// Enhanced returns an enhanced validity (clause 9.2.3.12.3). Up to 255 s it is
// sent in seconds; up to 99:59:59 as hours, minutes and seconds; above
// as a relative period, rounded up as by [Relative]. Zero or less leaves the period out.
// singleShot asks for one try only.
func Enhanced(d time.Duration, singleShot bool) Validity {
	v := Validity{Format: EnhancedValidity}
	secs := int((d + time.Second - 1) / time.Second)
	switch {
	case d <= 0:
		v.Octets[0] = enhancedNone
	case secs <= 255:
		v.Octets[0], v.Octets[1] = enhancedSeconds, byte(secs)
	case secs < 100*3600:
		v.Octets[0] = enhancedClock
		v.Octets[1], v.Octets[2], v.Octets[3] = swapped(secs/3600), swapped(secs/60%60), swapped(secs%60)
	default:
		v.Octets[0], v.Octets[1] = enhancedRelative, relativeOctet(d)
	}
	if singleShot {
		v.Octets[0] |= enhancedSingleShot
	}
	return v
}

// The functionality indicator of an enhanced validity.
const (
	enhancedNone       = 0
	enhancedRelative   = 1
	enhancedSeconds    = 2
	enhancedClock      = 3
	enhancedFormat     = 0x07
	enhancedSingleShot = 0x40
	enhancedMore       = 0x80 // another functionality octet follows
)

// SingleShot reports whether the service centre is to try once only.
func (v Validity) SingleShot() bool {
	return v.Format == EnhancedValidity && v.Octets[0]&enhancedSingleShot != 0
}

// Duration returns the period of a relative or enhanced validity; ok is false
// for the others, and for an enhanced one without a period or with a form that
// the standard reserves.
func (v Validity) Duration() (d time.Duration, ok bool) {
	switch v.Format {
	case RelativeValidity:
		return relativeDuration(v.Octets[0]), true
	case EnhancedValidity:
		return v.enhancedDuration()
	}
	return 0, false
}

func (v Validity) enhancedDuration() (time.Duration, bool) {
	at := 1
	if v.Octets[0]&enhancedMore != 0 {
		at = 2 // clause 9.2.3.12.3: the extension octet comes in between
	}
	switch v.Octets[0] & enhancedFormat {
	case enhancedRelative:
		return relativeDuration(v.Octets[at]), true
	case enhancedSeconds:
		return time.Duration(v.Octets[at]) * time.Second, v.Octets[at] > 0
	case enhancedClock:
		h, ok1 := unswapped(v.Octets[at])
		m, ok2 := unswapped(v.Octets[at+1])
		s, ok3 := unswapped(v.Octets[at+2])
		d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
		return d, ok1 && ok2 && ok3
	}
	return 0, false
}

// Time returns the end of an absolute validity; for the other formats the
// error is [ErrMismatch].
func (v Validity) Time() (time.Time, error) {
	if v.Format != AbsoluteValidity {
		return time.Time{}, &Error{Offset: -1, Field: "TP-VP", Err: ErrMismatch}
	}
	return Timestamp(v.Octets).Time()
}

// octets returns how many octets TP-VP takes.
func (f ValidityFormat) octets() int {
	switch f {
	case NoValidity:
		return 0
	case RelativeValidity:
		return 1
	}
	return 7
}
