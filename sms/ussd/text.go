package ussd

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// Data coding schemes (TS 23.038 clause 5).
const (
	plainDCS = 15 // GSM 7-bit, language unspecified
	wideDCS  = 72 // UCS-2, no class
)

// The most that 160 octets carry (TS 23.038 clause 6.1.2.3).
const (
	maxSeptets = 182
	maxUnits   = 80
)

// encode writes a text as +CUSD wants it with a character set. What the GSM
// alphabet lacks goes in UCS-2, which needs that character set.
func encode(text, set string, packed bool) (argument string, dcs int, err error) {
	septets, err := tpdu.AppendSeptets(nil, text, 0, 0)
	if err != nil && set == "UCS2" && utf8.ValidString(text) {
		units := utf16.Encode([]rune(text))
		if len(units) > maxUnits {
			return "", 0, fmt.Errorf("%w: it must have at most %d characters in UCS-2", ErrInvalid, maxUnits)
		}
		return hexUnits(units), wideDCS, nil
	}
	if err != nil || len(septets) == 0 || len(septets) > maxSeptets {
		return "", 0, fmt.Errorf("%w: it must have 1 to %d characters of the GSM alphabet", ErrInvalid, maxSeptets)
	}
	switch {
	case packed:
		return strings.ToUpper(hex.EncodeToString(tpdu.AppendPacked(nil, septets, 0))), plainDCS, nil
	case set == "UCS2":
		return hexUnits(utf16.Encode([]rune(text))), plainDCS, nil
	case set == "HEX":
		return strings.ToUpper(hex.EncodeToString(septets)), plainDCS, nil
	}
	if _, err := at.Quote(text); err != nil {
		return "", 0, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return text, plainDCS, nil
}

func hexUnits(units []uint16) string {
	var b strings.Builder
	for _, u := range units {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}

// parse reads +CUSD: <m>[,<str>,<dcs>]. The text may have quotes inside, which
// some modems do not escape, so it ends at the last one.
func parse(line, set string, packed bool) Reply {
	rest := strings.TrimSpace(strings.TrimPrefix(line, "+CUSD:"))
	number, rest, _ := strings.Cut(rest, ",")
	m, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		return Reply{Text: line, Err: fmt.Errorf("ussd: the reply has no status: %w", err)}
	}
	reply := Reply{Status: Status(m), More: Status(m) == ActionNeeded}
	first, last := strings.IndexByte(rest, '"'), strings.LastIndexByte(rest, '"')
	if first < 0 || last <= first {
		return reply
	}
	dcs, err := strconv.Atoi(strings.Trim(rest[last+1:], ", "))
	if err != nil || dcs < 0 || dcs > 255 {
		dcs = plainDCS
	}
	reply.Text, reply.Err = decode(rest[first+1:last], byte(dcs), set, packed)
	return reply
}

// decode reads a text by its data coding scheme. What is not in the form that
// it should have is returned as it is: many modems decode it themselves.
func decode(text string, dcs byte, set string, packed bool) (string, error) {
	octets, err := hex.DecodeString(text)
	isHex := err == nil && len(octets) > 0
	switch {
	case isHex && (wide(dcs) || set == "UCS2") && len(octets)%2 == 0:
		units := make([]uint16, len(octets)/2)
		for i := range units {
			units[i] = uint16(octets[2*i])<<8 | uint16(octets[2*i+1])
		}
		return string(utf16.Decode(units)), nil
	case isHex && packed:
		septets := tpdu.AppendUnpacked(nil, octets, 0, len(octets)*8/7)
		return strings.TrimRight(string(tpdu.DecodeSeptets(nil, septets, 0, 0)), "\r@"), nil
	case isHex && set == "HEX":
		return string(tpdu.DecodeSeptets(nil, octets, 0, 0)), nil
	case !utf8.ValidString(text):
		return strings.ToValidUTF8(text, "\uFFFD"), fmt.Errorf("ussd: the text is not in a known coding (dcs %d)", dcs)
	}
	return text, nil
}

// wide tells whether a scheme of TS 23.038 clause 5 is UCS-2: general data
// coding, and 17 as some modems give it for texts without a language in front.
func wide(dcs byte) bool {
	return dcs == 0x11 || dcs&0xC0 == 0x40 && dcs&0x0C == 0x08 || dcs&0xF0 == 0x90 && dcs&0x0C == 0x08
}
