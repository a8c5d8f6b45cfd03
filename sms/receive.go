package sms

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/telemodem/telemodem/at"
)

// retryPauses are waited before the storages are looked through again after a
// handler or a command failed.
var retryPauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute}

// fullNotices are vendors' notifications of a full storage (fault F43).
var fullNotices = []string{"^SMMEMFULL", "+SMS FULL", "+ SMS FULL", "*SMSFULL", "+QIND"}

// place is where to look for messages: at a slot of a storage, or all of it.
type place struct {
	storage string // empty: all of them
	index   int    // negative: all of it
}

// wholly is place.index for all of a storage.
const wholly = -1

// everywhere asks for a look at all storages.
var everywhere = place{"", wholly}

// Receive calls handler for each message that arrives or already lies in the
// modem, one after the other, until ctx ends, and returns the cause of that.
// A message is deleted from the modem only after handler returned nil; after
// an error it stays and comes again, so handler may see a message twice
// (Incoming.ID tells) but never misses one. With a Config.Store, parts of long
// messages, and messages that the modem hands over directly, are acknowledged
// and deleted once they are in the store. Failures of the modem do not end
// Receive: it tries again, with pauses. At most one Receive runs on a Service;
// another gets ErrBusy. An error that is not ctx's is the store's.
func (s *Service) Receive(ctx context.Context, handler func(context.Context, Incoming) error) error {
	if !s.receiving.CompareAndSwap(false, true) {
		return ErrBusy
	}
	defer s.receiving.Store(false)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &receiver{
		s: s, handler: handler,
		wake:  make(chan place, 16),
		fresh: make(chan struct{}, 1),
		asked: make(chan *question),
	}
	stops := r.subscribe(ctx)
	defer func() {
		for _, stop := range stops {
			stop()
		}
	}()
	if err := s.load(ctx); err != nil {
		return err
	}
	var handling sync.WaitGroup
	defer handling.Wait()
	defer cancel()
	handling.Go(func() { r.handle(ctx) })
	return r.run(ctx)
}

// receiver is a running Receive. One goroutine looks through the storages, and
// may have to wait for the modem; another calls the handler.
type receiver struct {
	s       *Service
	handler func(context.Context, Incoming) error

	wake  chan place     // to look at
	fresh chan struct{}  // something came that waits for the handler
	asked chan *question // messages to be handed over now

	mu     sync.Mutex
	heard  time.Time // when something last arrived; zero: never
	doomed []slot    // in the modem, handed over by now

	// Of the goroutine that looks through the storages.
	failures int
	swept    time.Time       // when all storages were looked through
	deleted  map[slot]digest // to see whether they are gone
	damaged  map[slot]damage // as they were read last
	phantoms map[string]int  // counts of storages that list nothing
}

func (r *receiver) subscribe(ctx context.Context) []func() {
	stops := []func(){
		r.s.modem.Handle("+CMTI", func(n at.Notification) { r.look(announced(n.Line)) }),
		r.s.modem.Handle("+CDSI", func(at.Notification) { r.look(everywhere) }), // the place it names is often wrong (F51)
		r.s.modem.Handle("+CMT", func(n at.Notification) { r.s.handedOver(ctx, n, r) }),
		r.s.modem.Handle("+CDS", func(n at.Notification) { r.s.handedOver(ctx, n, r) }),
		r.s.modem.Handle("", func(n at.Notification) {
			if n.Kind == at.KindReboot {
				r.s.Reset()
				r.look(everywhere)
			}
		}),
	}
	if !r.s.cfg.Quirks.TextMode {
		stops = append(stops, r.s.modem.Handle("+CBM", r.s.tookPage))
	}
	for _, notice := range fullNotices {
		stops = append(stops, r.s.modem.Handle(notice, func(n at.Notification) {
			if strings.HasPrefix(n.Line, "+QIND") && !strings.Contains(n.Line, "smsfull") {
				return
			}
			r.s.event(Event{Kind: EventStorageFull})
			r.look(everywhere)
		}))
	}
	return stops
}

// announced reads +CMTI: <mem3>,<index> (TS 27.005 clause 3.4.1).
func announced(line string) place {
	_, rest, _ := strings.Cut(line, `"`)
	storage, rest, ok := strings.Cut(rest, `"`)
	index, err := strconv.Atoi(strings.Trim(rest, ", "))
	switch {
	case !ok || storage == "":
		return everywhere
	case err != nil || index < 0:
		return place{storage, wholly}
	}
	return place{storage, index}
}

