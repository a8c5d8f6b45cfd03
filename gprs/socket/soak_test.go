package socket_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// long is the size of a soak: much with TELEMODEM_LONG=1, little without.
func long(much, little int) int {
	if os.Getenv("TELEMODEM_LONG") == "1" {
		return much
	}
	return little
}

// Bulk data, both ways at once, is what was sent: 10 MB each way with
// TELEMODEM_LONG=1, 1 MB without.
func TestBulkBothWays(t *testing.T) {
	size := long(10<<20, 1<<20)
	each(t, &socket.Config{PromptGap: -1}, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		exchange(t, c, far, size)
		require.NoError(t, c.Close())
		require.Zero(t, r.fake.OpenSockets())
	})
}

// exchange sends size octets each way and compares. A failure closes both ends,
// so that nobody waits for the rest.
func exchange(t *testing.T, c, far net.Conn, size int) {
	fail := func(format string, args ...any) {
		t.Errorf(format, args...)
		c.Close()
		far.Close()
	}
	var all sync.WaitGroup
	for seed, pair := range [][2]net.Conn{{c, far}, {far, c}} {
		all.Go(func() {
			if n, err := io.Copy(pair[0], random(seed, size)); err != nil {
				fail("way %d: %v after %d octets", seed, err, n)
			}
		})
		all.Go(func() {
			if want, got := sum(random(seed, size)), sum(io.LimitReader(pair[1], int64(size))); want != got {
				fail("way %d: %s in place of %s", seed, got, want)
			}
		})
	}
	all.Wait()
}

// The faults of sockets, all at once and changing, lose and double nothing.
func TestBulkWithFaults(t *testing.T) {
	for seed := range long(20, 2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			each(t, &socket.Config{PollInterval: 5 * time.Second}, func(t *testing.T, r *rig) {
				stop, stopped := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(stopped)
					r.change(ours(t).String(), rand.New(rand.NewPCG(uint64(seed), 1)), stop)
				}()
				c, far := r.connect("tcp")
				exchange(t, c, far, 100_000)
				close(stop)
				<-stopped
				require.NoError(t, c.Close())
				require.Zero(t, r.fake.OpenSockets())
			})
		})
	}
}

// change lets other faults happen now and then, those that the dialect has.
func (r *rig) change(dialect string, dice *rand.Rand, stop <-chan struct{}) {
	defer r.fake.SetSocketFaults(fakemodem.SocketFaults{})
	for {
		f := fakemodem.SocketFaults{LoseReady: dice.IntN(5), Delay: time.Duration(dice.IntN(300)) * time.Millisecond}
		switch dialect {
		case "SIM800":
			f.SendFails, f.Partial = dice.IntN(3), dice.IntN(500)
		case "Quectel":
			f.SendFails = dice.IntN(3)
		default:
			f.Partial = dice.IntN(500)
		}
		r.fake.SetSocketFaults(f)
		select {
		case <-time.After(time.Duration(dice.IntN(2000)) * time.Millisecond):
		case <-stop:
			return
		}
	}
}

// Opening and closing leaves nothing behind: 5,000 times with TELEMODEM_LONG=1,
// 500 without.
func TestOpenAndCloseLeavesNothing(t *testing.T) {
	times := long(5000, 500)
	each(t, &socket.Config{PromptGap: -1}, func(t *testing.T, r *rig) {
		var before int
		for i := range times {
			c, far := r.connect("tcp")
			if i%4 == 0 {
				go io.WriteString(far, "nobody reads this")
			}
			if i%2 == 0 {
				far.Close()
			}
			c.Close()
			far.Close()
			if i == times/2 {
				synctest.Wait()
				before = runtime.NumGoroutine()
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Zero(t, r.fake.OpenSockets())
		require.LessOrEqual(t, runtime.NumGoroutine(), before+5)
	})
}

// Programs that dial, write, read, close and give up as they like, while the
// network takes the context away and the modem starts anew: everything ends,
// and nothing is left in use.
func TestChaos(t *testing.T) {
	for seed := range long(30, 3) {
		for _, d := range dialects {
			t.Run(fmt.Sprintf("%v/%d", d.ours, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newModem(t, d.theirs)
					dice := rand.New(rand.NewPCG(uint64(seed), 2))
					drained := make(chan struct{})
					go func() {
						defer close(drained)
						for i := uint64(0); ; i++ {
							far, ok := <-r.peers
							if !ok {
								return
							}
							go answer(far, rand.New(rand.NewPCG(uint64(seed), i)))
						}
					}()
					for range 4 {
						chaos(t, r, d.ours, dice)
					}
				})
			})
		}
	}
}

// answer is a peer that echoes some, then closes or falls silent.
func answer(far net.Conn, dice *rand.Rand) {
	defer far.Close()
	io.CopyN(far, far, int64(dice.IntN(5000)))
	if dice.IntN(2) == 0 {
		io.Copy(io.Discard, far)
	}
}

// chaos is one life of a Stack.
func chaos(t *testing.T, r *rig, d socket.Dialect, dice *rand.Rand) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var stack *socket.Stack
	var err error
	for stack == nil {
		if stack, err = socket.Open(ctx, r.modem, d, &socket.Config{PollInterval: 5 * time.Second}); err != nil {
			require.NoError(t, ctx.Err(), "%v", err)
			time.Sleep(5 * time.Second)
		}
	}
	var users sync.WaitGroup
	for range 5 {
		own := rand.New(rand.NewPCG(dice.Uint64(), 3))
		users.Go(func() {
			for range 6 {
				use(ctx, stack, own)
			}
		})
	}
	time.Sleep(time.Duration(dice.IntN(60)) * time.Second)
	switch dice.IntN(4) {
	case 0:
		r.fake.Deactivate(1)
	case 1:
		r.fake.Reset()
	case 2:
		stack.Close()
	}
	users.Wait()
	stack.Close()
	time.Sleep(2 * time.Minute)
	require.Zero(t, r.fake.OpenSockets())
}

// use is a connection's life.
func use(ctx context.Context, stack *socket.Stack, dice *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(1+dice.IntN(20_000))*time.Millisecond)
	defer cancel()
	c, err := stack.DialContext(ctx, "tcp", []string{"203.0.113.9:7", "nowhere.example:7"}[dice.IntN(2)])
	if err != nil {
		return
	}
	c.SetDeadline(time.Now().Add(time.Duration(dice.IntN(20_000)) * time.Millisecond))
	var both sync.WaitGroup
	much := make([]byte, dice.IntN(10_000))
	both.Go(func() { c.Write(much) })
	both.Go(func() { io.Copy(io.Discard, c) })
	if dice.IntN(3) == 0 {
		time.Sleep(time.Second)
		c.Close()
	}
	both.Wait()
	c.Close()
}
