package gprs

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// Registration asks the modem for every domain it has and returns the merged
// view.
func (r *Radio) Registration(ctx context.Context) (Registration, error) {
	if r.quirks.CDMA != nil {
		return r.cdmaRegistration(ctx)
	}
	var firstErr error
	answered := false
	for _, d := range r.quirks.domains() {
		if r.isMissing(d) {
			continue
		}
		err := r.askDomain(ctx, d)
		switch {
		case err == nil:
			answered = true
		case !refused(err):
			var parse *ParseError
			if !errors.As(err, &parse) {
				return r.merged(), err
			}
			fallthrough
		default:
			if firstErr == nil {
				firstErr = err
			}
		}
	}
	if answered {
		return r.merged(), nil
	}
	r.mu.Lock() // a modem that refuses all of them has another trouble: ask again the next time
	r.missing = [numDomains]bool{}
	r.mu.Unlock()
	return r.merged(), firstErr
}

// askDomain asks for one domain. One that the modem does not know is not asked
// again before the next Init, unless it knows none of them.
func (r *Radio) askDomain(ctx context.Context, d Domain) error {
	cmd := at.Command{Text: d.String() + "?"}
	if r.quirks.PlainRegistration {
		cmd.Accept = func(string) bool { return true }
	}
	asked := time.Now()
	res, err := r.c.Command(ctx, cmd)
	if err != nil {
		if unsupported(err) {
			r.mu.Lock()
			r.missing[d] = true
			r.mu.Unlock()
		}
		return err
	}
	err = parseError("", "AT%s: nothing but a result code", cmd.Text)
	for _, info := range res.Info {
		got, reg, parseErr := ParseRegistration(info.Text)
		if parseErr != nil || got != d {
			err = parseErr
			continue
		}
		r.setDomain(d, reg)
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.domains[d].At.Before(asked) && !r.domains[d].At.IsZero() {
		return nil // the answer looked like a notification and came as one
	}
	return err
}

// unsupported tells whether the modem does not have the command at all: ERROR,
// COMMAND NOT SUPPORT, and the codes for operation not allowed or supported
// (3GPP TS 27.007 clause 9.2.1) and for an unknown command.
func unsupported(err error) bool {
	var cme at.CMEError
	if errors.As(err, &cme) {
		return cme.Code == 3 || cme.Code == 4 || cme.Code == 50 || cme.Code == 58
	}
	var result at.ResultError
	return errors.As(err, &result)
}

// cdmaRegistration asks a CDMA modem, and keeps what it says as the packet domain.
func (r *Radio) cdmaRegistration(ctx context.Context) (Registration, error) {
	var firstErr error
	for _, text := range r.quirks.CDMA {
		res, err := r.c.Command(ctx, at.Command{Text: text})
		if err != nil && !refused(err) {
			return r.merged(), err
		}
		if err != nil && firstErr == nil {
			firstErr = err
		}
		for _, info := range res.Info {
			if reg, ok := ParseCDMA(info.Text); ok {
				r.setDomain(DomainPS, reg)
				return r.merged(), nil
			}
		}
	}
	if firstErr == nil {
		firstErr = parseError("", "no answer told of a CDMA network")
	}
	return r.merged(), firstErr
}

func (r *Radio) isMissing(d Domain) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.missing[d]
}

func (r *Radio) onRegistration(line string) {
	if d, reg, err := ParseRegistration(line); err == nil {
		r.setDomain(d, reg)
	}
}

func (r *Radio) onCDMA(line string) {
	if reg, ok := ParseCDMA(line); ok {
		r.setDomain(DomainPS, reg)
	}
}

func (r *Radio) merged() Registration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return mergeRegistration(r.domains)
}

// setDomain takes what the modem said of a domain. A gain counts at once, a
// loss after the hold time.
func (r *Radio) setDomain(d Domain, reg DomainRegistration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	reg.At = time.Now()
	if reg.State.Registered() && !reg.Cell.Known { // a short notification does not unsay the cell
		reg.Cell = r.domains[d].Cell
	}
	before := r.domains[d]
	r.domains[d] = reg
	if before.At = reg.At; before != reg { // an answer that says nothing new wakes nobody
		r.noteChangeLocked()
	}
	now := mergeRegistration(r.domains)
	hold := orDuration(r.cfg.Hold, 10*time.Second)
	if hold < 0 || now.State.Registered() || !r.steady.State.Registered() {
		r.settleLocked(now)
		return
	}
	if r.hold == nil && !r.closed {
		r.hold = time.AfterFunc(hold, r.believe)
	}
}

