package sms

import (
	"fmt"
	"strconv"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// draft is a message that was checked and cut.
type draft struct {
	parts  *tpdu.Parts
	submit tpdu.Submit // all but the user data
	centre tpdu.Address
}

// compose turns a message into the TPDUs that carry it. reference marks the
// parts of a long one.
func compose(m Message, reference uint16) (segments []segment, to tpdu.Address, err error) {
	d, err := cut(m, reference)
	if err != nil {
		return nil, to, err
	}
	segments = make([]segment, d.parts.Len())
	for i := range segments {
		d.submit.UserData = d.parts.At(i)
		octets, err := d.submit.AppendBinary(nil)
		if err != nil {
			return nil, to, fmt.Errorf("%w: %w", ErrInvalidMessage, err)
		}
		segments[i] = segment{data: tpdu.AppendHex(nil, d.centre, octets), argument: strconv.Itoa(len(octets))}
	}
	return segments, d.submit.Destination, nil
}

// cut checks a message and splits its content.
func cut(m Message, reference uint16) (d draft, err error) {
	if why := contradiction(&m); why != "" {
		return d, fmt.Errorf("%w: %s", ErrInvalidMessage, why)
	}
	if err := d.address(&m); err != nil {
		return d, fmt.Errorf("%w: %w", ErrInvalidMessage, err)
	}
	config := &tpdu.SplitConfig{
		Encoding: m.Encoding, Locking: m.Locking, Single: m.Single,
		Reference: reference, Wide: true, // 16 bits repeat 256 times later, for one octet
		Ports: m.Ports,
	}
	for _, i := range m.Indications {
		config.Header = tpdu.AppendIndication(config.Header, i)
	}
	if m.Data != nil {
		d.parts, err = tpdu.SplitData(m.Data, config)
	} else {
		d.parts, err = tpdu.Split(m.Text, config)
	}
	if err != nil {
		return d, fmt.Errorf("%w: %w", ErrInvalidMessage, err)
	}
	d.submit.StatusReportRequest = m.StatusReport
	d.submit.ReplyPath = m.ReplyPath
	d.submit.PID = m.ProtocolID
	d.submit.DCS = d.parts.DCS(m.Class)
	if m.Waiting != nil {
		if d.parts.Alphabet == tpdu.UCS2 && !m.Waiting.Store {
			return d, fmt.Errorf("%w: the standard has no indication in UCS-2 that is not stored", ErrInvalidMessage)
		}
		d.submit.DCS = tpdu.WaitingDCS(*m.Waiting, d.parts.Alphabet)
	}
	switch {
	case !m.ValidUntil.IsZero():
		d.submit.Validity = tpdu.Until(m.ValidUntil)
	case m.Validity > 0:
		d.submit.Validity = tpdu.Relative(m.Validity)
	}
	return d, nil
}

// contradiction tells what in a message excludes each other.
func contradiction(m *Message) string {
	switch {
	case m.Text != "" && m.Data != nil:
		return "it has both a text and data"
	case m.Validity != 0 && !m.ValidUntil.IsZero():
		return "it has two validities"
	case m.Waiting != nil && (m.Data != nil || m.Class != tpdu.NoClass):
		return "what says that something waits has neither data nor a class"
	}
	return ""
}

// address reads the numbers.
func (d *draft) address(m *Message) (err error) {
	parse := tpdu.ParseAddress
	if m.Named {
		parse = tpdu.NewName
	}
	if d.submit.Destination, err = parse(m.To); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	if m.ServiceCentre == "" {
		return nil
	}
	if d.centre, err = tpdu.ParseAddress(m.ServiceCentre); err != nil {
		return fmt.Errorf("service centre: %w", err)
	}
	return nil
}
