package sms

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func take(t *testing.T, r *references, now time.Time, to string) uint16 {
	n, err := r.take(now, to, now.Add(time.Hour))
	require.NoError(t, err)
	return n
}

// Each recipient has a sequence, however its number is written, and what one
// takes does not move that of another.
func TestReferencesPerRecipient(t *testing.T) {
	r := newReferences(nil)
	first := take(t, r, noon, "+4915112345678")
	other := take(t, r, noon, "+4915187654321")
	require.Equal(t, first+1, take(t, r, noon, "015112345678"), "the national number is the same recipient")
	require.Equal(t, other+1, take(t, r, noon, "+4915187654321"))
	require.Equal(t, first+2, take(t, r, noon, "+4915112345678"))
	short := take(t, r, noon, "4567")
	require.Equal(t, short+1, take(t, r, noon, "4567"))
}

// Two senders, or one after each restart without a store, do not begin alike.
func TestReferencesBeginAtRandom(t *testing.T) {
	seen := make(map[uint16]bool)
	for range 100 {
		seen[take(t, newReferences(nil), noon, "+4915112345678")] = true
	}
	require.Greater(t, len(seen), 90)
}

// A sequence that has come round leaves out what is still in flight, and takes
// it again once its time is over.
func TestReferencesInFlightAreLeftOut(t *testing.T) {
	t.Parallel()
	r := newReferences(nil)
	const to = "+4915112345678"
	long, err := r.take(noon, to, noon.Add(30*24*time.Hour))
	require.NoError(t, err)
	r.hold(to, long+1) // in an outbox
	take(t, r, noon, "+4915187654321")
	round := func(now time.Time) (again map[uint16]bool) {
		again = make(map[uint16]bool)
		for range 1 << 16 {
			n, err := r.take(now, to, now.Add(time.Nanosecond))
			if err != nil {
				t.Fatal(err)
			}
			again[n] = true
			now = now.Add(time.Second)
		}
		return again
	}
	again := round(noon)
	require.False(t, again[long], "its validity is not over")
	require.False(t, again[long+1], "it is in an outbox")
	require.Len(t, again, 1<<16-2)
	r.release(to, long+1)
	require.Len(t, round(noon.Add(31*24*time.Hour)), 1<<16)
}

func TestReferencesOfAFullRecipient(t *testing.T) {
	r := newReferences(nil)
	for n := range 1 << 16 {
		r.hold("4567", uint16(n))
	}
	_, err := r.take(noon, "4567", noon)
	require.ErrorIs(t, err, errNoReference)
	take(t, r, noon, "4568")
}

func TestReferencesAreBounded(t *testing.T) {
	t.Parallel()
	r := newReferences(nil)
	for i := range maxSequences + 100 {
		take(t, r, noon.Add(time.Duration(i)*time.Millisecond), strconv.Itoa(1_000_000+i))
		require.LessOrEqual(t, len(r.flights), maxFlights)
	}
	require.Len(t, r.next, maxSequences)
	require.NotContains(t, r.next, "1000000", "the one not written to for longest has gone")
	require.Contains(t, r.next, strconv.Itoa(1_000_000+maxSequences+99))
}

// Sequences and what is in flight survive a restart; what was forgotten is
// forgotten in the store too.
func TestReferencesArePersisted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sms.db")
	open := func() (*references, *BoltStore) {
		store, err := OpenStore(path)
		require.NoError(t, err)
		store.db.NoSync = true // the machine stays up, and the disk is slow
		r := newReferences(store)
		require.NoError(t, r.load())
		return r, store
	}
	const to = "+4915112345678"
	r, store := open()
	first := take(t, r, noon, to)
	require.NoError(t, store.Close())

	r, store = open()
	require.Equal(t, first+1, take(t, r, noon, to))
	r.next[recipientOf(to)] = sequence{next: first} // as if it had come round
	require.Equal(t, first+2, take(t, r, noon, to), "both are in flight")
	r.next[recipientOf(to)] = sequence{next: first}
	require.Equal(t, first, take(t, r, noon.Add(2*time.Hour), to))
	for i := range maxFlights {
		take(t, r, noon.Add(3*time.Hour), strconv.Itoa(1_000_000+i%5))
	}
	require.NoError(t, store.Close())

	before := r
	r, store = open()
	defer store.Close()
	require.Equal(t, len(before.flights), len(r.flights))
	require.Equal(t, len(before.next), len(r.next))
	for f, until := range before.flights {
		require.True(t, until.Equal(r.flights[f]), f)
	}
}
