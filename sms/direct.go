package sms

import (
	"context"
	"time"

	"github.com/telemodem/telemodem/at"
)

// handed is a message that the modem hands over without storing it, by +CMT or
// +CDS. Until it is acknowledged the network keeps it (TS 27.005 clause 3.4.4).
type handed struct {
	arrival
	done chan error // gets whether it is safe
}

// acknowledgeLimit is how long the network waits (TS 24.011 clause 10, TR2M).
const acknowledgeLimit = 12 * time.Second

// handedOver takes a message that the modem does not keep, makes it safe, and
// acknowledges that. With a store it is safe once it is written; without, once
// the handler has returned nil or, for part of a long message, once it is held.
// It runs on the goroutine of its subscription.
func (s *Service) handedOver(ctx context.Context, n at.Notification, r *receiver) {
	h := &handed{
		arrival: arrival{pdu: s.pdu(n.Line, n.Body), report: len(n.Line) > 4 && n.Line[:4] == "+CDS"},
		done:    make(chan error, 1),
	}
	err := s.load(ctx)
	if err == nil && s.cfg.Store != nil {
		_, repeats, failure := s.inbox.admit(time.Now(), []arrival{h.arrival})
		if err = failure; repeats > 0 {
			s.event(Event{Kind: EventDuplicate})
		}
		r.look(everywhere)
	} else if err == nil {
		err = r.pass(ctx, h)
	}
	s.acknowledge(ctx, err == nil)
	if err != nil {
		s.cfg.Logger.Warn("a message that was handed over is not safe yet", "err", err)
		r.look(everywhere) // try again soon, and set up a modem that stopped handing over
	}
}

// pass lets the receiver handle a message and waits for that as long as the
// network does.
func (r *receiver) pass(ctx context.Context, h *handed) error {
	ctx, cancel := context.WithTimeout(ctx, acknowledgeLimit-time.Second)
	defer cancel()
	select {
	case r.direct <- h:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-h.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *receiver) takeDirect(ctx context.Context, h *handed) error {
	if _, repeats, err := r.s.inbox.admit(time.Now(), []arrival{h.arrival}); err != nil || repeats > 0 {
		return err
	}
	return r.deliver(ctx)
}

// acknowledge tells the network that a message is safe, or that it shall send
// it again. Modems that want no acknowledgment refuse it, which does no harm;
// one that stops for lack of it is found by the next sweep.
func (s *Service) acknowledge(ctx context.Context, safe bool) {
	text := "+CNMA"
	if !safe {
		text = "+CNMA=2" // RP-ERROR (TS 27.005 clause 4.7)
		s.ready.Store(false)
	}
	_, err := s.modem.Command(ctx, at.Command{Text: text, Timeout: acknowledgeLimit, Priority: at.PriorityAcknowledge})
	if err != nil {
		s.cfg.Logger.Debug("a message was not acknowledged", "err", err)
	}
}
