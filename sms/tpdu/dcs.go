package tpdu

import "fmt"

// Alphabet is how the user data is coded.
type Alphabet byte

// The alphabets of 3GPP TS 23.038 clause 4.
const (
	GSM7   Alphabet = iota // GSM 7-bit, packed
	Octets                 // 8-bit data
	UCS2                   // 16-bit; surrogate pairs make it UTF-16
)

// String returns the alphabet's name.
func (a Alphabet) String() string {
	switch a {
	case GSM7:
		return "GSM 7-bit"
	case Octets:
		return "8-bit"
	case UCS2:
		return "UCS-2"
	}
	return fmt.Sprintf("alphabet %d", byte(a))
}

// Class is a message class (3GPP TS 23.038 clause 4).
type Class byte

// The message classes.
const (
	NoClass Class = iota
	Class0        // shown at once, not stored
	Class1        // meant for the device
	Class2        // meant for the SIM
	Class3        // meant for the terminal equipment
)

// String returns the class's name.
func (c Class) String() string {
	if c == NoClass {
		return "no class"
	}
	return fmt.Sprintf("class %d", byte(c)-1)
}

// DCS is TP-DCS, the data coding scheme (3GPP TS 23.038 clause 4). The zero
// value is GSM 7-bit without class.
type DCS byte

// NewDCS returns the data coding scheme of the general group for an alphabet
// and a class.
func NewDCS(a Alphabet, c Class) DCS {
	d := DCS(a&3) << 2
	if c != NoClass && c <= Class3 {
		d |= 0x10 | DCS(c-1)
	}
	return d
}

// group is the coding group that bits 7 to 4 name.
type group byte

const (
	groupGeneral      group = iota // 00xx and 01xx
	groupReserved                  // 1000 to 1011
	groupDiscard                   // 1100
	groupStore                     // 1101
	groupStoreUCS2                 // 1110
	groupDataAndClass              // 1111
)

func (d DCS) group() group {
	switch {
	case d < 0x80:
		return groupGeneral
	case d < 0xc0:
		return groupReserved
	}
	return groupDiscard + group(d>>4&3)
}

// Alphabet returns the alphabet. Reserved codings are read as GSM 7-bit, as
// clause 4 asks of a receiver.
func (d DCS) Alphabet() Alphabet {
	switch d.group() {
	case groupGeneral:
		if a := Alphabet(d >> 2 & 3); a <= UCS2 {
			return a
		}
	case groupStoreUCS2:
		return UCS2
	case groupDataAndClass:
		return Alphabet(d >> 2 & 1)
	}
	return GSM7
}

// Reserved reports whether clause 4 gives the value no meaning; it is read as
// if it were 0 (GSM 7-bit, no class).
func (d DCS) Reserved() bool {
	switch d.group() {
	case groupReserved:
		return true
	case groupGeneral:
		return d>>2&3 == 3
	}
	return false
}

// Class returns the message class.
func (d DCS) Class() Class {
	switch d.group() {
	case groupGeneral:
		if d&0x10 == 0 {
			return NoClass
		}
		return Class0 + Class(d&3)
	case groupDataAndClass:
		return Class0 + Class(d&3)
	}
	return NoClass
}

// Compressed reports whether the text is compressed by 3GPP TS 23.042.
func (d DCS) Compressed() bool { return d.group() == groupGeneral && d&0x20 != 0 }

// AutoDelete reports whether the message is marked for deletion once read
// (group 01xx).
func (d DCS) AutoDelete() bool { return d&0xc0 == 0x40 }

// septets reports whether TP-UDL counts septets: text in GSM 7-bit that is not
// compressed (3GPP TS 23.040 clause 9.2.3.16).
func (d DCS) septets() bool { return d.Alphabet() == GSM7 && !d.Compressed() }

// WaitingKind is what waits for the user.
type WaitingKind byte

// The kinds of message waiting (3GPP TS 23.038 clause 4).
const (
	VoicemailWaiting WaitingKind = iota
	FaxWaiting
	EmailWaiting
	OtherWaiting
)

// Waiting is a message waiting indication.
type Waiting struct {
	Kind   WaitingKind // what waits
	Active bool        // false clears the indication
	Store  bool        // false: the message may be discarded
}

// WaitingDCS returns the data coding scheme of a message waiting indication.
// With UCS2 the message is always to be stored; Octets has no such group and
// is taken as GSM7.
func WaitingDCS(w Waiting, a Alphabet) DCS {
	d := DCS(0xc0) | DCS(w.Kind&3)
	switch {
	case a == UCS2:
		d |= 0x20
	case w.Store:
		d |= 0x10
	}
	if w.Active {
		d |= 0x08
	}
	return d
}

// Waiting returns the message waiting indication, if the scheme has one.
func (d DCS) Waiting() (w Waiting, ok bool) {
	switch d.group() {
	case groupDiscard, groupStore, groupStoreUCS2:
		return Waiting{Kind: WaitingKind(d & 3), Active: d&0x08 != 0, Store: d.group() != groupDiscard}, true
	}
	return Waiting{}, false
}

// String returns the octet and what it says.
func (d DCS) String() string {
	s := fmt.Sprintf("0x%02x %v", byte(d), d.Alphabet())
	if c := d.Class(); c != NoClass {
		s += " " + c.String()
	}
	if d.Compressed() {
		s += " compressed"
	}
	if _, ok := d.Waiting(); ok {
		s += " message waiting"
	}
	return s
}
