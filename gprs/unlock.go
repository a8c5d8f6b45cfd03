package gprs

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/telemodem/telemodem/at"
)

// wrongPINs remembers, by digest, what the SIM refused, so that it is not sent again.
type wrongPINs map[[sha256.Size]byte]struct{}

// SIM asks for the state of the SIM. A refusal that tells the state (+CME
// ERROR: 10) is an answer, not an error.
func (r *Radio) SIM(ctx context.Context) (SIMState, error) {
	res, err := r.c.Command(ctx, at.Command{Text: "+CPIN?"})
	if err != nil {
		state, ok := simStateOfError(err)
		if !ok {
			return SIMUnknown, err
		}
		r.setSIM(state)
		return state, nil
	}
	err = parseError("", "AT+CPIN?: nothing but a result code")
	for _, info := range res.Info {
		var state SIMState
		if state, err = ParseSIMState(info.Text); err == nil {
			r.setSIM(state)
			return state, nil
		}
	}
	return SIMUnknown, err
}

func (r *Radio) onSIM(line string) {
	if state, err := ParseSIMState(line); err == nil {
		r.setSIM(state)
	}
}

func (r *Radio) setSIM(state SIMState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sim == state {
		return
	}
	if state == SIMAbsent { // another card may come: it has its own PIN and its own tries
		clear(r.wrong)
	}
	r.sim = state
	r.publishLocked(Event{Kind: EventSIM, SIM: state})
}

// LastSIM is the state that the modem told last, asked for or not.
func (r *Radio) LastSIM() SIMState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sim
}

// Tries asks how many attempts are left. A modem that cannot tell gives -1 for
// all, without an error.
func (r *Radio) Tries(ctx context.Context) (Tries, error) {
	if r.quirks.NoTries {
		return unknownTries(), nil
	}
	queries := triesQueries
	r.mu.Lock()
	if r.tries.Command == "" {
		r.tries = r.quirks.Tries
	}
	if r.tries.Command != "" {
		queries = []TriesQuery{r.tries}
	}
	r.mu.Unlock()
	for _, q := range queries {
		res, err := r.patient(ctx, at.Command{Text: q.Command})
		if err != nil {
			if !refused(err) {
				return unknownTries(), err
			}
			continue
		}
		lines := make([]string, 0, len(res.Info))
		for _, info := range res.Info {
			lines = append(lines, info.Text)
		}
		if tries := ParseTries(q, lines...); tries != unknownTries() {
			r.mu.Lock()
			r.tries = q
			r.mu.Unlock()
			return tries, nil
		}
	}
	return unknownTries(), nil
}

// Unlock opens the SIM with its PIN. A SIM that is open already is no error,
// and the PIN is not sent.
//
// The tries left are read before, and the last one is never spent: another one
// must always be left for a person. A PIN that the SIM refused is not sent
// again. Failures to do with the SIM are a *PINError, which says how many tries
// are left.
func (r *Radio) Unlock(ctx context.Context, pin string) error {
	if !isDigits(pin) || len(pin) < 4 || len(pin) > 8 { // 3GPP TS 31.101 clause 9.2
		return &PINError{Secret: SecretPIN, Left: -1, State: r.LastSIM(), Err: at.ErrInvalid}
	}
	state, err := r.settledSIM(ctx)
	switch {
	case err != nil:
		return err
	case state.Ready():
		return nil
	case state != SIMPIN:
		return &PINError{Secret: SecretPIN, Left: -1, State: state, Err: ErrNoSIM}
	}
	left, err := r.allowed(ctx, SecretPIN, pin)
	if err != nil {
		return pinError(SecretPIN, left, state, err)
	}
	return r.enter(ctx, SecretPIN, pin, `+CPIN="`+pin+`"`)
}

