package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
)

// backOff is the pause before the line is opened again, in the spirit of GSMA
// TS.34: growing, bounded, and jittered so that a thousand devices that lost
// the same mast do not come back at the same moment. A modem that was up has
// been at the network, and waits longest.
func backOff(failures int, wasUp bool) time.Duration {
	most := 7 // at most 3 min
	if wasUp {
		most = 10 // at most 25 min
	}
	pause := time.Second << min(failures, most)
	return pause/2 + rand.N(pause)
}

// run starts the modem, watches it, and brings it back, until Close.
func (s *Session) run() {
	defer s.finish()
	for failures := 0; s.ctx.Err() == nil; failures++ {
		u, err := s.start()
		if err == nil {
			s.began(nil)
			began := time.Now()
			err = s.watch(u)
			s.stop(u)
			if time.Since(began) > shortLife {
				failures = 0
			}
			s.calm()
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
		s.recover(err, backOff(failures, u != nil))
	}
}

// shortLife is what a modem has to live at least for the pauses to be short
// again.
const shortLife = 5 * time.Minute

// began ends the wait in Open, at the first call with the result of the first
// start. It tells whether the session is to end with it.
func (s *Session) began(err error) (end bool) {
	select {
	case <-s.started:
		return false
	default:
	}
	if s.cfg.KeepTrying && err != nil && !fatal(err) && s.ctx.Err() == nil {
		return false
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
// A PIN that was not sent, because the tries left could not be read just now,
// or that was accepted by a SIM that then took too long, costs no try.
func fatal(err error) bool {
	var pin *gprs.PINError
	return errors.As(err, &pin) && !errors.Is(err, gprs.ErrTriesUnknown) && !errors.Is(err, gprs.ErrNotReady)
}

// watch looks after a modem that was started and returns why it can go on no
// longer: the session is closed, the line is gone, the modem is deaf, or a rung
// of recovery needs it to be given up.
func (s *Session) watch(u *unit) error {
	s.healthy = time.Now()
	s.search.begin(s.healthy)
	listening, cancel := context.WithCancel(s.ctx)
	defer cancel()
	events := s.radio.Events(listening)
	s.setState(StateSearching, nil) // what it told before its start is over
	check := time.NewTicker(max(s.cfg.checkInterval(), time.Millisecond))
	defer check.Stop()
	if s.cfg.checkInterval() < 0 {
		check.Stop()
	}
	err := s.check(u)
	for err == nil {
		select {
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-u.modem.Done():
			return u.ending()
		case <-u.noticesGone():
			return fmt.Errorf("session: the line for notifications: %w", u.notices.Err())
		case err := <-u.broken:
			return err
		case event, ok := <-events:
			if ok {
				err = s.follow(u, event)
			}
		case <-u.reboots:
			err = s.setUpAgain(u, at.ErrRebooted)
		case cause := <-s.trouble:
			err = s.lookInto(u, cause)
		case <-check.C:
			err = s.check(u)
		case <-u.again:
			err = s.check(u)
		}
	}
	return err
}

// follow tells the session's listeners what the radio told, keeps State, and
// opens a SIM that was put in while the modem runs.
func (s *Session) follow(u *unit, event gprs.Event) error {
	s.publish(Event{Kind: EventRadio, Radio: event})
	switch {
	case event.Kind == gprs.EventRegistration:
		s.noteRegistration(event.Registration)
	case event.Kind == gprs.EventSIM && s.radio.LastSIM() == gprs.SIMPIN && !u.profile.NoSIM:
		return s.openAgain()
	}
	return nil
}

// openAgain opens the SIM of a modem in use: the tries left are read before, as
// at each start, and the last one is never spent. A SIM that is not there any
// more when we look is no failure of the modem.
func (s *Session) openAgain() error {
	s.recovering(RungSetup, errLockedAgain)
	ctx, cancel := context.WithTimeout(asSetter(s.ctx), s.cfg.startTimeout())
	defer cancel()
	return s.alone(func() error {
		err := s.openSIM(ctx)
		if err == nil || errors.Is(err, gprs.ErrNoSIM) || errors.Is(err, at.ErrDataMode) {
			s.noteRegistration(s.radio.Steady())
			return nil
		}
		return err
	})
}

func (s *Session) noteRegistration(r gprs.Registration) {
	if r.Packet {
		s.coverage = coverage{}
	}
	if r.State.Registered() {
		s.search.registered()
		s.ladder.network = spell{}
		s.setState(StateRegistered, nil)
		return
	}
	s.setState(StateSearching, nil)
}

// lossPause is the pause before a modem that has lost its network a moment ago is
// asked again: the radio believes a loss after 10 s, and if it is over before that
// tells of neither.
const lossPause = 12 * time.Second

// noteAnswer notes what the modem has told of its registration when it was asked.
func (s *Session) noteAnswer(u *unit, r gprs.Registration) {
	s.noteRegistration(r)
	if !r.State.Registered() && s.radio.Steady().State.Registered() {
		u.again = time.After(lossPause)
	}
}

// setUpAgain makes the settings anew, after the modem has booted by itself or
// its radio was off.
func (s *Session) setUpAgain(u *unit, cause error) error {
	s.recovering(RungSetup, cause)
	ctx, cancel := context.WithTimeout(asSetter(s.ctx), s.cfg.startTimeout())
	defer cancel()
	return s.alone(func() error {
		if err := s.setUp(ctx, u); err != nil {
			return err
		}
		registration, err := s.radio.Registration(ctx) // what it told before is over
		if err != nil {
			registration = s.radio.Steady()
		}
		s.noteAnswer(u, registration)
		return nil
	})
}

// lookInto follows a complaint of a user whose command got no answer, or whose
// data calls fail.
func (s *Session) lookInto(u *unit, cause error) error {
	if errors.Is(cause, errNoData) {
		if calls := s.Status().DataCalls; calls != s.callsThen { // one came up meanwhile
			s.callsThen, s.ladder.data, s.coverage = calls, spell{}, coverage{}
		}
		if !s.radio.Steady().State.Registered() || s.awaitsPacket() {
			return nil // that is what is looked after first
		}
		return s.climbHere(u, troubleData, cause)
	}
	s.recovering(RungProbe, cause)
	u.suspect = time.Now()
	return s.check(u)
}

// recovering records and announces a step of recovery.
func (s *Session) recovering(rung Rung, cause error) {
	s.mu.Lock()
	s.status.Recoveries++
	s.status.Rungs[rung]++
	s.mu.Unlock()
	s.log.Warn("session: recovery", "step", rung, "err", cause)
	s.publish(Event{Kind: EventRecovery, Rung: rung, Step: rung.String(), Err: cause})
	s.setState(StateRecovering, cause)
}

// stop gives a modem up.
func (s *Session) stop(u *unit) {
	s.relay.use(nil)
	if err := s.retire(u); err != nil {
		s.log.Warn("session: the modem may not be in command mode", "err", err)
	}
}

// retire closes what stands on a line, and keeps what was counted.
func (s *Session) retire(u *unit) error {
	err := u.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unit = nil
	s.status.Engine = plus(s.status.Engine, u.stats())
	return err
}

// finish lets everybody go.
func (s *Session) finish() {
	s.began(context.Cause(s.ctx))
	cause := ErrClosed
	if status := s.Status(); status.State == StateFailed && status.Err != nil {
		cause = status.Err // a human is needed: see StateFailed
	}
	s.end(cause)
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
