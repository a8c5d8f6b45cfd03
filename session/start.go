package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/at/cmux"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session/profile"
	"github.com/telemodem/telemodem/sms"
)

// wakeTimeout bounds one try to get a sign of life, and wakeTries is how many
// are made: a modem that sleeps or measures the speed swallows the first ones
// (fault F03), one that boots is deaf for a while.
const (
	wakeTimeout = 2 * time.Second
	wakeTries   = 10
)

// startTries is how often a start begins anew at once: because the modem boots
// while it is being set up, as host and modem are often switched on together,
// or because its multiplexer does not come up.
const startTries = muxTries + 1

// start brings a modem to where its SIM is open.
func (s *Session) start() (u *unit, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, max(time.Until(s.booted), 0)+s.cfg.startTimeout())
	defer cancel()
	for range startTries {
		u, err = s.startOnce(ctx)
		var mux *muxError
		anew := errors.Is(err, at.ErrRebooted) || errors.As(err, &mux)
		if !anew || ctx.Err() != nil {
			break
		}
		s.recovering(RungReopen, err)
	}
	return u, err
}

func (s *Session) startOnce(ctx context.Context) (*unit, error) {
	u, err := s.begin(ctx, false)
	if errors.Is(err, at.ErrNoAnswer) && ctx.Err() == nil {
		// A host that crashed leaves the modem multiplexing or in a data call
		// (faults F71 and F85).
		s.recovering(RungLeave, err)
		u, err = s.begin(ctx, true)
	}
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, u); err != nil {
		if u.mux != nil && errors.Is(err, at.ErrLineGone) { // the modem booted, for instance
			err = &muxError{err}
		}
		s.stop(u)
		return nil, err
	}
	return u, nil
}

// begin opens the line and gets a sign of life out of the modem on it. With
// lost, the modem is first brought out of whatever mode it may be in.
func (s *Session) begin(ctx context.Context, lost bool) (*unit, error) {
	s.setState(StateOpening, nil)
	line, err := s.openBooting(ctx)
	if err != nil {
		return nil, err
	}
	s.setState(StateStarting, nil)
	plain := false
	if lost {
		line, err = cmux.Recover(ctx, line, nil)
		plain = err == nil
	}
	u := newUnit(line, s.firstConfig())
	if lost && !plain {
		if err := u.modem.LeaveDataMode(ctx); err != nil {
			s.log.Warn("session: the modem is not in data mode, or does not leave it", "err", err)
		}
	}
	u.awaitBoot(ctx, s.booted)
	if err := wake(ctx, u.modem); err != nil {
		s.retire(u)
		return nil, err
	}
	return u, nil
}

// reopenPause is the pause between two attempts to open the port of a modem
// that was reset: on USB it goes away for some seconds.
const reopenPause = time.Second

// openBooting opens the line, patiently while the modem may be starting.
func (s *Session) openBooting(ctx context.Context) (io.ReadWriteCloser, error) {
	for {
		line, err := s.open(ctx)
		if err == nil || !time.Now().Before(s.booted) || ctx.Err() != nil {
			return line, err
		}
		pause(ctx, reopenPause)
	}
}

func (s *Session) open(ctx context.Context) (line io.ReadWriteCloser, err error) {
	if s.cfg.Open != nil {
		line, err = s.cfg.Open(ctx)
	} else {
		line, err = s.line.open(ctx)
	}
	if err != nil {
		return nil, &openError{err}
	}
	return line, nil
}

// engineConfig is what an engine is told of a modem.
func (s *Session) engineConfig(p *profile.Profile) at.Config {
	config := p.Engine()
	config.Logger, config.Trace = s.cfg.TraceLogger, s.cfg.Trace
	return config
}

// firstConfig is for the engine that finds out which modem it is, unless the
// user knows. Without a multiplexer that engine stays: identify gives it the
// pace of the family.
func (s *Session) firstConfig() at.Config {
	if s.cfg.Profile != nil {
		return s.engineConfig(s.cfg.Profile)
	}
	return s.engineConfig(profile.Unidentified)
}

// prepare finds out what modem it is, sets it up and opens its SIM.
func (s *Session) prepare(ctx context.Context, u *unit) error {
	if err := s.identify(ctx, u); err != nil {
		return err
	}
	if err := s.multiplex(ctx, u); err != nil {
		return err
	}
	if err := s.gather(ctx, u); err != nil {
		return err
	}
	u.watchReboots()
	u.bearer = s.newBearer(u)
	return s.alone(func() error {
		s.mu.Lock()
		s.unit = u
		s.mu.Unlock()
		s.relay.use(u) // radio and messages speak through it
		return s.setUp(asSetter(ctx), u)
	})
}

