package sms

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// Broadcast is a cell broadcast message: a warning, or what the network tells
// everybody in a cell (3GPP TS 23.041).
type Broadcast struct {
	// Serial and Identifier name the message; Identifier is what Config.Broadcasts
	// selects (TS 23.041 clauses 9.4.1.2.1 and 9.4.1.2.2).
	Serial, Identifier uint16
	// Language is the ISO 639 code, empty if none is told.
	Language string
	// Text is the text of all pages.
	Text string
	// Pages are the pages as they came, with their header of 6 octets. UMTS and
	// its successors send all pages in one, whose header has 7.
	Pages [][]byte
	// Err says why there is no text: ErrIncomplete, tpdu.ErrNotText, or a page
	// that makes no sense.
	Err error
}

// BroadcastRange is a range of message identifiers, both included.
type BroadcastRange struct{ First, Last uint16 }

const (
	pageHeader   = 6  // octets (TS 23.041 clause 9.4.1.2)
	pageOctets   = 88 // of a page with its header
	wholeHeader  = 7  // octets of a message that has all pages (clause 9.4.2.2)
	pageBody     = 82 // octets of each page in it, and one more that counts those in use
	pageSeptets  = 93 // of its text
	maxPages     = 15
	maxUnmade    = 16               // unfinished broadcasts held
	broadcastAge = 10 * time.Minute // they are held so long
	maxHeard     = 256              // broadcasts remembered, to know repetitions
	heardAge     = 24 * time.Hour
)

// broadcastKey is what tells one broadcast from another. A repetition has the
// same; a change counts the update number in the serial number up.
type broadcastKey struct{ serial, identifier uint16 }

// unmadeBroadcast is one whose pages have not all come.
type unmadeBroadcast struct {
	since time.Time
	pages [maxPages][]byte
	total int
}

// broadcasts puts the pages of cell broadcast messages together.
type broadcasts struct {
	mu     sync.Mutex
	unmade map[broadcastKey]*unmadeBroadcast
	heard  map[broadcastKey]time.Time
}

// add takes a page and returns what is complete or given up by it.
func (b *broadcasts) add(now time.Time, page []byte) []Broadcast {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(page) > pageOctets {
		return b.addWhole(now, page)
	}
	number, total, err := pageOf(page)
	if err != nil {
		return []Broadcast{{Pages: [][]byte{page}, Err: err}}
	}
	key := broadcastKey{binary.BigEndian.Uint16(page), binary.BigEndian.Uint16(page[2:])}
	if b.wasHeard(now, key) {
		return nil
	}
	done := b.expire(now)
	u := b.unmade[key]
	if u == nil || u.total != total {
		done = append(done, b.makeRoom()...)
		u = &unmadeBroadcast{since: now, total: total}
		if b.unmade == nil {
			b.unmade = make(map[broadcastKey]*unmadeBroadcast)
		}
		b.unmade[key] = u
	}
	u.pages[number-1] = page
	for _, p := range u.pages[:total] {
		if p == nil {
			return done
		}
	}
	delete(b.unmade, key)
	b.note(now, key)
	return append(done, readBroadcast(u.pages[:total]))
}

// addWhole takes a message that has all its pages.
func (b *broadcasts) addWhole(now time.Time, whole []byte) []Broadcast {
	pages, err := pagesOf(whole)
	if err != nil {
		return []Broadcast{{Pages: [][]byte{whole}, Err: err}}
	}
	key := broadcastKey{binary.BigEndian.Uint16(pages[0]), binary.BigEndian.Uint16(pages[0][2:])}
	if b.wasHeard(now, key) {
		return nil
	}
	done := b.expire(now)
	delete(b.unmade, key)
	b.note(now, key)
	got := readBroadcast(pages)
	got.Pages = [][]byte{whole}
	return append(done, got)
}

