package sms

import (
	"fmt"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// compose turns a message into the TPDUs that carry it. reference marks the
// parts of a long one.
func compose(m Message, reference uint16) ([]segment, error) {
	parts, submit, err := cut(m, reference)
	if err != nil {
		return nil, err
	}
	var centre tpdu.Address
	if m.ServiceCentre != "" {
		if centre, err = tpdu.ParseAddress(m.ServiceCentre); err != nil {
			return nil, fmt.Errorf("%w: service centre: %w", ErrInvalidMessage, err)
		}
	}
	segments := make([]segment, parts.Len())
	for i := range segments {
		submit.UserData = parts.At(i)
		octets, err := submit.AppendBinary(nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalidMessage, err)
		}
		segments[i] = segment{pdu: tpdu.AppendHex(nil, centre, octets), octets: len(octets)}
	}
	return segments, nil
}

// cut checks a message and splits its content; submit is all but that.
func cut(m Message, reference uint16) (parts *tpdu.Parts, submit tpdu.Submit, err error) {
	if m.Text != "" && m.Data != nil {
		return nil, submit, fmt.Errorf("%w: it has both a text and data", ErrInvalidMessage)
	}
	to, err := tpdu.ParseAddress(m.To)
	if err != nil {
		return nil, submit, fmt.Errorf("%w: recipient: %w", ErrInvalidMessage, err)
	}
	config := &tpdu.SplitConfig{
		Encoding: m.Encoding, Locking: m.Locking, Single: m.Single,
		Reference: reference, Wide: true, // 16 bits repeat 256 times later, for one octet
		Ports: m.Ports,
	}
	if m.Data != nil {
		parts, err = tpdu.SplitData(m.Data, config)
	} else {
		parts, err = tpdu.Split(m.Text, config)
	}
	if err != nil {
		return nil, submit, fmt.Errorf("%w: %w", ErrInvalidMessage, err)
	}
	submit = tpdu.Submit{
		StatusReportRequest: m.StatusReport,
		ReplyPath:           m.ReplyPath,
		Destination:         to,
		PID:                 m.ProtocolID,
		DCS:                 parts.DCS(m.Class),
	}
	if m.Validity > 0 {
		submit.Validity = tpdu.Relative(m.Validity)
	}
	return parts, submit, nil
}
