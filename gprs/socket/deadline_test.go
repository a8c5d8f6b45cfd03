package socket

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A deadline that is moved at the moment when it comes has not come: the timer of
// the setting before says nothing of the new one.
func TestDeadlineMovedWhenItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadline()
		d.set(time.Now().Add(time.Hour))
		fired := d.setting
		for _, moved := range []time.Time{{}, time.Now().Add(2 * time.Hour)} {
			d.set(moved)
			d.expire(fired)
			require.False(t, d.isPast())
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		require.True(t, d.isPast())
		d.set(time.Now())
		require.True(t, d.isPast())
		d.set(time.Time{})
		require.False(t, d.isPast())
	})
}
