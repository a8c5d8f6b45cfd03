package session

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/telemodem/telemodem/sms"
)

// receivePause is waited before messages are taken from a modem again after that
// ended with an error: its store may have failed.
const receivePause = time.Minute

// Receive calls handler for each message that arrives or already lies in a modem,
// with the name of the modem, until ctx ends or the bank is closed, and returns
// the cause of that. Modems that start or come later are among them. Messages of
// one modem come one after the other, those of several at the same time.
//
// The rules are those of sms.Service.Receive: a message is acknowledged and
// deleted only after handler returned nil, and comes again after an error.
// sms.Incoming.ID is unique for one modem only. A store that fails keeps back its
// own modem's messages alone: that is in BankStatus.ReceiveErr, and tried again.
//
// Who sends a message gets answers by the modem that it came to, while that is
// fit. At most one Receive runs on a Bank; another gets sms.ErrBusy.
func (b *Bank) Receive(ctx context.Context, handler func(ctx context.Context, modem string, in sms.Incoming) error) error {
	leave, err := b.enter()
	if err != nil {
		return err
	}
	defer leave()
	select {
	case b.receiving <- struct{}{}:
		defer func() { <-b.receiving }()
	default:
		return sms.ErrBusy
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(b.ctx, func() { cancel(context.Cause(b.ctx)) })()
	listening := make(map[*member]bool)
	for ctx.Err() == nil {
		change := b.fit.listen()
		members := b.list()
		maps.DeleteFunc(listening, func(m *member, _ bool) bool { return !slices.Contains(members, m) })
		for _, m := range members {
			if !listening[m] && b.listenTo(ctx, m, handler) {
				listening[m] = true
			}
		}
		select {
		case <-change:
		case <-ctx.Done():
		}
	}
	for m := range listening {
		m.handling.Wait()
	}
	return context.Cause(ctx)
}

// listenTo begins to receive from a modem that has started, unless it is leaving.
func (b *Bank) listenTo(ctx context.Context, m *member, handler func(context.Context, string, sms.Incoming) error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.leaving || b.closed || !m.started() {
		return false
	}
	m.handling.Go(func() { b.receiveFrom(ctx, m, handler) })
	return true
}

// receiveFrom receives from one modem until ctx or its session ends.
func (b *Bank) receiveFrom(ctx context.Context, m *member, handler func(context.Context, string, sms.Incoming) error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.session.ctx, func() { cancel(context.Cause(m.session.ctx)) })()
	for ctx.Err() == nil {
		err := m.session.SMS().Receive(ctx, func(ctx context.Context, in sms.Incoming) error {
			b.heardFrom(m, in.From)
			if err := handler(ctx, m.name, in); err != nil {
				return err
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			m.counts.received++
			return nil
		})
		if ctx.Err() != nil {
			return
		}
		m.session.log.Error("session: nothing is received from this modem", "err", err)
		b.setReceiveErr(m, err)
		pause(ctx, receivePause)
		b.setReceiveErr(m, nil)
	}
}

func (b *Bank) setReceiveErr(m *member, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m.receiveErr = err
}

// heardFrom has answers to a sender go out by the modem that he wrote to. It
// comes before the handler, which may answer at once.
func (b *Bank) heardFrom(m *member, sender string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.homes.set(sender, m.name)
}
