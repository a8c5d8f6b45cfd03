package sms

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"
)

// digest tells TPDUs apart: originator, time stamp, reference and body, all
// but the first octet, whose flags may change when the network sends again.
type digest [16]byte

func digestOf(tpdu []byte) (d digest) {
	sum := sha256.Sum256(tpdu[min(1, len(tpdu)):])
	copy(d[:], sum[:])
	return d
}

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// ledger remembers the TPDUs that were handed over, so that repeats are known.
// It is bounded in number and age.
type ledger struct {
	limit int
	age   time.Duration
	seen  map[digest]time.Time
	order []digest // oldest first
}

// load reads what a store holds.
func (l *ledger) load(store Store) error {
	err := store.Load(bucketSeen, func(key, value []byte) error {
		var d digest
		if copy(d[:], key) == len(d) && !l.has(d) { // it may be read again
			l.seen[d] = readTime(value)
			l.order = append(l.order, d)
		}
		return nil
	})
	slices.SortStableFunc(l.order, func(a, b digest) int { return l.seen[a].Compare(l.seen[b]) })
	return err
}

func (l *ledger) has(d digest) bool {
	_, ok := l.seen[d]
	return ok
}

// add remembers d, forgets what is beyond the bounds, and appends what that
// means to a store.
func (l *ledger) add(changes []Change, now time.Time, d digest) []Change {
	if l.has(d) {
		return changes
	}
	l.seen[d] = now
	l.order = append(l.order, d)
	changes = append(changes, Change{bucketSeen, d[:], appendTime(nil, now)})
	for len(l.order) > l.limit || now.Sub(l.seen[l.order[0]]) > l.age {
		old := l.order[0]
		l.order = l.order[1:]
		delete(l.seen, old)
		changes = append(changes, Change{Bucket: bucketSeen, Key: old[:]})
	}
	return changes
}

func appendTime(dst []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixNano()))
}

// readTime reads what appendTime wrote; the zero Time if there is none.
func readTime(b []byte) time.Time {
	if len(b) < 8 {
		return time.Time{}
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b)))
}
