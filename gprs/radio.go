package gprs

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telemodem/telemodem/at"
)

// RadioConfig holds what is chosen for a Radio. A nil *RadioConfig is a sound choice.
type RadioConfig struct {
	// Quirks says what is special about the modem; nil means nothing.
	Quirks *Quirks
	// Hold is how long a registration must be lost before the loss counts, so
	// that a flapping network is not a series of failures. Zero means 10 s;
	// negative means not at all.
	Hold time.Duration
	// PollInterval is how often WaitRegistered asks, besides listening to
	// notifications, which can be lost. Zero means 5 s.
	PollInterval time.Duration
	// SIMBudget bounds how long Init and Unlock wait for a SIM that is busy or
	// not ready. Zero means 30 s.
	SIMBudget time.Duration
	// Window is the span in which the modem's clock is believed.
	Window ClockWindow
}

// Radio is the modem as a station of a network: SIM, registration, operators,
// signal and clock. All methods may be called by several goroutines at once.
//
// It holds no line of its own: after a recovery that left the Commander in
// place, call Init again.
type Radio struct {
	c      at.Commander
	cfg    RadioConfig
	quirks *Quirks
	stops  []func() // ends of the subscriptions, set by NewRadio alone

	mu        sync.Mutex
	closed    bool
	domains   [numDomains]DomainRegistration
	missing   [numDomains]bool // refused by the modem
	steady    Registration     // what was published last
	hold      *time.Timer      // runs while a loss waits to be believed
	signal    Signal
	sim       SIMState
	tries     TriesQuery    // found by trial
	wrong     wrongPINs     // what the SIM refused
	clock     clockReading  // the last good one
	changed   chan struct{} // closed and replaced at every change
	listeners map[*listener]struct{}
}

// NewRadio returns a Radio on c and listens to its notifications; it sends
// nothing before Init. cfg may be nil. Close ends it.
func NewRadio(c at.Commander, cfg *RadioConfig) *Radio {
	r := &Radio{c: c, changed: make(chan struct{}), listeners: make(map[*listener]struct{})}
	if cfg != nil {
		r.cfg = *cfg
	}
	r.quirks = r.cfg.Quirks.or()
	r.wrong = make(wrongPINs)
	for _, name := range domainNames {
		r.handle(name, r.onRegistration)
	}
	for _, name := range []string{"+CPIN", "+CSMINS", "+QSIMSTAT", "#QSS", "^SIMST", "^SCKS"} {
		r.handle(name, r.onSIM)
	}
	for _, name := range signalPrefixes {
		r.handle(name, r.onSignal)
	}
	for _, name := range contextEventPrefixes {
		r.handle(name, r.onContext)
	}
	if r.quirks.CDMA != nil {
		r.handle("^MODE", r.onCDMA)
	}
	return r
}

func (r *Radio) handle(prefix string, fn func(line string)) {
	r.stops = append(r.stops, r.c.Handle(prefix, func(n at.Notification) {
		if n.Kind != at.KindReboot {
			fn(n.Line)
		}
	}))
}

// Close ends the subscriptions and the channels of Events. It may be called twice.
func (r *Radio) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	if r.hold != nil {
		r.hold.Stop()
	}
	for l := range r.listeners {
		r.dropLocked(l)
	}
	r.noteChangeLocked()
	r.mu.Unlock()
	for _, stop := range r.stops {
		stop()
	}
	return nil
}

// Init puts the modem into the state that the Radio needs: numbered errors,
// registration and context notifications on, whatever the profile wants. What
// the modem refuses is left out; only a line that does not work is an error.
// It forgets what was known before, since it is meant for a modem that has
// started again.
func (r *Radio) Init(ctx context.Context) error {
	r.mu.Lock()
	r.missing = [numDomains]bool{}
	r.domains = [numDomains]DomainRegistration{}
	r.sim = SIMUnknown
	r.mu.Unlock()
	if err := r.optional(ctx, "+CMEE=1"); err != nil { // TS 27.007 clause 9.1
		return err
	}
	if r.quirks.CDMA == nil {
		for _, d := range r.quirks.domains() {
			name := d.String()
			if err := r.optional(ctx, name+"=3", name+"=2", name+"=1"); err != nil {
				return err
			}
		}
	}
	for _, report := range r.quirks.reports() {
		if err := r.optional(ctx, report...); err != nil {
			return err
		}
	}
	return nil
}

// optional sends the commands until one is accepted; refusals are no error.
func (r *Radio) optional(ctx context.Context, commands ...string) error {
	for _, text := range commands {
		_, err := r.patient(ctx, at.Command{Text: text})
		if err == nil {
			return nil
		}
		if !refused(err) {
			return err
		}
	}
	return nil
}

// Pauses between attempts on a SIM that is busy.
const (
	firstBusyPause = 500 * time.Millisecond
	lastBusyPause  = 4 * time.Second
)

// patient runs a command, again and again while the SIM says that it is busy,
// within SIMBudget.
func (r *Radio) patient(ctx context.Context, cmd at.Command) (at.Response, error) {
	deadline := time.Now().Add(orDuration(r.cfg.SIMBudget, 30*time.Second))
	for pause := firstBusyPause; ; pause = min(2*pause, lastBusyPause) {
		res, err := r.c.Command(ctx, cmd)
		if err == nil || !busy(err) || time.Now().Add(pause).After(deadline) {
			return res, err
		}
		if sleepErr := sleep(ctx, pause); sleepErr != nil {
			return res, sleepErr
		}
	}
}

