package session

import (
	"context"
	"errors"
	"time"

	"github.com/telemodem/telemodem/at"
)

// check looks at the modem's health: whether it answers, has its settings, and a
// network, and does something about one that stays away.
func (s *Session) check(u *unit) error {
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	if forgot, err := u.forgot(ctx); forgot {
		return s.afterSilentRestart(ctx, u)
	} else if !s.harmless(u, err) {
		return err
	}
	registration, err := s.radio.Registration(ctx)
	switch {
	case answered(err):
		u.busySince, err = time.Time{}, u.refused(err)
	case err == nil:
		u.refusals, u.told, u.busySince = 0, true, time.Time{}
		s.noteAnswer(u, registration)
		if !registration.State.Registered() {
			err = s.checkSearch(ctx, u)
		}
	case s.harmless(u, err):
		return nil // a data call, for instance, has a watch of its own
	}
	if err != nil {
		return err
	}
	if _, err := s.radio.Signal(ctx); !s.harmless(u, err) {
		return err
	}
	s.calm()
	return nil
}

// harmless tells whether what became of a question says nothing against the modem:
// it answered, or the line is somebody else's just now.
func (s *Session) harmless(u *unit, err error) bool {
	switch {
	case err == nil:
		return true
	case answered(err), errors.Is(err, at.ErrDataMode):
		u.busySince = time.Time{}
		return true
	}
	return s.busy(u, err)
}

// calm forgets troubles when the modem has done well for long enough.
func (s *Session) calm() {
	if !s.healthy.IsZero() && time.Since(s.healthy) > calmTime {
		s.ladder.calm()
	}
}

// checkSearch looks at the SIM of a modem without a network, since a
// notification about it may have been lost, and helps when help is due.
func (s *Session) checkSearch(ctx context.Context, u *unit) error {
	s.healthy = time.Now()
	if !u.profile.NoSIM {
		if _, err := s.radio.SIM(ctx); err != nil && !answered(err) { // follow sees the change
			return err
		}
	}
	if !s.search.due(time.Now()) {
		return nil
	}
	if err := s.climbHere(u, troubleNetwork, errNoNetwork); err != nil {
		return err
	}
	s.helpSearch()
	return nil
}

// Times of a line that somebody else's command has for long.
const (
	// busyPause is the pause before the modem is asked again.
	busyPause = 5 * time.Second
	// busyLimit is how long a line may be busy without an answer to anybody: a
	// search for operators, the longest of all commands, takes 3 min
	// (ModemManager).
	busyLimit = 4 * time.Minute
	// suspectLimit is the same for a modem that has left a command without an
	// answer, and has not answered any since.
	suspectLimit = 30 * time.Second
)

// busy tells whether our question was not even written, because the line was
// busy with somebody else's command: that has a limit of its own, and may be a
// message on its way, which must not be cut off. It is asked again soon.
func (s *Session) busy(u *unit, err error) bool {
	if !unwritten(err) {
		u.busySince = time.Time{}
		return false
	}
	if u.busySince.IsZero() {
		u.busySince = time.Now()
	}
	s.mu.Lock()
	heard := s.heard
	s.mu.Unlock()
	since, limit := u.busySince, busyLimit
	switch {
	case u.suspect.After(heard):
		limit = suspectLimit
	case heard.After(since): // the modem is well: others have much to ask
		since = heard
	}
	if time.Since(since) > limit {
		return false
	}
	u.again = time.After(busyPause)
	return true
}

// unwritten tells whether a command got no answer because it had no turn.
func unwritten(err error) bool {
	var failed *at.CommandError
	return errors.Is(err, at.ErrNoAnswer) && errors.As(err, &failed) && failed.Progress == at.NothingWritten
}
