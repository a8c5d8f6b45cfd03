package tpdu

import "time"

// Timestamp is a time as TP-SCTS, TP-DT and absolute validity carry it (3GPP
// TS 23.040 clause 9.2.3.11): year, month, day, hour, minute, second and zone
// in swapped semi-octets, the zone in quarters of an hour with its sign in bit
// 3. It is kept as received, since networks send times that are none; Time
// says whether it is one.
type Timestamp [7]byte

// NewTimestamp returns t in its own zone, whose offset is cut to quarters of
// an hour. Years are kept modulo 100.
func NewTimestamp(t time.Time) Timestamp {
	_, offset := t.Zone()
	quarters := max(-79, min(79, offset/(15*60)))
	t = t.In(time.FixedZone("", quarters*15*60))
	zone := swapped(max(quarters, -quarters))
	if quarters < 0 {
		zone |= 0x08
	}
	return Timestamp{
		swapped(t.Year() % 100), swapped(int(t.Month())), swapped(t.Day()),
		swapped(t.Hour()), swapped(t.Minute()), swapped(t.Second()), zone,
	}
}

// Time returns the time in a zone of the time stamp's offset. Years 90 to 99
// are of the twentieth century, before which there were no messages; the
// others of the twenty-first. A time stamp that is no valid date and time, or
// whose zone is no number, gives an *[Error] with [ErrTime].
func (s Timestamp) Time() (time.Time, error) {
	var v [6]int
	for i := range v {
		n, ok := unswapped(s[i])
		if !ok {
			return time.Time{}, &Error{Offset: i, Field: "time stamp", Err: ErrTime}
		}
		v[i] = n
	}
	quarters, ok := unswapped(s[6] &^ 0x08)
	if !ok {
		return time.Time{}, &Error{Offset: 6, Field: "time stamp", Err: ErrTime}
	}
	if s[6]&0x08 != 0 {
		quarters = -quarters
	}
	year := 2000 + v[0]
	if v[0] >= 90 {
		year = 1900 + v[0]
	}
	t := time.Date(year, time.Month(v[1]), v[2], v[3], v[4], v[5], 0, time.FixedZone("", quarters*15*60))
	if int(t.Month()) != v[1] || t.Day() != v[2] || t.Hour() != v[3] || t.Minute() != v[4] || t.Second() != v[5] {
		return time.Time{}, &Error{Offset: 0, Field: "time stamp", Err: ErrTime}
	}
	return t, nil
}

// swapped is two decimal digits as semi-octets, tens in the lower.
func swapped(n int) byte { return byte(n%10<<4 | n/10%10) }

func unswapped(b byte) (int, bool) {
	tens, ones := int(b&0x0f), int(b>>4)
	return tens*10 + ones, tens < 10 && ones < 10
}

func (r *reader) timestamp(s *Timestamp, field string) {
	if octets := r.take(len(s), field); len(octets) == len(s) {
		*s = Timestamp(octets)
	}
}
