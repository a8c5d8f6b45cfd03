package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/internal/fanout"
	"github.com/telemodem/telemodem/session/profile"
	"github.com/telemodem/telemodem/sms"
)

var (
	// ErrClosed says that the session was closed by its user.
	ErrClosed = errors.New("session: closed")
	// ErrPowerRunning says that the session is closed, all but the goroutine in
	// Config.Power: that has not returned though its context ended 10 s ago, and
	// may switch the modem's power at any time. It ends when Power returns.
	ErrPowerRunning = errors.New("session: Config.Power has not returned after the end of its context; it still runs")
)

// Session is one supervised modem. All methods may be called by several
// goroutines at once.
//
// A Session is an at.Commander that survives recovery: while the modem is
// being brought back commands wait, within their context, and what was
// subscribed stays subscribed.
type Session struct {
	cfg    Config
	log    *slog.Logger
	relay  *relay
	events fanout.Hub[Event]
	hook   func(Event) // of the bank that it is in; nil outside. Must not wait

	// ctx ends with Close, or when only a human can help; run and its helpers are counted in running.
	ctx     context.Context
	cancel  context.CancelCauseFunc
	running sync.WaitGroup
	started chan struct{} // closed when the first start has succeeded or failed
	trouble chan error    // reports of users whose command got no answer

	// Of the goroutine of run alone.
	line        *opener          // of Config.Port; nil with Config.Open
	noticeLine  *opener          // of Config.NotificationPort
	muxFailures int              // how often the multiplexer did not come up
	noRestart   bool             // the modem refuses to restart
	known       *profile.Profile // of the modem that was identified last; nil before
	booted      time.Time        // when a modem that was reset must have come up
	healthy     time.Time        // since when all has been well
	callsThen   int              // Status.DataCalls at the last complaint about data
	search      search           // for a network
	coverage    coverage         // for data
	ladder      ladder

	mu       sync.Mutex // guards what follows; never held across a wait
	status   Status
	heard    time.Time        // when a command got an answer
	unit     *unit            // whose counts Status.Engine lacks; nil without
	startErr error            // why the first start failed
	closed   bool             // Close has come to its end before,
	closeErr error            // with this error
	power    <-chan struct{}  // closed when the last call of Config.Power has returned; nil: none
	call     *gprs.Connection // the last data call, perhaps ended
	radio    *gprs.Radio
	messages *sms.Service
}

// Open opens the line, finds and sets up the modem, opens its SIM, and returns
// then; the search for a network goes on in the background (Radio waits for
// it). A line that cannot be opened, a modem that does not answer, and a PIN
// that is refused end Open with an error that says what to do: for a PIN it is
// a *gprs.PINError with the number of tries left. It is ErrPowerRunning as well
// where that goes for the session that did not start.
//
// Afterwards the session looks after itself until Close. With
// Config.KeepTrying it does so from the beginning: Open then ends with the
// first good start or with ctx.
func Open(ctx context.Context, cfg Config) (*Session, error) {
	s, err := newSession(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s.running.Go(s.run)
	select {
	case <-s.started:
	case <-ctx.Done():
		s.end(s.ofTrouble(context.Cause(ctx)))
	}
	<-s.started
	s.mu.Lock()
	err = s.startErr
	s.mu.Unlock()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// newSession returns a session that does nothing before run. It takes the values
// of ctx, and not its end.
func newSession(ctx context.Context, cfg Config) (*Session, error) {
	if cfg.Port == "" && cfg.Open == nil {
		return nil, errNoLine
	}
	if cfg.Name != "" && cfg.Logger != nil {
		cfg.Logger = cfg.Logger.With("modem", cfg.Name)
	}
	s := &Session{cfg: cfg, log: cfg.Logger, relay: newRelay(), started: make(chan struct{}), trouble: make(chan error, 1)}
	s.line, s.ladder.budgets = newOpener(cfg.Port), cfg.Budgets
	s.noticeLine = newOpener(cfg.NotificationPort)
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.loadLedger()
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return s, nil
}

// Name returns Config.Name, or Config.Port where that is empty.
func (s *Session) Name() string { return s.cfg.name() }

// ofTrouble adds what stood in the way, where that is known, to the end of the wait.
func (s *Session) ofTrouble(cause error) error {
	if err := s.Status().Err; err != nil {
		return fmt.Errorf("session: not started: %w: %w", cause, err)
	}
	return cause
}

// Command implements at.Commander on the modem in use. A command that got no
// answer makes the session look after the modem at once.
func (s *Session) Command(ctx context.Context, cmd at.Command) (at.Response, error) {
	resp, err := s.relay.Command(ctx, cmd)
	silent := errors.Is(err, at.ErrNoAnswer)
	if silent && !unwritten(err) {
		s.complain(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Commands++
	if silent {
		s.status.Unanswered++
	}
	if err == nil || answered(err) {
		s.heard = time.Now()
	}
	return resp, err
}

// Handle implements at.Commander; the subscription outlives the modem in use.
func (s *Session) Handle(prefix string, fn func(at.Notification)) (stop func()) {
	return s.relay.Handle(prefix, fn)
}

// complain makes the supervisor check the modem.
func (s *Session) complain(err error) {
	select {
	case s.trouble <- err:
	default: // it knows already
	}
}

// SMS returns the message service of the modem.
func (s *Session) SMS() *sms.Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages
}

// Radio returns the modem as a station of its network. Its Close is the session's.
func (s *Session) Radio() *gprs.Radio {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.radio
}

// Events returns a channel of what happens from now on. It is closed when ctx
// ends or the session is closed. A listener that does not keep up loses
// events, which Event.Lost tells, and delays nobody.
func (s *Session) Events(ctx context.Context) <-chan Event { return s.events.Listen(ctx) }

// Close ends the data call, brings the modem back to command mode, frees the
// line and waits until all that is done. It may be called twice. Its error is
// ErrPowerRunning or nil.
func (s *Session) Close() error {
	s.end(ErrClosed)
	s.running.Wait()
	running := s.powering()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		if running {
			s.closeErr = ErrPowerRunning
		}
	}
	return s.closeErr
}

// end begins the end; from then on no goroutine is started any more.
func (s *Session) end(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel(cause)
}
