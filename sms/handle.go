package sms

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// question asks for a message to be handed over now.
type question struct {
	message *message
	done    chan answer
}

// answer is what came of it.
type answer struct {
	slots []slot // where the message still lies in the modem
	err   error  // of the handler, or of the store
}

// admit takes arrivals in, and tells at once what was reported of messages of
// ours: whoever waits for that must not wait for the handler, too. What was
// reported is in the store when it returns nil.
func (r *receiver) admit(now time.Time, arrivals []arrival) (admission, error) {
	out, err := r.s.inbox.admit(now, arrivals)
	for _, m := range out.made {
		if m.in.Report != nil {
			r.s.event(Event{Kind: EventReport, Report: m.in.Report})
		}
	}
	if out.fresh > 0 {
		r.heardSome()
	}
	return out, errors.Join(err, r.s.reports.save())
}

// handle calls the handler until ctx ends, for one message after the other. It
// never waits for the modem, so that what was handed over directly is taken in
// time whatever the modem is busy with.
func (r *receiver) handle(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-r.asked:
			slots, err := r.hand(ctx, q.message)
			q.done <- answer{slots, err}
		case <-r.fresh:
			r.handFresh(ctx)
		}
	}
}

// handFresh hands over what waits and was not refused before. What is refused
// is handed over again by sweeps, with pauses.
func (r *receiver) handFresh(ctx context.Context) {
	for _, m := range r.s.inbox.waiting() {
		if m.refused || ctx.Err() != nil {
			continue
		}
		slots, err := r.hand(ctx, m)
		r.surplus(slots)
		if err != nil {
			r.s.cfg.Logger.Warn("a message was not taken; it will come again", "err", err)
			r.look(everywhere)
		}
	}
}

// hand hands a message over, unless that was done meanwhile.
func (r *receiver) hand(ctx context.Context, m *message) ([]slot, error) {
	if !r.s.inbox.awaits(m) {
		return nil, nil
	}
	if err := r.s.inbox.catchUp(); err != nil {
		return nil, fmt.Errorf("what was received: %w", err)
	}
	if m.in.Report != nil { // before it is acknowledged or deleted
		if err := r.s.reports.save(); err != nil {
			return nil, fmt.Errorf("what a report told: %w", err)
		}
	}
	if err := r.call(ctx, m.in); err != nil {
		m.refused = true
		return nil, fmt.Errorf("the handler: %w", err)
	}
	return r.s.inbox.finish(time.Now(), m)
}

// call calls whoever a message is for.
func (r *receiver) call(ctx context.Context, in Incoming) error {
	if in.Ports != nil {
		if h := r.s.cfg.Ports[in.Ports.Destination]; h != nil {
			return h(ctx, in)
		}
	}
	return r.handler(ctx, in)
}

// ask has a message handed over and waits for that.
func (r *receiver) ask(ctx context.Context, m *message) ([]slot, error) {
	q := &question{m, make(chan answer, 1)}
	select {
	case r.asked <- q:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case a := <-q.done:
		return a.slots, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
