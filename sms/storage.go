package sms

import (
	"context"
	"strconv"
	"strings"

	"github.com/telemodem/telemodem/at"
)

// maxListed bounds how many messages are taken from one listing; a fuller
// storage shows the rest in the next.
const maxListed = 1024

// listing is what a storage holds.
type listing struct {
	messages    []arrival // received ones
	lines       int       // all that were listed, drafts too
	generation  uint64    // when it was listed
	used, total int       // as +CPMS counts; 0 if unknown
}

// list reads all messages of a storage (TS 27.005 clause 3.4.2, <stat> 4).
// Where that shows nothing although the modem counts some, other than phantoms
// of them, they are read one by one (fault F48).
func (s *Service) list(ctx context.Context, storage string, phantoms int) (l listing, err error) {
	if err := s.lock(ctx); err != nil {
		return l, err
	}
	defer s.unlock()
	l.generation = s.generation.Load()
	if l.used, l.total, err = s.useStorage(ctx, storage); err != nil {
		return l, err
	}
	if err := s.keepMode(ctx); err != nil {
		return l, err
	}
	every := "4"
	if s.cfg.Quirks.TextMode {
		every = `"ALL"`
	}
	resp, err := s.modem.Command(ctx, s.reading("+CMGL="+every))
	switch {
	case err == nil:
		l.read(s, resp, storage)
	case !refused(err) || l.used == 0:
		return l, err
	}
	if l.lines == 0 && l.used > 0 && l.used != phantoms {
		return s.readEach(ctx, l, storage)
	}
	return l, nil
}

func (l *listing) read(s *Service, resp at.Response, storage string) {
	last := -1 // of l.messages, if the line before was one of it
	for _, info := range resp.Info {
		rest, ok := strings.CutPrefix(info.Text, "+CMGL:")
		if !ok {
			l.leftover(last)
			continue
		}
		last = -1
		l.lines++
		fields := strings.Split(rest, ",")
		index, err := strconv.Atoi(strings.TrimSpace(fields[0]))
		if err != nil || len(fields) < 2 || !received(strings.TrimSpace(fields[1])) {
			continue // drafts and sent messages are not ours to delete
		}
		if len(l.messages) < maxListed {
			last = len(l.messages)
			l.add(s, info, slot{storage, index, l.generation})
		}
	}
}

// leftover notes that a line came behind a message that is none: its text goes
// on behind the length that was announced.
func (l *listing) leftover(message int) {
	if message >= 0 {
		l.messages[message].damaged = true
	}
}

func (l *listing) add(s *Service, info at.Info, place slot) {
	a := s.arrivalOf(info.Text, info.Body)
	a.slot = &place
	l.messages = append(l.messages, a)
}

// readEach reads the slots of a storage one by one until all that the modem
// counts are found. Empty slots are errors or answers without a message.
func (s *Service) readEach(ctx context.Context, l listing, storage string) (listing, error) {
	for index := 0; index <= min(l.total, maxListed) && l.lines < l.used; index++ {
		resp, err := s.modem.Command(ctx, s.reading("+CMGR="+strconv.Itoa(index)))
		if err != nil && !refused(err) {
			return l, err
		}
		if err == nil {
			l.readOne(s, resp, slot{storage, index, l.generation})
		}
	}
	return l, nil
}

// readOne takes the answer to +CMGR (TS 27.005 clause 3.4.3).
func (l *listing) readOne(s *Service, resp at.Response, at slot) {
	last := -1
	for _, info := range resp.Info {
		rest, ok := strings.CutPrefix(info.Text, "+CMGR:")
		stat, _, _ := strings.Cut(strings.TrimSpace(rest), ",")
		switch {
		case !ok:
			l.leftover(last)
		case received(stat):
			last = len(l.messages)
			l.add(s, info, at)
			fallthrough
		case stat != "":
			l.lines++
		}
	}
}

// reading is a command that is answered by messages.
func (s *Service) reading(text string) at.Command {
	return at.Command{
		Text: text,
		Body: func(line string) at.Body {
			if strings.HasPrefix(line, "+CPMS") {
				return at.Body{}
			}
			return s.storedBody(line)
		},
		// Of a text that is longer than announced, the rest is a line of its own.
		FreeText: s.cfg.Quirks.TextMode,
		Timeout:  s.cfg.commandTimeout(),
	}
}

