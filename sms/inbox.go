package sms

import (
	"strings"
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// maxPartial bounds how many parts of unfinished long messages are held; they
// stay in the modem as well, so beyond it the oldest is forgotten and found
// again by a later sweep.
const maxPartial = 1024

// inbox puts stored messages together. It belongs to one goroutine.
type inbox struct {
	partial map[partKey]map[uint8]stored
	held    int
}

// partKey is what the parts of one message share.
type partKey struct {
	from      tpdu.Address
	reference uint16
	wide      bool
	total     uint8
}

func newInbox() *inbox { return &inbox{partial: make(map[partKey]map[uint8]stored)} }

// add takes a stored message in. If it completes a message, that and all its
// parts are returned.
func (b *inbox) add(m stored) (in Incoming, parts []stored, complete bool) {
	_, octets, err := tpdu.DecodeHex(nil, m.pdu)
	if err != nil {
		return Incoming{TPDUs: [][]byte{[]byte(strings.TrimSpace(m.pdu))}, Err: err}, []stored{m}, true
	}
	if kind, err := tpdu.TypeOf(tpdu.ToMobile, octets); err == nil && kind == tpdu.TypeStatusReport {
		return report(octets), []stored{m}, true
	}
	var d tpdu.Deliver
	if err := d.Decode(octets); err != nil {
		return Incoming{TPDUs: [][]byte{octets}, Err: err}, []stored{m}, true
	}
	c, ok := d.UserData.Header.Concat()
	if !ok || c.Total == 1 {
		return assemble([][]byte{octets}), []stored{m}, true
	}
	return b.addPart(partKey{d.Originator, c.Reference, c.Wide, c.Total}, c.Part, m)
}

func (b *inbox) addPart(key partKey, part uint8, m stored) (in Incoming, parts []stored, complete bool) {
	if b.held >= maxPartial {
		b.partial, b.held = make(map[partKey]map[uint8]stored), 0
	}
	set := b.partial[key]
	if set == nil {
		set = make(map[uint8]stored)
		b.partial[key] = set
	}
	if _, known := set[part]; !known {
		b.held++
	}
	set[part] = m
	if len(set) < int(key.total) {
		return Incoming{}, nil, false
	}
	delete(b.partial, key)
	b.held -= len(set)
	octets := make([][]byte, 0, len(set))
	for n := uint8(1); n <= key.total && n != 0; n++ {
		_, tp, _ := tpdu.DecodeHex(nil, set[n].pdu) // it was read before
		octets = append(octets, tp)
		parts = append(parts, set[n])
	}
	return assemble(octets), parts, true
}

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
			in.From = d.Originator.String()
			in.Sent = when(d.Timestamp)
			in.Class = d.DCS.Class()
			if p, ok := d.UserData.Header.Ports(); ok {
				in.Ports = &p
			}
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

// reported reads the PDU of +CDS.
func reported(pdu string) Incoming {
	_, octets, err := tpdu.DecodeHex(nil, pdu)
	if err != nil {
		return Incoming{TPDUs: [][]byte{[]byte(strings.TrimSpace(pdu))}, Err: err}
	}
	return report(octets)
}
