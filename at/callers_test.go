package at

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// forgetfulModem answers AT+XT=7 by +XT: 7 and AT+CREG? by +CREG: 0,1, in two
// pieces, with notifications between the lines, at times late, at times not.
func forgetfulModem(line net.Conn, rnd *rand.Rand) {
	commands := bufio.NewReader(line)
	for {
		text, err := commands.ReadString('\r')
		if err != nil {
			return
		}
		text, isCommand := strings.CutPrefix(strings.Trim(text, "\r\x1b"), "AT")
		switch {
		case !isCommand || rnd.IntN(200) == 0:
			continue
		case rnd.IntN(50) == 0:
			time.Sleep(time.Duration(rnd.IntN(30_000_000)))
		}
		var answer strings.Builder
		for one := range strings.SplitSeq(text, ";") {
			name, argument, _ := strings.Cut(strings.TrimSuffix(one, "?"), "=")
			if argument == "" {
				argument = "0,1"
			}
			fmt.Fprintf(&answer, "\r\n%s: %s\r\n", name, argument)
			if rnd.IntN(5) == 0 {
				answer.WriteString("\r\n+CREG: 1\r\n")
			}
		}
		answer.WriteString("\r\nOK\r\n")
		cut := rnd.IntN(answer.Len())
		for _, piece := range []string{answer.String()[:cut], answer.String()[cut:]} {
			if _, err := line.Write([]byte(piece)); err != nil {
				return
			}
		}
	}
}

// Promise 1 with many callers at once, some of whom give up, on a line whose
// Write waits for the modem's Read: some callers write themselves, some of those
// Writes are cut short, and every answer is its command's.
func TestManyCallersOnOneLine(t *testing.T) {
	const callers, each = 6, 1000
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			line, modem := net.Pipe()
			var answering sync.WaitGroup
			answering.Go(func() { forgetfulModem(modem, rand.New(rand.NewPCG(seed, 0))) })
			defer answering.Wait() // it may be asleep
			defer modem.Close()
			m := New(line, &Config{AnswerTimeout: 20 * time.Millisecond, Quiet: 2 * time.Millisecond, ProbeTimeout: 50 * time.Millisecond})
			defer m.Close()
			var answered [callers]int
			var wg sync.WaitGroup
			for caller := range callers {
				rnd := rand.New(rand.NewPCG(seed, uint64(1+caller)))
				wg.Go(func() {
					for i := range each {
						if askNumber(t, m, rnd, caller*each+i) {
							answered[caller]++
						}
					}
				})
			}
			wg.Wait()
			for caller, n := range answered {
				require.Greater(t, n, each/2, "answers to caller %d", caller)
			}
		})
	}
}

// askNumber runs AT+XT with a number, half the time with little patience, and
// tells whether it was answered.
func askNumber(t *testing.T, m *Modem, rnd *rand.Rand, number int) bool {
	ctx, cancel := context.Background(), func() {}
	if rnd.IntN(2) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rnd.IntN(10_000_000)))
	}
	defer cancel()
	resp, err := m.Exec(ctx, fmt.Sprintf("+XT=%d", number))
	if err != nil {
		if !errors.Is(err, ErrNoAnswer) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("command %d: %v", number, err)
		}
		return false
	}
	if len(resp.Info) != 1 || resp.Info[0].Text != fmt.Sprintf("+XT: %d", number) {
		t.Errorf("command %d got %v", number, resp)
	}
	return true
}
