package gprs

import "strings"

// ParseICCID reads an answer that holds the number of the SIM card (ITU-T
// E.118, 18 to 20 digits): bare, as SIM800 and many others print it, behind
// +CCID:, +QCCID:, +ICCID: or ^ICCID:, or as the file itself, its digits in
// swapped pairs, behind +CRSM: 144,0. A trailing F is padding.
func ParseICCID(line string) (string, error) {
	name, f := splitLine(line)
	text := fieldAt(f, 0).text
	if name == "+CRSM" {
		if sw1, ok := fieldAt(f, 0).decimal(); !ok || sw1 != 144 { // ISO 7816-4: 9000 is success
			return "", parseError(line, "the card refused to read its number")
		}
		text = swapPairs(fieldAt(f, 2).text)
	}
	text = strings.TrimRight(strings.ToUpper(text), "F")
	// Some operators number with hexadecimal digits; all begin with 89 (E.118).
	if len(text) < 18 || len(text) > 20 || !strings.HasPrefix(text, "89") || strings.Trim(text, "0123456789ABCDEF") != "" {
		return "", parseError(line, "no card number in it")
	}
	return text, nil
}

// swapPairs exchanges the digits of each pair: how EF-ICCID holds them.
func swapPairs(s string) string {
	b := []byte(s)
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}

// ParseIMSI reads the answer to AT+CIMI: the number by itself (3GPP TS 27.007
// clause 5.6), or behind +CIMI: as a few modems print it.
func ParseIMSI(line string) (string, error) {
	name, f := splitLine(line)
	text := fieldAt(f, 0).text
	if name != "" && name != "+CIMI" || len(text) < 6 || len(text) > 15 || !isDigits(text) {
		return "", parseError(line, "no subscriber identity in it")
	}
	return text, nil
}

// ParseOwnNumber reads a line of the answer to AT+CNUM (3GPP TS 27.007 clause
// 7.1): [<alpha>],<number>,<type>. An international number without its plus
// gets it from the type (145).
func ParseOwnNumber(line string) (string, error) {
	name, f := splitLine(line)
	return addressOf(name == "+CNUM", line, fieldAt(f, 1), fieldAt(f, 2))
}

// ParseSMSC reads the answer to AT+CSCA? (3GPP TS 27.005 clause 3.3.1).
func ParseSMSC(line string) (string, error) {
	name, f := splitLine(line)
	return addressOf(name == "+CSCA", line, fieldAt(f, 0), fieldAt(f, 1))
}

func addressOf(ok bool, line string, number, kind field) (string, error) {
	digits := strings.TrimPrefix(number.text, "+")
	if !ok || len(digits) > 20 || !isDigits(digits) {
		return "", parseError(line, "no number in it")
	}
	if n, _ := kind.decimal(); n == 145 || strings.HasPrefix(number.text, "+") { // 3GPP TS 24.008 10.5.4.7
		return "+" + digits, nil
	}
	return digits, nil
}
