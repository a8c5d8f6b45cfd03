package sms

import (
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// tracked is a message of which more may become known.
type tracked struct {
	reports  *reports
	id       uint64
	to       string        // recipientOf
	wanted   bool          // a status report was asked for
	noted    bool          // an Outbox notes what goes to the modem
	lifetime time.Duration // from when a part goes
	done     chan struct{} // closed when all parts have a final report

	// Guarded by reports.mu.
	ends   time.Time // when reports are not waited for any more
	parts  []trackedPart
	listed bool // among those that reports are matched to
}

type trackedPart struct {
	Delivery
	sent      time.Time // to the modem; zero: not yet
	doubted   time.Time // the first try, if that is in doubt and was not the last; zero: none
	attempts  int
	underway  bool // the modem has not answered
	reference byte
	taken     time.Time // by the service centre, as a report said
	report    digest    // of the report that came last
}

func newTracked(r *reports, id uint64, to string, parts int, lifetime time.Duration) *tracked {
	return &tracked{
		reports: r, id: id, to: recipientOf(to), lifetime: lifetime,
		ends:  time.Now().Add(lifetime),
		done:  make(chan struct{}),
		parts: make([]trackedPart, parts),
	}
}

func (t *tracked) deliveries(now time.Time) []Delivery {
	t.reports.mu.Lock()
	defer t.reports.mu.Unlock()
	ds := make([]Delivery, len(t.parts))
	for i, p := range t.parts {
		ds[i] = p.Delivery
		if ds[i].State == Pending && t.wanted && !now.Before(t.ends) {
			ds[i].State = Expired
		}
	}
	return ds
}

// receipt is what Send would return by now.
func (t *tracked) receipt() Receipt {
	t.reports.mu.Lock()
	defer t.reports.mu.Unlock()
	r := Receipt{ID: t.id, Parts: make([]PartReceipt, len(t.parts)), tracked: t}
	for i, p := range t.parts {
		r.Parts[i] = PartReceipt{Outcome: p.Outcome, Reference: p.reference, Attempts: p.attempts, Time: p.sent}
	}
	return r
}

// begin notes that a part goes to the modem, and returns when that is in the
// store, here or in an Outbox: whatever happens then, its report finds it.
func (t *tracked) begin(i int) error {
	r := t.reports
	r.mu.Lock()
	p := &t.parts[i]
	before := *p
	p.doubt()
	p.sent, p.underway = time.Now(), true
	p.attempts++
	if p.Outcome == NotSent {
		p.Outcome = InDoubt // should nothing more be heard of it
	}
	t.ends = p.sent.Add(t.lifetime) // many hours may lie between two tries
	r.list(t)
	r.change(t, i)
	r.mu.Unlock()
	if !t.wanted || t.noted {
		return nil
	}
	err := r.save()
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		defer r.landed()
		*p = before
		r.change(t, i)
	}
	return err
}

// awaited is until when reports are waited for.
func (t *tracked) awaited() time.Time {
	t.reports.mu.Lock()
	defer t.reports.mu.Unlock()
	return t.ends
}

// sent notes what the modem said of a part; known outcomes stay. If that cannot
// be written to the store now, it is with the next change.
func (t *tracked) sent(i int, outcome Outcome, reference byte) {
	t.note(i, outcome, reference)
	if !t.wanted {
		return
	}
	if err := t.reports.save(); err != nil {
		t.reports.logger.Warn("the result of a message is not in the store yet", "err", err)
	}
}

func (t *tracked) note(i int, outcome Outcome, reference byte) {
	r := t.reports
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.landed()
	p := &t.parts[i]
	p.underway = false
	if p.Outcome == Sent {
		return
	}
	p.Outcome, p.reference = outcome, reference
	if outcome == Sent {
		r.sawReference(reference)
	}
	r.change(t, i)
}

// outcome is what is known of a part by now.
func (t *tracked) outcome(i int) (Outcome, byte) {
	t.reports.mu.Lock()
	defer t.reports.mu.Unlock()
	return t.parts[i].Outcome, t.parts[i].reference
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

// idle tells whether no report can come. The caller holds the lock.
func (t *tracked) idle() bool {
	for i := range t.parts {
		if t.parts[i].gone() {
			return false
		}
	}
	return true
}

// gone tells whether a part went to the modem and may have been sent.
func (p *trackedPart) gone() bool {
	return !p.sent.IsZero() && (p.underway || p.Outcome != NotSent)
}

// doubt notes, before a part goes again, that it may have been sent before.
func (p *trackedPart) doubt() {
	if p.gone() && p.doubted.IsZero() {
		p.doubted = p.sent
	}
}

// told notes what a report says of a part. What is final stays. The caller holds
// the lock.
func (t *tracked) told(i int, r *Report, taken time.Time, d digest) {
	p := &t.parts[i]
	t.reports.change(t, i)
	if p.State != Pending {
		return
	}
	p.Outcome, p.reference = Sent, r.Reference // the service centre knows it
	p.taken, p.report = taken, d
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
