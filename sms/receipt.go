package sms

import (
	"context"
	"errors"
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

var (
	// ErrNoReport says that a message was sent without Message.StatusReport, so
	// that nothing will be told of it.
	ErrNoReport = errors.New("sms: no status report was asked for")
	// ErrNoReceipt says that no receipt has the ID: no part of the message went to
	// the modem, it was sent without Message.StatusReport, or it was forgotten.
	ErrNoReceipt = errors.New("sms: no receipt has this ID")
)

// Receipt is what is known of a message that was handed to Send.
type Receipt struct {
	// ID is what Report.Message says in the reports of this message, and what
	// Service.Receipt finds it by. It is what Outbox.Enqueue returned or else, for
	// a message with StatusReport, a number of its own; it is never used again.
	// Zero is none.
	ID uint64
	// Parts has an element for each part of the message, in order, as things
	// stood when Send returned.
	Parts []PartReceipt

	tracked *tracked
}

// PartReceipt is what is known of one part.
type PartReceipt struct {
	// Outcome is the part's fate as far as the modem told.
	Outcome Outcome
	// Reference is TP-MR as the modem gave it (TS 23.040 clause 9.2.3.6). It
	// repeats after 256 parts at the latest, and some modems always say 0.
	Reference byte
	// Attempts is how often the part went to the modem.
	Attempts int
	// Time is when it went there last; the zero Time if it never did.
	Time time.Time
}

// DeliveryState is what is known of the way from the network to the receiver.
type DeliveryState uint8

// States of delivery.
const (
	// Pending: no final report has come; the network may still be trying.
	Pending DeliveryState = iota
	// Delivered: the receiver, or whoever stands for it, has it.
	Delivered
	// Failed: the network has given up, for the reason in Status.
	Failed
	// Expired: the validity is over, by a report or by the clock.
	Expired
)

// String returns the state as a word.
func (s DeliveryState) String() string {
	return [...]string{"pending", "delivered", "failed", "expired"}[s&3]
}

// Delivery is what the network told of one part.
type Delivery struct {
	// State is the summary.
	State DeliveryState
	// Outcome is the fate of the part on its way to the network; a late
	// answer or a report may have settled what was in doubt.
	Outcome Outcome
	// Status is TP-ST of the last report and Discharge its time; both zero if
	// none came.
	Status    tpdu.Status
	Discharge time.Time
}

// Wait waits until every part is delivered, failed or expired, and returns what
// is known of each; with the error of ctx if that ended before. Reports come in
// through Receive, which must be running. A message sent without StatusReport
// is ErrNoReport, with what is known of its outcomes. For how long reports are
// waited for, Service.Receipt says.
func (r Receipt) Wait(ctx context.Context) ([]Delivery, error) {
	t := r.tracked
	if t == nil {
		return nil, ErrNoReport
	}
	if !t.wanted {
		return t.deliveries(time.Now()), ErrNoReport
	}
	for {
		left := time.Until(t.awaited())
		if left <= 0 {
			return t.deliveries(time.Now()), nil
		}
		timer := time.NewTimer(left)
		select {
		case <-t.done:
			timer.Stop()
			return t.deliveries(time.Now()), nil
		case <-timer.C: // unless a part has gone again meanwhile
		case <-ctx.Done():
			timer.Stop()
			return t.deliveries(time.Now()), context.Cause(ctx)
		}
	}
}

// Receipt finds a message that was sent with StatusReport by its Receipt.ID, in
// this program or, with a Store, after a restart. It is followed until its
// validity and an hour are over, or Config.ReportTime, since it went to the modem
// last; where that ran out while no program ran, for an hour more, because its
// reports may wait in the modem or the network. Of all messages, 8192 parts are followed: of more, those of which
// all is known are forgotten first, then the oldest. The error is ErrNoReceipt,
// or the store's.
func (s *Service) Receipt(ctx context.Context, id uint64) (Receipt, error) {
	if err := s.load(ctx); err != nil {
		return Receipt{}, err
	}
	t := s.reports.find(id)
	if t == nil {
		return Receipt{}, ErrNoReceipt
	}
	return t.receipt(), nil
}
