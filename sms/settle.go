package sms

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// DoubtPolicy is what Send does about a part whose fate stays unknown.
type DoubtPolicy uint8

// Policies.
const (
	// DoubtDefault is Config.InDoubt in a Message and Report in a Config.
	DoubtDefault DoubtPolicy = iota
	// DoubtReport returns ErrInDoubt: the message may or may not arrive.
	DoubtReport
	// DoubtRetry sends the part again: the message may arrive twice. A
	// receiver that puts long messages together drops a repeated part.
	DoubtRetry
)

// doubt waits for the answer of a +CMGS that nobody waits for any more; promise
// 1 has it reported as late.
type doubt struct {
	stop    func()
	settled chan struct{}
}

// watch waits for the late answer to a part in doubt. It begins once a part is in
// doubt, and not before: until its command was written, a late answer is that of
// the part before it, and none after that. again says that a try before this one
// is in doubt, too, of which a refusal says nothing. The caller holds the lock.
func (s *Service) watch(t *tracked, part int, again bool) {
	if s.doubt != nil {
		s.doubt.stop()
	}
	d := &doubt{settled: make(chan struct{})}
	over := false
	d.stop = s.modem.Handle("", func(n at.Notification) {
		outcome, mr, ok := verdict(n)
		if over || !ok {
			return
		}
		over = true
		defer close(d.settled)
		if outcome == NotSent && again {
			return
		}
		t.sent(part, outcome, mr)
		s.event(Event{Kind: EventSettled, Outcome: outcome})
	})
	s.doubt = d
}

// verdict reads a late answer to +CMGS. Once the modem has answered something
// else, the line of one is unknown to the engine, and nothing else begins so.
// Errors up to 255 are the network's refusals (TS 27.005 clause 3.2.5); others
// might be answers to other commands.
func verdict(n at.Notification) (outcome Outcome, mr byte, ok bool) {
	if n.Kind != at.KindLate && n.Kind != at.KindUnknown {
		return 0, 0, false
	}
	if rest, ok := strings.CutPrefix(n.Line, "+CMGS:"); ok {
		first, _, _ := strings.Cut(rest, ",")
		k, _ := strconv.ParseUint(strings.TrimSpace(first), 10, 8)
		return Sent, byte(k), true
	}
	var cms at.CMSError
	if n.Kind == at.KindLate && errors.As(at.ParseResult(n.Line), &cms) && cms.Code >= 0 && cms.Code <= 255 {
		return NotSent, 0, true
	}
	return 0, 0, false
}

// settle waits for a late answer to the part that is in doubt. If ctx ends, an
// answer that comes in time is still noted in the receipt, unless another part
// is in doubt before. The caller holds the lock.
func (s *Service) settle(ctx context.Context) {
	d, limit := s.doubt, s.cfg.settleTime()
	if limit <= 0 {
		d.stop()
		return
	}
	timer := time.AfterFunc(limit, d.stop)
	over := time.NewTimer(limit)
	defer over.Stop()
	select {
	case <-d.settled:
		timer.Stop()
		d.stop()
	case <-over.C:
	case <-ctx.Done():
	}
}