// pagesOf takes the form of UMTS apart, into pages like those of GSM (TS 23.041
// clause 9.4.2.2): message type, message identifier, serial number, data coding
// scheme, number of pages, and the pages, each with the count of its octets
// behind it. Octets behind the last page are left out.
func pagesOf(whole []byte) (pages [][]byte, err error) {
	if kind := whole[0]; kind != 1 {
		return nil, fmt.Errorf("sms: a cell broadcast message of type %d", kind)
	}
	count := int(whole[wholeHeader-1])
	if count == 0 || count > maxPages {
		return nil, fmt.Errorf("sms: a cell broadcast message of %d pages", count)
	}
	if want := wholeHeader + count*(pageBody+1); len(whole) < want {
		return nil, fmt.Errorf("sms: a cell broadcast message of %d octets, for %d pages it must have %d", len(whole), count, want)
	}
	for i := range count {
		at := wholeHeader + i*(pageBody+1)
		used := int(whole[at+pageBody])
		if used > pageBody {
			return nil, fmt.Errorf("sms: page %d of a cell broadcast message has %d octets", i+1, used)
		}
		page := append([]byte{whole[3], whole[4], whole[1], whole[2], whole[5], byte((i+1)<<4 | count)}, whole[at:at+used]...)
		pages = append(pages, page)
	}
	return pages, nil
}

// wasHeard tells whether a broadcast is a repetition.
func (b *broadcasts) wasHeard(now time.Time, key broadcastKey) bool {
	heard, ok := b.heard[key]
	return ok && now.Sub(heard) < heardAge
}

// pageOf reads the page parameter (clause 9.4.1.2.4): 0 in either half means
// page 1 of 1.
func pageOf(page []byte) (number, total int, err error) {
	if len(page) <= pageHeader {
		return 0, 0, fmt.Errorf("sms: a cell broadcast page of %d octets", len(page))
	}
	number, total = int(page[5]>>4), int(page[5]&15)
	if number == 0 || total == 0 {
		return 1, 1, nil
	}
	if number > total {
		return 0, 0, fmt.Errorf("sms: cell broadcast page %d of %d", number, total)
	}
	return number, total, nil
}

// expire gives up what has waited too long.
func (b *broadcasts) expire(now time.Time) (done []Broadcast) {
	for key, u := range b.unmade {
		if now.Sub(u.since) >= broadcastAge {
			done = append(done, b.giveUp(key))
		}
	}
	return done
}

// makeRoom gives up the oldest if too many are held.
func (b *broadcasts) makeRoom() (done []Broadcast) {
	for len(b.unmade) >= maxUnmade {
		var oldest broadcastKey
		var since time.Time
		for key, u := range b.unmade {
			if since.IsZero() || u.since.Before(since) {
				oldest, since = key, u.since
			}
		}
		done = append(done, b.giveUp(oldest))
	}
	return done
}

func (b *broadcasts) giveUp(key broadcastKey) Broadcast {
	pages := b.unmade[key].pages[:]
	delete(b.unmade, key)
	return Broadcast{
		Serial: key.serial, Identifier: key.identifier, Err: ErrIncomplete,
		Pages: slices.DeleteFunc(slices.Clone(pages), func(p []byte) bool { return p == nil }),
	}
}

// note remembers a broadcast that was handed over, in place of the oldest.
func (b *broadcasts) note(now time.Time, key broadcastKey) {
	if b.heard == nil {
		b.heard = make(map[broadcastKey]time.Time)
	}
	if len(b.heard) >= maxHeard {
		var oldest broadcastKey
		first := now
		for k, at := range b.heard {
			if !at.After(first) {
				oldest, first = k, at
			}
		}
		delete(b.heard, oldest)
	}
	b.heard[key] = now
}

// readBroadcast reads the pages of a whole broadcast.
func readBroadcast(pages [][]byte) Broadcast {
	b := Broadcast{
		Serial: binary.BigEndian.Uint16(pages[0]), Identifier: binary.BigEndian.Uint16(pages[0][2:]), Pages: slices.Clone(pages),
	}
	for _, page := range pages {
		alphabet, language, coded, err := broadcastCoding(page[4])
		if err != nil {
			b.Err, b.Text = err, ""
			return b
		}
		b.Language = language
		b.Text += b.pageText(page[pageHeader:], alphabet, coded)
	}
	return b
}

