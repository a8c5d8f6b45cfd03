package netstack

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// idleLimit is the memory that an idle PPP link with its stack may take.
const idleLimit = 700 << 10

func TestMemoryOfIdleLink(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector multiplies the memory of everything")
	}
	const pairs = 8
	pair := func() {
		left, right := newMemoryLine()
		pppPair(t, left, right, nil)
	}
	pair() // what is allocated once for all
	before := memoryInUse()
	for range pairs {
		pair()
	}
	each := (memoryInUse() - before) / (2 * pairs)
	t.Logf("an idle PPP link with its stack takes %d KiB", each>>10)
	require.Less(t, each, int64(idleLimit))
}

// memoryInUse is what the heap and the goroutines' stacks hold.
func memoryInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