// believe makes the loss that has lasted for the hold time count.
func (r *Radio) believe() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hold == nil || r.closed {
		return // a gain came first
	}
	r.settleLocked(mergeRegistration(r.domains))
}

// settleLocked makes now the steady view and tells it if it is news.
func (r *Radio) settleLocked(now Registration) {
	if r.hold != nil {
		r.hold.Stop()
		r.hold = nil
	}
	before := r.steady
	r.steady = now
	if before.State != now.State || before.Technology != now.Technology || before.Cell != now.Cell || before.Cause != now.Cause {
		r.publishLocked(Event{Kind: EventRegistration, Registration: now})
	}
}

// Steady is the registration without the flapping: losses count only after
// they have lasted. It asks nothing.
func (r *Radio) Steady() Registration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.steady
}

// WaitRegistered waits until the modem is registered, at home or roaming, and
// returns the view. It listens and asks now and then, but does nothing to make
// it happen: see Register. A SIM that needs a PIN or a PUK, and a line that is
// gone, end the wait at once; every error but that of the line is a
// *RegistrationError.
func (r *Radio) WaitRegistered(ctx context.Context) (Registration, error) {
	for {
		change := r.change()
		reg, err := r.Registration(ctx)
		if err == nil && reg.State.Registered() {
			return reg, nil
		}
		if err != nil && !refused(err) && over(ctx, err) && ctx.Err() == nil {
			return reg, err
		}
		if locked := r.lockedSIM(ctx); locked != nil {
			return reg, r.registrationError(locked)
		}
		timer := time.NewTimer(orDuration(r.cfg.PollInterval, 5*time.Second))
		select {
		case <-ctx.Done():
			timer.Stop()
			return reg, r.registrationError(ctx.Err())
		case <-timer.C:
		case <-change:
			timer.Stop()
		}
		if r.isClosed() {
			return reg, r.registrationError(ErrClosed)
		}
	}
}

func (r *Radio) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// lockedSIM asks for the SIM and gives an error if only a person can go on.
func (r *Radio) lockedSIM(ctx context.Context) error {
	state, err := r.SIM(ctx)
	if err != nil {
		return nil
	}
	switch state {
	case SIMPIN:
		if r.cfg.OpenedElsewhere {
			return nil
		}
		fallthrough
	case SIMPUK, SIMPersonal, SIMBlocked:
		return &PINError{Secret: SecretPIN, Left: -1, State: state, Err: ErrNoSIM}
	}
	return nil
}

func (r *Radio) registrationError(err error) *RegistrationError {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &RegistrationError{Registration: mergeRegistration(r.domains), SIM: r.sim, Signal: r.signal, Err: err}
}

// registerPause is the step of the growing pause between attempts (particle's
// intervention: 15 s times the number of the attempt).
const registerPause = 15 * time.Second

// Register waits for the registration and, when it does not come, climbs the
// profile's steps: 15 s of patience, an automatic selection, 30 s, a radio
// cycle, 45 s, a cleared list of forbidden networks. What is left when all
// were tried, a reset, is its caller's. The error is a *RegistrationError.
func (r *Radio) Register(ctx context.Context) (Registration, error) {
	steps := r.quirks.registerSteps()
	for attempt := 1; ; attempt++ {
		wait, cancel := context.WithTimeout(ctx, time.Duration(attempt)*registerPause)
		reg, err := r.WaitRegistered(wait)
		cancel()
		if err == nil || !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || attempt > len(steps) {
			return reg, err
		}
		for _, text := range steps[attempt-1] {
			if err := r.step(ctx, text); err != nil {
				return reg, r.registrationError(err)
			}
		}
	}
}

// step runs one command of a step; its refusal is no error, since the next
// step may help.
func (r *Radio) step(ctx context.Context, text string) error {
	_, err := r.c.Command(ctx, at.Command{Text: text, Timeout: selectTimeout})
	if err != nil && !refused(err) && !errors.Is(err, at.ErrNoAnswer) {
		return err
	}
	if strings.HasPrefix(text, "+CFUN") || text == r.quirks.radioOff() || text == r.quirks.radioOn() {
		return sleep(ctx, time.Second) // modems need a gap after +CFUN: vendors' drivers wait a second
	}
	return nil
}