// readSlot reads one message, if a storage is selected and the modem still says
// so, and what the storage counts: with one command line, so that it costs no
// more than the reading (TS 27.005 clauses 3.2.2 and 3.4.3). What is damaged, or not in the mode that was set, counts
// as not found: a listing makes the settings again.
func (s *Service) readSlot(ctx context.Context, at place) (found bool, l listing, err error) {
	if err := s.lock(ctx); err != nil {
		return false, l, err
	}
	defer s.unlock()
	if s.selected != at.storage {
		return false, l, nil
	}
	if s.cfg.Quirks.TextMode {
		if err := s.keepMode(ctx); err != nil {
			return false, l, err
		}
	}
	l.generation = s.generation.Load()
	resp, err := s.modem.Command(ctx, s.reading("+CPMS?;+CMGR="+strconv.Itoa(at.index)))
	if err != nil && !refused(err) {
		return false, l, err
	}
	name, rest, _ := strings.Cut(parameters(resp, "+CPMS"), ",")
	if strings.Trim(name, `" `) != at.storage {
		return false, l, nil
	}
	l.used, l.total, _ = counts(rest)
	if err == nil {
		l.readOne(s, resp, slot{at.storage, at.index, l.generation})
	}
	return len(l.messages) == 1 && !l.messages[0].damaged, l, nil
}

// received tells whether <stat> means a received message: unread or read
// (TS 27.005 clause 3.1). Some firmware gives the text form in PDU mode.
func received(stat string) bool {
	return stat == "0" || stat == "1" || strings.HasPrefix(stat, `"REC`)
}

// remove deletes a message. After a boot, or in another modem, something else
// may lie in its place, which is left alone: the message, if it is still there,
// is found again.
func (s *Service) remove(ctx context.Context, place slot) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if place.generation != s.generation.Load() {
		return nil
	}
	if s.selected != place.storage {
		if _, _, err := s.useStorage(ctx, place.storage); err != nil {
			return err
		}
	}
	_, err := s.modem.Command(ctx, at.Command{Text: "+CMGD=" + strconv.Itoa(place.index), Timeout: s.cfg.commandTimeout()})
	return err
}

// useStorage selects a storage for reading and deleting and tells what it
// counts: +CPMS: "SM",3,20,... or +CPMS: 3,20,... All memories are named, since some modems refuse to set one alone
// (fault F52); new messages still go to the best. The caller holds the lock.
func (s *Service) useStorage(ctx context.Context, name string) (used, total int, err error) {
	if name == "" {
		return 0, 0, nil
	}
	if name == s.selected {
		resp, err := s.modem.Command(ctx, at.Command{Text: "+CPMS?", Timeout: s.cfg.commandTimeout()})
		if err != nil && !refused(err) {
			return 0, 0, err
		}
		first, rest, _ := strings.Cut(parameters(resp, "+CPMS"), ",")
		if err != nil || strings.Trim(first, `" `) == name { // else another program has selected another one
			used, total, _ = counts(rest)
			return used, total, nil
		}
	}
	text := `+CPMS="` + name + `"` + strings.Repeat(`,"`+s.routing.storages[0]+`"`, s.routing.memories-1)
	resp, err := s.modem.Command(ctx, at.Command{Text: text, Timeout: s.cfg.commandTimeout()})
	if err != nil {
		s.selected = ""
		return 0, 0, err
	}
	s.selected = name
	used, total, _ = counts(parameters(resp, "+CPMS"))
	return used, total, nil
}

// used counts what is left in the selected storage.
func (s *Service) used(ctx context.Context) (n int, ok bool) {
	if err := s.lock(ctx); err != nil {
		return 0, false
	}
	defer s.unlock()
	if s.selected == "" {
		return 0, false
	}
	n, total, err := s.useStorage(ctx, s.selected)
	return n, err == nil && total > 0
}

// noteFilling tells of a storage that is filling up.
func (s *Service) noteFilling(storage string, l listing) {
	used := max(l.used, l.lines)
	switch {
	case l.total == 0 || used*5 < l.total*4:
		return
	case used >= l.total:
		s.event(Event{Kind: EventStorageFull, Storage: storage, Used: used, Total: l.total})
	default:
		s.event(Event{Kind: EventStorageNearlyFull, Storage: storage, Used: used, Total: l.total})
	}
}
