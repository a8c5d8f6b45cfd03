package sms

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// networkTimeout is the one refusal that does not tell the fate: the network's
// answer did not come (TS 27.005 clause 3.2.5).
const networkTimeout = 332

// ctrlZ ends the entry of a message (3GPP TS 27.005 clause 4.3).
const ctrlZ = 0x1A

// Send sends a message and returns when the network has taken all its parts,
// or with the first that it did not take. The error is ErrInvalidMessage
// before anything was written to the modem, else a *SendError, which is
// ErrNotSent or ErrInDoubt for errors.Is.
//
// A part that was refused for a temporary reason is tried again after
// Config.RetryPauses. A part in doubt is settled by a late answer of the modem
// within Config.SettleTime, or else by the message's policy; nothing is ever
// sent twice but by DoubtRetry.
func (s *Service) Send(ctx context.Context, m Message) (Receipt, error) {
	return s.sendAs(ctx, m, &journal{})
}

// journal is what is known of earlier tries of a message, and where this one is
// noted.
type journal struct {
	// id is the message's number in an Outbox; 0 has it given one.
	id uint64
	// reference is what the parts were marked with; nil takes a new one.
	reference *uint16
	// parts are the receipts of earlier tries; nil if there was none. Those that
	// were sent are not sent again.
	parts []PartReceipt
	// tracked follows the parts since the first try in this program.
	tracked *tracked
	// away says that the context ended in a pause, and the lock of the Service was
	// not taken again.
	away bool
	// note is called before a part goes to the modem, with what is known of all,
	// that one in doubt. Its error ends the try. Nil notes nothing.
	note func(reference uint16, parts []PartReceipt) error
}

// errReshaped says that a message whose first parts were sent would be cut in
// another way now: another modem has taken the place of the one before.
var errReshaped = errors.New("sms: this modem needs other parts than those that were sent")

// sendAs sends what a journal says was not sent yet.
func (s *Service) sendAs(ctx context.Context, m Message, j *journal) (Receipt, error) {
	d, err := s.check(m)
	if err != nil {
		return Receipt{}, err
	}
	parts := j.parts
	if len(parts) == 0 {
		parts = make([]PartReceipt, d.parts.Len())
	}
	notBegun := func(err error) (Receipt, error) {
		return Receipt{Parts: parts}, &SendError{Part: 1, Parts: len(parts), Outcome: NotSent, Err: err}
	}
	if err := s.load(ctx); err != nil {
		return notBegun(err)
	}
	if err := s.lock(ctx); err != nil {
		return notBegun(err)
	}
	defer func() {
		if !j.away {
			s.unlock()
		}
	}()
	if err := s.ensureSetup(ctx); err != nil {
		return notBegun(err)
	}
	if d, err = s.check(m); err != nil { // with what is known of the modem by now
		return Receipt{}, err
	}
	switch {
	case len(parts) == d.parts.Len():
	case len(j.parts) == 0:
		parts = make([]PartReceipt, d.parts.Len())
	default:
		return notBegun(errReshaped)
	}
	var reference uint16
	switch {
	case j.reference != nil:
		reference = *j.reference
	case len(parts) > 1:
		now := time.Now()
		if reference, err = s.references.take(now, m.To, now.Add(s.cfg.reportTime(m.validity(now)))); err != nil {
			return notBegun(err)
		}
	}
	return s.send(ctx, m, reference, parts, j)
}

// send sends the parts of a message that were not sent yet. The caller holds
// the lock.
func (s *Service) send(ctx context.Context, m Message, reference uint16, parts []PartReceipt, j *journal) (Receipt, error) {
	segments, to, err := s.compose(m, reference)
	if err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{ID: j.id, Parts: parts}
	if m.StatusReport && receipt.ID == 0 {
		if receipt.ID, err = s.reports.allot(); err != nil {
			return Receipt{Parts: parts}, &SendError{Part: 1, Parts: len(segments), Outcome: NotSent, Err: err}
		}
	}
	if j.tracked == nil {
		j.tracked = s.reports.track(receipt.ID, to.String(), parts, m.StatusReport, s.cfg.reportTime(m.validity(time.Now())))
	}
	receipt.tracked = j.tracked
	receipt.tracked.noted = j.note != nil
	s.keepLink(ctx, len(segments))
	for i, seg := range segments {
		part := &parts[i]
		if part.learn(receipt.tracked, i) {
			continue
		}
		before := *part
		part.Outcome, part.Time = InDoubt, time.Now()
		if j.note != nil {
			if err := j.note(reference, parts); err != nil {
				*part = before
				return receipt, &SendError{Part: i + 1, Parts: len(segments), Outcome: before.Outcome, Err: err}
			}
		}
		err := s.sendPart(ctx, seg, m.InDoubt, part, j, i, before)
		if part.Outcome != Sent {
			return receipt, &SendError{Part: i + 1, Parts: len(segments), Outcome: part.Outcome, Err: err}
		}
	}
	return receipt, nil
}

// keepLink asks the modem to keep the link to the network up between the parts
// of a long message. It does so for 1 to 5 s after each (TS 27.005 clause
// 3.5.6), so it has to be asked again after a pause. A refusal costs speed
// alone.
func (s *Service) keepLink(ctx context.Context, parts int) {
	if parts > 1 && s.cfg.Quirks.MoreMessages {
		_, _ = s.modem.Command(ctx, at.Command{Text: "+CMMS=1", Timeout: s.cfg.commandTimeout()})
	}
}

