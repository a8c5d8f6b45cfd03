package sms

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// ErrNoReport says that a message was sent without Message.StatusReport, so
// that nothing will be told of it.
var ErrNoReport = errors.New("sms: no status report was asked for")

// Receipt is what is known of a message that was handed to Send.
type Receipt struct {
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
// is ErrNoReport, with what is known of its outcomes.
func (r Receipt) Wait(ctx context.Context) ([]Delivery, error) {
	t := r.tracked
	if t == nil {
		return nil, ErrNoReport
	}
	if !t.wanted {
		return t.deliveries(time.Now()), ErrNoReport
	}
	timer := time.NewTimer(time.Until(t.expiry))
	defer timer.Stop()
	select {
	case <-t.done:
	case <-timer.C:
	case <-ctx.Done():
		return t.deliveries(time.Now()), context.Cause(ctx)
	}
	return t.deliveries(time.Now()), nil
}

// tracked is a message of which more may become known.
type tracked struct {
	reports *reports
	to      tpdu.Address
	wanted  bool // a status report was asked for
	expiry  time.Time
	done    chan struct{} // closed when all parts have a final report

	parts []trackedPart // guarded by reports.mu
}

type trackedPart struct {
	Delivery
	sent      time.Time // to the modem; zero: not yet
	underway  bool      // the modem has not answered
	reference byte
}

func (t *tracked) deliveries(now time.Time) []Delivery {
	t.reports.mu.Lock()
	defer t.reports.mu.Unlock()
	ds := make([]Delivery, len(t.parts))
	for i, p := range t.parts {
		ds[i] = p.Delivery
		if ds[i].State == Pending && t.wanted && !now.Before(t.expiry) {
			ds[i].State = Expired
		}
	}
	return ds
}

// maxTracked bounds the messages that reports are matched to; the oldest is
// forgotten first.
const maxTracked = 1024

// reports matches status reports to what was sent.
type reports struct {
	mu       sync.Mutex
	messages []*tracked // oldest first
	early    []earlyReport

	last    int  // TP-MR of the last part sent; negative: none yet
	useless bool // the modem gave the same to two in a row (fault F54)
}

// earlyReport is one that overtook the answer to its +CMGS.
type earlyReport struct {
	report Report
	taken  time.Time
	came   time.Time
}

const (
	maxEarly      = 32
	earlyLimit    = 10 * time.Minute
	doubtDistance = 10 * time.Minute
)

// track follows a message, of whose parts some may have been sent before.
func (r *reports) track(to tpdu.Address, parts []PartReceipt, wanted bool, limit time.Duration) *tracked {
	t := &tracked{
		reports: r, to: to, wanted: wanted,
		expiry: time.Now().Add(limit),
		done:   make(chan struct{}),
		parts:  make([]trackedPart, len(parts)),
	}
	for i, p := range parts {
		t.parts[i] = trackedPart{Delivery: Delivery{Outcome: p.Outcome}, sent: p.Time, reference: p.Reference}
	}
	if !wanted {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	kept := r.messages[:0]
	for _, m := range r.messages {
		if m.final() || now.After(m.expiry) {
			continue
		}
		kept = append(kept, m)
	}
	if len(kept) >= maxTracked {
		kept = append(kept[:0], kept[1:]...)
	}
	clear(r.messages[len(kept):])
	r.messages = append(kept, t)
	return t
}

// final tells whether nothing more will become known. The caller holds the lock.
func (t *tracked) final() bool {
	for _, p := range t.parts {
		if p.State == Pending {
			return false
		}
	}
	return true
}

// begin notes that a part goes to the modem.
func (t *tracked) begin(i int) {
	t.reports.mu.Lock()
	defer t.reports.mu.Unlock()
	t.parts[i].sent, t.parts[i].underway = time.Now(), true
}

// sent notes what the modem said of a part; known outcomes stay.
func (t *tracked) sent(i int, outcome Outcome, reference byte) {
	t.reports.mu.Lock()
	defer t.reports.mu.Unlock()
	p := &t.parts[i]
	p.underway = false
	if p.Outcome == Sent {
		return
	}
	p.Outcome, p.reference = outcome, reference
	if outcome == Sent {
		t.reports.useless = t.reports.last == int(reference)
		t.reports.last = int(reference)
	}
	if outcome != NotSent {
		t.reports.matchEarly()
	}
}

// matchEarly tries again what came before the answer. The caller holds the lock.
func (r *reports) matchEarly() {
	early := r.early
	r.early = nil
	for _, e := range early {
		if time.Since(e.came) < earlyLimit && !r.match(e) {
			r.early = append(r.early, e)
		}
	}
}

// outcome is what is known of a part by now.
func (t *tracked) outcome(i int) (Outcome, byte) {
	t.reports.mu.Lock()
	defer t.reports.mu.Unlock()
	return t.parts[i].Outcome, t.parts[i].reference
}

// take notes a report that came; taken is when the service centre took the
// message.
func (r *reports) take(report Report, taken time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := earlyReport{report, taken, time.Now()}
	if r.match(e) {
		return
	}
	if len(r.early) == maxEarly {
		r.early = r.early[1:]
	}
	r.early = append(r.early, e)
}

// match finds the part that a report is about. References repeat (TS 23.040
// clause 9.2.3.6), so of all parts to that number with that reference it is the
// one sent nearest to the time at which the service centre took it. A part in
// doubt has no reference, nor has any where the modem's make no sense; it must
// have been sent about that time, and before the report came.
func (r *reports) match(e earlyReport) bool {
	report := e.report
	var best *tracked
	var part int
	var nearest time.Duration
	for _, t := range r.messages {
		if !sameNumber(t.to.String(), report.To) {
			continue
		}
		for i, p := range t.parts {
			gap := p.sent.Sub(e.taken).Abs()
			exact := p.Outcome == Sent && p.reference == report.Reference && !r.useless
			vague := (p.Outcome == InDoubt || r.useless) && gap <= doubtDistance && !e.came.Before(p.sent)
			switch {
			case p.State != Pending || p.sent.IsZero() || p.underway || p.Outcome == NotSent:
				continue
			case !exact && !vague:
				continue
			case !exact:
				gap += doubtDistance
			}
			if best == nil || gap < nearest {
				best, part, nearest = t, i, gap
			}
		}
	}
	if best != nil {
		best.report(part, report)
	}
	return best != nil
}

func (t *tracked) report(i int, r Report) {
	p := &t.parts[i]
	p.Outcome, p.reference = Sent, r.Reference // the service centre knows it
	p.Status, p.Discharge = r.Status, r.Discharge
	switch {
	case !r.Status.Final():
		return
	case r.Status.Delivered():
		p.State = Delivered
	case r.Status == tpdu.ValidityExpired:
		p.State = Expired
	default:
		p.State = Failed
	}
	if t.final() {
		close(t.done)
	}
}

// sameNumber compares numbers as reports give them: a network may put a
// national number into its international form. Short ones must be equal.
func sameNumber(a, b string) bool { return recipientOf(a) == recipientOf(b) }
