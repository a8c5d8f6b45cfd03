package session

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/telemodem/telemodem/sms"
)

// member is one modem of a bank.
type member struct {
	name    string
	session *Session

	handling sync.WaitGroup // the goroutine of Receive for this modem

	// Guarded by the lock of the bank.
	leaving     bool
	outstanding int       // messages that it is sending
	chosen      uint64    // when it was last, in Bank.chosen
	rests       time.Time // until then others come first: it has refused
	counts      counts
	receiveErr  error // why nothing is received from it
}

// counts are of messages.
type counts struct{ sent, notSent, inDoubt, received int }

// newMember makes a member that does nothing yet.
func (b *Bank) newMember(cfg Config) (*member, error) {
	name := cfg.name()
	if name == "" {
		return nil, errors.New("session: a modem of a bank needs a name: Config.Name or Config.Port")
	}
	cfg.Name, cfg.KeepTrying = name, true
	if cfg.Logger == nil {
		cfg.Logger = b.cfg.Logger
	}
	s, err := newSession(b.ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("%w (modem %q)", err, name)
	}
	s.relay.told = b.fit.ring
	s.hook = func(e Event) {
		b.fit.ring()
		b.publish(name, e)
	}
	return &member{name: name, session: s}, nil
}

// shares names what two modems must not have in common and have; empty if nothing.
func (m *member) shares(other *member) string {
	mine, its := &m.session.cfg, &other.session.cfg
	switch {
	case same(mine.SMS.Store, its.SMS.Store):
		return "Config.SMS.Store"
	case same(mine.Ledger, its.Ledger):
		return "Config.Ledger"
	}
	return ""
}

// same tells whether two values are one; nil and what cannot be compared are not.
func same(a, b any) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && a == b
}

func (m *member) start() { m.session.running.Go(m.session.run) }

// started tells whether the session has been usable at least once.
func (m *member) started() bool {
	select {
	case <-m.session.started:
	default:
		return false
	}
	m.session.mu.Lock()
	defer m.session.mu.Unlock()
	return m.session.startErr == nil
}

// close ends the session, and waits for it and for the handler.
func (m *member) close() error {
	err := m.session.Close()
	m.handling.Wait()
	if err != nil {
		return fmt.Errorf("modem %q: %w", m.name, err)
	}
	return nil
}

// unfit says why a message should not be given now to the modem, whose status is
// known; empty if it may be. The lock of the bank is held.
func (m *member) unfit(status *Status) string {
	switch {
	case m.leaving:
		return "being removed"
	case status.State != StateRegistered && status.State != StateSearching:
		return status.State.String()
	case !m.session.relay.has():
		return errAway.Error()
	case !status.Registration.State.SMS():
		return "registration: " + status.Registration.State.String()
	case status.DataUp && !status.Multiplexed && m.session.cfg.Sockets == nil:
		return "a data call has the line"
	}
	return ""
}

// note keeps what became of a message.
func (c *counts) note(outcome sms.Outcome) {
	switch outcome {
	case sms.Sent:
		c.sent++
	case sms.NotSent:
		c.notSent++
	case sms.InDoubt:
		c.inDoubt++
	}
}
