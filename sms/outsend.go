package sms

import (
	"context"
	"errors"
	"slices"
	"time"
)

// recover decides on messages that were with the modem when the program, or the
// Run before, ended. In the same program an answer may have come since.
func (o *Outbox) recover() error {
	o.mu.Lock()
	var sending []*outItem
	for _, item := range o.items {
		if item.State == outSending {
			sending = append(sending, item)
		}
	}
	o.mu.Unlock()
	for _, item := range sending {
		for i := range item.Parts {
			if item.tracked != nil {
				item.Parts[i].learn(item.tracked, i)
			}
		}
		if err := o.takeUp(item); err != nil {
			return err
		}
	}
	return nil
}

// takeUp decides on a message that was being sent.
func (o *Outbox) takeUp(item *outItem) error {
	switch {
	case item.fate() == InDoubt || len(item.Parts) == 0:
		return o.undecided(item, "it was being sent when the outbox stopped")
	case !slices.ContainsFunc(item.Parts, func(p PartReceipt) bool { return p.Outcome != Sent }):
		item.Outcome = Sent
		return o.move(item, outDone)
	}
	return o.move(item, outQueued)
}

// undecided is what becomes of a message in doubt: its policy says it.
func (o *Outbox) undecided(item *outItem, why string) error {
	policy := item.Message.InDoubt
	if policy == DoubtDefault {
		policy = o.service.cfg.InDoubt
	}
	if policy == DoubtRetry {
		return o.move(item, outQueued)
	}
	item.Outcome, item.Failure = InDoubt, why
	return o.move(item, outDone)
}

// process sends a message or gives it up.
func (o *Outbox) process(ctx context.Context, item *outItem) error {
	if !item.Expires.After(time.Now()) {
		item.Expired, item.Outcome, item.Failure = true, item.fate(), "its time is over"
		return o.move(item, outDone)
	}
	counted := false
	receipt, err := o.service.sendAs(ctx, item.Message, &journal{
		id: item.ID, reference: item.Reference, parts: item.Parts, tracked: item.tracked,
		note: func(reference uint16, parts []PartReceipt) error {
			if !counted {
				counted = true
				o.count(parts)
			}
			item.Parts = parts
			if len(parts) > 1 && item.Reference == nil {
				item.Reference = &reference
				item.holdReference(o.service)
			}
			return o.move(item, outSending)
		},
	})
	if receipt.tracked != nil {
		item.Parts, item.tracked = receipt.Parts, receipt.tracked
	}
	return o.settle(ctx, item, err)
}

// count tells the limiter of the parts that are sent now.
func (o *Outbox) count(parts []PartReceipt) {
	for _, p := range parts {
		if p.Outcome != Sent {
			o.limiter.Reserve() // one by one, since they may be more than a burst
		}
	}
}

// settle notes what came of a message.
func (o *Outbox) settle(ctx context.Context, item *outItem, err error) error {
	later := time.Now().Add(positive(o.cfg.RetryPause, time.Minute))
	switch {
	case err == nil:
		item.Outcome, item.Failure = Sent, ""
	case errors.Is(err, ErrInvalidMessage):
		item.Invalid, item.Failure = true, err.Error()
	case lasting(err):
		item.Outcome, item.Failure = item.fate(), err.Error()
	case errors.Is(err, ErrInDoubt) && ctx.Err() != nil:
		return nil // the next Run decides; more may be known by then
	case errors.Is(err, ErrInDoubt):
		err := o.undecided(item, err.Error())
		if item.State == outQueued {
			item.after = later
		}
		return err
	default:
		item.after = later
		return o.move(item, outQueued)
	}
	return o.move(item, outDone)
}

// lasting tells whether the network or the modem refused for good.
func lasting(err error) bool {
	_, classed := classOf(err)
	return classed && !temporary(err)
}
