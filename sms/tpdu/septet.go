package tpdu

import (
	"encoding/binary"
	"slices"
)

// AppendPacked packs septets, one an octet, as 3GPP TS 23.038 clause 6.1.2.1
// does, after fill zero bits (0 to 6), and appends the octets to dst. Bit 7 of
// each septet is ignored; the bits left over in the last octet are zero.
func AppendPacked(dst, septets []byte, fill int) []byte {
	var (
		acc  uint64 // bits not yet written, the first in the lowest place
		bits = uint(fill)
		at   = len(dst)
	)
	if len(septets) == 0 && fill == 0 {
		return dst
	}
	// Eight octets are written for every seven that count, so one is spare.
	dst = slices.Grow(dst, (fill+7*len(septets)+7)/8+1)
	out := dst[:cap(dst)]
	for ; len(septets) >= 8; septets = septets[8:] {
		acc |= squeeze(binary.LittleEndian.Uint64(septets)) << bits
		binary.LittleEndian.PutUint64(out[at:], acc)
		acc >>= 56
		at += 7
	}
	dst = out[:at]
	for _, s := range septets {
		acc |= uint64(s&0x7f) << bits
		bits += 7
		if bits >= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
			bits -= 8
		}
	}
	if bits > 0 {
		dst = append(dst, byte(acc))
	}
	return dst
}

// squeeze moves eight septets, one an octet, into the lowest 56 bits.
func squeeze(x uint64) uint64 {
	x &= 0x7f7f7f7f7f7f7f7f
	x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
	x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
	return x&0x000000000fffffff | x&0x0fffffff00000000>>4
}

// stretch is the reverse of squeeze.
func stretch(x uint64) uint64 {
	x = x&0x000000000fffffff | x<<4&0x0fffffff00000000
	x = x&0x00003fff00003fff | x<<2&0x3fff00003fff0000
	return x&0x007f007f007f007f | x<<1&0x7f007f007f007f00
}

// AppendUnpacked appends n septets, one an octet, from packed, whose first
// fill bits (0 to 6) are skipped. When packed ends early it appends as many
// whole septets as are there.
func AppendUnpacked(dst, packed []byte, fill, n int) []byte {
	n = max(0, min(n, (len(packed)*8-fill)/7))
	dst = slices.Grow(dst, n)
	out := dst[len(dst) : len(dst)+n]
	dst = dst[:len(dst)+n]
	from := 0 // octet of packed that holds the next septet's first bit
	for len(out) >= 8 && len(packed)-from >= 8 {
		// Eight septets are 56 bits, at most 62 with the fill bits.
		w := binary.LittleEndian.Uint64(packed[from:]) >> uint(fill)
		binary.LittleEndian.PutUint64(out, stretch(w&(1<<56-1)))
		from += 7
		out = out[8:]
	}
	bit := from*8 + fill
	for k := range out {
		i := bit >> 3
		w := uint(packed[i])
		if i+1 < len(packed) {
			w |= uint(packed[i+1]) << 8
		}
		out[k] = byte(w>>(uint(bit)&7)) & 0x7f
		bit += 7
	}
	return dst
}
