package session

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/at/cmux"
)

// muxKeepAlive is the silence after which the multiplexer asks for a sign of
// life. Drivers that do so ask every 5 s.
const muxKeepAlive = 5 * time.Second

// multiplex brings up 3GPP TS 27.010 where the modem's profile knows it, so
// that commands and messages go on during a data call. A modem that refuses
// goes on without it; one that agreed and then does not take part, because it
// booted in between or because it is broken, is started again, and after
// muxTries it is left in plain AT.
func (s *Session) multiplex(ctx context.Context, u *unit) error {
	p := u.profile.Multiplexer
	if p == nil || s.cfg.NoMultiplexer || s.cfg.Sockets != nil || s.muxFailures >= muxTries {
		return nil
	}
	parameters, err := u.muxParameters(ctx)
	if err != nil {
		return fmt.Errorf("session: profile %s: %w", u.profile.Name, err)
	}
	command, err := parameters.Command()
	if err != nil {
		return fmt.Errorf("session: profile %s: %w", u.profile.Name, err)
	}
	line, err := u.modem.Handover(ctx, at.Command{Text: strings.TrimPrefix(command, "AT")})
	if err != nil {
		if answered(err) {
			s.log.Warn("session: the modem refuses to multiplex: no commands and messages during a data call", "err", err)
			return nil
		}
		return err
	}
	config := p.Config()
	config.Option, config.KeepAlive, config.Speed = parameters.Option, muxKeepAlive, u.speed
	if parameters.N1 != 0 {
		config.N1 = parameters.N1
	}
	u.owner = u.modem
	u.config = s.engineConfig(u.profile) // the engines on the channels know the modem
	u.mux = cmux.New(line, &config)
	if err := u.openChannels(ctx, p.CommandChannel, p.DataChannel); err != nil {
		s.muxFailures++
		return &muxError{err}
	}
	return nil
}

// muxTries is how often a multiplexer may fail to come up until the modem is
// left in plain AT, which lasts until it is reset.
const muxTries = 2

// muxError is a multiplexer that did not come up, or not to stay.
type muxError struct{ err error }

func (e *muxError) Error() string { return "session: multiplexer: " + e.err.Error() }
func (e *muxError) Unwrap() error { return e.err }

// muxParameters are those of the profile, at the speed that the line has, as
// near as the modem can come to them: what it allows is in the answer to
// +CMUX=? (3GPP TS 27.007 clause 5.7).
func (u *unit) muxParameters(ctx context.Context) (cmux.Parameters, error) {
	p, err := cmux.ParseCommand(u.profile.Multiplexer.Command)
	if err != nil {
		return p, err
	}
	if u.baud != 0 && p.Speed != 0 {
		p.Speed = u.baud
		if _, err := p.Command(); err != nil {
			p.Speed = 0 // no code for it: leave the speed as it is
		}
	}
	resp, err := u.modem.Exec(ctx, "+CMUX=?")
	if err != nil && !answered(err) {
		return p, err
	}
	if info, ok := resp.Line("+CMUX"); ok {
		if ranges, err := cmux.ParseRanges(info.Text); err == nil {
			p = p.Within(ranges)
		}
	}
	return p, nil
}

// openChannels puts an engine on each channel. Echo and error levels are each
// channel's own.
func (u *unit) openChannels(ctx context.Context, command, data int) error {
	for _, c := range []struct {
		dlci int
		to   **at.Modem
	}{{command, &u.modem}, {data, &u.data}} {
		channel, err := u.mux.Open(ctx, c.dlci)
		if err != nil {
			return err
		}
		*c.to = at.New(channel, &u.config)
		if err := wake(ctx, *c.to); err != nil {
			return err
		}
		if _, err := (*c.to).Exec(ctx, "+CMEE=1"); err != nil && !answered(err) {
			return err
		}
	}
	return nil
}
