package session

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
)

// backOff is the pause before the line is opened again, in the spirit of GSMA
// TS.34: growing, bounded, and jittered so that a thousand devices that lost
// the same mast do not come back at the same moment.
func backOff(failures int) time.Duration {
	pause := time.Second << min(failures, 10) // at most 17 min
	return pause/2 + rand.N(pause)
}

// run starts the modem, watches it, and starts it again, until Close.
func (s *Session) run() {
	defer s.finish()
	for failures := 0; s.ctx.Err() == nil; {
		u, err := s.start()
		if err == nil {
			failures = 0
			s.began(nil)
			err = s.watch(u)
			s.stop(u)
		} else if s.ctx.Err() == nil && s.began(err) {
			return
		}
		if s.ctx.Err() != nil {
			return
		}
		if fatal(err) {
			s.setState(StateFailed, err)
			return
		}
		s.recovering("open the line again", err)
		pause(s.ctx, backOff(failures))
		failures++
	}
}

// began ends the wait in Open, at the first call with the result of the first
// start. It tells whether the session is to end with it.
func (s *Session) began(err error) (end bool) {
	select {
	case <-s.started:
		return false
	default:
	}
	s.mu.Lock()
	s.startErr = err
	s.mu.Unlock()
	if err != nil {
		s.setState(StateFailed, err)
	}
	close(s.started)
	return err != nil
}

// fatal tells whether only a human can help: trying a PIN again locks the SIM.
func fatal(err error) bool {
	var pin *gprs.PINError
	return errors.As(err, &pin)
}

// watch looks after a modem that was started and returns why it can go on no
// longer: the session is closed, the line is gone, or the modem is deaf.
func (s *Session) watch(u *unit) error {
	events := s.radio.Events(s.ctx)
	s.noteRegistration(s.radio.Steady())
	check := time.NewTicker(max(s.cfg.checkInterval(), time.Millisecond))
	defer check.Stop()
	if s.cfg.checkInterval() < 0 {
		check.Stop()
	}
	err := s.check()
	for err == nil {
		select {
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-u.modem.Done():
			return u.ending()
		case err := <-u.broken:
			return err
		case event, ok := <-events:
			if ok {
				s.follow(event)
			}
		case <-u.reboots:
			err = s.setUpAgain(u)
		case cause := <-s.trouble:
			s.recovering("ask the modem for a sign of life", cause)
			err = s.check()
		case <-check.C:
			err = s.check()
		}
	}
	return err
}

// follow tells the session's listeners what the radio told, and keeps State.
func (s *Session) follow(event gprs.Event) {
	s.publish(Event{Kind: EventRadio, Radio: event})
	if event.Kind == gprs.EventRegistration {
		s.noteRegistration(event.Registration)
	}
}

func (s *Session) noteRegistration(r gprs.Registration) {
	if r.State.Registered() {
		s.search.registered()
		s.setState(StateRegistered, nil)
		return
	}
	s.setState(StateSearching, nil)
}

// setUpAgain makes the settings anew after the modem has booted by itself.
func (s *Session) setUpAgain(u *unit) error {
	s.recovering("set the modem up again", at.ErrRebooted)
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.startTimeout())
	defer cancel()
	if err := s.setUp(ctx, u); err != nil {
		return err
	}
	s.noteRegistration(s.radio.Steady())
	return nil
}

// check asks the modem for its registration, which shows that it lives, and
// asks it to look for a network if it has none.
func (s *Session) check() error {
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	registration, err := s.radio.Registration(ctx)
	switch {
	case errors.Is(err, at.ErrDataMode):
		return nil // the line is busy with a data call, which has a watch of its own
	case err != nil && !answered(err):
		return err
	case err == nil:
		s.noteRegistration(registration)
		if !registration.State.Registered() && s.search.due(time.Now()) {
			s.helpSearch()
		}
	}
	if _, err := s.radio.Signal(ctx); err != nil && !answered(err) && !errors.Is(err, at.ErrDataMode) {
		return err
	}
	return nil
}

// recovering records and announces a step of recovery.
func (s *Session) recovering(step string, cause error) {
	s.mu.Lock()
	s.status.Recoveries++
	s.mu.Unlock()
	s.log.Warn("session: recovery", "step", step, "err", cause)
	s.publish(Event{Kind: EventRecovery, Step: step, Err: cause})
	s.setState(StateRecovering, cause)
}

// stop gives a modem up.
func (s *Session) stop(u *unit) {
	s.relay.use(nil)
	if err := u.close(); err != nil {
		s.log.Warn("session: the modem may not be in command mode", "err", err)
	}
}

// finish lets everybody go.
func (s *Session) finish() {
	s.began(context.Cause(s.ctx))
	cause := ErrClosed
	if status := s.Status(); status.State == StateFailed && status.Err != nil {
		cause = status.Err // a human is needed: see StateFailed
	}
	s.relay.close(cause)
	s.mu.Lock()
	radio := s.radio
	s.mu.Unlock()
	if radio != nil {
		radio.Close()
	}
	if s.Status().State != StateFailed {
		s.setState(StateClosed, nil)
	}
	s.events.Close()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
