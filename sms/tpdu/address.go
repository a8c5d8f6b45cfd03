package tpdu

import (
	"encoding/binary"
	"strings"
)

// TypeOfAddress is the octet before an address's value (3GPP TS 23.040 clause
// 9.1.2.5): bit 7 set, three bits type of number, four bits numbering plan.
type TypeOfAddress byte

// Types of address in common use.
const (
	UnknownNumber       TypeOfAddress = 0x81 // unknown type, telephone numbering plan
	InternationalNumber TypeOfAddress = 0x91 // E.164 number; its text starts with +
	NationalNumber      TypeOfAddress = 0xa1
	AlphanumericAddress TypeOfAddress = 0xd0 // a name in GSM 7-bit characters
	AbbreviatedNumber   TypeOfAddress = 0xe1
)

// NumberType is the type-of-number part of a [TypeOfAddress].
type NumberType byte

// The types of number of clause 9.1.2.5.
const (
	TypeUnknown NumberType = iota
	TypeInternational
	TypeNational
	TypeNetworkSpecific
	TypeSubscriber
	TypeAlphanumeric
	TypeAbbreviated
	TypeReserved
)

// Number returns the type of number.
func (t TypeOfAddress) Number() NumberType { return NumberType(t >> 4 & 7) }

// Plan returns the numbering plan identification: 0 unknown, 1 telephone
// (E.164), 3 data (X.121), 4 telex, 8 national, 9 private, 10 ERMES.
func (t TypeOfAddress) Plan() byte { return byte(t & 0x0f) }

const (
	maxAddressOctets = 10 // clause 9.1.2.5: 12 with length and type
	maxAddressDigits = 2 * maxAddressOctets
	maxNameSeptets   = 11 // a name of 11 septets fills 77 of 80 bits
)

// Address is an address of a TPDU or of a service centre. It is a value
// without pointers: it can be compared, copied and used as a map key.
//
// The zero Address is absent: no SMSC given, or a TPDU address of length 0.
type Address struct {
	Type TypeOfAddress
	// semi counts the useful semi-octets in value (for a name: those its
	// septets need).
	semi  uint8
	value [maxAddressOctets]byte
}

// digits of clause 9.1.2.3 by the value of the semi-octet; 15 is filler.
const addressDigits = "0123456789*#abc"

// ParseAddress makes an address from a telephone number or short code: a
// leading + makes it international, without it the type is unknown, as a
// person dials it. The digits are 0-9, *, #, a, b and c, at most 20. Spaces, hyphens and
// anything else are an error.
func ParseAddress(number string) (Address, error) {
	if rest, ok := strings.CutPrefix(number, "+"); ok {
		return NewAddress(InternationalNumber, rest)
	}
	return NewAddress(UnknownNumber, number)
}

// NewAddress makes an address of the given type from its digits, without +.
// For an alphanumeric type use [NewName].
func NewAddress(kind TypeOfAddress, digits string) (Address, error) {
	a := Address{Type: kind | 0x80}
	if kind.Number() == TypeAlphanumeric {
		return Address{}, cannotEncode("Type-of-Address", ErrMismatch)
	}
	if len(digits) > maxAddressDigits {
		return Address{}, cannotEncode("Address-Value", ErrTooLong)
	}
	if digits == "" {
		return Address{}, cannotEncode("Address-Value", ErrShort)
	}
	for i := range len(digits) {
		d := strings.IndexByte(addressDigits, digits[i]|lowerBit(digits[i]))
		if d < 0 {
			return Address{}, cannotEncode("Address-Value", ErrDigit)
		}
		a.value[i/2] |= byte(d) << (4 * (i % 2))
	}
	a.semi = uint8(len(digits))
	a.fillUp()
	return a, nil
}

// lowerBit is the bit that makes A to C lower case.
func lowerBit(b byte) byte {
	if 'A' <= b && b <= 'C' {
		return 'a' - 'A'
	}
	return 0
}

