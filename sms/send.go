package sms

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/telemodem/telemodem/at"
)

// ctrlZ ends the entry of a message (3GPP TS 27.005 clause 4.3).
const ctrlZ = 0x1A

// Receipt is what is known of a message that was handed to Send.
type Receipt struct {
	// Parts has an element for each part of the message, in order.
	Parts []PartReceipt
}

// PartReceipt is what is known of one part.
type PartReceipt struct {
	// Outcome is the part's fate as far as the modem told.
	Outcome Outcome
	// Reference is TP-MR as the modem gave it (TS 23.040 clause 9.2.3.6). It
	// repeats after 256 parts at the latest, and some modems always say 0.
	Reference byte
}

// Send sends a message and returns when the network has taken all its parts,
// or with the first that it did not take. The error is ErrInvalidMessage
// before anything was written to the modem, else a *SendError, which is
// ErrNotSent or ErrInDoubt for errors.Is. Nothing is ever sent again by itself.
func (s *Service) Send(ctx context.Context, m Message) (Receipt, error) {
	if err := s.lock(ctx); err != nil {
		return Receipt{}, &SendError{Part: 1, Parts: 1, Outcome: NotSent, Err: err}
	}
	defer s.unlock()
	segments, err := compose(m, s.nextRef)
	if err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{Parts: make([]PartReceipt, len(segments))}
	if len(segments) > 1 {
		s.nextRef++
	}
	if err := s.ensureSetup(ctx); err != nil {
		return receipt, &SendError{Part: 1, Parts: len(segments), Outcome: NotSent, Err: err}
	}
	if len(segments) > 1 && s.cfg.Quirks.MoreMessages {
		// A refusal costs speed alone (TS 27.005 clause 3.5.6).
		_, _ = s.modem.Command(ctx, at.Command{Text: "+CMMS=1", Timeout: s.cfg.commandTimeout()})
	}
	for i, seg := range segments {
		part := &receipt.Parts[i]
		part.Reference, part.Outcome, err = s.sendSegment(ctx, seg)
		if part.Outcome != Sent {
			return receipt, &SendError{Part: i + 1, Parts: len(segments), Outcome: part.Outcome, Err: err}
		}
	}
	return receipt, nil
}

// segment is one TPDU on its way to the modem.
type segment struct {
	pdu    []byte // SMSC address and TPDU in hexadecimal
	octets int    // length of the TPDU alone, which +CMGS wants
}

func (s *Service) sendSegment(ctx context.Context, seg segment) (mr byte, outcome Outcome, err error) {
	resp, err := s.modem.Command(ctx, at.Command{
		Text:    "+CMGS=" + strconv.Itoa(seg.octets),
		Prompt:  &at.Prompt{Data: seg.pdu, End: []byte{ctrlZ}, Gap: s.cfg.Quirks.PromptGap},
		Timeout: s.cfg.sendTimeout(),
	})
	if err != nil {
		return 0, outcomeOf(err), err
	}
	return reference(resp), Sent, nil
}

// outcomeOf tells a refusal from a loss. As long as the PDU itself has not
// been written the modem has nothing to send, and a modem that answers an
// error has not sent. Everything else is in doubt: silence, a line that went
// away, a reboot, a cancelled wait.
func outcomeOf(err error) Outcome {
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
