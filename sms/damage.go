package sms

import (
	"errors"
	"strconv"
	"strings"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// A message may come damaged because the line lost octets of it, or because
// another line tore in (faults F04, F08, F28). That is no message that cannot be
// decoded: the modem still has it, or the network. It is looked at again, and
// taken as it is only when it comes the same way again: a listing four times,
// because modems tear the same notification in again and again.

// errDamaged is a message that was left where it is, to be read again.
var errDamaged = errors.New("sms: a message came damaged and is left to be read again")

const (
	maxDamaged   = 1024 // messages that are remembered
	sameReadings = 4    // of a damaged message, until it is taken as it is
)

// damage is a damaged message as it was read last.
type damage struct {
	digest digest
	times  int // it was read like this
}

// intact tells whether a message in PDU mode is as long as the modem announced
// at the end of the line (3GPP TS 27.005 clause 3.1, <length>).
func intact(line string, body []byte) bool {
	_, rest, _ := strings.Cut(line, ":")
	announced, err := strconv.Atoi(strings.TrimSpace(rest[strings.LastIndexByte(rest, ',')+1:]))
	if err != nil {
		return false
	}
	_, octets, err := tpdu.DecodeHex(nil, body)
	return err == nil && len(octets) == announced
}

// arrivalOf is a message as the modem gave it.
func (s *Service) arrivalOf(line string, body []byte) arrival {
	pdu, ok := s.pdu(line, body)
	if !s.cfg.Quirks.TextMode {
		ok = intact(line, body)
	}
	return arrival{pdu: pdu, damaged: !ok}
}

// whole leaves out of a listing what is damaged, unless it was so before. The
// error is errDamaged if there is any.
func (r *receiver) whole(listed []arrival) (good []arrival, err error) {
	at := make(map[slot]int)
	for _, a := range listed {
		at[*a.slot]++
	}
	damaged := make(map[slot]damage)
	for _, a := range listed {
		if !a.damaged && at[*a.slot] == 1 { // two in one place: a digit was lost
			good = append(good, a)
			continue
		}
		now := damage{digestOf(a.octets()), 1}
		if before := r.damaged[*a.slot]; before.digest == now.digest {
			now.times += before.times
		}
		if now.times >= sameReadings {
			good = append(good, a)
			continue
		}
		err = errDamaged
		if len(damaged) < maxDamaged {
			damaged[*a.slot] = now
		}
	}
	if len(listed) > 0 {
		r.noteDamaged(listed[0].slot.storage, damaged)
	}
	return good, err
}

// noteDamaged remembers what is damaged in a storage, in place of what was.
func (r *receiver) noteDamaged(storage string, damaged map[slot]damage) {
	for place := range r.damaged {
		if place.storage == storage {
			delete(r.damaged, place)
		}
	}
	if len(r.damaged) > maxDamaged || r.damaged == nil {
		r.damaged = make(map[slot]damage)
	}
	for place, d := range damaged {
		r.damaged[place] = d
	}
}