// NewName makes an alphanumeric address from at most 11 septets of GSM 7-bit
// default alphabet (clause 9.1.2.5; characters of the extension table count two).
func NewName(name string) (Address, error) {
	var room [maxNameSeptets + 2]byte
	septets := room[:0]
	for _, r := range name {
		var ok bool
		if septets, ok = appendChar(septets, r, DefaultLanguage, DefaultLanguage); !ok {
			return Address{}, cannotEncode("Address-Value", ErrDigit)
		}
		if len(septets) > maxNameSeptets {
			return Address{}, cannotEncode("Address-Value", ErrTooLong)
		}
	}
	if len(septets) == 0 {
		return Address{}, cannotEncode("Address-Value", ErrShort)
	}
	a := Address{Type: AlphanumericAddress, semi: uint8((len(septets)*7 + 3) / 4)}
	var packed [maxAddressOctets]byte
	copy(a.value[:], AppendPacked(packed[:0], septets, 0))
	return a, nil
}

// fillUp writes the filler 1111 after an odd number of digits (clause 9.1.2.3).
func (a *Address) fillUp() {
	if a.semi%2 == 1 {
		a.value[a.semi/2] = a.value[a.semi/2]&0x0f | 0xf0
	}
}

// IsZero reports whether the address is absent.
func (a Address) IsZero() bool { return a == Address{} }

// Len returns the number of useful semi-octets, as Address-Length counts.
func (a Address) Len() int { return int(a.semi) }

// IsName reports whether the address is alphanumeric.
func (a Address) IsName() bool { return a.Type.Number() == TypeAlphanumeric }

// String returns the number, with + if it is international, or the name.
func (a Address) String() string {
	b, _ := a.AppendText(nil)
	return string(b)
}

// AppendText appends what String returns; the error is always nil. A
// semi-octet 1111 inside a number is no digit and is left out.
func (a Address) AppendText(dst []byte) ([]byte, error) {
	if a.IsName() {
		return a.appendName(dst), nil
	}
	if a.Type.Number() == TypeInternational && a.semi > 0 {
		dst = append(dst, '+')
	}
	for i := range int(a.semi) {
		if d := a.value[i/2] >> (4 * (i % 2)) & 0x0f; d < 15 {
			dst = append(dst, addressDigits[d])
		}
	}
	return dst, nil
}

func (a Address) appendName(dst []byte) []byte {
	var room [maxNameSeptets]byte
	// Address-Length counts semi-octets; the septets are those that fit whole.
	septets := AppendUnpacked(room[:0], a.value[:], 0, min(int(a.semi)*4/7, maxNameSeptets))
	var t TextDecoder
	dst = t.appendSeptets(dst, septets, DefaultLanguage, DefaultLanguage)
	return t.Finish(dst)
}

// appendAddress appends the address field of a TPDU: length in semi-octets,
// type, value.
func appendAddress(dst []byte, a Address) []byte {
	if a.Type == 0 {
		a.Type = UnknownNumber
	}
	dst = append(dst, a.semi, byte(a.Type))
	return append(dst, a.value[:(a.semi+1)/2]...)
}

// address reads the address field of a TPDU. A length of 0 is accepted, with
// its type octet; so is the value 1111 anywhere in a number.
func (r *reader) address(a *Address, field string) {
	at := r.next
	semi := int(r.octet(field))
	kind := TypeOfAddress(r.octet(field))
	if semi > maxAddressDigits {
		r.fail(at, field, ErrTooLong)
		return
	}
	value := r.take((semi+1)/2, field)
	if len(value) < maxAddressOctets && at+2+maxAddressOctets <= len(r.octets) {
		value = r.octets[at+2 : at+2+maxAddressOctets] // and what follows, which set clears
	}
	a.Type, a.semi = kind, uint8(semi)
	a.set(value)
}

// set takes the value from octets, as many as the semi-octets take and with the
// filler 1111 after an odd number of digits (clause 9.1.2.3). It works on whole
// words, since decoding does this for every message.
func (a *Address) set(octets []byte) {
	var room [maxAddressOctets]byte
	if len(octets) < len(room) {
		copy(room[:], octets)
		octets = room[:]
	}
	low, high := binary.LittleEndian.Uint64(octets), uint64(binary.LittleEndian.Uint16(octets[8:]))
	bits := 8 * uint((a.semi+1)/2)
	low &= 1<<bits - 1
	high &= 1<<(max(bits, 64)-64) - 1
	if a.semi%2 == 1 && a.Type.Number() != TypeAlphanumeric {
		low |= 0xf0 << (bits - 8)
		if bits > 64 {
			high |= 0xf0 << (bits - 72)
		}
	}
	binary.LittleEndian.PutUint64(a.value[:], low)
	binary.LittleEndian.PutUint16(a.value[8:], uint16(high))
}
