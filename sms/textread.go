package sms

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// storedBody is what stands behind each line of +CMGL and +CMGR: in PDU mode a
// line; in text mode as many octets as are announced, whatever they look like
// (faults F09, F56). Hexadecimal digits are a line without breaks inside, and
// modems disagree whether digits or characters are counted.
func (s *Service) storedBody(line string) at.Body {
	if !s.cfg.Quirks.TextMode {
		return at.Body{Lines: 1}
	}
	b := at.MessageBody(line)
	if d, ok := detailsOf(line); ok && b.Text > 0 && d.digits(s.confirmedCharset()) {
		return at.Body{Lines: 1, Hex: true}
	}
	return b
}

// details are what a line tells of the body behind it (+CSDH=1).
type details struct {
	dcs    tpdu.DCS
	length int
}

// detailsOf reads the end of +CMGL, +CMGR and +CMT: ...,dcs,sca,tosca,length; ok
// is false for a report, and for a line without details.
func detailsOf(line string) (d details, ok bool) {
	name, rest, _ := strings.Cut(line, ":")
	first, known := firstField[name]
	if _, report := reportAt(line); report || !known {
		return d, false
	}
	fields := fieldsOf(rest)
	n := len(fields)
	if n < first+9 {
		return d, false
	}
	dcs, errDCS := strconv.ParseUint(fields[n-4], 10, 8)
	length, err := strconv.Atoi(fields[n-1])
	return details{tpdu.DCS(dcs), length}, errDCS == nil && err == nil && length >= 0
}

// digits tells whether the body is hexadecimal digits in a character set.
func (d details) digits(charset string) bool {
	return charset == charsetUCS2 || d.dcs.Alphabet() != tpdu.GSM7 || d.dcs.Compressed()
}

// firstField is which field of a line is the originator.
var firstField = map[string]int{"+CMGL": 2, "+CMGR": 1, "+CMT": 0}

// pdu is a received message or report in the form of PDU mode. One in text mode
// is put into the SMS-DELIVER or SMS-STATUS-REPORT that it must have been; where
// that cannot be done, ok is false and it is the line and its body as they came.
func (s *Service) pdu(line string, body []byte) (pdu string, ok bool) {
	if !s.cfg.Quirks.TextMode {
		return string(body), true
	}
	read := func() ([]byte, error) { return deliverOf(line, body, s.confirmedCharset()) }
	if at, ok := reportAt(line); ok {
		read = func() ([]byte, error) { return reportOf(line, at, s.confirmedCharset()) }
	}
	octets, err := read()
	if err != nil {
		s.cfg.Logger.Warn("a message in text mode makes no sense", "err", err)
		return line + "\n" + string(body), false
	}
	return string(tpdu.AppendHex(nil, tpdu.Address{}, octets)), true
}

// reportAt tells whether a line is a status report, and which of its fields is
// <fo>: in a listing, where a message has its originator, that is a number
// without quotes.
func reportAt(line string) (at int, ok bool) {
	name, rest, _ := strings.Cut(line, ":")
	if name == "+CDS" {
		return 0, true
	}
	at, ok = map[string]int{"+CMGL": 2, "+CMGR": 1}[name]
	for range at {
		_, rest, _ = strings.Cut(rest, ",")
	}
	field, _, _ := strings.Cut(rest, ",")
	_, err := strconv.ParseUint(strings.TrimSpace(field), 10, 8)
	return at, ok && err == nil
}

// reportOf reads <fo>,<mr>,[<ra>],[<tora>],<scts>,<dt>,<st> (TS 27.005 clauses
// 3.4.1 to 3.4.3).
func reportOf(line string, at int, charset string) ([]byte, error) {
	name, rest, _ := strings.Cut(line, ":")
	fields := fieldsOf(rest)
	if len(fields) < at+7 {
		return nil, fmt.Errorf("%s of a status report has %d fields", name, len(fields))
	}
	f := fields[at:]
	mr, errMR := strconv.ParseUint(f[1], 10, 8)
	stamp, errStamp := stampOf(f[4])
	discharge, errDischarge := stampOf(f[5])
	status, errStatus := strconv.ParseUint(f[6], 10, 8)
	kind, err := strconv.ParseUint(f[3], 10, 8)
	if err != nil { // left out
		kind = uint64(tpdu.UnknownNumber)
	}
	to, errTo := numberOf(tpdu.TypeOfAddress(kind), f[2], charset)
	if err := errors.Join(errMR, errStamp, errDischarge, errStatus, errTo); err != nil {
		return nil, fmt.Errorf("%s of a status report: %w", name, err)
	}
	r := tpdu.StatusReport{Reference: byte(mr), Recipient: to, Timestamp: stamp, Discharge: discharge, Status: tpdu.Status(status)}
	return r.AppendBinary(nil)
}