// pageText is the text of a page without its padding. coded says that the
// language stands in front of the text (TS 23.038 clause 5).
func (b *Broadcast) pageText(body []byte, alphabet tpdu.Alphabet, coded bool) string {
	if alphabet == tpdu.GSM7 {
		septets := tpdu.AppendUnpacked(nil, body, 0, min(pageSeptets, len(body)*8/7))
		if coded && len(septets) >= 3 { // two letters and CR
			b.Language, septets = string(septets[:2]), septets[3:]
		}
		septets = bytes.TrimRight(septets, "\r")
		return string(tpdu.DecodeSeptets(nil, septets, tpdu.DefaultLanguage, tpdu.DefaultLanguage))
	}
	if coded && len(body) >= 2 { // two septets in two octets
		b.Language, body = string(tpdu.AppendUnpacked(nil, body[:2], 0, 2)), body[2:]
	}
	ud := tpdu.UserData{Body: body}
	text, _ := ud.AppendText(nil, tpdu.NewDCS(tpdu.UCS2, tpdu.NoClass)) // knows no error in UCS-2
	return strings.TrimRight(string(text), "\x00\r")
}

// broadcastLanguages are those of the coding groups 0000 and 0010 (TS 23.038
// clause 5), two letters each.
var broadcastLanguages = [2]string{"deenitfresnlsvdaptfinoeltrhupl", "cshearruis"}

// broadcastCoding reads the data coding scheme of cell broadcast (TS 23.038
// clause 5), which is another than that of short messages. Reserved values are
// read as GSM 7-bit.
func broadcastCoding(dcs byte) (alphabet tpdu.Alphabet, language string, coded bool, err error) {
	low := int(dcs & 15)
	switch dcs >> 4 {
	case 0, 2:
		if list := broadcastLanguages[dcs>>5]; 2*low < len(list) {
			language = list[2*low : 2*low+2]
		}
	case 1:
		if low == 1 {
			alphabet = tpdu.UCS2
		}
		coded = low <= 1
	case 4, 5, 6, 7:
		alphabet = tpdu.DCS(dcs & 0x3F).Alphabet()
		if dcs&0x20 != 0 {
			return 0, "", false, tpdu.ErrCompressed
		}
	case 9, 13, 14: // user data header, I1 protocol, WAP
		return 0, "", false, tpdu.ErrNotText
	case 15:
		alphabet = tpdu.Alphabet(dcs >> 2 & 1)
	}
	if alphabet == tpdu.Octets {
		return 0, "", false, tpdu.ErrNotText
	}
	return alphabet, language, coded, nil
}

// setBroadcasts selects the message identifiers (TS 27.005 clause 3.3.4). A
// modem that refuses them still sends and receives messages.
func (s *Service) setBroadcasts(ctx context.Context) error {
	if len(s.cfg.Broadcasts) == 0 || s.cfg.Quirks.TextMode {
		return nil
	}
	var list []string
	for _, r := range s.cfg.Broadcasts {
		if r.First > r.Last {
			return fmt.Errorf("identifiers from %d to %d are none", r.First, r.Last)
		}
		if r.First == r.Last {
			list = append(list, fmt.Sprint(r.First))
			continue
		}
		list = append(list, fmt.Sprintf("%d-%d", r.First, r.Last))
	}
	_, err := s.patiently(ctx, at.Command{Text: `+CSCB=0,"` + strings.Join(list, ",") + `",""`})
	if refused(err) {
		s.event(Event{Kind: EventBroadcastRefused})
		return nil
	}
	return err
}

// tookPage takes a +CBM in PDU mode (TS 27.005 clause 4.6).
func (s *Service) tookPage(n at.Notification) {
	page, err := hex.DecodeString(string(bytes.TrimSpace(n.Body)))
	if err != nil || n.Incomplete {
		err = errors.Join(err, errors.New("sms: a cell broadcast page that is none"))
		s.tellBroadcasts([]Broadcast{{Pages: [][]byte{n.Body}, Err: err}})
		return
	}
	s.tellBroadcasts(s.broadcasts.add(time.Now(), page))
}

// expireBroadcasts gives up broadcasts whose pages never came.
func (s *Service) expireBroadcasts() {
	s.broadcasts.mu.Lock()
	done := s.broadcasts.expire(time.Now())
	s.broadcasts.mu.Unlock()
	s.tellBroadcasts(done)
}

func (s *Service) tellBroadcasts(done []Broadcast) {
	for _, b := range done {
		if s.cfg.OnBroadcast != nil {
			s.cfg.OnBroadcast(b)
		}
	}
}
