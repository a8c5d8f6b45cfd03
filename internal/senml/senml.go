// Package senml is the part of SenML (RFC 8428) that small agents need: packs
// of records with numbers, strings, booleans and octets, in CBOR.
//
// A Pack is what travels; Resolve turns it into records that stand alone, with
// full names and absolute times. Nothing here is shared, so goroutines need no
// lock as long as they do not share a Pack.
package senml

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Limits on what is taken in.
const (
	// MaxRecords bounds the records in a pack.
	MaxRecords = 1024
	// MaxSize bounds the octets of an encoded pack.
	MaxSize = 64 << 10
	// MaxName bounds the octets of a base name and name put together.
	MaxName = 255
)

// version is that of RFC 8428 section 4.4.
const version = 10

// relativeLimit is 2^28 s: times below it count from now (RFC 8428 section
// 4.5.3).
const relativeLimit = 1 << 28

// Record is one SenML record. Integer labels: RFC 8428 section 6, table 4.
// A nil pointer is an absent field; a zero base field is absent, too.
type Record struct {
	BaseVersion int      `cbor:"-1,keyasint,omitempty"` // bver; zero means 10
	BaseName    string   `cbor:"-2,keyasint,omitempty"` // bn
	BaseTime    float64  `cbor:"-3,keyasint,omitempty"` // bt, seconds
	BaseUnit    string   `cbor:"-4,keyasint,omitempty"` // bu
	BaseValue   float64  `cbor:"-5,keyasint,omitempty"` // bv
	BaseSum     float64  `cbor:"-6,keyasint,omitempty"` // bs
	Name        string   `cbor:"0,keyasint,omitempty"`  // n
	Unit        string   `cbor:"1,keyasint,omitempty"`  // u, from the registry of section 12.1
	Value       *float64 `cbor:"2,keyasint,omitempty"`  // v
	String      *string  `cbor:"3,keyasint,omitempty"`  // vs
	Bool        *bool    `cbor:"4,keyasint,omitempty"`  // vb
	Sum         *float64 `cbor:"5,keyasint,omitempty"`  // s
	Time        float64  `cbor:"6,keyasint,omitempty"`  // t, seconds
	UpdateTime  float64  `cbor:"7,keyasint,omitempty"`  // ut, seconds
	Data        []byte   `cbor:"8,keyasint,omitempty"`  // vd
}

// Pack is a SenML pack: records whose base fields hold from their record on
// (RFC 8428 section 4.1).
type Pack []Record

// Errors that a caller may branch on.
var (
	// ErrInvalid says that a pack breaks a rule of RFC 8428.
	ErrInvalid = errors.New("senml: invalid pack")
	// ErrLimit says that a pack is beyond the limits of this package.
	ErrLimit = errors.New("senml: pack too large")
)

// Number returns a record with a number and its unit.
func Number(name, unit string, v float64) Record {
	return Record{Name: name, Unit: unit, Value: &v}
}

// Text returns a record with a string.
func Text(name, v string) Record { return Record{Name: name, String: &v} }

// Flag returns a record with a boolean.
func Flag(name string, v bool) Record { return Record{Name: name, Bool: &v} }

