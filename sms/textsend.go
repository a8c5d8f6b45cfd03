package sms

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// Character sets of Quirks.CharacterSet (3GPP TS 27.007 clause 5.5).
const (
	charsetGSM  = "GSM"  // the septets of TS 23.038, one an octet
	charsetIRA  = "IRA"  // ITU-T T.50, which is ASCII
	charsetUCS2 = "UCS2" // UTF-16 in hexadecimal digits
)

// setupText sets text mode with all details and the character set, and makes
// sure of both: a wrong one would garble every text (TS 27.005 clauses 3.2.3
// and 3.3.3; TS 27.007 clause 5.5).
func (s *Service) setupText(ctx context.Context) error {
	charset := s.cfg.charset()
	switch charset {
	case charsetGSM, charsetIRA, charsetUCS2:
	default:
		return fmt.Errorf("character set %q is none of GSM, IRA and UCS2", charset)
	}
	for _, setting := range []struct{ name, value string }{
		{"+CMGF", "1"}, {"+CSDH", "1"}, {"+CSCS", `"` + charset + `"`},
	} {
		if _, err := s.patiently(ctx, at.Command{Text: setting.name + "=" + setting.value}); err != nil {
			return err
		}
		resp, err := s.patiently(ctx, at.Command{Text: setting.name + "?"})
		if err != nil {
			return err
		}
		if now := parameters(resp, setting.name); now != setting.value {
			return fmt.Errorf("the modem took %s=%s but says %q", setting.name, setting.value, now)
		}
	}
	return nil
}

// keepCharset sets the character set again before it matters: other programs
// and some modems change it unasked (faults F10, F102). The caller holds the lock.
func (s *Service) keepCharset(ctx context.Context) error {
	if !s.cfg.Quirks.TextMode {
		return nil
	}
	text := `+CMGF=1;+CSDH=1;+CSCS="` + s.cfg.charset() + `"`
	_, err := s.modem.Command(ctx, at.Command{Text: text, Timeout: s.cfg.commandTimeout()})
	return err
}

// setParameters sets what the next message in text mode is to be sent with.
func (s *Service) setParameters(ctx context.Context, parameters string) error {
	if parameters == "" {
		return nil
	}
	if err := s.keepCharset(ctx); err != nil {
		return err
	}
	_, err := s.modem.Command(ctx, at.Command{Text: parameters, Timeout: s.cfg.commandTimeout()})
	return err
}

// check refuses what cannot be sent, before anything is written.
func (s *Service) check(m Message) (draft, error) {
	d, err := cut(m, 0)
	if err == nil && s.cfg.Quirks.TextMode {
		_, err = textSegment(m, d, s.cfg.charset())
	}
	return d, err
}

// compose turns a message into what the modem is to be given.
func (s *Service) compose(m Message, reference uint16) ([]segment, tpdu.Address, error) {
	if !s.cfg.Quirks.TextMode {
		return compose(m, reference)
	}
	d, err := cut(m, reference)
	if err != nil {
		return nil, d.submit.Destination, err
	}
	seg, err := textSegment(m, d, s.cfg.charset())
	return []segment{seg}, d.submit.Destination, err
}

// textSegment is a message in text mode: the parameters of +CSMP, the number,
// and the text in the character set (TS 27.005 clauses 3.1, 3.3.2 and 3.5.1).
func textSegment(m Message, d draft, charset string) (segment, error) {
	refuse := func(why string) (segment, error) {
		return segment{}, fmt.Errorf("%w: in text mode %s", ErrInvalidMessage, why)
	}
	switch {
	case m.Data != nil || len(d.parts.At(0).Header) > 0 && d.parts.Len() == 1:
		return refuse("only plain texts can be sent")
	case d.parts.Len() > 1:
		return refuse(fmt.Sprintf("one part is all a message may have, and this one makes %d", d.parts.Len()))
	case m.StatusReport:
		return refuse("status reports are not supported")
	case m.ServiceCentre != "":
		return refuse("a message has no service centre of its own")
	}
	data, err := textData(m.Text, d.parts, charset)
	if err != nil {
		return refuse(err.Error())
	}
	d.submit.UserData = d.parts.At(0)
	octets, err := d.submit.AppendBinary(nil)
	if err != nil {
		return segment{}, fmt.Errorf("%w: %w", ErrInvalidMessage, err)
	}
	number, kind := d.submit.Destination.String(), d.submit.Destination.Type
	if charset == charsetUCS2 {
		number = hexUTF16(number)
	}
	return segment{
		parameters: "+CSMP=" + submitParameters(octets),
		argument:   fmt.Sprintf(`"%s",%d`, number, byte(kind)),
		data:       data,
	}, nil
}

// submitParameters are <fo>,<vp>,<pid>,<dcs> of an SMS-SUBMIT. Where it has no
// validity, <vp> is what the standard presets, to be ignored.
func submitParameters(octets []byte) string {
	rest := octets[2+2+(int(octets[2])+1)/2:] // after the flags, TP-MR and TP-DA
	validity := byte(167)
	if octets[0]>>3&3 == 2 { // TP-VPF: relative
		validity = rest[2]
	}
	return fmt.Sprintf("%d,%d,%d,%d", octets[0], validity, rest[0], rest[1])
}

var errNotCarried = errors.New("the character set does not carry the text")

// textData is a text in the character set, without what a modem takes as a
// command while it is entered: backspace, CR, Ctrl-Z and ESC.
func textData(text string, parts *tpdu.Parts, charset string) ([]byte, error) {
	if charset == charsetUCS2 {
		return []byte(hexUTF16(text)), nil
	}
	if parts.Alphabet != tpdu.GSM7 {
		return nil, errNotCarried
	}
	data := []byte(text)
	if charset == charsetGSM {
		ud := parts.At(0)
		data = ud.AppendSeptets(nil)
	}
	for _, c := range data {
		switch {
		case c == '\b' || c == '\r' || c == ctrlZ || c == 0x1B:
			return nil, errNotCarried
		case charset == charsetIRA && c != '\n' && (c < ' ' || c > '~'):
			return nil, errNotCarried
		}
	}
	return data, nil
}

// hexUTF16 is the character set UCS2.
func hexUTF16(text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return strings.ToUpper(hex.EncodeToString(b))
}