// look asks for a look at a place.
func (r *receiver) look(at place) {
	select {
	case r.wake <- at:
	default: // as many are due already, and then all is looked at
	}
}

func (r *receiver) run(ctx context.Context) error {
	select {
	case <-r.s.resets: // it begins with that
	default:
	}
	at := everywhere
	for {
		err := r.fetch(ctx, at)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		pause := r.s.cfg.sweepInterval()
		if pause > 0 { // whatever came meanwhile: what was not announced is found by it
			pause = max(pause-time.Since(r.swept), 0)
		}
		if err != nil {
			r.s.cfg.Logger.Warn("messages could not be fetched or handled; will try again", "err", err)
			pause = retryPauses[min(r.failures, len(retryPauses)-1)]
			r.failures++
		} else {
			r.failures = 0
		}
		if at, err = r.await(ctx, pause); err != nil {
			return err
		}
		r.watchSilence()
	}
}

// await returns when it is time for another look, and at what.
func (r *receiver) await(ctx context.Context, pause time.Duration) (at place, err error) {
	var due <-chan time.Time
	if pause >= 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return at, context.Cause(ctx)
	case at = <-r.wake:
		if r.failures > 0 || len(r.wake) == cap(r.wake)-1 { // some may have found no room
			at = everywhere
		}
		return at, nil
	case <-r.s.resets:
		return everywhere, nil
	case <-due:
		return everywhere, nil
	}
}

func (r *receiver) heardSome() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = time.Now()
}

// silent tells whether nothing has come for as long as limit, provided that
// something used to come.
func (r *receiver) silent(limit time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if limit < 0 || r.heard.IsZero() || time.Since(r.heard) < limit {
		return false
	}
	r.heard = time.Now()
	return true
}

// watchSilence sets the modem up again when nothing has come for long (fault
// F47).
func (r *receiver) watchSilence() {
	if r.silent(r.s.cfg.silenceLimit()) {
		r.s.Reset()
		r.s.event(Event{Kind: EventStalled})
	}
}

// fetch looks at a place and hands over what it finds. A slot alone is read where
// that is enough.
func (r *receiver) fetch(ctx context.Context, at place) error {
	if at.index >= 0 {
		if enough, err := r.fetchOne(ctx, at); enough || err != nil {
			return err
		}
	}
	return r.sweep(ctx, at.storage)
}

// fetchOne fetches the one message that was announced. It is not enough if the
// modem counts more than that, has none there, or something else, or if the
// message stays there. Whether it was deleted shows in the count of the next
// time.
func (r *receiver) fetchOne(ctx context.Context, at place) (enough bool, err error) {
	if _, err := r.s.prepared(ctx, false); err != nil {
		return false, err
	}
	found, l, err := r.s.readSlot(ctx, at)
	if err != nil || l.total == 0 {
		return false, err
	}
	rest := l.used - r.phantoms[at.storage]
	if !found {
		_, stale := r.deleted[slot{at.storage, at.index, l.generation}] // found by a listing before
		return stale && rest <= 0, nil
	}
	if rest > 1 {
		return false, nil
	}
	r.s.noteFilling(at.storage, l)
	removed, repeats, err := r.take(ctx, l.messages)
	return removed == 1 && repeats == 0, err
}