// At returns the time of t as SenML has it: seconds since 1970, to the
// millisecond.
func At(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Validate reports the first rule that the pack breaks, as ErrInvalid or
// ErrLimit.
func (p Pack) Validate() error {
	_, err := p.Resolve(time.Unix(0, 0))
	return err
}

// Resolved is a record that stands alone (RFC 8428 section 4.6).
type Resolved struct {
	Name       string
	Unit       string
	Time       time.Time
	UpdateTime time.Duration // the most until the next one; zero: not said
	Value      *float64
	String     *string
	Bool       *bool
	Data       []byte
	Sum        *float64
}

// bases are the base fields that hold so far.
type bases struct {
	name, unit       string
	time, value, sum float64
}

func (b *bases) take(r *Record) {
	if r.BaseName != "" {
		b.name = r.BaseName
	}
	if r.BaseTime != 0 {
		b.time = r.BaseTime
	}
	if r.BaseUnit != "" {
		b.unit = r.BaseUnit
	}
	if r.BaseValue != 0 {
		b.value = r.BaseValue
	}
	if r.BaseSum != 0 {
		b.sum = r.BaseSum
	}
}

// Resolve checks the pack and returns its records standing alone. Relative
// times count from now.
func (p Pack) Resolve(now time.Time) ([]Resolved, error) {
	switch {
	case len(p) == 0:
		return nil, fmt.Errorf("%w: no records", ErrInvalid)
	case len(p) > MaxRecords:
		return nil, fmt.Errorf("%w: %d records of %d", ErrLimit, len(p), MaxRecords)
	}
	var b bases
	out := make([]Resolved, 0, len(p))
	packVersion := p[0].BaseVersion
	for i := range p {
		r := &p[i]
		if r.BaseVersion != packVersion && r.BaseVersion != 0 || r.BaseVersion > version || r.BaseVersion < 0 {
			return nil, fmt.Errorf("%w: record %d: version %d", ErrInvalid, i, r.BaseVersion)
		}
		b.take(r)
		one, err := b.resolve(r, now)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
		if one != nil {
			out = append(out, *one)
		}
	}
	return out, nil
}

// Read decodes the CBOR pack in b and returns its records standing alone.
func Read(b []byte, now time.Time) ([]Resolved, error) {
	p, err := Decode(b)
	if err != nil {
		return nil, err
	}
	return p.Resolve(now)
}

// resolve applies the base fields to r; nil if it carries base fields alone.
func (b *bases) resolve(r *Record, now time.Time) (*Resolved, error) {
	values := 0
	for _, there := range []bool{r.Value != nil, r.String != nil, r.Bool != nil, r.Data != nil} {
		if there {
			values++
		}
	}
	if values > 1 {
		return nil, fmt.Errorf("%w: more than one value", ErrInvalid)
	}
	if !finite(b.time, b.value, b.sum, r.Time, r.UpdateTime) || !finitePointer(r.Value) || !finitePointer(r.Sum) {
		return nil, fmt.Errorf("%w: a number that is none", ErrInvalid)
	}
	if values == 0 && r.Sum == nil && b.value == 0 && b.sum == 0 {
		if r.Name != "" {
			return nil, fmt.Errorf("%w: %q has no value", ErrInvalid, r.Name)
		}
		return nil, nil
	}
	name := b.name + r.Name
	if err := checkName(name); err != nil {
		return nil, err
	}
	when, err := absolute(b.time+r.Time, now)
	if err != nil {
		return nil, err
	}
	one := &Resolved{
		Name: name, Unit: r.Unit, Time: when,
		UpdateTime: seconds(r.UpdateTime),
		Value:      add(b.value, r.Value, values == 0 && b.value != 0), String: r.String, Bool: r.Bool, Data: r.Data,
		Sum: add(b.sum, r.Sum, b.sum != 0),
	}
	if one.Unit == "" {
		one.Unit = b.unit
	}
	return one, nil
}

// add puts a base value and a value together: a missing one counts as zero if
// the base is there (RFC 8428 section 4.1).
func add(base float64, v *float64, alone bool) *float64 {
	if v == nil && !alone {
		return nil
	}
	if v != nil {
		base += *v
	}
	return &base
}

func finite(all ...float64) bool {
	for _, v := range all {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

func finitePointer(v *float64) bool { return v == nil || finite(*v) }

// checkName holds a full name to RFC 8428 section 4.5.1.
func checkName(name string) error {
	const marks = "-:./_"
	alnum := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	switch {
	case name == "":
		return fmt.Errorf("%w: no name", ErrInvalid)
	case len(name) > MaxName:
		return fmt.Errorf("%w: a name of %d octets", ErrLimit, len(name))
	case !alnum(name[0]):
		return fmt.Errorf("%w: name %q does not begin with a letter or digit", ErrInvalid, name)
	}
	for i := range len(name) {
		if !alnum(name[i]) && strings.IndexByte(marks, name[i]) < 0 {
			return fmt.Errorf("%w: name %q has %q", ErrInvalid, name, name[i])
		}
	}
	return nil
}

// lastTime is the end of the year 9999, in seconds.
const lastTime = 253402300799

// absolute turns SenML seconds into a time (RFC 8428 section 4.5.3).
func absolute(t float64, now time.Time) (time.Time, error) {
	if math.Abs(t) > lastTime {
		return time.Time{}, fmt.Errorf("%w: time %g", ErrInvalid, t)
	}
	if t < relativeLimit {
		return now.Add(seconds(t)), nil
	}
	whole, part := math.Modf(t)
	// A double has microseconds to spare this century; what is below is noise.
	return time.Unix(int64(whole), int64(math.Round(part*1e6))*1e3), nil
}

// seconds turns seconds into a duration, within what one can hold.
func seconds(s float64) time.Duration {
	const most = float64(math.MaxInt64 / int64(time.Second))
	s = max(-most, min(s, most))
	return time.Duration(s * float64(time.Second))
}
