package sms

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	maxFollowed   = 8192             // parts that reports are matched to
	doubtDistance = 10 * time.Minute // between sending a part in doubt and the service centre's stamp
)

// reports matches status reports to what was sent. What is sent with a status
// report is noted in the store before it goes to the modem, and what a report
// told before that is acknowledged, so that it is known after a restart.
type reports struct {
	cfg    *Config
	logger *slog.Logger
	saving chan struct{} // a lock that can be waited for: one commit at a time, so that they keep their order

	// Guarded by saving.
	store    Store // nil keeps all in memory
	loaded   bool
	reserved uint64 // numbers up to this one are ours to give

	mu       sync.Mutex
	messages []*tracked // oldest first
	parts    int        // of all of them
	unsaved  map[receiptKey]struct{}
	given    uint64        // the last number
	landing  chan struct{} // closed when a part is not underway any more; nil if nobody waits

	last    int  // TP-MR of the last part sent; negative: none yet
	useless bool // the modem gave the same to two in a row (fault F54)
}

func (r *reports) init(cfg *Config) {
	r.cfg, r.logger, r.store = cfg, cfg.Logger, cfg.Store
	r.saving = make(chan struct{}, 1)
	r.unsaved = make(map[receiptKey]struct{})
	r.last = -1
}

// track follows a message, of whose parts some may have been sent before.
func (r *reports) track(id uint64, to string, parts []PartReceipt, wanted bool, lifetime time.Duration) *tracked {
	t := newTracked(r, id, to, len(parts), lifetime)
	t.wanted = wanted
	for i, p := range parts {
		t.parts[i] = trackedPart{Delivery: Delivery{Outcome: p.Outcome}, sent: p.Time, attempts: p.Attempts, reference: p.Reference}
	}
	return t
}

