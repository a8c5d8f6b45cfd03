package sms

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/internal/testform"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// Character sets of Quirks.CharacterSet (3GPP TS 27.007 clause 5.5).
const (
	charsetGSM  = "GSM"  // the septets of TS 23.038, one an octet
	charsetIRA  = "IRA"  // ITU-T T.50, which is ASCII
	charsetUCS2 = "UCS2" // UTF-16 in hexadecimal digits
)

// ErrTextMode says that a message was refused because text mode, which is all
// that the modem has, has no form for it. It is an ErrInvalidMessage too.
var ErrTextMode = errors.New("sms: not in text mode")

// setupText sets text mode with all details and a character set, and makes
// sure of each: a wrong one would garble every text (TS 27.005 clauses 3.2.3
// and 3.3.3; TS 27.007 clause 5.5).
func (s *Service) setupText(ctx context.Context) error {
	for _, setting := range []struct{ name, value string }{{"+CMGF", "1"}, {"+CSDH", "1"}} {
		if err := s.confirm(ctx, setting.name, setting.value); err != nil {
			return err
		}
	}
	sets, err := s.charsetsToTry(ctx)
	if err != nil {
		return err
	}
	for _, charset := range sets {
		if err = s.confirm(ctx, "+CSCS", `"`+charset+`"`); err == nil {
			s.charset.Store(&charset)
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
	}
	return err
}

// charsetsToTry are those of Quirks, or else those that the modem offers and
// this package knows.
func (s *Service) charsetsToTry(ctx context.Context) ([]string, error) {
	known := []string{charsetUCS2, charsetGSM, charsetIRA}
	if set := s.cfg.Quirks.CharacterSet; set != "" {
		if !slices.Contains(known, set) {
			return nil, fmt.Errorf("character set %q is none of %v", set, known)
		}
		return []string{set}, nil
	}
	resp, err := s.patiently(ctx, at.Command{Text: "+CSCS=?"})
	if err != nil && !refused(err) {
		return nil, err
	}
	groups, err := testform.Parse(parameters(resp, "+CSCS"))
	if err != nil || len(groups) == 0 {
		return known, nil // try and see
	}
	sets := slices.DeleteFunc(known, func(set string) bool { return !groups[0].HasString(set) })
	if len(sets) == 0 {
		return nil, fmt.Errorf("of the character sets %v none is known", groups[0].Strings)
	}
	return sets, nil
}

// confirm makes a setting and reads it back.
func (s *Service) confirm(ctx context.Context, name, value string) error {
	if _, err := s.patiently(ctx, at.Command{Text: name + "=" + value}); err != nil {
		return err
	}
	resp, err := s.patiently(ctx, at.Command{Text: name + "?"})
	if err != nil {
		return err
	}
	if now := parameters(resp, name); now != value {
		return fmt.Errorf("the modem took %s=%s but says %q", name, value, now)
	}
	return nil
}

// confirmedCharset is the character set that the modem confirmed, or before
// that the one that it is to have; empty if that is to be seen.
func (s *Service) confirmedCharset() string {
	if set := s.charset.Load(); set != nil {
		return *set
	}
	return s.cfg.Quirks.CharacterSet
}

// modeLasts is how long a mode that was set is relied on.
const modeLasts = time.Second

// keepMode sets PDU mode, or text mode with its character set, again before it
// matters: other programs on a port of the modem and some modems change it
// unasked (faults F10, F102), and a PDU would go as a text to nobody knows whom.
// The caller holds the lock.
func (s *Service) keepMode(ctx context.Context) error {
	text := "+CMGF=0"
	if s.cfg.Quirks.TextMode {
		text = `+CMGF=1;+CSDH=1;+CSCS="` + s.confirmedCharset() + `"`
	} else if time.Since(s.modeSet) < modeLasts {
		return nil
	}
	_, err := s.modem.Command(ctx, at.Command{Text: text, Timeout: s.cfg.commandTimeout()})
	if err == nil {
		s.modeSet = time.Now()
	}
	return err
}

// setParameters sets what the next message in text mode is to be sent with.
func (s *Service) setParameters(ctx context.Context, parameters string) error {
	if err := s.keepMode(ctx); err != nil || parameters == "" {
		return err
	}
	_, err := s.modem.Command(ctx, at.Command{Text: parameters, Timeout: s.cfg.commandTimeout()})
	return err
}

// check refuses what cannot be sent, before anything is written. While the
// character set is not known, so is whether it carries a text.
func (s *Service) check(m Message) (draft, error) {
	if !s.cfg.Quirks.TextMode {
		return cut(m, 0)
	}
	charset := s.confirmedCharset()
	if charset == "" {
		charset = charsetUCS2
	}
	d, _, err := textCut(m, 0, charset, s.cfg.Quirks.TextHeaders)
	return d, err
}

// compose turns a message into what the modem is to be given.
func (s *Service) compose(m Message, reference uint16) ([]segment, tpdu.Address, error) {
	if !s.cfg.Quirks.TextMode {
		return compose(m, reference)
	}
	charset := s.confirmedCharset()
	d, plain, err := textCut(m, reference, charset, s.cfg.Quirks.TextHeaders)
	if err != nil {
		return nil, d.submit.Destination, err
	}
	segments := make([]segment, d.parts.Len())
	for i := range segments {
		if segments[i], err = textSegment(&m, &d, i, charset, plain); err != nil {
			return nil, d.submit.Destination, err
		}
	}
	return segments, d.submit.Destination, nil
}

// textCut checks a message and splits its content for text mode. plain is a
// text as it is in the character set; where it is nil, the modem gets user data
// in hexadecimal digits, which it takes for UCS-2, for data and for what has a
// header (TS 27.005 clause 3.5.1). There is no form of the GSM alphabet with a
// header: how many septets the digits mean would be a guess.
func textCut(m Message, reference uint16, charset string, headers bool) (d draft, plain []byte, err error) {
	refuse := func(why string) (draft, []byte, error) {
		return d, nil, fmt.Errorf("%w: %w: %s", ErrInvalidMessage, ErrTextMode, why)
	}
	if d, err = cut(m, reference); err != nil {
		return d, nil, err
	}
	if m.Data == nil && d.parts.Alphabet == tpdu.GSM7 {
		if len(d.parts.At(0).Header) == 0 {
			plain, _ = textData(m.Text, d.parts, charset)
		}
		if plain == nil && m.Encoding == tpdu.OnlyGSM7 {
			return refuse("the GSM alphabet takes neither a header nor what the character set " + charset + " lacks")
		}
		if plain == nil {
			m.Encoding = tpdu.OnlyUCS2
			if d, err = cut(m, reference); err != nil {
				return d, nil, err
			}
		}
	}
	switch {
	case d.parts.Len() > 1 && !headers:
		return refuse(fmt.Sprintf("a message has one part, and this one makes %d; a modem that takes headers (Quirks.TextHeaders) takes more", d.parts.Len()))
	case len(d.parts.At(0).Header) > 0 && !headers:
		return refuse("ports, indications and national tables need a modem that takes headers (Quirks.TextHeaders)")
	case m.ServiceCentre != "":
		return refuse("a message has no service centre of its own")
	case m.Named:
		return refuse("a recipient has a number")
	}
	return d, plain, nil
}

// textSegment is a part in text mode: the parameters of +CSMP, the number, and
// the text or the user data (TS 27.005 clauses 3.1, 3.3.2 and 3.5.1).
func textSegment(m *Message, d *draft, part int, charset string, plain []byte) (segment, error) {
	d.submit.UserData = d.parts.At(part)
	octets, err := d.submit.AppendBinary(nil)
	if err != nil {
		return segment{}, fmt.Errorf("%w: %w", ErrInvalidMessage, err)
	}
	data := plain
	if data == nil {
		data = []byte(strings.ToUpper(hex.EncodeToString(userOctets(&d.submit.UserData))))
	}
	number, kind := d.submit.Destination.String(), d.submit.Destination.Type
	if charset == charsetUCS2 {
		number = hexUTF16(number)
	}
	return segment{
		parameters: "+CSMP=" + submitParameters(octets, m.ValidUntil),
		argument:   fmt.Sprintf(`"%s",%d`, number, byte(kind)),
		data:       data,
	}, nil
}

// userOctets is TP-UD: the header with its length, if there is one, and the rest.
func userOctets(u *tpdu.UserData) (octets []byte) {
	if len(u.Header) > 0 {
		octets = append([]byte{byte(len(u.Header))}, u.Header...)
	}
	return append(octets, u.Body...)
}

// submitParameters are <fo>,<vp>,<pid>,<dcs> of an SMS-SUBMIT. Where it has no
// validity, <vp> is what the standard presets, to be ignored.
func submitParameters(octets []byte, until time.Time) string {
	rest := octets[2+2+(int(octets[2])+1)/2:] // after the flags, TP-MR and TP-DA
	validity := "167"
	switch tpdu.ValidityFormat(octets[0] >> 3 & 3) {
	case tpdu.RelativeValidity:
		validity = strconv.Itoa(int(rest[2]))
	case tpdu.AbsoluteValidity:
		_, east := until.Zone()
		validity = fmt.Sprintf(`"%s%+03d"`, until.Format(stampLayout), east/(15*60))
	}
	return fmt.Sprintf("%d,%s,%d,%d", octets[0], validity, rest[0], rest[1])
}

var errNotCarried = errors.New("the character set does not carry the text")

// textData is a text of the GSM alphabet in the character set, without what a
// modem takes as a command while it is entered: backspace, CR, Ctrl-Z and ESC.
func textData(text string, parts *tpdu.Parts, charset string) ([]byte, error) {
	if charset == charsetUCS2 {
		return []byte(hexUTF16(text)), nil
	}
	data := []byte(text)
	if charset == charsetGSM {
		ud := parts.At(0)
		data = ud.AppendSeptets([]byte{})
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
