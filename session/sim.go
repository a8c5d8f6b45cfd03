package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/telemodem/telemodem/gprs"
)

// A SIM that was just switched on is busy for up to 20 s (fault F30).
const (
	simBudget = 30 * time.Second
	simPause  = 500 * time.Millisecond
)

var (
	errNoPIN  = errors.New("the SIM asks for a PIN and Config.PIN is empty")
	errPUK    = errors.New("the PIN was entered wrongly too often: enter the PUK and a new PIN by hand")
	errAbsent = fmt.Errorf("%w: none is inserted", gprs.ErrNoSIM)

	errLockedAgain = errors.New("the SIM asks for its PIN again")
	errLocked      = errors.New("the modem is locked to another SIM or operator")
)

// openSIM waits until the SIM says what it needs and opens it if that is its PIN.
func (s *Session) openSIM(ctx context.Context) error {
	state, err := s.settledSIM(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("session: state of the SIM: %w", err)
	case state.Ready():
		return nil
	case state == gprs.SIMPIN && s.cfg.PIN != "":
		if err := s.radio.Unlock(ctx, s.cfg.PIN); err != nil {
			return fmt.Errorf("session: %w", err)
		}
		return nil
	case state == gprs.SIMPIN:
		return s.closedSIM(ctx, gprs.SecretPIN, state, errNoPIN)
	case state == gprs.SIMPUK:
		return s.closedSIM(ctx, gprs.SecretPUK, state, errPUK)
	case state == gprs.SIMPersonal:
		return fmt.Errorf("session: SIM: %w", errLocked)
	}
	if state == gprs.SIMAbsent {
		return fmt.Errorf("session: %w", errAbsent)
	}
	return fmt.Errorf("session: SIM %v: %w: insert one, or look at its contacts", state, gprs.ErrNoSIM)
}

// closedSIM is the error for a SIM that we have nothing to open with.
func (s *Session) closedSIM(ctx context.Context, secret gprs.Secret, state gprs.SIMState, cause error) error {
	left := -1
	if tries, err := s.radio.Tries(ctx); err == nil {
		left = tries[secret]
	}
	return fmt.Errorf("session: %w", &gprs.PINError{Secret: secret, Left: left, State: state, Err: cause})
}

// settledSIM asks for the state of the SIM until it is not a passing one.
func (s *Session) settledSIM(ctx context.Context) (gprs.SIMState, error) {
	for start := time.Now(); ; {
		state, err := s.radio.SIM(ctx)
		passing := state == gprs.SIMUnknown || state == gprs.SIMNotReady || state == gprs.SIMBusy
		if (err != nil && !answered(err)) || !passing || time.Since(start) > simBudget {
			return state, err
		}
		pause(ctx, simPause)
		if ctx.Err() != nil {
			return state, context.Cause(ctx)
		}
	}
}