// resume follows a message of an Outbox as it was before. What goes to the modem
// is noted there alone until there is more to tell.
func (r *reports) resume(item *outItem) *tracked {
	m := &item.Message
	t := r.find(item.ID)
	known := t != nil && len(t.parts) == len(item.Parts) && t.to == recipientOf(m.To)
	if !known {
		t = r.track(item.ID, m.To, item.Parts, true, r.cfg.reportTime(m.validity(time.Now())))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list(t)
	for i, p := range item.Parts {
		if !known || t.parts[i].wentAgain(p) {
			r.change(t, i)
		}
	}
	return t
}

// wentAgain takes over from an Outbox that a part has gone since.
func (p *trackedPart) wentAgain(noted PartReceipt) bool {
	if p.State != Pending || p.Outcome == Sent || !noted.Time.After(p.sent) {
		return false
	}
	p.doubt()
	p.Outcome, p.sent, p.attempts = noted.Outcome, noted.Time, noted.Attempts
	return true
}

// list has reports matched to a message. The caller holds the lock.
func (r *reports) list(t *tracked) {
	if t.listed || !t.wanted {
		return
	}
	now := time.Now()
	r.forget(func(m *tracked) bool { return !now.Before(m.ends) })
	for _, worthless := range []func(*tracked) bool{(*tracked).idle, (*tracked).final, func(*tracked) bool { return true }} {
		r.forget(func(m *tracked) bool { return r.parts+len(t.parts) > maxFollowed && worthless(m) })
	}
	r.messages = append(r.messages, t)
	r.parts += len(t.parts)
	t.listed = true
}

// forget drops messages, oldest first. The caller holds the lock.
func (r *reports) forget(which func(*tracked) bool) {
	r.messages = slices.DeleteFunc(r.messages, func(m *tracked) bool {
		if !which(m) {
			return false
		}
		r.parts -= len(m.parts)
		m.listed = false
		for i := range m.parts {
			r.change(m, i)
		}
		return true
	})
}

func (r *reports) find(id uint64) *tracked {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byID(id)
}

// byID finds a message. The caller holds the lock.
func (r *reports) byID(id uint64) *tracked {
	for _, t := range r.messages {
		if t.id == id {
			return t
		}
	}
	return nil
}

// sawReference notes the reference of a part that was sent. The caller holds the
// lock.
func (r *reports) sawReference(reference byte) {
	r.useless = r.last == int(reference)
	r.last = int(reference)
}

// landed wakes those who wait for an answer of the modem. The caller holds the
// lock.
func (r *reports) landed() {
	if r.landing != nil {
		close(r.landing)
		r.landing = nil
	}
}

// await waits for the part to a number that is with the modem, if there is one:
// its report may overtake the answer that tells its reference. Of parts, one is
// with the modem at a time; the next one cannot be what was reported.
func (r *reports) await(ctx context.Context, to string) {
	r.mu.Lock()
	if !r.underway(recipientOf(to)) {
		r.mu.Unlock()
		return
	}
	if r.landing == nil {
		r.landing = make(chan struct{})
	}
	landing := r.landing
	r.mu.Unlock()
	select {
	case <-landing:
	case <-ctx.Done():
	}
}

func (r *reports) underway(to string) bool {
	for _, t := range r.messages {
		if t.to == to && slices.ContainsFunc(t.parts, func(p trackedPart) bool { return p.underway }) {
			return true
		}
	}
	return false
}

// take notes a report that came, and in it which message it is about; taken is
// when the service centre took the message, and d tells the report from others.
func (r *reports) take(report *Report, taken time.Time, d digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, part := r.match(report, taken, d)
	if t == nil {
		return
	}
	t.told(part, report, taken, d)
	report.Message, report.Part = t.id, part+1
}

// match finds the part that a report is about (TS 23.040 clauses 9.2.2.3 and
// 9.2.3.6): of all parts to that number with that reference, which repeats, the
// one sent nearest to the time at which the service centre took it. What was
// reported before is known by that time itself.
func (r *reports) match(report *Report, taken time.Time, d digest) (best *tracked, part int) {
	to := recipientOf(report.To)
	var nearest time.Duration
	for _, t := range r.messages {
		if t.to != to {
			continue
		}
		for i := range t.parts {
			p := &t.parts[i]
			if p.isAbout(report, taken, d, r.useless) {
				return t, i
			}
			gap, ok := p.mayBeAbout(report, taken, r.useless)
			if ok && (best == nil || gap < nearest) {
				best, part, nearest = t, i, gap
			}
		}
	}
	return best, part
}

// isAbout tells whether a report is one that came for this part before, or a
// further one of it.
func (p *trackedPart) isAbout(report *Report, taken time.Time, d digest, useless bool) bool {
	if p.report == d {
		return true
	}
	same := !p.taken.IsZero() && p.taken.Equal(taken) && p.reference == report.Reference
	return same && (!useless || p.State == Pending)
}

// mayBeAbout tells whether a report may be the first of this part, and how far
// that is fetched. A part in doubt has no reference, nor has any where the
// modem's make no sense, which 0 may be a sign of (fault F54); it must have been
// sent about the time at which the service centre took it. Of a part that was
// sent again after a doubt, there may be two reports.
func (p *trackedPart) mayBeAbout(report *Report, taken time.Time, useless bool) (gap time.Duration, ok bool) {
	first := p.State == Pending && p.taken.IsZero()
	if !p.gone() || !first && p.doubted.IsZero() {
		return 0, false
	}
	gap = p.sent.Sub(taken).Abs()
	if first && p.Outcome == Sent && p.reference == report.Reference && !useless {
		return gap, true
	}
	unknown := p.Outcome == InDoubt || p.underway || useless || p.reference == 0
	if !p.doubted.IsZero() {
		unknown, gap = true, min(gap, p.doubted.Sub(taken).Abs())
	}
	if !unknown || gap > doubtDistance {
		return 0, false
	}
	if !first {
		gap += doubtDistance
	}
	return gap + doubtDistance, true
}