// sendPart sends one part until its fate is known or nothing is left to try.
// before is what was known of it by earlier tries.
func (s *Service) sendPart(ctx context.Context, seg segment, policy DoubtPolicy, part *PartReceipt, j *journal, i int, before PartReceipt) error {
	pauses, t := s.cfg.retryPauses(), j.tracked
	doubted := before.Outcome == InDoubt
	for try := 0; !part.learn(t, i); try++ {
		if err := t.begin(i); err != nil { // it does not go to the modem
			*part = before
			return err
		}
		part.Attempts++
		part.Time = time.Now()
		mr, outcome, err := s.sendSegment(ctx, seg)
		refused := outcome == NotSent
		if outcome == InDoubt {
			s.watch(t, i, doubted)
		}
		if refused && doubted { // it says nothing of an earlier try
			outcome = InDoubt
		}
		t.sent(i, outcome, mr)
		if outcome == InDoubt && !refused {
			s.settle(ctx)
		}
		part.Outcome, part.Reference = t.outcome(i)
		if part.Outcome == Sent {
			break
		}
		again := refused && temporary(err) || !refused && part.Outcome == InDoubt && s.retries(policy, err)
		doubted = doubted || part.Outcome == InDoubt
		if doubted {
			part.Outcome = InDoubt
		}
		before = *part
		if !again || try == len(pauses) {
			return err
		}
		if j.away = s.pause(ctx, pauses[try]) != nil; j.away || s.ensureSetup(ctx) != nil {
			return err
		}
		s.keepLink(ctx, len(t.parts))
	}
	return nil
}

// learn notes that a part was sent after all, by a late answer or a report, and
// tells whether it was sent.
func (p *PartReceipt) learn(t *tracked, i int) bool {
	if outcome, reference := t.outcome(i); outcome == Sent {
		p.Outcome, p.Reference = outcome, reference
	}
	return p.Outcome == Sent
}

// pause waits and lets others use the modem meanwhile. The caller holds the
// lock, and holds it again afterwards unless there is an error.
func (s *Service) pause(ctx context.Context, d time.Duration) error {
	s.unlock()
	if err := sleep(ctx, d); err != nil {
		return err
	}
	return s.lock(ctx)
}

// retries tells whether a part in doubt is to be sent again.
func (s *Service) retries(policy DoubtPolicy, err error) bool {
	if policy == DoubtDefault {
		policy = s.cfg.InDoubt
	}
	return policy == DoubtRetry && !errors.Is(err, at.ErrLineGone) && !errors.Is(err, at.ErrClosed)
}

// temporary tells whether a refusal may be over after a pause (fault F33). A
// full storage counts: Receive makes room.
func temporary(err error) bool {
	class, ok := classOf(err)
	return ok && (class == at.ClassTemporary || class == at.ClassStorage)
}

// classOf returns the class of a refusal.
func classOf(err error) (class at.Class, ok bool) {
	var cms at.CMSError
	if errors.As(err, &cms) {
		return cms.Class(), true
	}
	var cme at.CMEError
	if errors.As(err, &cme) {
		return cme.Class(), true
	}
	return 0, false
}

// segment is one part on its way to the modem.
type segment struct {
	parameters string // the +CSMP to set before; empty in PDU mode
	argument   string // of +CMGS: the length of the TPDU alone, or the number in text mode
	data       []byte // SMSC address and TPDU in hexadecimal, or the text
}

func (s *Service) sendSegment(ctx context.Context, seg segment) (mr byte, outcome Outcome, err error) {
	if err := s.setParameters(ctx, seg.parameters); err != nil {
		return 0, NotSent, err
	}
	resp, err := s.modem.Command(ctx, at.Command{
		Text:    "+CMGS=" + seg.argument,
		Prompt:  &at.Prompt{Data: seg.data, End: []byte{ctrlZ}, Gap: s.cfg.Quirks.PromptGap},
		Timeout: s.cfg.sendTimeout(),
	})
	if parameters(resp, "+CMGS") != "" { // sent, even if the result code got lost
		return reference(resp), Sent, nil
	}
	if err != nil {
		return 0, outcomeOf(err), err
	}
	return 0, Sent, nil
}

// outcomeOf tells a refusal from a loss. As long as the PDU itself has not
// been written the modem has nothing to send, and a modem that answers an
// error has not sent. Everything else is in doubt: silence, a line that went
// away, a reboot, a cancelled wait.
func outcomeOf(err error) Outcome {
	if errors.Is(err, at.CMSError{Code: networkTimeout}) {
		return InDoubt
	}
	if refused(err) || errors.Is(err, at.ErrInvalid) {
		return NotSent
	}
	var failed *at.CommandError
	if errors.As(err, &failed) && failed.Progress != at.DataWritten {
		return NotSent
	}
	return InDoubt
}

// reference reads +CMGS: <mr>. The number is a hint for status reports and no
// identity (fault F54), so one that is missing counts as 0.
func reference(resp at.Response) byte {
	first, _, _ := strings.Cut(parameters(resp, "+CMGS"), ",")
	n, err := strconv.ParseUint(strings.TrimSpace(first), 10, 8)
	if err != nil {
		return 0
	}
	return byte(n)
}