// UnlockPUK opens a SIM that asks for its PUK and gives it a new PIN. The
// last try of the PUK is never spent either: a SIM that used it up is waste.
func (r *Radio) UnlockPUK(ctx context.Context, puk, newPIN string) error {
	if !isDigits(puk) || len(puk) != 8 || !isDigits(newPIN) || len(newPIN) < 4 || len(newPIN) > 8 {
		return &PINError{Secret: SecretPUK, Left: -1, State: r.LastSIM(), Err: at.ErrInvalid}
	}
	state, err := r.settledSIM(ctx)
	switch {
	case err != nil:
		return err
	case state.Ready():
		return nil
	case state != SIMPUK:
		return &PINError{Secret: SecretPUK, Left: -1, State: state, Err: ErrNoSIM}
	}
	left, err := r.allowed(ctx, SecretPUK, puk)
	if err != nil {
		return pinError(SecretPUK, left, state, err)
	}
	return r.enter(ctx, SecretPUK, puk, `+CPIN="`+puk+`","`+newPIN+`"`)
}

// pinError wraps what concerns the SIM and passes on what concerns the line.
func pinError(s Secret, left int, state SIMState, err error) error {
	if errors.Is(err, ErrLastTry) || errors.Is(err, ErrTriesUnknown) || errors.Is(err, ErrWrongPIN) {
		return &PINError{Secret: s, Left: left, State: state, Err: err}
	}
	return err
}

// settledSIM waits for a state that does not go away by itself.
func (r *Radio) settledSIM(ctx context.Context) (SIMState, error) {
	deadline := time.Now().Add(orDuration(r.cfg.SIMBudget, 30*time.Second))
	for pause := firstBusyPause; ; pause = min(2*pause, lastBusyPause) {
		state, err := r.SIM(ctx)
		if err != nil && !refused(err) {
			return state, err
		}
		if err == nil && !state.transient() || time.Now().Add(pause).After(deadline) {
			return state, err
		}
		if err := sleep(ctx, pause); err != nil {
			return state, err
		}
	}
}

// allowed tells how many tries are left, and gives an error if the secret must
// not be sent.
func (r *Radio) allowed(ctx context.Context, s Secret, secret string) (left int, err error) {
	tries, err := r.Tries(ctx)
	if err != nil {
		return -1, err
	}
	left = tries[s]
	r.mu.Lock()
	_, refusedBefore := r.wrong[sha256.Sum256([]byte(secret))]
	anyRefused := len(r.wrong) > 0
	r.mu.Unlock()
	switch {
	case refusedBefore:
		return left, ErrWrongPIN
	case left < 0 && (!r.quirks.NoTries || anyRefused):
		return left, ErrTriesUnknown
	case left >= 0 && left <= 1:
		return left, ErrLastTry
	}
	return left, nil
}

// pinTimeout bounds +CPIN=: 5 s by the manuals, 185 s seen in a driver for
// ASR1802 sticks.
const pinTimeout = 30 * time.Second

// enter sends the secret once, whatever comes of it.
func (r *Radio) enter(ctx context.Context, s Secret, secret, text string) error {
	_, err := r.c.Command(ctx, at.Command{Text: text, Sensitive: true, Timeout: pinTimeout})
	if err != nil {
		if !refused(err) {
			return err
		}
		if !busy(err) {
			r.mu.Lock()
			r.wrong[sha256.Sum256([]byte(secret))] = struct{}{}
			r.mu.Unlock()
			err = errors.Join(ErrWrongPIN, err)
		}
		left := -1
		if tries, triesErr := r.Tries(ctx); triesErr == nil {
			left = tries[s]
		}
		return &PINError{Secret: s, Left: left, State: r.LastSIM(), Err: err}
	}
	if err := sleep(ctx, r.quirks.SIMSettle); err != nil {
		return err
	}
	state, err := r.settledSIM(ctx)
	if err == nil && !state.Ready() {
		return &PINError{Secret: s, Left: -1, State: state, Err: ErrNotReady}
	}
	return err
}
