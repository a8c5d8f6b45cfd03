package session

import (
	"context"
	"errors"
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

// search is how long a network has been missing, and what was done about it.
// It belongs to the goroutine of run, but for running.
type search struct {
	since    time.Time // zero while registered
	patience time.Duration
	done     chan struct{} // closed when the help under way has ended; nil without
}

// registered notes that there is a network.
func (s *search) registered() { s.since = time.Time{} }

// due tells whether help is due, now that there is no network.
func (s *search) due(now time.Time) bool {
	if s.done != nil {
		select {
		case <-s.done:
			s.done, s.since = nil, now
		default:
			return false // it is under way
		}
	}
	if s.since.IsZero() {
		s.since, s.patience = now, searchPatience
	}
	if now.Sub(s.since) < s.patience {
		return false
	}
	s.patience = min(2*s.patience, searchPatienceMax)
	return true
}

// helpSearch climbs the radio's own ladder, beside the watch: it takes minutes.
func (s *Session) helpSearch() {
	s.search.done = make(chan struct{})
	done := s.search.done
	s.recovering("look for a network anew", nil)
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
