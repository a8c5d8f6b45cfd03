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
	if m.Text != "" && m.Data != nil {
		return d, fmt.Errorf("%w: it has both a text and data", ErrInvalidMessage)
	}
	if d.submit.Destination, err = tpdu.ParseAddress(m.To); err != nil {
		return d, fmt.Errorf("%w: recipient: %w", ErrInvalidMessage, err)
	}
	if m.ServiceCentre != "" {
		if d.centre, err = tpdu.ParseAddress(m.ServiceCentre); err != nil {
			return d, fmt.Errorf("%w: service centre: %w", ErrInvalidMessage, err)
		}
	}
	config := &tpdu.SplitConfig{
		Encoding: m.Encoding, Locking: m.Locking, Single: m.Single,
		Reference: reference, Wide: true, // 16 bits repeat 256 times later, for one octet
		Ports: m.Ports,
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
	if m.Validity > 0 {
		d.submit.Validity = tpdu.Relative(m.Validity)
	}
	return d, nil
}
