package tpdu

import "bytes"

// maxUserData is the largest TP-UD of a SUBMIT or DELIVER in octets (3GPP TS
// 23.040 clauses 9.2.2.1 and 9.2.2.2): 160 septets.
const maxUserData = 140

// UserData is TP-UD: a header and what comes after it (3GPP TS 23.040 clause
// 9.2.3.24). After decoding, Header and Body alias the input.
type UserData struct {
	// Header holds the header's elements; empty when there is none.
	Header Header
	// Body holds the octets after the header. In GSM 7-bit they are packed
	// septets, the first of which begins after the fill bits that Fill counts.
	Body []byte
	// Septets is how many septets Body holds. It counts only where the data
	// coding scheme says GSM 7-bit, uncompressed.
	Septets int
	// Truncated reports, after decoding, that TP-UDL promised more than came.
	Truncated bool
}

// Clone returns a copy that shares nothing with u.
func (u UserData) Clone() UserData {
	u.Header = bytes.Clone(u.Header)
	u.Body = bytes.Clone(u.Body)
	return u
}

// headerOctets returns what the header takes, with its length octet.
func (u *UserData) headerOctets() int {
	if len(u.Header) == 0 {
		return 0
	}
	return 1 + len(u.Header)
}

// Fill returns how many bits come before the first septet of Body, so that it
// begins on a septet boundary counted from the start of the user data.
func (u *UserData) Fill() int { return fillBits(u.headerOctets()) }

func fillBits(headerOctets int) int { return (7 - headerOctets*8%7) % 7 }

// septetsTaken returns how many septets a header takes with its fill bits.
func septetsTaken(headerOctets int) int { return (headerOctets*8 + 6) / 7 }

// AppendSeptets appends the septets of Body to dst, one an octet.
func (u *UserData) AppendSeptets(dst []byte) []byte {
	return AppendUnpacked(dst, u.Body, u.Fill(), u.Septets)
}

// check says whether the user data can be sent with the scheme in at most
// limit octets.
func (u *UserData) check(dcs DCS, limit int) error {
	octets := u.headerOctets() + len(u.Body)
	switch {
	case !u.Header.Valid():
		return cannotEncode("TP-UDH", ErrHeader)
	case octets > limit:
		return cannotEncode("TP-UD", ErrTooLong)
	case !dcs.septets():
		return nil
	case u.Septets < 0 || (u.Fill()+7*u.Septets+7)/8 != len(u.Body) && (u.Septets != 0 || len(u.Body) != 0):
		return cannotEncode("TP-UD", ErrMismatch)
	}
	return nil
}

// appendUserData appends TP-UDL and TP-UD.
func appendUserData(dst []byte, dcs DCS, u *UserData) []byte {
	n := u.headerOctets()
	if dcs.septets() {
		dst = append(dst, byte(septetsTaken(n)+u.Septets))
	} else {
		dst = append(dst, byte(n+len(u.Body)))
	}
	if n > 0 {
		dst = append(dst, byte(len(u.Header)))
		dst = append(dst, u.Header...)
	}
	return append(dst, u.Body...)
}

// userData reads TP-UDL and TP-UD, the last fields of a TPDU. Octets after
// what TP-UDL announces are left out. Fewer are accepted: the user data then
// is what is there, and Truncated. u is zero before.
func (r *reader) userData(dcs DCS, hasHeader bool, u *UserData) {
	length := int(r.octet("TP-UDL"))
	octets := length
	if dcs.septets() {
		octets = (length*7 + 7) / 8
	}
	if octets > r.left() {
		u.Truncated = true
		octets = r.left()
		length = min(length, octets*8/7)
	}
	start := r.next
	ud := r.take(octets, "TP-UD")
	headerOctets := 0
	if hasHeader && r.err == nil {
		if len(ud) == 0 || int(ud[0]) > len(ud)-1 {
			r.fail(start, "TP-UDHL", ErrHeader)
			return
		}
		headerOctets = 1 + int(ud[0])
		u.Header = Header(ud[1:headerOctets:headerOctets])
	}
	u.Body = ud[headerOctets:]
	if dcs.septets() {
		u.Septets = max(0, length-septetsTaken(headerOctets))
	}
}
