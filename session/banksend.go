package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/telemodem/telemodem/sms"
)

// BankReceipt is what became of a message, and by which modem.
type BankReceipt struct {
	// Modem is the name of the modem that had it last; empty if none had.
	Modem string
	sms.Receipt
}

// UnsentError is a message that no modem of a bank has sent. It is
// sms.ErrNotSent for errors.Is: sending it again is safe.
type UnsentError struct {
	// Tried are the modems that tried, in order, with the reason of each.
	Tried []TriedModem
	// Err is why no other tried: ErrNoFitModem, ErrClosed, the error of the
	// context; nil if there were as many as BankConfig.Attempts allows.
	Err error
}

// TriedModem is a modem that did not get a message off.
type TriedModem struct {
	Modem string
	Err   error
}

// Error tells what each modem said.
func (e *UnsentError) Error() string {
	var said []string
	for _, t := range e.Tried {
		said = append(said, t.Modem+": "+t.Err.Error())
	}
	if e.Err != nil {
		said = append(said, e.Err.Error())
	}
	return "session: message not sent: " + strings.Join(said, "; ")
}

// Unwrap returns sms.ErrNotSent and all reasons.
func (e *UnsentError) Unwrap() []error {
	all := []error{sms.ErrNotSent}
	if e.Err != nil {
		all = append(all, e.Err)
	}
	for _, t := range e.Tried {
		all = append(all, t.Err)
	}
	return all
}

// Send sends a message by a modem that is fit, waiting for one within ctx and
// BankConfig.Patience. A recipient keeps the modem that it knows, from an earlier
// message in either direction, as long as that is fit; messages to it go out in
// the order of the calls. Numbers are compared as they are written.
//
// A message that certainly was not sent is tried by the next modem that is fit,
// within BankConfig.Attempts; each makes the tries of its own Config.SMS. In the
// end that is an *UnsentError. One that is in doubt is never sent by another
// modem: its error is that of sms.Service.Send as it is, sms.ErrInDoubt. Nor is
// one of which a part was sent, which is a *sms.SendError, too: the receiver
// could not put parts from two numbers together. A message that sms refuses as
// invalid is tried by nobody.
func (b *Bank) Send(ctx context.Context, message sms.Message) (BankReceipt, error) {
	leave, err := b.enter()
	if err != nil {
		return BankReceipt{}, &UnsentError{Err: err}
	}
	defer leave()
	var receipt BankReceipt
	unsent := &UnsentError{}
	without := make(map[string]bool)
	until := time.Now().Add(b.cfg.patience())
	for attempts := b.cfg.attempts(); attempts != 0; {
		m, err := b.await(ctx, message.To, without, until)
		if err != nil {
			unsent.Err = err
			break
		}
		receipt.Modem = m.name
		receipt.Receipt, err = b.try(ctx, m, message)
		switch {
		case err == nil || final(receipt.Receipt, err):
			return receipt, err
		case ctx.Err() == nil && errors.Is(err, errAway):
			continue // it was not asked; await finds it unfit
		}
		unsent.Tried = append(unsent.Tried, TriedModem{m.name, err})
		without[m.name] = true
		attempts--
	}
	return receipt, unsent
}

// final tells whether a message that was not wholly sent must not be tried by
// another modem. One that text mode has no form for is for another modem.
func final(receipt sms.Receipt, err error) bool {
	switch {
	case errors.Is(err, sms.ErrTextMode):
		return false
	case !errors.Is(err, sms.ErrNotSent): // in doubt, invalid, and what nobody has thought of
		return true
	}
	return slices.ContainsFunc(receipt.Parts, func(p sms.PartReceipt) bool { return p.Outcome != sms.NotSent })
}

// await returns a modem that is fit, and waits for the first one.
func (b *Bank) await(ctx context.Context, to string, without map[string]bool, until time.Time) (*member, error) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		change := b.fit.listen()
		b.mu.Lock()
		draining := b.draining
		b.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case b.ctx.Err() != nil || draining:
			return nil, ErrClosed
		}
		if m := b.choose(to, without); m != nil {
			return m, nil
		}
		if len(without) > 0 {
			return nil, b.nobody() // those that are fit have tried
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", b.nobody(), context.Cause(ctx))
		case <-b.ctx.Done():
		case <-timer.C:
			return nil, b.nobody()
		}
	}
}

// nobody is the error where no modem is fit: it says what is wrong with them.
func (b *Bank) nobody() error {
	reasons := make(map[string]int)
	for _, m := range b.Status() {
		if m.Unfit != "" {
			reasons[m.Unfit]++
		}
	}
	var said []string
	for reason, n := range reasons {
		said = append(said, fmt.Sprintf("%d %s", n, reason))
	}
	if len(said) == 0 {
		return ErrNoFitModem
	}
	slices.Sort(said)
	return fmt.Errorf("%w (%s)", ErrNoFitModem, strings.Join(said, ", "))
}

// try has one modem send the message.
func (b *Bank) try(ctx context.Context, m *member, message sms.Message) (sms.Receipt, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.session.ctx, func() { cancel(context.Cause(m.session.ctx)) })()
	a := new(attempt)
	b.calls.Go(func() { b.abandon(ctx, m, a, cancel) })
	receipt, err := m.session.SMS().Send(a.mark(ctx), message)
	b.mu.Lock()
	m.outstanding--
	switch {
	case err == nil:
		m.counts.note(sms.Sent)
		m.rests = time.Time{}
	case errors.Is(err, sms.ErrInDoubt):
		m.counts.note(sms.InDoubt)
	case errors.Is(err, sms.ErrNotSent) && !errors.Is(err, errAway):
		m.counts.note(sms.NotSent)
		if ctx.Err() == nil { // it was the modem that did not want
			m.rests = time.Now().Add(restTime)
		}
	}
	b.mu.Unlock()
	b.fit.ring()
	return receipt, err
}

// abandon ends an attempt that waits for its turn on a modem that has gone: as
// long as nothing was written, another modem can have the message.
func (b *Bank) abandon(ctx context.Context, m *member, a *attempt, cancel context.CancelCauseFunc) {
	for {
		change := b.fit.listen()
		if !a.begun.Load() && !m.session.relay.has() {
			cancel(errAway)
			return
		}
		select {
		case <-change:
		case <-ctx.Done():
			return
		}
	}
}
