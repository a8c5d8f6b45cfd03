package sms

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

var (
	// ErrExpired says that a message was not sent before its time was over.
	ErrExpired = errors.New("sms: expired in the outbox")
	// ErrOutboxFull says that the outbox holds as many messages as it may.
	ErrOutboxFull = errors.New("sms: the outbox is full")
)

// OutboxConfig holds what is chosen when an Outbox is made. A nil *OutboxConfig
// is a sound choice.
type OutboxConfig struct {
	// Interval is the least time between two messages on the long run, to stay
	// within what the SIM's contract allows. Each part of a long message counts,
	// as it does for the network; they go together, and what follows waits
	// longer. Zero and negative mean none.
	Interval time.Duration
	// Burst is how many may go at once after a rest. Zero and negative mean 1.
	Burst int
	// Capacity bounds the messages held. Zero and negative mean 10,000.
	Capacity int
	// Lifetime is how long a message without Expires is tried. Zero and
	// negative mean 72 h.
	Lifetime time.Duration
	// RetryPause is waited after a message was not sent for a temporary
	// reason. Zero and negative mean 1 min.
	RetryPause time.Duration
}

// OutMessage is a message for an Outbox.
type OutMessage struct {
	Message
	// Priority says who goes first: the higher; among equals, the older.
	Priority int
	// Expires is when sending it makes no sense any more; the zero Time means
	// Lifetime from now.
	Expires time.Time
}

// OutboxResult is what became of a message of an Outbox.
type OutboxResult struct {
	// ID is what Enqueue returned.
	ID      uint64
	Message Message
	// Outcome is Sent if all parts were.
	Outcome Outcome
	// Receipt tells of each part. After a restart of the program its Wait knows
	// nothing any more; PartReceipt.Reference and Time then tell which message
	// an Incoming.Report is about.
	Receipt Receipt
	// Err is nil for Sent, else ErrInDoubt, ErrNotSent, ErrExpired or
	// ErrInvalidMessage for errors.Is, with the cause's text.
	Err error
}

// Outbox keeps messages on disk until they are sent. Before a part of one goes
// to the modem that is noted in the store, and its result after it, so a program
// that is killed at any moment neither loses a message nor sends one twice
// unnoticed: a part that was with the modem when the program ended is in doubt.
// Parts that were sent are not sent again when the others are. Its methods may
// be called by several goroutines at once.
type Outbox struct {
	service *Service
	store   Store
	cfg     OutboxConfig
	limiter *rate.Limiter
	wake    chan struct{}
	running chan struct{}

	mu       sync.Mutex
	next     uint64
	entering int // being written to the store
	items    map[uint64]*outItem
}

// outState is how far a message in the outbox is.
type outState uint8

const (
	outQueued  outState = iota // no part is with the modem
	outSending                 // a part may have gone to the modem
	outDone                    // its result is known and has to be told
)

// outItem is the record of a message.
type outItem struct {
	ID        uint64        `json:"id"`
	Message   Message       `json:"message"`
	Priority  int           `json:"priority,omitempty"`
	Expires   time.Time     `json:"expires"`
	State     outState      `json:"state"`
	Reference *uint16       `json:"reference,omitempty"` // of its parts, once it has several and one was sent
	Parts     []PartReceipt `json:"parts,omitempty"`
	Outcome   Outcome       `json:"outcome,omitempty"`
	Failure   string        `json:"failure,omitempty"`
	Expired   bool          `json:"expired,omitempty"`
	Invalid   bool          `json:"invalid,omitempty"`

	after   time.Time // of a message that was refused for now
	tracked *tracked  // of the last try in this program
}

