package tpdu

import (
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// TextDecoder turns user data into UTF-8, part by part: an escape or the first
// half of a surrogate pair at the end of one part is completed by the next, as
// some senders split them. The zero value is ready; one decoder serves one
// message at a time.
type TextDecoder struct {
	high    uint16 // first half of a pair, 0 if none waits
	escaped bool   // an escape waits for its septet
}

// Append appends the text of the next part to dst. Septets without a character
// become a space or, after an escape, what the locking table has (3GPP TS
// 23.038 clause 6.2.1.1); halves of surrogate pairs and an odd last octet
// become U+FFFD. The error is [ErrNotText] or [ErrCompressed], with dst as it
// was.
func (t *TextDecoder) Append(dst []byte, dcs DCS, u *UserData) ([]byte, error) {
	if dcs.Compressed() {
		return dst, &Error{Offset: -1, Field: "TP-DCS", Err: ErrCompressed}
	}
	switch dcs.Alphabet() {
	case Octets:
		return dst, &Error{Offset: -1, Field: "TP-DCS", Err: ErrNotText}
	case UCS2:
		return t.appendUCS2(dst, u.Body), nil
	}
	var room [256]byte
	locking, single := u.Header.Languages()
	return t.appendSeptets(dst, u.AppendSeptets(room[:0]), locking, single), nil
}

// Finish appends what is due for an escape or half of a pair that nothing
// completed, and makes the decoder ready for the next message.
func (t *TextDecoder) Finish(dst []byte) []byte {
	if t.high != 0 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	if t.escaped {
		dst = append(dst, ' ')
	}
	*t = TextDecoder{}
	return dst
}

// AppendText appends the text of user data that is a whole message to dst.
func (u *UserData) AppendText(dst []byte, dcs DCS) ([]byte, error) {
	var t TextDecoder
	dst, err := t.Append(dst, dcs, u)
	return t.Finish(dst), err
}

// DecodeSeptets appends the text of septets, one an octet, to dst.
func DecodeSeptets(dst, septets []byte, locking, single Language) []byte {
	var t TextDecoder
	return t.Finish(t.appendSeptets(dst, septets, known(locking), known(single)))
}

func known(l Language) Language {
	if l < numLanguages {
		return l
	}
	return DefaultLanguage
}

func (t *TextDecoder) appendSeptets(dst, septets []byte, locking, single Language) []byte {
	ascii, chars := &asciiChars[locking], &lockingChars[locking]
	dst = slices.Grow(dst, len(septets))
	for len(septets) > 0 {
		if !t.escaped {
			n := appendASCII(dst, septets, ascii)
			dst, septets = dst[:len(dst)+n], septets[n:]
			if len(septets) == 0 {
				break
			}
		}
		s := septets[0] & 0x7f // no ASCII, after an escape, or no room left
		septets = septets[1:]
		if r := chars[s]; r != 0 && !t.escaped {
			dst = utf8.AppendRune(dst, r)
		} else {
			dst = t.appendRare(dst, s, chars, &singleChars[single])
		}
	}
	return dst
}

// appendASCII writes the ASCII characters that septets begin with behind dst,
// as far as there is room, and returns their number.
func appendASCII(dst, septets []byte, ascii *[128]byte) int {
	room := dst[len(dst):cap(dst)]
	n := min(len(room), len(septets))
	room, septets = room[:n], septets[:n]
	for i, s := range septets {
		c := ascii[s&0x7f]
		if c == 0 {
			return i
		}
		room[i] = c
	}
	return n
}

// appendRare handles an escape, the septet after one, and holes in a table.
func (t *TextDecoder) appendRare(dst []byte, s byte, locking, single *decodeTable) []byte {
	if !t.escaped {
		if s == escape {
			t.escaped = true
			return dst
		}
		return append(dst, ' ') // not in the table: shown as a space
	}
	t.escaped = false
	r := single[s]
	if r == 0 {
		r = locking[s] // clause 6.2.1.1: the main table's character
	}
	if r == 0 {
		r = ' ' // also for a second escape, which is reserved
	}
	return utf8.AppendRune(dst, r)
}

func (t *TextDecoder) appendUCS2(dst, octets []byte) []byte {
	for len(octets) >= 2 {
		if t.high == 0 {
			var read int
			dst, read = appendPlainUCS2(dst, octets)
			octets = octets[read:]
			if len(octets) < 2 {
				break
			}
		}
		dst = t.appendSurrogate(dst, uint16(octets[0])<<8|uint16(octets[1]))
		octets = octets[2:]
	}
	if len(octets) == 1 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
}

// appendPlainUCS2 appends the units before the first half of a pair and
// returns how many octets it read.
func appendPlainUCS2(dst, octets []byte) (_ []byte, read int) {
	at := len(dst)
	dst = slices.Grow(dst, len(octets)/2*3) // the most that units take in UTF-8
	out := dst[:cap(dst)]
	for ; read+1 < len(octets); read += 2 {
		high, low := octets[read], octets[read+1]
		switch {
		case high == 0 && low < utf8.RuneSelf:
			out[at] = low
			at++
		case high < 0x08:
			out[at], out[at+1] = 0xc0|high<<2|low>>6, 0x80|low&0x3f
			at += 2
		case high&0xf8 == 0xd8:
			return out[:at], read
		default:
			out[at], out[at+1], out[at+2] = 0xe0|high>>4, 0x80|high<<2&0x3f|low>>6, 0x80|low&0x3f
			at += 3
		}
	}
	return out[:at], read
}

func (t *TextDecoder) appendSurrogate(dst []byte, u uint16) []byte {
	if t.high != 0 {
		r := utf16.DecodeRune(rune(t.high), rune(u))
		t.high = 0
		dst = utf8.AppendRune(dst, r)
		if r != utf8.RuneError {
			return dst
		}
	}
	if 0xd800 <= u && u < 0xdc00 {
		t.high = u
		return dst
	}
	return utf8.AppendRune(dst, rune(u)) // a lone second half becomes U+FFFD
}

// appendChar appends the one or two septets of a character; ok is false if the
// tables do not have it.
func appendChar(dst []byte, r rune, locking, single Language) (_ []byte, ok bool) {
	if s := lockingSeptet[locking].at(r); s != 0 {
		return append(dst, s&0x7f), true
	}
	if s := singleSeptet[single].at(r); s != 0 {
		return append(dst, escape, s&0x7f), true
	}
	return dst, false
}

// AppendSeptets appends the septets of text, one an octet, to dst. If the
// tables lack a character it is an *[UnencodableError], with dst as it was.
func AppendSeptets(dst []byte, text string, locking, single Language) ([]byte, error) {
	out, missing := appendText(dst, text, known(locking), known(single))
	if missing >= 0 {
		r, _ := utf8.DecodeRuneInString(text[missing:])
		return dst, &UnencodableError{Rune: r, Offset: missing, Alphabet: GSM7}
	}
	return out, nil
}

// appendText appends the septets of text up to the character that the tables
// lack, whose place it returns, or -1.
func appendText(dst []byte, text string, locking, single Language) (_ []byte, missing int) {
	ascii := &lockingASCII[locking]
	dst = slices.Grow(dst, len(text))
	for i := 0; i < len(text); {
		n := packASCII(dst, text[i:], ascii)
		dst = dst[:len(dst)+n]
		i += n
		if i == len(text) {
			break
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		var ok bool
		if dst, ok = appendChar(dst, r, locking, single); !ok {
			return dst, i
		}
		i += n
	}
	return dst, -1
}

// packASCII writes the septets of the characters that text begins with behind
// dst, as long as they are ASCII characters of one septet and there is room,
// and returns their number.
func packASCII(dst []byte, text string, ascii *[128]byte) int {
	room := dst[len(dst):cap(dst)]
	n := min(len(room), len(text))
	room, text = room[:n], text[:n]
	for i := range room {
		c := text[i]
		if c >= utf8.RuneSelf || ascii[c] == 0 {
			return i
		}
		room[i] = ascii[c] & 0x7f
	}
	return n
}

// appendUTF16 appends text as UTF-16 in big-endian octets; ok is false if it is
// not valid UTF-8.
func appendUTF16(dst []byte, text string) (_ []byte, ok bool) {
	at := len(dst)
	dst = slices.Grow(dst, 2*len(text)) // no rune has more units than octets
	out := dst[:cap(dst)]
	for i := 0; i < len(text); {
		c := text[i]
		// ASCII and two octets of UTF-8 are by far the most frequent.
		if c < utf8.RuneSelf {
			out[at], out[at+1] = 0, c
			at, i = at+2, i+1
			continue
		}
		if c >= 0xc2 && c < 0xe0 && i+1 < len(text) && text[i+1]&0xc0 == 0x80 {
			out[at], out[at+1] = c>>2&0x07, c<<6|text[i+1]&0x3f
			at, i = at+2, i+2
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return dst, false
		}
		i += n
		at = len(utf16Rune(out[:at], r))
	}
	return out[:at], true
}

func utf16Rune(dst []byte, r rune) []byte {
	if r < 0x10000 {
		return append(dst, byte(r>>8), byte(r))
	}
	hi, lo := utf16.EncodeRune(r)
	return append(dst, byte(hi>>8), byte(hi), byte(lo>>8), byte(lo))
}
