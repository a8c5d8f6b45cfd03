package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/session/profile"
)

// due is the end of a watch because of a rung for which the modem has to be
// given up.
type due struct {
	rung  Rung
	cause error
}

func (d *due) Error() string { return d.cause.Error() }
func (d *due) Unwrap() error { return d.cause }

var (
	errNoNetwork = errors.New("no network found for long")
	errNoData    = errors.New("data calls fail one after the other")
)

// Times of the rungs.
const (
	// radioOff is how long the radio stays off, so that the network notes it.
	radioOff = 5 * time.Second
	// attachTimeout bounds +CGATT: up to 140 s by Quectel's manuals.
	attachTimeout = 150 * time.Second
	// restartTimeout bounds the wait for the answer to a restart, which a
	// modem that hangs does not give and others lose on the way down.
	restartTimeout = 10 * time.Second
	// bootTime is BootTime where the profile does not know it.
	bootTime = 15 * time.Second
)

// can tells whether a rung can be climbed on this machine and this modem.
func (s *Session) can(r Rung) bool {
	switch r {
	case RungPower:
		return s.cfg.Power != nil && !s.powering()
	case RungRestart:
		return !s.noRestart
	}
	return true
}

// recover brings back, after a pause, what start or watch has given up for cause.
func (s *Session) recover(cause error, after time.Duration) {
	rung := RungReopen
	var ordered *due
	if errors.As(cause, &ordered) {
		rung, cause = ordered.rung, ordered.cause
	} else {
		rung = s.nextRung(troubleOf(cause), cause)
	}
	s.recovering(rung, cause)
	pause(s.ctx, after)
	if s.ctx.Err() != nil {
		return
	}
	s.spend(rung)
	var err error
	switch rung {
	case RungRadio:
		err = s.onPlainLine(s.family().RadioCycle()...)
	case RungRestart:
		err = s.restart()
	case RungPower:
		err = s.cyclePower()
	}
	if err != nil && s.ctx.Err() == nil {
		s.tellRung(EventStepFailed, rung, err)
	}
}

// nextRung asks the ladder, and tells when a budget is spent: what would help
// is then left to a human or to the time.
func (s *Session) nextRung(t trouble, cause error) Rung {
	rung, exhausted := s.ladder.next(time.Now(), t, s.can)
	if exhausted != 0 {
		budget, _ := s.cfg.Budgets.of(exhausted)
		err := &BudgetError{Rung: exhausted, Budget: budget, Err: cause}
		s.tellRung(EventHeldBack, exhausted, err)
	}
	return rung
}

// spend notes that a rung is climbed now, on disk before it is.
func (s *Session) spend(rung Rung) {
	s.ladder.climb(time.Now(), rung)
	if _, counted := s.cfg.Budgets.of(rung); counted {
		s.saveLedger()
	}
}

// tellRung records and announces why a rung was not climbed.
func (s *Session) tellRung(kind EventKind, rung Rung, err error) {
	s.log.Error("session: recovery step not taken", "step", rung, "err", err)
	s.mu.Lock()
	s.status.Err = err
	s.mu.Unlock()
	s.publish(Event{Kind: kind, Rung: rung, Step: rung.String(), Err: err})
}

// BudgetError says that a rung of recovery would be due, and is held back
// because it was climbed as often as its budget allows. Cheaper rungs go on.
type BudgetError struct {
	Rung   Rung
	Budget Budget
	// Err is the trouble.
	Err error
}

// Error tells the budget and what can be done.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("session: will not %v: that was done %d times in the last hour or %d times in the last day (Config.Budgets); look at the modem, its supply and its antenna: %v",
		e.Rung, e.Budget.Hour, e.Budget.Day, e.Err)
}

// Unwrap returns the trouble.
func (e *BudgetError) Unwrap() error { return e.Err }

// restart starts the modem's software anew. A modem that hangs may hear it
// though it says nothing, so its silence is no failure; a refusal is, and then
// the rung is left out from now on.
func (s *Session) restart() error {
	err := s.onPlainLine(at.Command{Text: s.family().RestartCommand(), Reboots: true, Timeout: restartTimeout})
	if answered(err) {
		s.noRestart = true
		return fmt.Errorf("session: the modem refuses to restart: %w", err)
	}
	s.booting()
	var opening *openError
	if errors.As(err, &opening) {
		return err
	}
	return nil // no answer, or a line that went: it is starting, or it is deaf
}

// cyclePower has the user's hook cut the power and give it back.
func (s *Session) cyclePower() error {
	err := s.callPower()
	s.booting() // also after an error: who knows how far it came
	if err != nil {
		return fmt.Errorf("session: Config.Power: %w", err)
	}
	return nil
}

// booting notes that the modem is starting from now on.
func (s *Session) booting() {
	s.muxFailures = 0
	s.booted = time.Now().Add(otherwise(s.family().BootTime, bootTime))
}

// family is the profile of the modem as far as it is known: what it says of
// itself must have been heard once.
func (s *Session) family() *profile.Profile {
	switch {
	case s.known != nil:
		return s.known
	case s.cfg.Profile != nil:
		return s.cfg.Profile
	}
	return profile.Standard
}

// onPlainLine runs commands on a line of their own, one after the other; a
// refusal ends it. The modem that was in use has been given up before.
func (s *Session) onPlainLine(commands ...at.Command) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.startTimeout())
	defer cancel()
	line, err := s.open(ctx)
	if err != nil {
		return err
	}
	config := s.firstConfig()
	engine := at.New(line, &config)
	defer engine.Close()
	return inTurn(ctx, engine, commands)
}

// inTurn runs commands one after the other, with the pause that modems need
// behind +CFUN and its like.
func inTurn(ctx context.Context, on at.Commander, commands []at.Command) error {
	for i, cmd := range commands {
		if i > 0 {
			pause(ctx, radioOff)
		}
		if _, err := on.Command(ctx, cmd); err != nil {
			return err
		}
	}
	return nil
}

// climbHere climbs a rung on a modem that is in use and stays so, and makes its
// settings anew, which a radio that was off may have lost. Rungs for which the
// modem has to be given up are an error that says so.
func (s *Session) climbHere(u *unit, t trouble, cause error) error {
	rung := s.nextRung(t, cause)
	var commands []at.Command
	switch {
	case rung == RungAttach:
		commands = []at.Command{{Text: "+CGATT=0", Timeout: attachTimeout}, {Text: "+CGATT=1", Timeout: attachTimeout}}
	case rung == RungRadio:
		commands = u.profile.RadioCycle()
	case rung.resets():
		return &due{rung: rung, cause: cause}
	default:
		return nil // what goes on by itself is enough
	}
	s.recovering(rung, cause)
	pause(s.ctx, backOff(0, true))
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	s.spend(rung)
	err := inTurn(s.ctx, u.commands, commands)
	switch {
	case errors.Is(err, at.ErrDataMode):
		return nil // a data call came up meanwhile
	case err != nil && !answered(err):
		return err
	}
	return s.setUpAgain(u, cause)
}