// firstLine runs a command that takes what has no name in its answer, too,
// and gives the first line that parse accepts.
func firstLine[T any](ctx context.Context, r *Radio, text string, parse func(string) (T, error)) (T, error) {
	res, err := r.patient(ctx, at.Command{Text: text, FreeText: true})
	var none T
	if err != nil {
		return none, err
	}
	err = error(parseError("", "AT%s: nothing but a result code", text))
	for _, info := range res.Info {
		var v T
		if v, err = parse(info.Text); err == nil {
			return v, nil
		}
	}
	return none, err
}

// ICCID reads the number of the SIM card.
func (r *Radio) ICCID(ctx context.Context) (string, error) {
	var firstErr error
	for _, text := range r.quirks.iccidCommands() {
		id, err := firstLine(ctx, r, text, ParseICCID)
		if err == nil {
			return id, nil
		}
		if firstErr == nil {
			firstErr = err
		}
		var parse *ParseError
		if !refused(err) && !errors.As(err, &parse) {
			return "", err
		}
	}
	return "", firstErr
}

// IMSI reads the subscriber's identity.
func (r *Radio) IMSI(ctx context.Context) (string, error) {
	return firstLine(ctx, r, "+CIMI", ParseIMSI)
}

// OwnNumber reads the subscriber's number, which many SIMs do not hold: then
// the result is empty, without an error.
func (r *Radio) OwnNumber(ctx context.Context) (string, error) {
	number, err := firstLine(ctx, r, "+CNUM", ParseOwnNumber)
	var parse *ParseError
	if errors.As(err, &parse) {
		return "", nil
	}
	return number, err
}

// SMSC reads the number of the message centre.
func (r *Radio) SMSC(ctx context.Context) (string, error) {
	return firstLine(ctx, r, "+CSCA?", ParseSMSC)
}

// Signal asks for the signal: by each of the profile's commands until all
// that one of them tells is known. What no command tells stays unknown.
func (r *Radio) Signal(ctx context.Context) (Signal, error) {
	var s Signal
	var firstErr error
	for _, text := range r.quirks.signalCommands() {
		res, err := r.c.Command(ctx, at.Command{Text: text})
		if err != nil && !refused(err) {
			return s, err
		}
		if err != nil && firstErr == nil {
			firstErr = err
		}
		for _, info := range res.Info {
			if one, ok := ParseSignal(info.Text, r.quirks.CSQ); ok {
				s.fill(one)
				firstErr = nil
			}
		}
		if s.RSSI.Known {
			break
		}
	}
	s.At = time.Now()
	if s.known() {
		r.mu.Lock()
		r.signal = s
		r.mu.Unlock()
	}
	return s, firstErr
}

// LastSignal is the last signal that held a value, asked for or notified, with
// the time of it.
func (r *Radio) LastSignal() Signal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.signal
}

// onSignal takes the levels of a notification over those known before; what
// it does not tell is too old to stand beside it and is dropped.
func (r *Radio) onSignal(line string) {
	s, ok := ParseSignal(line, r.quirks.CSQ)
	if !ok || !s.known() {
		return
	}
	s.At = time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signal = s
	r.publishLocked(Event{Kind: EventSignal, Signal: s})
}

func (r *Radio) onContext(line string) {
	e, ok := ParseContextEvent(line)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.publishLocked(Event{Kind: EventContext, Context: e})
}

// Operator asks for the current operator.
func (r *Radio) Operator(ctx context.Context) (Operator, error) {
	return firstLine(ctx, r, "+COPS?", ParseOperator)
}

// Limits of +COPS: a scan takes up to three minutes by most manuals, and
// ModemManager waits 315 s.
const (
	scanTimeout   = 315 * time.Second
	selectTimeout = 180 * time.Second
)

// Scan looks for networks: minutes during which nothing else is answered and
// a data call may starve, so a waiting command of higher priority may abort
// it. ctx ends it.
func (r *Radio) Scan(ctx context.Context) ([]Operator, error) {
	res, err := r.c.Command(ctx, at.Command{Text: "+COPS=?", Timeout: scanTimeout, Abortable: true, Priority: at.PriorityBackground})
	if err != nil {
		return nil, err
	}
	for _, info := range res.Info {
		if strings.HasPrefix(info.Text, "+COPS:") {
			return ParseOperators(info.Text)
		}
	}
	return nil, parseError("", "AT+COPS=?: nothing but a result code")
}

// SelectOperator chooses the network with the given code ("26202"), by the
// given technology or, if that is unknown, by any. With fallback the modem
// goes on by itself if that network does not take it.
func (r *Radio) SelectOperator(ctx context.Context, code string, t Technology, fallback bool) error {
	if !isDigits(code) || len(code) < 5 || len(code) > 6 {
		return at.ErrInvalid
	}
	text := "+COPS=1,2,\"" + code + "\""
	if fallback {
		text = "+COPS=4,2,\"" + code + "\""
	}
	if act := slices.Index(actTechnologies[:], t); t != TechnologyUnknown && act >= 0 {
		text += "," + string("0123456789ABCDEF"[act])
	}
	_, err := r.c.Command(ctx, at.Command{Text: text, Timeout: selectTimeout})
	return err
}

// SelectAutomatically gives the choice of the network back to the modem. Some
// modems answer ERROR although they do it (SARA), so the mode is read back.
func (r *Radio) SelectAutomatically(ctx context.Context) error {
	_, err := r.c.Command(ctx, at.Command{Text: "+COPS=0", Timeout: selectTimeout})
	if err != nil && refused(err) {
		if op, readErr := r.Operator(ctx); readErr == nil && op.Selection == SelectionAutomatic {
			return nil
		}
	}
	return err
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
