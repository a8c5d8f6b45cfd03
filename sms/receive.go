package sms

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// maxListed bounds how many messages are taken from one listing; a fuller
// storage shows the rest in the next sweep.
const maxListed = 1024

// retryPauses are waited before the storages are looked through again after a
// handler or a command failed.
var retryPauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute}

// Receive calls handler for each message that arrives or already lies in the
// modem, one after the other, until ctx ends, and returns the cause of that.
// A message is deleted from the modem only after handler returned nil; after
// an error it stays and comes again, so handler may see a message twice but
// never misses one. Failures of the modem do not end Receive: it tries again,
// with pauses. At most one Receive runs on a Service; another gets ErrBusy.
func (s *Service) Receive(ctx context.Context, handler func(context.Context, Incoming) error) error {
	if !s.receiving.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer s.receiving.Store(false)
	wake := make(chan struct{}, 1)
	poke := func(at.Notification) {
		select {
		case wake <- struct{}{}:
		default: // a sweep is due already
		}
	}
	reports := make(chan string, 256)
	stops := []func(){
		s.modem.Handle("+CMTI", poke), // every notification is a hint to go and look
		s.modem.Handle("+CDSI", poke),
		s.modem.Handle("+CDS", func(n at.Notification) {
			select {
			case reports <- string(n.Body):
			case <-ctx.Done():
			}
		}),
		s.modem.Handle("", func(n at.Notification) {
			if n.Kind == at.KindReboot {
				s.Reset()
				poke(n)
			}
		}),
	}
	defer func() {
		for _, stop := range stops {
			stop()
		}
	}()
	return s.receive(ctx, wake, reports, handler)
}

func (s *Service) receive(ctx context.Context, wake <-chan struct{}, reports <-chan string, handler func(context.Context, Incoming) error) error {
	inbox := newInbox()
	failures := 0
	for {
		err := s.sweep(ctx, inbox, handler)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		pause := s.cfg.sweepInterval()
		if err != nil {
			s.cfg.Logger.Warn("messages could not be fetched or handled; will try again", "err", err)
			pause = retryPauses[min(failures, len(retryPauses)-1)]
			failures++
		} else {
			failures = 0
		}
		if err := s.await(ctx, pause, wake, reports, handler); err != nil {
			return err
		}
	}
}

// await returns when it is time for another sweep. Status reports are handed
// over as they come.
func (s *Service) await(ctx context.Context, pause time.Duration, wake <-chan struct{}, reports <-chan string, handler func(context.Context, Incoming) error) error {
	var due <-chan time.Time
	if pause >= 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		due = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-wake:
			return nil
		case <-due:
			return nil
		case pdu := <-reports:
			if err := handler(ctx, reported(pdu)); err != nil {
				s.cfg.Logger.Warn("a status report was not handled", "err", err)
			}
		}
	}
}

// stored is a message as it lies in the modem.
type stored struct {
	storage string
	index   int
	pdu     string
}

// sweep looks through every storage and handles what it finds.
func (s *Service) sweep(ctx context.Context, inbox *inbox, handler func(context.Context, Incoming) error) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	err := s.ensureSetup(ctx)
	storages := s.routing.storages
	s.unlock()
	if err != nil {
		return err
	}
	if len(storages) == 0 {
		storages = []string{""} // a modem with a single, unnamed storage
	}
	var failures []error
	for _, storage := range storages {
		found, err := s.list(ctx, storage)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		for _, m := range found {
			if err := s.take(ctx, m, inbox, handler); err != nil {
				failures = append(failures, err)
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
	}
	return errors.Join(failures...)
}

// take handles one stored message and, once all of the message it belongs to
// is safe with the handler, deletes it and its other parts.
func (s *Service) take(ctx context.Context, m stored, inbox *inbox, handler func(context.Context, Incoming) error) error {
	in, parts, complete := inbox.add(m)
	if !complete {
		return nil
	}
	if err := handler(ctx, in); err != nil {
		return fmt.Errorf("the handler: %w", err)
	}
	var failures []error
	for _, p := range parts {
		if err := s.remove(ctx, p); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// list reads all messages of a storage (TS 27.005 clause 3.4.2, <stat> 4).
func (s *Service) list(ctx context.Context, storage string) ([]stored, error) {
	if err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	if err := s.useStorage(ctx, storage); err != nil {
		return nil, err
	}
	resp, err := s.modem.Command(ctx, at.Command{
		Text:    "+CMGL=4",
		Body:    func(string) at.Body { return at.Body{Lines: 1} },
		Timeout: s.cfg.commandTimeout(),
	})
	if err != nil {
		return nil, err
	}
	var found []stored
	for _, info := range resp.Info {
		rest, ok := strings.CutPrefix(info.Text, "+CMGL:")
		if !ok {
			continue
		}
		fields := strings.Split(rest, ",")
		index, err := strconv.Atoi(strings.TrimSpace(fields[0]))
		if err != nil || len(fields) < 2 || !received(strings.TrimSpace(fields[1])) {
			continue // drafts and sent messages are not ours to delete
		}
		if found = append(found, stored{storage, index, string(info.Body)}); len(found) == maxListed {
			break
		}
	}
	return found, nil
}

// received tells whether <stat> means a received message: unread or read
// (TS 27.005 clause 3.1). Some firmware gives the text form in PDU mode.
func received(stat string) bool {
	return stat == "0" || stat == "1" || strings.HasPrefix(stat, `"REC`)
}

func (s *Service) remove(ctx context.Context, m stored) error {
	if err := s.lock(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if err := s.useStorage(ctx, m.storage); err != nil {
		return err
	}
	_, err := s.modem.Command(ctx, at.Command{Text: "+CMGD=" + strconv.Itoa(m.index), Timeout: s.cfg.commandTimeout()})
	return err
}

// useStorage selects a storage for reading and deleting. The caller holds the lock.
func (s *Service) useStorage(ctx context.Context, name string) error {
	if name == "" || name == s.selected {
		return nil
	}
	if _, err := s.modem.Command(ctx, at.Command{Text: `+CPMS="` + name + `"`, Timeout: s.cfg.commandTimeout()}); err != nil {
		return err
	}
	s.selected = name
	return nil
}
