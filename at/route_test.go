package at

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// heard returns what subscribers get from bytes that come in pieces of so many
// octets.
func heard(t *testing.T, prefixes []string, bytes string, piece int) (got []string) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newPair(t, &Config{
			BootMessages:  []string{"RDY", "+CFUN: 1"},
			Notifications: []NotificationRule{{Prefix: "+PDU", Body: func(string) Body { return Body{Lines: 1} }}, {Prefix: "+ID: 7"}},
		})
		var from []func() []Notification
		for _, p := range prefixes {
			from = append(from, collect(m, p))
		}
		for len(bytes) > 0 {
			n := min(piece, len(bytes))
			s.raw(bytes[:n])
			bytes = bytes[n:]
		}
		for i, taken := range from {
			for _, n := range taken() {
				got = append(got, fmt.Sprintf("%s: %q %q %v %d", prefixes[i], n.Line, n.Body, n.Kind, n.Lost))
			}
		}
	})
	return got
}

// TestBurstIsLikeSingleLines: what the engine learns of a name for a burst
// changes nothing. Octets that come one by one never make a burst.
func TestBurstIsLikeSingleLines(t *testing.T) {
	lines := []string{
		"+N: 1", "+N: 2", "+N: 12", "+N:3", "+N", "+N: ", "+N:", "+N: 4  ", "+N: \x005", "+N: \t6", "+N: \x01", "+NN: 1", "^X: 1", "^X: 2", "^X:",
		"+CFUN: 1", "+CFUN: 0", "+PDU: 1", "0011AABB", "+ID: 7", "+ID: 8", "RDY", "OK", "> ", "AT+N", "+N: " + strings.Repeat("x", 300),
	}
	breaks := []string{"\r\n", "\r\n\r\n", "\n", "\r", "\r\r\n"}
	subscriptions := [][]string{
		{"+N", "+CFUN", "+PDU", "+ID", "^X", ""},
		{"+N", "+N: 1", "+N:", "^X", "^X", ""}, // more than a name
		{"+N", "+NN"},
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		var text strings.Builder
		for range 30 {
			line := lines[rnd.IntN(len(lines))]
			for range 1 + rnd.IntN(4) { // what is repeated makes a burst
				text.WriteString(line + breaks[rnd.IntN(len(breaks))])
			}
		}
		prefixes := subscriptions[i%len(subscriptions)]
		whole := heard(t, prefixes, text.String(), 4<<10)
		require.Equal(t, heard(t, prefixes, text.String(), 1), whole, "%q", text.String())
	}
}

// TestBurstEndsWithTheSubscription: a route leads to nobody who has left.
func TestBurstEndsWithTheSubscription(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		count := 0
		stop := m.Handle("+N", func(Notification) { count++ })
		s.send("+N: 1", "+N: 2", "+N: 3")
		require.Equal(t, 3, count)
		rest := collect(m, "")
		stop()
		s.send("+N: 4", "+N: 5")
		require.Equal(t, 3, count, "the subscriber has left")
		require.Equal(t, []string{"+N: 4", "+N: 5"}, lines(rest()), "which makes the lines unknown ones")
		other := collect(m, "+N")
		s.send("+N: 6", "+N: 7")
		require.Equal(t, []string{"+N: 6", "+N: 7"}, lines(other()), "a new subscriber")
	})
}

// TestBurstUnderACommand: lines of a burst may be the answer of a command.
func TestBurstUnderACommand(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		got := collect(m, "+CSQ")
		s.send("+CSQ: 1,0", "+CSQ: 2,0", "+CSQ: 3,0")
		require.Len(t, got(), 3)
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("the command goes out", "AT+CSQ")
		s.send("+CSQ: 4,0", "OK", "+CSQ: 5,0")
		csq.wantOK("its answer is its own", "+CSQ: 4,0")
		require.Equal(t, []string{"+CSQ: 5,0"}, lines(got()), "what follows is not")
	})
}