// NewOutbox makes an outbox for a Service on a store, most often the Service's
// own, and reads what the store holds.
func NewOutbox(s *Service, store Store, cfg *OutboxConfig) (*Outbox, error) {
	o := &Outbox{
		service: s, store: store,
		wake:    make(chan struct{}, 1),
		running: make(chan struct{}, 1),
		items:   make(map[uint64]*outItem),
	}
	if cfg != nil {
		o.cfg = *cfg
	}
	limit := rate.Inf
	if o.cfg.Interval > 0 {
		limit = rate.Every(o.cfg.Interval)
	}
	o.limiter = rate.NewLimiter(limit, max(o.cfg.Burst, 1))
	err := store.Load(bucketOutbox, func(_, value []byte) error {
		item := &outItem{}
		if err := json.Unmarshal(value, item); err != nil {
			return fmt.Errorf("sms: a record of the outbox: %w", err)
		}
		o.items[item.ID] = item
		o.next = max(o.next, item.ID)
		item.holdReference(s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Enqueue returns when the message is on disk. The error is ErrInvalidMessage
// for what Send would refuse, ErrOutboxFull, or the store's. IDs may be used
// again after a restart, but only those of messages whose result was told.
func (o *Outbox) Enqueue(m OutMessage) (id uint64, err error) {
	if _, err := o.service.check(m.Message); err != nil {
		return 0, err
	}
	item := &outItem{Message: m.Message, Priority: m.Priority, Expires: m.Expires}
	if item.Expires.IsZero() {
		item.Expires = time.Now().Add(positive(o.cfg.Lifetime, 72*time.Hour))
	}
	o.mu.Lock()
	if len(o.items)+o.entering >= positive(o.cfg.Capacity, 10_000) {
		o.mu.Unlock()
		return 0, ErrOutboxFull
	}
	o.entering++
	o.next++
	item.ID = o.next
	o.mu.Unlock()
	err = o.save(item)
	o.mu.Lock()
	o.entering--
	if err == nil {
		o.items[item.ID] = item
	}
	o.mu.Unlock()
	if err != nil {
		return 0, err
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return item.ID, nil
}

// Len is the number of messages whose result was not told yet.
func (o *Outbox) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.items)
}

// Run sends what is in the outbox until ctx ends, and returns the cause of
// that, or the store's error. result is told of each message; until it has
// returned nil, the result is kept and told again, also after a restart.
// At most one Run runs on an Outbox; another gets ErrBusy. A part that is with
// the modem when ctx ends is in doubt, unless its answer is known when the next
// Run of the same program begins.
func (o *Outbox) Run(ctx context.Context, result func(context.Context, OutboxResult) error) error {
	select {
	case o.running <- struct{}{}:
		defer func() { <-o.running }()
	default:
		return ErrBusy
	}
	if err := o.recover(); err != nil {
		return err
	}
	for ctx.Err() == nil {
		item, wait := o.pick(time.Now())
		var err error
		switch {
		case item == nil:
			o.await(ctx, wait)
		case item.State == outDone:
			err = o.tell(ctx, item, result)
		default:
			err = o.process(ctx, item)
		}
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

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

// pick returns what is to be done next, or how long there is nothing to do.
func (o *Outbox) pick(now time.Time) (best *outItem, wait time.Duration) {
	free := now.Add(o.pace(now))
	o.mu.Lock()
	defer o.mu.Unlock()
	wait = time.Hour
	for _, item := range o.items {
		due := item.after
		if item.State != outDone {
			if free.After(due) {
				due = free
			}
			if item.Expires.Before(due) {
				due = item.Expires
			}
		}
		if due.After(now) {
			wait = min(wait, due.Sub(now))
			continue
		}
		if best == nil || item.before(best) {
			best = item
		}
	}
	return best, wait
}

// pace is how long the next message has to wait for its turn.
func (o *Outbox) pace(now time.Time) time.Duration {
	lacking := 1 - o.limiter.TokensAt(now)
	if o.cfg.Interval <= 0 || lacking <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(lacking * float64(o.cfg.Interval)))
}

// before tells which of two comes first: results, then priority, then age.
func (i *outItem) before(j *outItem) bool {
	if (i.State == outDone) != (j.State == outDone) {
		return i.State == outDone
	}
	if i.Priority != j.Priority {
		return i.Priority > j.Priority
	}
	return i.ID < j.ID
}

func (o *Outbox) await(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-o.wake:
	case <-ctx.Done():
	}
}

// process sends a message or gives it up.
func (o *Outbox) process(ctx context.Context, item *outItem) error {
	if !item.Expires.After(time.Now()) {
		item.Expired, item.Outcome, item.Failure = true, item.fate(), "its time is over"
		return o.move(item, outDone)
	}
	counted := false
	receipt, err := o.service.sendAs(ctx, item.Message, &journal{
		reference: item.Reference, parts: item.Parts, tracked: item.tracked,
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

// holdReference keeps the reference of a long message for it, as long as it is
// in the outbox.
func (i *outItem) holdReference(s *Service) {
	if i.Reference != nil {
		s.references.hold(i.Message.To, *i.Reference)
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

// fate is the outcome of a message that is given up.
func (i *outItem) fate() Outcome {
	for _, p := range i.Parts {
		if p.Outcome == InDoubt {
			return InDoubt
		}
	}
	return NotSent
}

// lasting tells whether the network or the modem refused for good.
func lasting(err error) bool {
	_, classed := classOf(err)
	return classed && !temporary(err)
}

// tell tells a result and forgets the message.
func (o *Outbox) tell(ctx context.Context, item *outItem, result func(context.Context, OutboxResult) error) error {
	if err := result(ctx, item.result()); err != nil {
		o.service.cfg.Logger.Warn("a result of the outbox was not taken; will tell it again", "err", err)
		item.after = time.Now().Add(retryPauses[1])
		return nil
	}
	err := o.store.Commit([]Change{{Bucket: bucketOutbox, Key: item.key()}})
	if err != nil {
		return err
	}
	o.mu.Lock()
	delete(o.items, item.ID)
	o.mu.Unlock()
	if item.Reference != nil {
		o.service.references.release(item.Message.To, *item.Reference)
	}
	return nil
}

func (i *outItem) result() OutboxResult {
	r := OutboxResult{ID: i.ID, Message: i.Message, Outcome: i.Outcome, Receipt: Receipt{Parts: i.Parts, tracked: i.tracked}}
	outcome := ErrNotSent
	if i.Outcome == InDoubt {
		outcome = ErrInDoubt
	}
	switch {
	case i.Expired:
		r.Err = fmt.Errorf("%w: %w: %s", outcome, ErrExpired, i.Failure)
	case i.Invalid:
		r.Err = fmt.Errorf("%w: %s", ErrInvalidMessage, i.Failure)
	case i.Outcome != Sent:
		r.Err = fmt.Errorf("%w: %s", outcome, i.Failure)
	}
	return r
}

// move writes a message in a new state.
func (o *Outbox) move(item *outItem, to outState) error {
	o.mu.Lock()
	item.State = to
	if to == outDone {
		item.after = time.Time{} // to be told at once
	}
	o.mu.Unlock()
	return o.save(item)
}

func (o *Outbox) save(item *outItem) error {
	value, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("sms: a record of the outbox: %w", err)
	}
	return o.store.Commit([]Change{{bucketOutbox, item.key(), value}})
}

func (i *outItem) key() []byte { return binary.BigEndian.AppendUint64(nil, i.ID) }

// positive gives the default for what is not positive.
func positive[T ~int | ~int64](n, def T) T {
	if n <= 0 {
		return def
	}
	return n
}
