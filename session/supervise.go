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
	s.noteRegistration(s.radio.Steady())
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

// Times of a line that somebody else's command has for long.
const (
	// busyPause is the pause before the modem is asked again.
	busyPause = 5 * time.Second
	// busyLimit is how long a line may be busy: a search for operators, the
	// longest of all commands, takes 3 min (ModemManager).
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
	limit := busyLimit
	s.mu.Lock()
	if u.suspect.After(s.heard) {
		limit = suspectLimit
	}
	s.mu.Unlock()
	if time.Since(u.busySince) > limit {
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
		s.noteRegistration(s.radio.Steady())
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

// check asks the modem for its registration, which shows that it lives, and
// does something about a network that stays away.
func (s *Session) check(u *unit) error {
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	registration, err := s.radio.Registration(ctx)
	switch {
	case s.busy(u, err):
		return nil
	case errors.Is(err, at.ErrDataMode):
		return nil // the line is busy with a data call, which has a watch of its own
	case err != nil && !answered(err):
		return err
	case err != nil:
		if err := u.refused(err); err != nil {
			return err
		}
	default:
		u.refusals, u.told = 0, true
		forgot, err := u.forgot(ctx)
		if forgot {
			return s.afterSilentRestart(ctx, u)
		}
		if err != nil && !s.busy(u, err) && !errors.Is(err, at.ErrDataMode) {
			return err
		}
		s.noteRegistration(registration)
		if !registration.State.Registered() {
			if err := s.checkSearch(ctx, u); err != nil {
				return err
			}
		}
	}
	if _, err := s.radio.Signal(ctx); err != nil && !answered(err) && !errors.Is(err, at.ErrDataMode) && !s.busy(u, err) {
		return err
	}
	s.calm()
	return nil
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
