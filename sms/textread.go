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
	if b.Text > 0 && s.cfg.charset() == charsetUCS2 {
		return at.Body{Lines: 1, Hex: true}
	}
	return b
}

// pdu is a received message in the form of PDU mode. One in text mode is put
// into the SMS-DELIVER that it must have been; where that cannot be done, it
// is the line and its body as they came.
func (s *Service) pdu(line string, body []byte) string {
	if !s.cfg.Quirks.TextMode {
		return string(body)
	}
	octets, err := deliverOf(line, body, s.cfg.charset())
	if err != nil {
		s.cfg.Logger.Warn("a message in text mode makes no sense; handed over as it came", "err", err)
		return line + "\n" + string(body)
	}
	return string(tpdu.AppendHex(nil, tpdu.Address{}, octets))
}

// deliverOf reads +CMGL, +CMGR and +CMT with details (TS 27.005 clauses 3.4.1
// to 3.4.3): ...,oa,[alpha],scts,tooa,fo,pid,dcs,sca,tosca,length. Some modems
// leave alpha out altogether, so the fields behind it are counted from the end.
func deliverOf(line string, body []byte, charset string) ([]byte, error) {
	name, rest, _ := strings.Cut(line, ":")
	fields := fieldsOf(rest)
	first := map[string]int{"+CMGL": 2, "+CMGR": 1, "+CMT": 0}[name]
	n := len(fields)
	if n < first+9 {
		return nil, fmt.Errorf("%s without details has %d fields", name, n)
	}
	var d tpdu.Deliver
	kind, errKind := strconv.ParseUint(fields[n-7], 10, 8)
	pid, errPID := strconv.ParseUint(fields[n-5], 10, 8)
	dcs, errDCS := strconv.ParseUint(fields[n-4], 10, 8)
	stamp, errStamp := stampOf(fields[n-8])
	from, errFrom := originatorOf(tpdu.TypeOfAddress(kind), fields[first], charset)
	if err := errors.Join(errKind, errPID, errDCS, errStamp, errFrom); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d.Originator, d.PID, d.DCS, d.Timestamp = from, tpdu.PID(pid), tpdu.DCS(dcs), stamp
	var err error
	if d.UserData, err = userDataOf(body, d.DCS, charset); err != nil {
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

// stampOf reads <scts>: "yy/MM/dd,hh:mm:ss±zz", zz in quarters of an hour.
func stampOf(text string) (tpdu.Timestamp, error) {
	const layout = "06/01/02,15:04:05"
	if len(text) < len(layout) {
		return tpdu.Timestamp{}, fmt.Errorf("time stamp %q", text)
	}
	quarters, _ := strconv.Atoi(text[len(layout):]) // some modems leave it out
	t, err := time.ParseInLocation(layout, text[:len(layout)], time.FixedZone("", quarters*15*60))
	return tpdu.NewTimestamp(t), err
}

func originatorOf(kind tpdu.TypeOfAddress, text, charset string) (tpdu.Address, error) {
	septets, err := septetsOf([]byte(text), charset)
	if err != nil {
		return tpdu.Address{}, err
	}
	text = string(tpdu.DecodeSeptets(nil, septets, tpdu.DefaultLanguage, tpdu.DefaultLanguage))
	if kind.Number() == tpdu.TypeAlphanumeric {
		return tpdu.NewName(text)
	}
	return tpdu.NewAddress(kind, strings.TrimPrefix(text, "+"))
}

// userDataOf is the body as user data. What is no text in the GSM alphabet
// comes in hexadecimal digits in every character set.
func userDataOf(body []byte, dcs tpdu.DCS, charset string) (u tpdu.UserData, err error) {
	if dcs.Alphabet() != tpdu.GSM7 || dcs.Compressed() {
		u.Body, err = hex.DecodeString(string(body))
		return u, err
	}
	septets, err := septetsOf(body, charset)
	if err != nil {
		return u, err
	}
	return tpdu.UserData{Body: tpdu.AppendPacked(nil, septets, 0), Septets: len(septets)}, nil
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
		b, err := hex.DecodeString(string(text))
		if err != nil {
			return nil, err
		}
		var units []uint16
		for ; len(b) > 1; b = b[2:] {
			units = append(units, uint16(b[0])<<8|uint16(b[1]))
		}
		text = []byte(string(utf16.Decode(units)))
	}
	return tpdu.AppendSeptets(nil, string(text), tpdu.DefaultLanguage, tpdu.DefaultLanguage)
}