// alone keeps everybody else away from the modem during what sets it up. After
// an error, with which the modem is given up, they go on waiting for the next.
func (s *Session) alone(setUp func() error) error {
	s.relay.hold(true)
	defer s.relay.hold(false)
	err := setUp()
	if err != nil {
		s.relay.use(nil)
	}
	return err
}

// wake gets a first sign of life out of the modem and switches its echo off.
func wake(ctx context.Context, modem *at.Modem) error {
	var err error
	for range wakeTries {
		_, err = modem.Command(ctx, at.Command{Text: "E0", Timeout: wakeTimeout})
		if !errors.Is(err, at.ErrNoAnswer) && !errors.Is(err, at.ErrRebooted) {
			break
		}
	}
	if err == nil || answered(err) {
		return nil
	}
	return fmt.Errorf("session: no modem answers on this line (is it switched on, is it the AT port, is the speed right?): %w", err)
}

// identify asks the modem who it is and chooses the profile.
func (s *Session) identify(ctx context.Context, u *unit) error {
	said := make(map[string]string)
	for _, name := range []string{"MI", "MM", "MR"} {
		for _, text := range []string{"+CG" + name, "+G" + name} { // TS 27.007 clause 5, V.250 clause 6.1
			resp, err := u.modem.Command(ctx, at.Command{Text: text, FreeText: true})
			if errors.Is(err, at.ErrLineGone) || ctx.Err() != nil {
				return err
			}
			if err == nil && len(resp.Info) > 0 {
				said[name] = strings.TrimSpace(strings.TrimPrefix(resp.Info[0].Text, text+":"))
				break
			}
		}
	}
	u.profile = s.cfg.Profile
	if u.profile == nil {
		u.profile = profile.Find(said["MI"], said["MM"])
	}
	s.known = u.profile
	u.modem.SetPacing(u.profile.Pacing)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Manufacturer, s.status.Model, s.status.Revision = said["MI"], said["MM"], said["MR"]
	s.status.Profile = u.profile.Name
	if s.radio == nil {
		s.radio = gprs.NewRadio(s, &gprs.RadioConfig{Quirks: radioQuirks(u.profile), OpenedElsewhere: s.cfg.PIN != ""})
		s.messages = sms.New(s, s.smsConfig(u.profile))
	}
	return nil
}

// radioQuirks are the profile's, with its way to switch the radio.
func radioQuirks(p *profile.Profile) *gprs.Quirks {
	quirks := p.Data
	quirks.RadioOff, quirks.RadioOn = p.RadioOff, p.RadioOn
	return &quirks
}

// smsConfig is the user's, with what the profile knows.
func (s *Session) smsConfig(p *profile.Profile) *sms.Config {
	config := s.cfg.SMS
	config.Quirks = p.SMS
	if config.Logger == nil {
		config.Logger = s.cfg.Logger
	}
	return &config
}

// setUp makes all settings, which a reboot loses, and opens the SIM. Nothing
// in it does harm when it is done twice.
func (s *Session) setUp(ctx context.Context, u *unit) error {
	for _, text := range append([]string{"E0", "+CMEE=1"}, u.profile.Setup...) {
		if _, err := u.modem.Exec(ctx, text); err != nil && !answered(err) {
			return fmt.Errorf("session: setting up the modem: %w", err)
		}
	}
	if err := s.radio.Init(ctx); err != nil {
		return fmt.Errorf("session: setting up the radio: %w", err)
	}
	if !u.profile.NoSIM {
		s.setState(StateUnlocking, nil)
		if err := s.openSIM(ctx); err != nil {
			return err
		}
	}
	if err := u.remember(ctx); err != nil {
		return fmt.Errorf("session: setting up the modem: %w", err)
	}
	s.messages.Reset()
	s.mu.Lock()
	s.status.Starts++
	s.status.Multiplexed = u.mux != nil
	s.mu.Unlock()
	return nil
}

// answered tells whether the modem itself refused, which shows that it lives.
func answered(err error) bool {
	var cme at.CMEError
	var result at.ResultError
	return errors.As(err, &cme) || errors.As(err, &result)
}
