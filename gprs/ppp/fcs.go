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
	if len(p) >= 3*foldBlock {
		fcs, p = fold(fcs, p)
	}
	return fcsTabled(fcs, p)
}

// fcsTabled does it by tables, sixteen octets at a step.
func fcsTabled(fcs uint16, p []byte) uint16 {
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

// foldBlock is what fold takes at a step: sixteen words of 64 bits.
const foldBlock = 16 * 8

// fold takes all whole blocks of p, at least two, and returns the FCS behind
// them and what is left of p.
//
// The FCS is the remainder of a division by P = x^16 + x^12 + x^5 + 1. Over
// bits, P^64 = x^1024 + x^768 + x^320 + 1, and a remainder of that division
// has the same remainder by P. All its exponents are multiples of 64, so it
// takes whole words and no table: a word w at the front goes away when it is
// added to the words 4, 11 and 16 places behind it. What remains is the last
// block, and goes through the tables.
func fold(fcs uint16, p []byte) (uint16, []byte) {
	var v [16]uint64 // the words that went away last
	first := uint64(fcs)
	for ; len(p) >= 2*foldBlock; p = p[foldBlock:] {
		v[0] ^= first
		first = 0
		v[0] ^= word(p, 0) ^ v[12] ^ v[5]
		v[1] ^= word(p, 1) ^ v[13] ^ v[6]
		v[2] ^= word(p, 2) ^ v[14] ^ v[7]
		v[3] ^= word(p, 3) ^ v[15] ^ v[8]
		v[4] ^= word(p, 4) ^ v[0] ^ v[9]
		v[5] ^= word(p, 5) ^ v[1] ^ v[10]
		v[6] ^= word(p, 6) ^ v[2] ^ v[11]
		v[7] ^= word(p, 7) ^ v[3] ^ v[12]
		v[8] ^= word(p, 8) ^ v[4] ^ v[13]
		v[9] ^= word(p, 9) ^ v[5] ^ v[14]
		v[10] ^= word(p, 10) ^ v[6] ^ v[15]
		v[11] ^= word(p, 11) ^ v[7] ^ v[0]
		v[12] ^= word(p, 12) ^ v[8] ^ v[1]
		v[13] ^= word(p, 13) ^ v[9] ^ v[2]
		v[14] ^= word(p, 14) ^ v[10] ^ v[3]
		v[15] ^= word(p, 15) ^ v[11] ^ v[4]
	}
	var last [foldBlock]byte
	for i := range v {
		w := word(p, i) ^ v[i]
		if i < 4 {
			w ^= v[i+12]
		}
		if i < 11 {
			w ^= v[i+5]
		}
		binary.LittleEndian.PutUint64(last[8*i:], w)
	}
	return fcsTabled(0, last[:]), p[foldBlock:]
}

func word(p []byte, i int) uint64 { return binary.LittleEndian.Uint64(p[8*i:]) }
