package fakemodem

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf16"
)

// The fake has a small codec of its own for text (3GPP TS 23.038), so that an
// error in the library's does not hide itself.

// gsmAlphabet is the default alphabet (clause 6.2.1) by code.
var gsmAlphabet = []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")

// gsmExtension is the extension table (clause 6.2.1.1), behind the code 0x1b.
var gsmExtension = map[byte]rune{
	0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\', 0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|', 0x65: '€',
}

const gsmEscape = 0x1b

// gsmCodes maps characters to their one or two codes.
var gsmCodes = func() map[rune][]byte {
	codes := make(map[rune][]byte)
	for i, r := range gsmAlphabet {
		if r != gsmEscape {
			codes[r] = []byte{byte(i)}
		}
	}
	for c, r := range gsmExtension {
		codes[r] = []byte{gsmEscape, c}
	}
	return codes
}()

// toSeptets encodes text, one code in an octet; ok is false if a character is
// not in the alphabet.
func toSeptets(text string) (codes []byte, ok bool) {
	for _, r := range text {
		c, found := gsmCodes[r]
		if !found {
			return nil, false
		}
		codes = append(codes, c...)
	}
	return codes, true
}

// fromSeptets decodes codes; unknown ones become a question mark.
func fromSeptets(codes []byte) string {
	var b strings.Builder
	for i := 0; i < len(codes); i++ {
		c := codes[i] & 0x7f
		if c == gsmEscape && i+1 < len(codes) {
			i++
			r, ok := gsmExtension[codes[i]]
			if !ok {
				r = '?'
			}
			b.WriteRune(r)
			continue
		}
		b.WriteRune(gsmAlphabet[c])
	}
	return b.String()
}

// packSeptets packs codes behind skip septets that a header fills (clause 6.1.2.1).
func packSeptets(codes []byte, skip int) []byte {
	out := make([]byte, ((skip+len(codes))*7+7)/8)
	for i, c := range codes {
		bit := (skip + i) * 7
		v := uint16(c&0x7f) << (bit % 8)
		out[bit/8] |= byte(v)
		if v>>8 != 0 {
			out[bit/8+1] |= byte(v >> 8)
		}
	}
	return out
}

// unpackSeptets reads the septets from skip to count.
func unpackSeptets(b []byte, skip, count int) []byte {
	var codes []byte
	for i := skip; i < count; i++ {
		bit := i * 7
		if bit/8 >= len(b) {
			break
		}
		v := uint16(b[bit/8])
		if bit/8+1 < len(b) {
			v |= uint16(b[bit/8+1]) << 8
		}
		codes = append(codes, byte(v>>(bit%8))&0x7f)
	}
	return codes
}

// toUCS2 encodes text in UTF-16, big endian (clause 4).
func toUCS2(text string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return b
}

func fromUCS2(b []byte) string {
	var units []uint16
	for i := 0; i+1 < len(b); i += 2 {
		units = append(units, binary.BigEndian.Uint16(b[i:]))
	}
	return string(utf16.Decode(units))
}

// inCharset writes text as +CSCS says (3GPP TS 27.007 clause 5.5).
func (m *Modem) inCharset(text string) string {
	switch m.messages.charset {
	case "UCS2":
		return strings.ToUpper(hex.EncodeToString(toUCS2(text)))
	case "GSM":
		if codes, ok := toSeptets(text); ok {
			return string(codes)
		}
	case "HEX":
		if codes, ok := toSeptets(text); ok {
			return strings.ToUpper(hex.EncodeToString(codes))
		}
	}
	return text
}

// fromCharset reads text as +CSCS says.
func (m *Modem) fromCharset(text string) string {
	switch m.messages.charset {
	case "UCS2":
		if b, err := hex.DecodeString(text); err == nil {
			return fromUCS2(b)
		}
	case "GSM":
		return fromSeptets([]byte(text))
	case "HEX":
		if b, err := hex.DecodeString(text); err == nil {
			return fromSeptets(b)
		}
	}
	return text
}
