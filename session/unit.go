package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/at/cmux"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session/profile"
)

// unit is a modem on an open line, with what stands on it. Without a
// multiplexer one engine has the line; with one there is an engine for
// commands and another one for the data call, each on a channel.
type unit struct {
	commands at.Commander // what users get: modem, with the notifications of all lines
	modem    *at.Modem    // for commands
	data     *at.Modem    // for the data call; the same one without a multiplexer
	notices  *at.Modem    // has the line for notifications; nil without
	mux      *cmux.Mux    // nil without
	owner    *at.Modem    // has the line below mux, and handed it over

	config  at.Config
	baud    int // rate that the line is set to in bit/s; 0 where it has none
	speed   int // rate at which octets leave it in bit/s; 0 where that is not known
	profile *profile.Profile
	bearer  *gprs.Bearer

	witness  string // the setting that tells whether all are still there; empty: none
	told     bool   // its registration, at least once
	refusals int    // to tell it, since then

	busySince time.Time        // since when the line is busy whenever we ask; zero: it is not
	suspect   time.Time        // when a command got no answer
	again     <-chan time.Time // when to ask again; nil: not before the next check

	reboots chan struct{} // gets a value when the modem says that it has booted
	broken  chan error    // gets a value when only a fresh start will help
}

func newUnit(line io.ReadWriteCloser, config at.Config) *unit {
	u := &unit{config: config, reboots: make(chan struct{}, 1), broken: make(chan error, 1)}
	below := line
	if outer, ok := line.(interface{ Unwrap() io.ReadWriteCloser }); ok {
		below = outer.Unwrap() // what cmux.Recover returns
	}
	if serial, ok := below.(interface{ Baud() int }); ok {
		u.baud = serial.Baud()
	}
	if wire, ok := below.(interface{ Speed() int }); ok {
		u.speed = wire.Speed()
	}
	u.modem = at.New(line, &u.config)
	u.commands, u.data = u.modem, u.modem
	return u
}

// watchReboots listens for boot messages.
func (u *unit) watchReboots() {
	u.commands.Handle("", func(n at.Notification) {
		if n.Kind == at.KindReboot {
			select {
			case u.reboots <- struct{}{}:
			default: // one is being looked after
			}
		}
	})
}

// awaitBoot waits until the modem says that it has booted, at most until the
// given time: what was reset a moment ago may still answer, and then be gone.
func (u *unit) awaitBoot(ctx context.Context, until time.Time) {
	wait := time.Until(until)
	if wait <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer u.modem.Handle("", func(n at.Notification) {
		if n.Kind == at.KindReboot {
			cancel()
		}
	})()
	select {
	case <-ctx.Done():
	case <-u.modem.Done():
	}
}

// maxRefusals is how often in a row a modem may refuse to tell its registration,
// which it told before, until it is taken for sick.
const maxRefusals = 3

// refused counts a refusal to tell the registration, and is an error when that
// makes the modem useless. One that never told it does not have the command.
func (u *unit) refused(err error) error {
	u.refusals++
	if !u.told || u.refusals < maxRefusals {
		return nil
	}
	return fmt.Errorf("session: the modem refuses what it did before: %w", err)
}

// fail asks for a fresh start.
func (u *unit) fail(err error) {
	select {
	case u.broken <- err:
	default: // it has been asked for
	}
}

// close ends all that stands on the line, then the line. The modem is told to
// stop multiplexing and is in plain AT afterwards if it still listens.
func (u *unit) close() error {
	var failures []error
	if u.bearer != nil {
		failures = append(failures, u.bearer.Close())
	}
	if u.notices != nil {
		u.notices.Close()
	}
	for _, engine := range []*at.Modem{u.modem, u.data} {
		if engine != u.owner { // a channel's, or the only one
			engine.Close()
		}
	}
	if u.mux != nil {
		failures = append(failures, u.mux.Close())
		u.owner.Close()
	}
	return errors.Join(failures...)
}

// ending is why the engine for commands has ended: below it, the multiplexer
// knows better.
func (u *unit) ending() error {
	if u.mux != nil {
		select {
		case <-u.mux.Done():
			if err := u.mux.Err(); err != nil {
				return err
			}
		default:
		}
	}
	return u.modem.Err()
}
