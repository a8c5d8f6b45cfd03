package sms

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	maxSequences = 10_000 // recipients whose sequence is remembered
	maxFlights   = 4096   // long messages remembered as in flight
)

// errNoReference says that a recipient has more long messages in flight than
// there are references.
var errNoReference = errors.New("sms: every reference is in flight to this number")

// references gives long messages their 16-bit references (TS 23.040 clause
// 9.2.3.24.8). Each recipient has a sequence of its own, which begins at random
// and is kept in the store, and a reference is left out as long as a message to
// that number is in flight with it: until its validity is over, or while it is
// in an Outbox.
//
// What is remembered is bounded. Of the recipients, the one not written to for
// longest is forgotten, and begins at random again; of the messages in flight,
// those that end first.
type references struct {
	store Store

	mu      sync.Mutex
	next    map[string]sequence // by recipient
	flights map[flight]time.Time
	held    map[flight]int // in an Outbox
}

// sequence is the next reference of a recipient.
type sequence struct {
	next uint16
	used time.Time
}

// flight is a long message on its way.
type flight struct {
	to        string // recipientOf
	reference uint16
}

// recipientOf is what all ways to write a number have in common: its last
// seven digits, or all of a shorter one. Numbers that share them share a
// sequence, which does no harm.
func recipientOf(number string) string {
	const significant = 7
	number = number[max(0, len(number)-significant):]
	for len(number) > 0 && !utf8.RuneStart(number[0]) { // of a name
		number = number[1:]
	}
	return number
}

func newReferences(store Store) *references {
	return &references{
		store: store,
		next:  make(map[string]sequence), flights: make(map[flight]time.Time), held: make(map[flight]int),
	}
}

// load reads what the store holds.
func (r *references) load() error {
	if r.store == nil {
		return nil
	}
	next, flights := make(map[string]sequence), make(map[flight]time.Time)
	err := r.store.Load(bucketReference, func(key, value []byte) error {
		if len(value) == 10 {
			next[string(key)] = sequence{binary.BigEndian.Uint16(value[8:]), readTime(value)}
		}
		return nil
	})
	err = errors.Join(err, r.store.Load(bucketFlight, func(key, value []byte) error {
		if n := len(key) - 2; n > 0 {
			flights[flight{string(key[:n]), binary.BigEndian.Uint16(key[n:])}] = readTime(value)
		}
		return nil
	}))
	r.mu.Lock() // not before: the store may have a lock of its own
	defer r.mu.Unlock()
	maps.Copy(r.next, next)
	maps.Copy(r.flights, flights)
	return err
}

// take returns a reference that is not in use for a message that is in flight
// until a time, and returns when that is in the store.
func (r *references) take(now time.Time, number string, until time.Time) (uint16, error) {
	to := recipientOf(number)
	r.mu.Lock()
	f, changes, err := r.choose(now, to)
	if err == nil {
		changes = append(changes, r.fly(now, f, until)...)
	}
	r.mu.Unlock()
	if err != nil || r.store == nil {
		return f.reference, err
	}
	return f.reference, r.store.Commit(changes)
}

// choose takes the next free reference of a recipient. The caller holds the lock.
func (r *references) choose(now time.Time, to string) (f flight, changes []Change, err error) {
	s, known := r.next[to]
	if !known {
		var start [2]byte
		if _, err := rand.Read(start[:]); err != nil {
			return f, nil, err
		}
		s.next = binary.BigEndian.Uint16(start[:])
		changes = r.makeRoom()
	}
	for range 1 << 16 {
		f = flight{to, s.next}
		s.next++
		if !r.inFlight(now, f) {
			s.used = now
			r.next[to] = s
			return f, append(changes, Change{bucketReference, []byte(to), binary.BigEndian.AppendUint16(appendTime(nil, now), s.next)}), nil
		}
	}
	return f, nil, errNoReference
}

func (r *references) inFlight(now time.Time, f flight) bool {
	return r.held[f] > 0 || r.flights[f].After(now)
}

// makeRoom forgets the recipient that was not written to for longest, if there
// are too many.
func (r *references) makeRoom() []Change {
	if len(r.next) < maxSequences {
		return nil
	}
	var oldest string
	var since time.Time
	for to, s := range r.next {
		if oldest == "" || s.used.Before(since) {
			oldest, since = to, s.used
		}
	}
	delete(r.next, oldest)
	return []Change{{Bucket: bucketReference, Key: []byte(oldest)}}
}

// fly notes a message in flight. If there are too many, the quarter that ends
// first is forgotten.
func (r *references) fly(now time.Time, f flight, until time.Time) (changes []Change) {
	if len(r.flights) >= maxFlights {
		all := make([]flight, 0, len(r.flights))
		for f := range r.flights {
			all = append(all, f)
		}
		slices.SortFunc(all, func(a, b flight) int { return r.flights[a].Compare(r.flights[b]) })
		for i, f := range all {
			if i >= maxFlights/4 && r.flights[f].After(now) {
				break
			}
			delete(r.flights, f)
			changes = append(changes, Change{Bucket: bucketFlight, Key: f.key()})
		}
	}
	r.flights[f] = until
	return append(changes, Change{bucketFlight, f.key(), appendTime(nil, until)})
}

func (f flight) key() []byte { return binary.BigEndian.AppendUint16([]byte(f.to), f.reference) }

// hold keeps a reference out of use until it is released.
func (r *references) hold(number string, reference uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[flight{recipientOf(number), reference}]++
}

func (r *references) release(number string, reference uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := flight{recipientOf(number), reference}
	if r.held[f]--; r.held[f] <= 0 {
		delete(r.held, f)
	}
}
