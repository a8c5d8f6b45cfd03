package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telemodem/telemodem/internal/fanout"
)

var (
	// ErrNoFitModem says that no modem of a bank could take a message.
	ErrNoFitModem = errors.New("session: no modem of the bank is fit to send")
	// ErrUnknownModem says that a bank has no modem of that name.
	ErrUnknownModem = errors.New("session: the bank has no such modem")
)

// BankConfig holds what is chosen for a Bank. A nil *BankConfig is a sound
// choice.
type BankConfig struct {
	// Attempts is how many modems may try one message, one after the other.
	// Zero means 3; negative means all that are fit.
	Attempts int
	// Patience is how long after its call Send goes on waiting for a modem that
	// is fit. Zero means 2 min, which is what a modem takes that has to be
	// restarted; negative means not at all.
	Patience time.Duration
	// Recipients is for how many recipients the bank remembers which modem
	// they know. Zero means 10,000; negative means none.
	Recipients int
	// Logger gets what the modems without a Logger of their own do. Nil logs
	// nothing.
	Logger *slog.Logger
}

func (c *BankConfig) attempts() int           { return otherwise(c.Attempts, 3) }
func (c *BankConfig) patience() time.Duration { return otherwise(c.Patience, 2*time.Minute) }
func (c *BankConfig) recipients() int         { return otherwise(c.Recipients, 10_000) }

// Bank is several modems that send and receive messages as one, each supervised
// by a Session of its own. It goes on with those that are fit while others are
// gone, are being brought back or need a human, and takes new ones at any time.
// All methods may be called by several goroutines at once.
type Bank struct {
	cfg    BankConfig
	events fanout.Hub[BankEvent]
	fit    bell // rung when a modem may have become fit or unfit, come or gone

	ctx       context.Context // ends with Close
	cancel    context.CancelCauseFunc
	calls     sync.WaitGroup // of Send and Receive, and what they started
	receiving chan struct{}  // holds a value while a Receive is running

	mu       sync.Mutex // guards what follows; never held across a wait
	draining bool       // nothing more is sent
	closed   bool
	members  map[string]*member
	homes    homes
	turns    map[string]*turn // by recipient
	chosen   uint64           // how often a member was
}

// OpenBank begins to open a session for each modem and returns at once: one that
// does not start does not hold up the others. It is tried again, as with
// Config.KeepTrying, until it starts or is removed; what stands in the way is in
// Status and Events under its name. What only a human can cure, such as a wrong
// PIN, ends the tries: Remove the modem, and Add it with what was amended.
//
// Each modem needs a name of its own (Config.Name, or else Port), and a Store
// and a Ledger of its own where it has any; an error is a mistake in that, and
// nothing was opened then.
func OpenBank(cfg *BankConfig, modems ...Config) (*Bank, error) {
	b := &Bank{members: make(map[string]*member), turns: make(map[string]*turn), receiving: make(chan struct{}, 1)}
	if cfg != nil {
		b.cfg = *cfg
	}
	b.homes.limit = b.cfg.recipients()
	b.ctx, b.cancel = context.WithCancelCause(context.Background())
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, modem := range modems {
		m, err := b.newMember(modem)
		if err == nil {
			err = b.enlist(m)
		}
		if err != nil {
			b.cancel(err)
			return nil, err
		}
	}
	for _, m := range b.members {
		m.start()
	}
	return b, nil
}

// Add takes a modem into the bank, for instance one that was plugged in, and
// begins to open it, as OpenBank does. An error is a mistake in cfg, a name that
// is taken, or ErrClosed.
func (b *Bank) Add(cfg Config) error {
	m, err := b.newMember(cfg)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.draining {
		return ErrClosed
	}
	if err := b.enlist(m); err != nil {
		return err
	}
	m.start()
	b.fit.ring()
	return nil
}

// enlist gives a member its place. The lock is held.
func (b *Bank) enlist(m *member) error {
	if b.members[m.name] != nil {
		return fmt.Errorf("session: the bank has a modem %q already", m.name)
	}
	for _, other := range b.members {
		if what := m.shares(other); what != "" {
			return fmt.Errorf("session: modems %q and %q have the same %s: each needs its own", other.name, m.name, what)
		}
	}
	b.members[m.name] = m
	return nil
}

// Remove gives a modem up, for instance one that was unplugged: it gets no more
// messages, and is closed once those that it is sending have come to their end
// or ctx has ended; what is cut short then is not sent or in doubt, as Send
// tells. It waits for the session and for the handler of Receive, so the handler
// must not call it. The name is free when it returns. The error is
// ErrUnknownModem, or that of Session.Close.
func (b *Bank) Remove(ctx context.Context, name string) error {
	b.mu.Lock()
	m := b.members[name]
	if m == nil {
		b.mu.Unlock()
		return fmt.Errorf("%w: %q", ErrUnknownModem, name)
	}
	m.leaving = true
	b.mu.Unlock()
	b.fit.ring()
	b.settle(ctx, func() bool { return m.outstanding == 0 })
	err := m.close()
	b.mu.Lock()
	if b.members[name] == m {
		delete(b.members, name)
	}
	b.mu.Unlock()
	b.fit.ring()
	return err
}

// settle waits until done, which is called with the lock held; at most until ctx
// ends or the bank is closed.
func (b *Bank) settle(ctx context.Context, done func() bool) error {
	for {
		change := b.fit.listen()
		b.mu.Lock()
		over := done()
		b.mu.Unlock()
		if over {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.ctx.Done():
			return context.Cause(b.ctx)
		}
	}
}

// Session returns the session of a modem, for what is particular to it: data,
// radio, commands. ok is false before its first start, and where there is none
// of that name. It stays the bank's: close it by Remove.
func (b *Bank) Session(name string) (s *Session, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.members[name]; m != nil && m.started() {
		return m.session, true
	}
	return nil, false
}

// list returns the members by name.
func (b *Bank) list() []*member {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*member, 0, len(b.members))
	for _, m := range b.members {
		all = append(all, m)
	}
	slices.SortFunc(all, func(m, n *member) int { return strings.Compare(m.name, n.name) })
	return all
}

// Drain ends the bank gently: nothing more is sent, what is being sent may come
// to its end until ctx ends, and then the bank is closed, as by Close. Its error
// says that ctx ended first, or is that of Close.
func (b *Bank) Drain(ctx context.Context) error {
	b.mu.Lock()
	b.draining = true
	b.mu.Unlock()
	b.fit.ring() // those who wait for a modem go
	sending := 0
	err := b.settle(ctx, func() bool {
		sending = 0
		for _, m := range b.members {
			sending += m.outstanding
		}
		return sending == 0
	})
	if err != nil && b.ctx.Err() == nil {
		return errors.Join(fmt.Errorf("session: bank closed with %d messages on their way: %w", sending, err), b.Close())
	}
	return b.Close()
}

// Close closes all sessions at the same time and waits for them and for every
// call of the bank, so the handler of Receive must not call it. What is being
// sent is not sent or in doubt, as Send tells. It may be called twice; the error
// is that of the sessions that could not be closed in good order, each with its
// name.
func (b *Bank) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel(ErrClosed)
	members := b.list()
	failures := make([]error, len(members))
	var closing sync.WaitGroup
	for i, m := range members {
		closing.Go(func() { failures[i] = m.close() })
	}
	closing.Wait()
	b.calls.Wait()
	b.events.Close()
	return errors.Join(failures...)
}

// enter begins a call that Close waits for.
func (b *Bank) enter() (leave func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, ErrClosed
	}
	b.calls.Add(1)
	return b.calls.Done, nil
}
