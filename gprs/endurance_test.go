package gprs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
)

// soon fails the test if do takes longer than a limit.
func soon(t *testing.T, limit time.Duration, what string, do func()) {
	t.Helper()
	start := time.Now()
	do()
	require.LessOrEqual(t, time.Since(start), limit, what)
}

// slowly runs a test with a modem on a line of three wires and a round trip of
// 150 ms, on which a connection takes two seconds.
func slowly(t *testing.T, fn func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		fn(t, newBenchOn(t, nil, func(l *fakemodem.Line) io.ReadWriteCloser { return newDelayed(l, 75*time.Millisecond) }))
	})
}

// Promise 6: whenever the caller of Connect goes, the modem is in command mode
// when Connect returns, and the next connection works.
func TestCancelInEveryPhaseOfConnect(t *testing.T) {
	for after := time.Duration(0); after < 3*time.Second; after += 25 * time.Millisecond {
		slowly(t, func(t *testing.T, b *bench) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			var err error
			soon(t, time.Minute, "a cancelled Connect", func() { _, err = b.bearer.Connect(ctx) })
			if err != nil {
				require.ErrorIs(t, err, context.DeadlineExceeded, "after %v", after)
			} else {
				require.NoError(t, b.bearer.Disconnect(t.Context()))
			}
			b.inCommandMode()
			b.connect()
		})
	}
}

// Promise 12: Close waits for a Connect in progress, whatever it is doing, and
// leaves command mode.
func TestCloseInEveryPhaseOfConnect(t *testing.T) {
	for after := time.Duration(0); after < 3*time.Second; after += 25 * time.Millisecond {
		slowly(t, func(t *testing.T, b *bench) {
			connected := make(chan error, 1)
			go func() { _, err := b.bearer.Connect(t.Context()); connected <- err }()
			time.Sleep(after)
			soon(t, time.Minute, "Close", func() { require.NoError(t, b.bearer.Close(), "after %v", after) })
			b.inCommandMode()
			select {
			case err := <-connected:
				if err != nil {
					require.ErrorIs(t, err, gprs.ErrClosed, "after %v", after)
				}
			case <-time.After(time.Second):
				t.Fatalf("after %v: Connect goes on behind Close", after)
			}
			_, err := b.bearer.Connect(t.Context())
			require.ErrorIs(t, err, gprs.ErrClosed)
		})
	}
}

// Close and Disconnect by many at once, with the call up and with one that is
// ending, all wait for the one end.
func TestCloseByMany(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		c := b.connect()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				require.NoError(t, b.bearer.Close())
				require.NoError(t, b.bearer.Close())
				require.ErrorIs(t, c.Err(), gprs.ErrClosed)
			})
			all.Go(func() { require.NoError(t, b.bearer.Disconnect(t.Context())) })
		}
		all.Wait()
		b.inCommandMode()
	})
}

// A modem that never answers +++ is brought back by DTR where there is one.
func TestF71EscapeNeverAnswered(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		b.connect()
		b.inject(fakemodem.Fault{ID: "F71", Times: -1})
		soon(t, time.Minute, "Disconnect", func() { require.NoError(t, b.bearer.Disconnect(t.Context())) })
		b.inCommandMode()
		b.connect()
	})
}

// On three wires it is not, if PPP's own end does not end the call: that costs
// a bounded time, and an error tells what was tried.
func TestF71EscapeNeverAnsweredOnThreeWires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hole := &holed{}
		b := newHoledBench(t, hole, nil)
		b.connect()
		clear := b.inject(fakemodem.Fault{ID: "F71", Times: -1})
		hole.mute.Store(true) // the Terminate-Request is lost, too
		var err error
		soon(t, 10*time.Minute, "Disconnect", func() { err = b.bearer.Disconnect(t.Context()) })
		var ended *gprs.EndError
		require.ErrorAs(t, err, &ended)
		require.NotEmpty(t, ended.Report.Steps)
		soon(t, 10*time.Minute, "Connect", func() { _, err = b.bearer.Connect(t.Context()) })
		require.ErrorAs(t, err, &ended, "it says so again, and does not hang")
		clear()
		hole.mute.Store(false)
		soon(t, 10*time.Minute, "Connect", func() { b.connect() })
	})
}

// The caller of Disconnect goes while PPP terminates and the modem is deaf; the
// end goes on, and those who come later wait for it.
func TestCancelWhileTerminating(t *testing.T) {
	for after := time.Duration(0); after < 8*time.Second; after += 250 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			hole := &holed{}
			b := newHoledBench(t, hole, nil)
			c := b.connect()
			hole.deaf.Store(true)
			time.AfterFunc(4*time.Second, func() { hole.deaf.Store(false) })
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			err := b.bearer.Disconnect(ctx)
			if err != nil {
				require.ErrorIs(t, err, context.DeadlineExceeded)
				impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				_, err = b.bearer.Connect(impatient)
				require.ErrorIs(t, err, context.DeadlineExceeded)
			}
			soon(t, 5*time.Minute, "the end", func() { <-c.Done() })
			require.ErrorIs(t, c.Err(), gprs.ErrClosed)
			b.connect()
		})
	}
}

// Two faults at a time, at every point of a call: whatever comes, each call of
// the bearer ends, and when the faults are over a connection comes up.
func TestTwoFaultsDuringACall(t *testing.T) {
	ids := []string{"F58", "F59", "F66", "F67", "F68", "F69", "F70", "F71", "F72", "F73", "F76", "F80"}
	for i, first := range ids {
		for _, second := range ids[i+1:] {
			for _, before := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s and %s, before=%v", first, second, before), func(t *testing.T) {
					faulty(t, quickEcho, func(t *testing.T, b *bench) { twoFaults(t, b, first, second, before) })
				})
			}
		}
	}
}

// twoFaults injects two faults, before the call or a while apart during it.
func twoFaults(t *testing.T, b *bench, first, second string, before bool) {
	var clear []func()
	inject := func(id string) { clear = append(clear, b.inject(fakemodem.Fault{ID: id})) }
	if before {
		inject(first)
		inject(second)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var c *gprs.Connection
	var err error
	soon(t, 12*time.Minute, "Connect", func() { c, err = b.bearer.Connect(ctx) })
	if !before {
		inject(first)
		time.Sleep(time.Second)
		inject(second)
	}
	if err == nil {
		require.NoError(t, b.n.Phone("+15550000009").Send(b.fake.Number(), "hello"))
		time.Sleep(3 * time.Minute)
		soon(t, 10*time.Minute, "Disconnect", func() { err = b.bearer.Disconnect(t.Context()) })
		require.True(t, c.Err() != nil, "it has ended")
	}
	var ended *gprs.EndError
	for _, c := range clear {
		c()
	}
	if !errors.As(err, &ended) {
		b.inCommandMode()
	}
	time.Sleep(time.Minute) // for the registration
	b.connect()
}
