package sms

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// broken is a store that takes nothing while it is full.
type broken struct {
	full bool
	took int // changes
}

func (*broken) Load(string, func(key, value []byte) error) error { return nil }

func (b *broken) Commit(changes []Change) error {
	if b.full {
		return errors.New("disk full")
	}
	b.took += len(changes)
	return nil
}

// Promise 8: what a full disk does not take is held, but not without end: then
// nothing more is handed over, and it stays in the modem.
func TestPromise8AFullDiskIsBounded(t *testing.T) {
	store := &broken{full: true}
	handed := 0
	s := New(nil, &Config{Store: store})
	r := &receiver{s: s, handler: func(context.Context, Incoming) error { handed++; return nil }}
	var last *message
	for i := 0; ; i++ {
		var d digest
		d[0], d[1] = byte(i), byte(i>>8)
		s.inbox.held[d] = &holding{}
		last = s.inbox.queue(Incoming{Text: "x"}, []digest{d})
		before := handed
		_, err := r.hand(t.Context(), last)
		require.Error(t, err)
		if handed == before {
			break
		}
	}
	require.Equal(t, maxLeftover, handed)
	require.Len(t, s.inbox.leftover, maxLeftover)
	store.full = false
	_, err := r.hand(t.Context(), last)
	require.NoError(t, err)
	require.Equal(t, maxLeftover+1, handed)
	require.Equal(t, maxLeftover+1, store.took, "all that was held, too")
	require.Empty(t, s.inbox.leftover)
}

// A validity beyond what a network can be told is no time in the past.
func TestValidityWithoutEnd(t *testing.T) {
	now := time.Now()
	for _, m := range []Message{{Validity: math.MaxInt64}, {ValidUntil: now.AddDate(500, 0, 0)}} {
		require.Greater(t, (&Config{}).reportTime(m.validity(now)), time.Hour)
	}
}
