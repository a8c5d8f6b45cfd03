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
	until := time.Now().Add(b.cfg.patience())
	give, err := b.takeTurn(ctx, message.To)
	if err != nil {
		return BankReceipt{}, &UnsentError{Err: err}
	}
	defer give()
	var receipt BankReceipt
	unsent := &UnsentError{}
	without := make(map[string]bool)
	for attempts := b.cfg.attempts(); attempts != 0; {
		m, err := b.await(ctx, message.To, without, until)
		if err != nil {
			unsent.Err = err
			break
		}
		had, err := b.try(ctx, m, message)
		if ctx.Err() == nil && unasked(had, err) {
			continue // await finds it unfit
		}
		receipt = BankReceipt{m.name, had}
		if err == nil || final(had, err) {
			return receipt, err
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
	return begun(receipt)
}

// begun tells whether a part of a message was sent, or may have been.
func begun(receipt sms.Receipt) bool {
	return slices.ContainsFunc(receipt.Parts, func(p sms.PartReceipt) bool { return p.Outcome != sms.NotSent })
}

// unasked tells whether a modem that went away has seen nothing of a message.
func unasked(receipt sms.Receipt, err error) bool {
	return errors.Is(err, errAway) && !begun(receipt)
}

// await returns a modem that is fit, and waits for the first one.
func (b *Bank) await(ctx context.Context, to string, without map[string]bool, until time.Time) (*member, error) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		change := b.fit.listen()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		b.mu.Lock()
		ended := b.draining || b.closed
		var m *member
		if !ended { // Drain waits for what is chosen
			m = b.choose(to, without)
		}
		b.mu.Unlock()
		switch {
		case ended:
			return nil, ErrClosed
		case m != nil:
			return m, nil
		case len(without) > 0:
			return nil, b.nobody(without) // those that are fit have tried
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", b.nobody(without), context.Cause(ctx))
		case <-b.ctx.Done():
		case <-timer.C:
			return nil, b.nobody(without)
		}
	}
}

// nobody is the error where no modem is fit but those that have tried: it says what
// is wrong with the others.
func (b *Bank) nobody(tried map[string]bool) error {
	reasons := make(map[string]int)
	for _, m := range b.Status() {
		switch {
		case tried[m.Modem]:
			reasons["tried it"]++
		case m.Unfit != "":
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

// try has one modem send the message. The recipient knows that modem from then on,
// unless nothing was sent; he may write to another one meanwhile.
func (b *Bank) try(ctx context.Context, m *member, message sms.Message) (sms.Receipt, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.session.ctx, func() { cancel(context.Cause(m.session.ctx)) })()
	b.mu.Lock()
	known := b.homes.of(message.To)
	b.homes.set(message.To, m.name)
	b.mu.Unlock()
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
	case errors.Is(err, sms.ErrNotSent) && !unasked(receipt, err):
		m.counts.note(sms.NotSent)
		if ctx.Err() == nil { // it was the modem that did not want
			m.rests = time.Now().Add(restTime)
		}
	}
	if err != nil && !begun(receipt) && b.homes.of(message.To) == m.name {
		b.homes.set(message.To, known)
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
