package sms

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// notSafe has the network send a message again: RP-ERROR (TS 27.005 clause 4.7).
const notSafe = "+CNMA=2"

// acknowledgeLimit is how long the network waits (TS 24.011 clause 10, TR2M).
const acknowledgeLimit = 12 * time.Second

// handedOver takes a message that the modem hands over by +CMT or +CDS without
// storing it, makes it safe, and acknowledges that; until then the network
// keeps it (TS 27.005 clause 3.4.4). With a store it is safe once it is
// written; without, once the handler has returned nil or, for part of a long
// message, once it is held. It runs on the goroutine of its subscription.
func (s *Service) handedOver(ctx context.Context, n at.Notification, r *receiver) {
	a := s.arrivalOf(n.Line, n.Body)
	a.report = strings.HasPrefix(n.Line, "+CDS")
	if in := report(a.octets()); a.report && in.Report != nil {
		s.reports.await(ctx, in.Report.To)
	}
	err := s.load(ctx)
	if err == nil && a.damaged && s.sentAgain(&a) {
		err = errDamaged
	}
	if err == nil {
		err = r.keep(ctx, a)
	}
	s.acknowledge(ctx, err == nil)
	if err != nil {
		s.cfg.Logger.Warn("a message that was handed over is not safe yet", "err", err)
		r.look(everywhere) // try again soon, and set up a modem that stopped handing over
	}
}

// sentAgain tells whether the network sends a damaged message again when it is
// not acknowledged. One that comes the same way again is taken as it is.
func (s *Service) sentAgain(a *arrival) bool {
	d := digestOf(a.octets())
	before := s.damaged.Swap(&d)
	return s.acknowledged.Load() && (before == nil || *before != d)
}

// keep makes an arrival safe, or says why it is not.
func (r *receiver) keep(ctx context.Context, a arrival) error {
	out, err := r.admit(time.Now(), []arrival{a})
	if err != nil {
		return err
	}
	if out.repeats > 0 {
		r.s.event(Event{Kind: EventDuplicate})
	}
	if r.s.cfg.Store != nil {
		select {
		case r.fresh <- struct{}{}:
		default: // the handler is called for all that waits
		}
		return nil
	}
	return r.pass(ctx, digestOf(a.octets()))
}

// pass waits until the handler has taken the message that an arrival completed,
// as long as the network does.
func (r *receiver) pass(ctx context.Context, d digest) error {
	ctx, cancel := context.WithTimeout(ctx, acknowledgeLimit-time.Second)
	defer cancel()
	var failures []error
	for _, m := range r.s.inbox.waiting() {
		if !slices.Contains(m.digests, d) {
			continue
		}
		slots, err := r.ask(ctx, m)
		r.surplus(slots)
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// acknowledge tells the network that a message is safe, or that it shall send
// it again. Modems that want no acknowledgment refuse it, which does no harm;
// one that stops for lack of it is found by the next sweep.
func (s *Service) acknowledge(ctx context.Context, safe bool) {
	text := "+CNMA"
	if !safe {
		text = notSafe
		s.ready.Store(false)
	}
	_, err := s.modem.Command(ctx, at.Command{Text: text, Timeout: acknowledgeLimit, Priority: at.PriorityAcknowledge})
	if err != nil {
		s.cfg.Logger.Debug("a message was not acknowledged", "err", err)
	}
}