// deliverOf reads +CMGL, +CMGR and +CMT with details (TS 27.005 clauses 3.4.1
// to 3.4.3): ...,oa,[alpha],scts,tooa,fo,pid,dcs,sca,tosca,length. Some modems
// leave alpha out altogether, so the fields behind it are counted from the end.
func deliverOf(line string, body []byte, charset string) ([]byte, error) {
	name, rest, _ := strings.Cut(line, ":")
	fields := fieldsOf(rest)
	first := firstField[name]
	n := len(fields)
	if n < first+9 {
		return nil, fmt.Errorf("%s without details has %d fields", name, n)
	}
	var d tpdu.Deliver
	kind, errKind := strconv.ParseUint(fields[n-7], 10, 8)
	flags, errFlags := strconv.ParseUint(fields[n-6], 10, 8)
	pid, errPID := strconv.ParseUint(fields[n-5], 10, 8)
	dcs, errDCS := strconv.ParseUint(fields[n-4], 10, 8)
	stamp, errStamp := stampOf(fields[n-8])
	from, errFrom := numberOf(tpdu.TypeOfAddress(kind), fields[first], charset)
	if err := errors.Join(errKind, errFlags, errPID, errDCS, errStamp, errFrom); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d.Originator, d.PID, d.DCS, d.Timestamp = from, tpdu.PID(pid), tpdu.DCS(dcs), stamp
	var err error
	d.ReplyPath = flags&0x80 != 0                                                        // TP-RP
	if d.UserData, err = userDataOf(body, flags&0x40 != 0, d.DCS, charset); err != nil { // TP-UDHI
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d.AppendBinary(nil)
}

// fieldsOf splits at the commas outside quotes and takes the quotes away.
func fieldsOf(text string) []string {
	var fields []string
	quoted, from := false, 0
	add := func(field string) { fields = append(fields, strings.Trim(strings.TrimSpace(field), `"`)) }
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ',' && !quoted:
			add(text[from:i])
			from = i + 1
		}
	}
	add(text[from:])
	return fields
}

// maxUserOctets is the most that TP-UD holds (TS 23.040 clause 9.2.3.16).
const maxUserOctets = 140

// stampLayout is <scts> and the like without the zone.
const stampLayout = "06/01/02,15:04:05"

// stampOf reads <scts>: "yy/MM/dd,hh:mm:ss±zz", zz in quarters of an hour.
func stampOf(text string) (tpdu.Timestamp, error) {
	if len(text) < len(stampLayout) {
		return tpdu.Timestamp{}, fmt.Errorf("time stamp %q", text)
	}
	quarters, _ := strconv.Atoi(text[len(stampLayout):]) // some modems leave it out
	t, err := time.ParseInLocation(stampLayout, text[:len(stampLayout)], time.FixedZone("", quarters*15*60))
	return tpdu.NewTimestamp(t), err
}

// numberOf reads a number or a name; one that is left out is the zero Address.
func numberOf(kind tpdu.TypeOfAddress, text, charset string) (tpdu.Address, error) {
	if text == "" {
		return tpdu.Address{}, nil
	}
	if kind.Number() == tpdu.TypeAlphanumeric {
		septets, err := septetsOf([]byte(text), charset)
		if err != nil {
			return tpdu.Address{}, err
		}
		return tpdu.NewName(string(tpdu.DecodeSeptets(nil, septets, tpdu.DefaultLanguage, tpdu.DefaultLanguage)))
	}
	digits, international := strings.CutPrefix(plainNumber(text, charset), "+")
	if international {
		kind = tpdu.InternationalNumber
	}
	return tpdu.NewAddress(kind, digits)
}

// plainNumber is a number in a character set. Some modems give it as it is
// where the set is UCS2.
func plainNumber(text, charset string) string {
	if charset != charsetUCS2 {
		return text
	}
	units, err := unitsOf([]byte(text))
	if err != nil {
		return text
	}
	number := string(utf16.Decode(units))
	if strings.Trim(number, "+0123456789*#abcABC") != "" {
		return text
	}
	return number
}

// userDataOf is the body as user data. What is no text in the GSM alphabet
// comes in hexadecimal digits in every character set, and so does what has a
// header (TS 27.005 clause 3.1, <data>). But many modems take the header off,
// and then the rest stands for a message of its own.
func userDataOf(body []byte, header bool, dcs tpdu.DCS, charset string) (u tpdu.UserData, err error) {
	octets, err := hex.DecodeString(string(body))
	text := dcs.Alphabet() == tpdu.GSM7 && !dcs.Compressed()
	if header && err == nil {
		if u, ok := withHeader(octets, text); ok {
			return u, nil
		}
	}
	if !text {
		return tpdu.UserData{Body: octets}, err
	}
	septets, err := septetsOf(body, charset)
	if err != nil {
		return u, err
	}
	return tpdu.UserData{Body: tpdu.AppendPacked(nil, septets, 0), Septets: len(septets)}, nil
}

// withHeader takes a header off user data, provided that it is one that says
// something: which part this is, or for which port.
func withHeader(octets []byte, packed bool) (u tpdu.UserData, ok bool) {
	if len(octets) == 0 || len(octets) > maxUserOctets || int(octets[0]) >= len(octets) {
		return u, false
	}
	u.Header, u.Body = tpdu.Header(octets[1:1+octets[0]]), octets[1+octets[0]:]
	_, part := u.Header.Concat()
	_, port := u.Header.Ports()
	if !u.Header.Valid() || !part && !port {
		return u, false
	}
	if packed {
		u.Septets = (8*len(u.Body) - u.Fill()) / 7
	}
	return u, true
}

// septetsOf reads the GSM alphabet's characters in a character set.
func septetsOf(text []byte, charset string) ([]byte, error) {
	switch charset {
	case charsetGSM:
		for _, c := range text {
			if c > 0x7F {
				return nil, fmt.Errorf("octet %#x is no septet", c)
			}
		}
		return text, nil
	case charsetUCS2:
		units, err := unitsOf(text)
		if err != nil {
			return nil, err
		}
		text = []byte(string(utf16.Decode(units)))
	}
	return tpdu.AppendSeptets(nil, string(text), tpdu.DefaultLanguage, tpdu.DefaultLanguage)
}

// unitsOf reads UTF-16 in hexadecimal digits.
func unitsOf(text []byte) (units []uint16, err error) {
	b, err := hex.DecodeString(string(text))
	if err == nil && len(b)%2 == 1 {
		err = fmt.Errorf("%d digits are no UTF-16", len(text))
	}
	for ; len(b) > 1; b = b[2:] {
		units = append(units, uint16(b[0])<<8|uint16(b[1]))
	}
	return units, err
}