// sweep looks through a storage, or all of them, and hands over what it finds.
func (r *receiver) sweep(ctx context.Context, storage string) error {
	all := storage == everywhere.storage
	storages, err := r.s.prepared(ctx, all)
	if err != nil {
		return err
	}
	if slices.Contains(storages, storage) {
		storages = []string{storage}
	} else { // the one where messages go to last: it stays selected
		storages = append(slices.Clone(storages[1:]), storages[0])
	}
	r.s.inbox.expire(time.Now())
	r.s.expireBroadcasts()
	_, err = r.handOver(ctx, nil)
	failures := []error{err, r.removeDoomed(ctx)}
	found := 0
	for _, name := range storages {
		n, err := r.drain(ctx, name)
		found += n
		failures = append(failures, err)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if found == 0 && !all { // the notification lied (fault F44)
		return errors.Join(append(failures, r.sweep(ctx, everywhere.storage))...)
	}
	if all {
		r.swept = time.Now()
	}
	return errors.Join(failures...)
}

// drain takes everything out of a storage. It lists again what should be empty
// then, once, because some modems do not delete (fault F46), and because
// something may have come meanwhile.
func (r *receiver) drain(ctx context.Context, storage string) (found int, err error) {
	for round := 0; round < 2; round++ {
		l, err := r.s.list(ctx, storage, r.phantoms[storage])
		if err != nil {
			return found, err
		}
		r.notePhantoms(storage, l)
		if round == 0 {
			r.s.noteFilling(storage, l)
		}
		found += len(l.messages)
		removed, _, err := r.take(ctx, l.messages)
		if err == nil && removed == 0 && l.total > 0 && l.used >= l.total && len(l.messages) > 0 {
			r.s.inbox.makeRoom() // nothing else would come any more
			removed, err = r.handOver(ctx, l.messages)
		}
		if err != nil {
			return found, err
		}
		if removed == 0 {
			break
		}
		left, ok := r.s.used(ctx)
		if ok && left == 0 {
			break
		}
	}
	return found, nil
}

// notePhantoms remembers a count without messages behind it (fault F48), to
// not look for them slot by slot again before it changes.
func (r *receiver) notePhantoms(storage string, l listing) {
	if r.phantoms == nil {
		r.phantoms = make(map[string]int)
	}
	r.phantoms[storage] = 0
	if l.lines == 0 {
		r.phantoms[storage] = l.used
	}
}

// take admits what was listed, hands over what is complete, and deletes what is
// safe. It returns how many messages it deleted, and how many had come before.
func (r *receiver) take(ctx context.Context, listed []arrival) (removed, repeats int, err error) {
	if len(listed) == 0 {
		return 0, 0, nil
	}
	listed, damage := r.whole(listed)
	stubborn := r.noteUndeleted(listed)
	out, err := r.admit(time.Now(), listed)
	if out.repeats > stubborn {
		r.s.event(Event{Kind: EventDuplicate})
	}
	failures := []error{damage, err}
	for _, place := range out.surplus {
		failures = append(failures, r.remove(ctx, place, listed))
	}
	n, err := r.handOver(ctx, listed)
	return len(out.surplus) + n, out.repeats, errors.Join(append(failures, err)...)
}

// noteUndeleted counts what was deleted before and is still there.
func (r *receiver) noteUndeleted(listed []arrival) (stubborn int) {
	for _, a := range listed {
		if d, ok := r.deleted[*a.slot]; ok && d == digestOf(a.octets()) {
			stubborn++
			r.s.event(Event{Kind: EventNotDeleted, Storage: a.slot.storage})
		}
		delete(r.deleted, *a.slot)
	}
	return stubborn
}

// maxWatched bounds the deletions that are watched.
const maxWatched = 1024

func (r *receiver) remove(ctx context.Context, place slot, listed []arrival) error {
	if err := r.s.remove(ctx, place); err != nil {
		return err
	}
	if r.deleted == nil || len(r.deleted) > maxWatched {
		r.deleted = make(map[slot]digest)
	}
	for _, a := range listed {
		if *a.slot == place {
			r.deleted[place] = digestOf(a.octets())
		}
	}
	return nil
}

// handOver hands over what waits for the handler and deletes it from the
// modem. It returns how many it deleted.
func (r *receiver) handOver(ctx context.Context, listed []arrival) (removed int, err error) {
	var failures []error
	for _, m := range r.s.inbox.waiting() {
		slots, err := r.ask(ctx, m)
		failures = append(failures, err)
		for _, place := range slots {
			removed++
			failures = append(failures, r.remove(ctx, place, listed))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return removed, errors.Join(failures...)
}

// surplus remembers places in the modem that the next sweep is to empty.
func (r *receiver) surplus(slots []slot) {
	if len(slots) == 0 {
		return
	}
	r.mu.Lock()
	r.doomed = append(r.doomed, slots...)
	r.mu.Unlock()
	r.look(everywhere)
}

func (r *receiver) removeDoomed(ctx context.Context) error {
	r.mu.Lock()
	doomed := r.doomed
	r.doomed = nil
	r.mu.Unlock()
	var failures []error
	for _, place := range doomed {
		failures = append(failures, r.remove(ctx, place, nil))
	}
	return errors.Join(failures...)
}
