package ppp

import "encoding/binary"

// The frame check sequence of RFC 1662 appendix C.
const (
	fcsPolynomial = 0x8408 // x^16 + x^12 + x^5 + 1, lowest power first
	fcsInitial    = 0xffff
	fcsGood       = 0xf0b8 // what remains of an undamaged frame with its FCS
)

// fcsTable holds for each n the change that one octet makes to the FCS when n
// octets follow it, so that sixteen octets can be taken in one step.
var fcsTable = func() (t [16][256]uint16) {
	for i := range t[0] {
		v := uint16(i)
		for range 8 {
			if v&1 != 0 {
				v = v>>1 ^ fcsPolynomial
			} else {
				v >>= 1
			}
		}
		t[0][i] = v
	}
	for n := 1; n < len(t); n++ {
		for i, v := range t[n-1] {
			t[n][i] = v>>8 ^ t[0][byte(v)]
		}
	}
	return t
}()

// fcs16 continues fcs over p (RFC 1662 section C.2).
func fcs16(fcs uint16, p []byte) uint16 {
	t := &fcsTable
	for len(p) >= 16 {
		a := binary.LittleEndian.Uint64(p) ^ uint64(fcs)
		b := binary.LittleEndian.Uint64(p[8:])
		fcs = t[15][byte(a)] ^ t[14][byte(a>>8)] ^ t[13][byte(a>>16)] ^ t[12][byte(a>>24)] ^
			t[11][byte(a>>32)] ^ t[10][byte(a>>40)] ^ t[9][byte(a>>48)] ^ t[8][byte(a>>56)] ^
			t[7][byte(b)] ^ t[6][byte(b>>8)] ^ t[5][byte(b>>16)] ^ t[4][byte(b>>24)] ^
			t[3][byte(b>>32)] ^ t[2][byte(b>>40)] ^ t[1][byte(b>>48)] ^ t[0][byte(b>>56)]
		p = p[16:]
	}
	for _, c := range p {
		fcs = fcs>>8 ^ t[0][byte(fcs)^c]
	}
	return fcs
}
