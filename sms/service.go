package sms

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/telemodem/telemodem/at"
)

// Service sends and receives short messages over one modem. Its methods may be
// called by several goroutines at once; what they send goes out one message
// after the other, the parts of a long one back to back.
type Service struct {
	modem at.Commander
	cfg   Config

	// sending is a lock that can be waited for with a context; it guards the
	// fields of this group and the order of dialogues on the modem.
	sending  chan struct{}
	routing  routing
	selected string    // storage selected by the last +CPMS
	modeSet  time.Time // when +CMGF was set last
	loaded   bool      // what the store holds was read
	doubt    *doubt    // of the part that was in doubt last

	references *references // has a lock of its own
	inbox      *inbox      // has a lock that can be waited for

	reports    reports    // has a lock of its own
	broadcasts broadcasts // has a lock of its own

	charset    atomic.Pointer[string] // of text mode, confirmed by the modem
	ready      atomic.Bool            // the modem is set up
	generation atomic.Uint64          // counts boots that were noticed
	receiving  atomic.Bool            // a Receive is running
	resets     chan struct{}          // holds a value when Receive has to look at all

	acknowledged atomic.Bool            // the network waits for +CNMA
	damaged      atomic.Pointer[digest] // what was handed over damaged last
}

// New returns a Service on a modem. It says nothing to the modem before the
// first Setup, Send or Receive. The modem stays the caller's.
func New(modem at.Commander, cfg *Config) *Service {
	s := &Service{modem: modem, sending: make(chan struct{}, 1), resets: make(chan struct{}, 1)}
	if cfg != nil {
		s.cfg = *cfg
	}
	if s.cfg.Logger == nil {
		s.cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s.references = newReferences(s.cfg.Store)
	s.reports.init(&s.cfg)
	s.inbox = newInbox(&s.cfg, &s.reports)
	return s
}

// load reads what the store holds, once.
func (s *Service) load(ctx context.Context) error {
	select {
	case s.inbox.lock <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-s.inbox.lock }()
	if s.loaded {
		return nil
	}
	for _, load := range []func() error{s.references.load, s.reports.load, s.inbox.load} { // each can be repeated
		if err := load(); err != nil {
			return fmt.Errorf("sms: reading the store: %w", err)
		}
	}
	s.loaded = true
	return nil
}

// Reset tells the Service that the modem has lost its settings, by a reboot or
// because another one took its place: they are made again before the next use. A
// Receive that runs makes them at once, and reads what has come unannounced.
func (s *Service) Reset() {
	s.generation.Add(1)
	s.ready.Store(false)
	select {
	case s.resets <- struct{}{}:
	default: // it is to look already
	}
}

func (s *Service) lock(ctx context.Context) error {
	select {
	case s.sending <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Service) unlock() { <-s.sending }
