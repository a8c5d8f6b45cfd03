package at

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// gathered runs a test with two lines whose notifications are one's.
func gathered(t *testing.T, config *Config, f func(t *testing.T, first, second *script, c Commander)) {
	synctest.Test(t, func(t *testing.T) {
		first, m := newPair(t, config)
		second, n := newPair(t, config)
		f(t, first, second, Gather(m, n))
	})
}

// hear subscribes and returns what came.
func hear(c Commander, prefix string) (take func() []Notification, stop func()) {
	var got []Notification // the calls come one at a time
	stop = c.Handle(prefix, func(n Notification) { got = append(got, n) })
	return func() []Notification {
		synctest.Wait()
		taken := got
		got = nil
		return taken
	}, stop
}

func TestF25NotificationsOnAnotherLine(t *testing.T) {
	gathered(t, nil, func(t *testing.T, first, second *script, c Commander) {
		mt, stop := hear(c, "+CMT")
		rest, _ := hear(c, "")
		answer := make(chan Response, 1)
		go func() {
			resp, err := c.Command(t.Context(), Command{Text: "+CSQ"})
			require.NoError(t, err)
			answer <- resp
		}()
		first.wantLine("commands go to the first", "AT+CSQ")
		second.raw("\r\n+CMT: ,3\r\n00010203\r\n")
		second.send("+XYZ: 1")
		second.wantIdle("and nothing to the other")
		require.Equal(t, []Notification{{Line: "+CMT: ,3", Body: []byte("00010203")}}, mt())
		require.Equal(t, []string{"+XYZ: 1"}, lines(rest()))
		first.send("+CSQ: 17,0", "OK")
		require.Equal(t, "+CSQ: 17,0", (<-answer).Info[0].Text)
		first.raw("\r\n+CMT: ,3\r\n00010204\r\n")
		require.Len(t, mt(), 1, "those of the first count as well")
		stop()
		first.raw("\r\n+CMT: ,3\r\n00010205\r\n")
		second.raw("\r\n+CMT: ,3\r\n00010205\r\n")
		require.Empty(t, mt())
	})
}

// What comes on both lines is one, in whatever order it comes; what comes twice
// on one line is two.
func TestF25NotificationsOnBothLines(t *testing.T) {
	for order, want := range map[string]int{
		"1": 1, "2": 1, "12": 1, "21": 1, "11": 2, "22": 2, "1122": 2, "1212": 2, "1221": 2, "2112": 2, "112": 2, "1222": 3,
		"1-2": 2, "1-1": 2, "12-21": 2, "1122-1": 3,
	} {
		t.Run(order, func(t *testing.T) {
			gathered(t, nil, func(t *testing.T, first, second *script, c Commander) {
				ring, _ := hear(c, "RING")
				for _, at := range order {
					switch at {
					case '1':
						first.send("RING")
					case '2':
						second.send("RING")
					case '-':
						time.Sleep(gatherWindow + time.Millisecond)
					}
				}
				require.Len(t, ring(), want)
			})
		})
	}
}

// A body makes two notifications of one head, and a long one is never taken for
// another.
func TestGatherComparesBodies(t *testing.T) {
	long := strings.Repeat("00", maxSighted/2)
	gathered(t, nil, func(t *testing.T, first, second *script, c Commander) {
		mt, _ := hear(c, "+CMT")
		first.raw("\r\n+CMT: ,3\r\n00010203\r\n")
		second.raw("\r\n+CMT: ,3\r\n00010204\r\n")
		second.raw("\r\n+CMT: ,3\r\n00010203\r\n")
		require.Len(t, mt(), 2)
		first.raw("\r\n+CMT: ,3\r\n" + long + "\r\n")
		second.raw("\r\n+CMT: ,3\r\n" + long + "\r\n")
		require.Len(t, mt(), 2)
	})
}

// What a line has lost is told with the next that is delivered, also when the
// one that told it is known already.
func TestGatherKeepsTheLossInMind(t *testing.T) {
	gathered(t, &Config{QueueLimit: 2}, func(t *testing.T, first, second *script, c Commander) {
		release := make(chan struct{})
		var got []Notification
		c.Handle("+N", func(n Notification) {
			<-release
			got = append(got, n)
		})
		first.send("+N: 9") // holds the turn
		second.send("+N: 1", "+N: 2", "+N: 9", "+N: 4")
		close(release)
		synctest.Wait()
		require.Equal(t, []Notification{{Line: "+N: 9"}, {Line: "+N: 4", Lost: 2}}, got)
	})
}

func TestGatherRemembersNoMoreThanItMay(t *testing.T) {
	gathered(t, nil, func(t *testing.T, first, second *script, c Commander) {
		n, _ := hear(c, "+N")
		for i := range 3 * maxSightings {
			first.send(fmt.Sprintf("+N: %d", i))
			second.send(fmt.Sprintf("+N: %d", i))
		}
		require.Len(t, n(), 3*maxSightings, "the newest are remembered best")
	})
}

// A handler that never returns holds up its own subscription on both lines, and
// nothing else.
func TestGatherWithABlockedHandler(t *testing.T) {
	gathered(t, nil, func(t *testing.T, first, second *script, c Commander) {
		release := make(chan struct{})
		defer close(release)
		c.Handle("+N", func(Notification) { <-release })
		ring, _ := hear(c, "RING")
		first.send("+N: 1")
		second.send("+N: 2")
		second.send("RING")
		require.Len(t, ring(), 1)
	})
}

func TestGatherOfOneIsThatOne(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, _ *script, m *Modem) {
		require.Same(t, m, Gather(m))
	})
}
