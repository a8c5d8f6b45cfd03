package tpdu

import (
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
	chars := &lockingChars[locking]
	for _, s := range septets {
		s &= 0x7f
		r := chars[s]
		if t.escaped || r == 0 {
			dst = t.appendRare(dst, s, chars, &singleChars[single])
			continue
		}
		if r < utf8.RuneSelf {
			dst = append(dst, byte(r))
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
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
	for ; len(octets) >= 2; octets = octets[2:] {
		u := uint16(octets[0])<<8 | uint16(octets[1])
		if t.high == 0 && (u < 0xd800 || u > 0xdfff) {
			dst = utf8.AppendRune(dst, rune(u))
			continue
		}
		dst = t.appendSurrogate(dst, u)
	}
	if len(octets) == 1 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
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
// tables lack a character it is an *[UnencodableError].
func AppendSeptets(dst []byte, text string, locking, single Language) ([]byte, error) {
	locking, single = known(locking), known(single)
	ascii := &lockingASCII[locking]
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf && ascii[c] != 0 {
			dst = append(dst, ascii[c]&0x7f)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		var ok bool
		if dst, ok = appendChar(dst, r, locking, single); !ok {
			return dst, &UnencodableError{Rune: r, Offset: i, Alphabet: GSM7}
		}
		i += n
	}
	return dst, nil
}

// appendUTF16 appends text as UTF-16 in big-endian octets.
func appendUTF16(dst []byte, text string) []byte {
	for _, r := range text {
		if r < 0x10000 {
			dst = append(dst, byte(r>>8), byte(r))
			continue
		}
		hi, lo := utf16.EncodeRune(r)
		dst = append(dst, byte(hi>>8), byte(hi), byte(lo>>8), byte(lo))
	}
	return dst
}
