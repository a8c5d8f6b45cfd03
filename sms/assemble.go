package sms

import (
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// assemble reads the parts of one message, which are in order.
func assemble(octets [][]byte) Incoming {
	in := Incoming{TPDUs: octets}
	var text tpdu.TextDecoder
	var buf []byte
	for i, tp := range octets {
		var d tpdu.Deliver
		if in.Err = d.Decode(tp); in.Err != nil {
			return in
		}
		if i == 0 {
			in.head(&d)
		}
		if d.DCS.Alphabet() == tpdu.Octets {
			in.Data = append(in.Data, d.UserData.Body...)
			continue
		}
		if buf, in.Err = text.Append(buf, d.DCS, &d.UserData); in.Err != nil {
			return in
		}
	}
	in.Text = string(text.Finish(buf))
	return in
}

// head takes what the first part says of a message.
func (in *Incoming) head(d *tpdu.Deliver) {
	in.From, in.Sent = d.Originator.String(), when(d.Timestamp)
	in.Class, in.ProtocolID, in.ReplyPath = d.DCS.Class(), d.PID, d.ReplyPath
	if w, ok := d.DCS.Waiting(); ok {
		in.Waiting = &w
	}
	if len(d.UserData.Header) == 0 {
		return
	}
	if p, ok := d.UserData.Header.Ports(); ok {
		in.Ports = &p
	}
	for i := range d.UserData.Header.Indications() {
		in.Indications = append(in.Indications, i)
	}
}

func when(s tpdu.Timestamp) time.Time {
	t, err := s.Time()
	if err != nil {
		return time.Time{}
	}
	return t
}

func report(octets []byte) Incoming {
	in := Incoming{TPDUs: [][]byte{octets}}
	var r tpdu.StatusReport
	if in.Err = r.Decode(octets); in.Err != nil {
		return in
	}
	in.From, in.Sent = r.Recipient.String(), when(r.Timestamp)
	in.Report = &Report{Reference: r.Reference, To: in.From, Status: r.Status, Discharge: when(r.Discharge)}
	return in
}
