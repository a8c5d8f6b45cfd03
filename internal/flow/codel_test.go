package flow

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// While a queue stands, drops come closer together: the interval over the
// square root of their number (RFC 8289 section 4.3).
func TestCodelDropsCloserTogether(t *testing.T) {
	var c codel
	start := time.Unix(1000, 0)
	var drops []time.Duration
	for at := time.Duration(0); len(drops) < 4; at += 10 * time.Millisecond {
		if c.drops(codelTarget, true, start.Add(at)) {
			drops = append(drops, at)
		}
	}
	require.Equal(t, []time.Duration{
		codelInterval,
		codelInterval + codelInterval,         // 1
		codelInterval + 3420*time.Millisecond, // 1 + 1/√2
		codelInterval + 4570*time.Millisecond, // 1 + 1/√2 + 1/√3
	}, drops)

	require.False(t, c.drops(codelTarget-1, true, start.Add(7*time.Second)), "the queue has drained")
	require.False(t, c.drops(codelTarget, true, start.Add(8*time.Second)))
	require.False(t, c.drops(codelTarget, true, start.Add(9*time.Second)), "it does not stand for an interval yet")
	require.True(t, c.drops(codelTarget, true, start.Add(10*time.Second)))
	require.Equal(t, 3, c.count, "soon again: as hard as before")
}

func TestCodelLeavesFewPacketsAlone(t *testing.T) {
	var c codel
	start := time.Unix(1000, 0)
	for at := time.Duration(0); at < time.Minute; at += 10 * time.Millisecond {
		require.False(t, c.drops(longestWait, false, start.Add(at)))
	}
	require.True(t, c.drops(longestWait+1, false, start), "but what is too old is of no use")
}
