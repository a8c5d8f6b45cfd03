package sms

import (
	"bytes"
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
	if s.cfg.Quirks.TextMode {
		ok = ok && intactText(line, body, s.confirmedCharset())
	} else {
		ok = intact(line, body)
	}
	return arrival{pdu: pdu, damaged: !ok}
}

// intactText tells whether the body of a message in text mode may be what was
// announced at the end of the line (TS 27.005 clause 3.1, <length>). Modems count
// hexadecimal digits, what those stand for, or septets. Of other text as much as
// was announced is read, so what the line lost of it shows in an end that is not
// the text's. The line itself, a report too, has no length: of it only what makes
// no sense is seen.
func intactText(line string, body []byte, charset string) bool {
	d, ok := detailsOf(line)
	switch {
	case !ok:
		return true
	case !d.digits(charset):
		return !overrun(body)
	}
	n := d.length
	if n == len(body) || 2*n == len(body) || d.dcs.Alphabet() != tpdu.Octets && 4*n == len(body) {
		return true
	}
	septets, err := septetsOf(body, charset)
	return d.dcs.Alphabet() == tpdu.GSM7 && err == nil && n == len(septets)
}

// afterText is what stands behind a text: the end of its line, and the next one.
var afterText = []string{"\r\n\r\nOK\r\n", "\r\n\r\n+CMGL: ", "\r\n+CMGL: ", "\r\nOK\r\n"}

// overrun tells whether a text ends with what stands behind texts. One that does
// of itself is read a few times more.
func overrun(body []byte) bool {
	at := bytes.LastIndex(body, []byte("\r\n+CMGL: "))
	for i := len(body) - 1; i >= max(at, len(body)-len(afterText[1]), 0); i-- {
		for _, after := range afterText {
			if strings.HasPrefix(after, string(body[i:])) {
				return true
			}
		}
	}
	return at >= 0 && isListed(body[at+2:])
}

// isListed tells whether a text goes on as a listing does.
func isListed(text []byte) bool {
	_, rest, _ := bytes.Cut(text, []byte(": "))
	rest = bytes.TrimLeft(rest, "0123456789")
	return len(rest) == 0 || strings.HasPrefix(`,"REC `, string(rest[:min(len(rest), 6)]))
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
