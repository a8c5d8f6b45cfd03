package gprs

import (
	"context"
	"sync"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/internal/fanout"
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
	// OpenedElsewhere says that somebody else, such as a session, opens the SIM
	// with its PIN after each start of the modem: WaitRegistered then goes on
	// waiting where the PIN is asked for.
	OpenedElsewhere bool
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

	events fanout.Hub[Event]

	mu      sync.Mutex
	closed  bool
	domains [numDomains]DomainRegistration
	missing [numDomains]bool // refused by the modem
	steady  Registration     // what was published last
	hold    *time.Timer      // runs while a loss waits to be believed
	signal  Signal
	sim     SIMState
	tries   TriesQuery    // found by trial
	wrong   wrongPINs     // what the SIM refused
	clock   clockReading  // the last good one
	changed chan struct{} // closed and replaced at every change
}

// NewRadio returns a Radio on c and listens to its notifications; it sends
// nothing before Init. cfg may be nil. Close ends it.
func NewRadio(c at.Commander, cfg *RadioConfig) *Radio {
	r := &Radio{c: c, changed: make(chan struct{})}
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
	r.events.Close()
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

func (r *Radio) onContext(line string) {
	e, ok := ParseContextEvent(line)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.publishLocked(Event{Kind: EventContext, Context: e})
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
