package flow

import "encoding/binary"

// ReplaceSum brings the Internet checksum at sum up to date when one of the 16
// bit words it covers changes: RFC 1624 section 3, equation 3.
func ReplaceSum(sum []byte, before, after uint16) {
	s := uint32(^binary.BigEndian.Uint16(sum)) + uint32(^before) + uint32(after)
	s = s&0xffff + s>>16
	s = s&0xffff + s>>16
	binary.BigEndian.PutUint16(sum, ^uint16(s))
}
