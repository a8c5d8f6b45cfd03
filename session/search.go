package session

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/telemodem/telemodem/at"
)

// A modem that finds no network by itself is helped: first after searchPatience
// (Quectel's application notes restart after 90 s without +CREG), then ever
// more rarely, since each new search costs energy and loads the network
// (GSMA TS.34).
const (
	searchPatience    = 90 * time.Second
	searchPatienceMax = time.Hour
)

// search is when help is due for a modem without a network. It belongs to the
// goroutine of run.
type search struct {
	next     time.Time // when help is due; zero while registered
	patience time.Duration
	done     chan struct{} // closed when the help under way has ended; nil without
}

// registered notes that there is a network.
func (s *search) registered() { s.next = time.Time{} }

// begin gives a modem that was started its time.
func (s *search) begin(now time.Time) {
	if !s.next.IsZero() {
		s.wait(now)
	}
}

// wait sets the time of the next help, jittered so that the modems that lost
// the same mast do not come back at the same moment.
func (s *search) wait(now time.Time) {
	s.next = now.Add(s.patience*3/4 + rand.N(s.patience/2))
}

// due tells whether help is due, now that there is no network.
func (s *search) due(now time.Time) bool {
	if s.done != nil {
		select {
		case <-s.done:
			s.done = nil
			s.wait(now)
		default:
			return false // it is under way
		}
	}
	if s.next.IsZero() {
		s.patience = searchPatience
		s.wait(now)
	}
	if now.Before(s.next) {
		return false
	}
	s.patience = min(2*s.patience, searchPatienceMax)
	s.wait(now)
	return true
}

// helpSearch climbs the radio's own ladder, beside the watch: it takes minutes.
func (s *Session) helpSearch() {
	s.search.done = make(chan struct{})
	done := s.search.done
	s.recovering(RungSearch, errNoNetwork)
	s.setState(StateSearching, nil)
	s.running.Go(func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(s.ctx, searchHelpLimit)
		defer cancel()
		if _, err := s.radio.Register(ctx); err != nil && !errors.Is(err, at.ErrDataMode) {
			s.log.Warn("session: still no network", "err", err)
		}
	})
}

// searchHelpLimit bounds one climb: three rungs, the longest of which, an
// operator selection, takes up to 120 s (ModemManager).
const searchHelpLimit = 10 * time.Minute
