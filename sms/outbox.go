package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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
	// Receipt tells of each part. With StatusReport, its Wait and the reports that
	// Receive hands over know the message also after a restart of the program.
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
	entering int // being written to the store
	items    map[uint64]*outItem
}

// NewOutbox makes an outbox for a Service on a store, most often the Service's
// own, and reads what the store holds. A Service that has none and has sent
// nothing yet keeps the receipts of what it sends in this one.
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
	s.reports.adopt(store)
	if err := s.reports.load(); err != nil {
		return nil, err
	}
	err := store.Load(bucketOutbox, func(_, value []byte) error {
		item := &outItem{}
		if err := json.Unmarshal(value, item); err != nil {
			return fmt.Errorf("sms: a record of the outbox: %w", err)
		}
		o.items[item.ID] = item
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, item := range o.items {
		s.reports.passed(item.ID)
		item.holdReference(s)
		item.follow(s)
	}
	return o, nil
}

// Enqueue returns when the message is on disk. The error is ErrInvalidMessage
// for what Send would refuse, ErrOutboxFull, or the store's. IDs ascend, with
// gaps, and are never used again.
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
	o.mu.Unlock()
	if item.ID, err = o.service.reports.allot(); err == nil {
		err = o.save(item)
	}
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

// tell tells a result and forgets the message.
func (o *Outbox) tell(ctx context.Context, item *outItem, result func(context.Context, OutboxResult) error) error {
	if err := result(ctx, item.result()); err != nil {
		o.service.cfg.Logger.Warn("a result of the outbox was not taken; will tell it again", "err", err)
		item.after = time.Now().Add(retryPauses[1])
		return nil
	}
	if err := o.service.reports.save(); err != nil { // the outbox alone may know what went to the modem
		return err
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

// positive gives the default for what is not positive.
func positive[T ~int | ~int64](n, def T) T {
	if n <= 0 {
		return def
	}
	return n
}
