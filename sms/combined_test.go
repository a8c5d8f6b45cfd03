package sms_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// combined are the faults of which two strike at once. None of them loses or
// mangles a message for good.
var combined = []fakemodem.Fault{
	{ID: "F43"}, {ID: "F44"}, {ID: "F44", Text: "XX", Count: 999}, {ID: "F45", Times: 3}, {ID: "F46", Times: 5}, {ID: "F47"},
	{ID: "F48", Times: 6}, {ID: "F48", Times: 6, Count: 7}, {ID: "F50"}, {ID: "F51"}, {ID: "F52", Times: -1}, {ID: "F53", Count: 100},
	{ID: "F54", Times: -1}, {ID: "F55"}, {ID: "F103"}, {ID: "F30"}, {ID: "F31"}, {ID: "F21"},
	{ID: "F33", Code: 38, Times: 2}, {ID: "F33", Code: 322, Times: 2}, {ID: "F33", Code: 500, Times: 2}, {ID: "F40", For: 5 * time.Minute},
	{ID: "F22", On: "+CMGS", Times: 1, Delay: 3 * time.Minute}, {ID: "F22", On: "+CMGL", Times: 1, Delay: time.Minute}, {ID: "F22", On: "+CMGD", Times: 2, Delay: time.Minute},
}

// Promises 4 and 5 with two faults at once, with and without a store, in every
// way of receiving, while the contexts of sends end at each point of the
// dialogue: what is sent arrives once, what is not does not, what is in doubt
// at most once; and every message to us arrives once. TELEMODEM_LONG=1 runs
// more seeds.
func TestTwoFaultsAtOnce(t *testing.T) {
	seeds := 10
	if os.Getenv("TELEMODEM_LONG") != "" {
		seeds = 500
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				twoFaults(t, rand.New(rand.NewPCG(uint64(seed), 77)))
			})
		})
	}
}

func twoFaults(t *testing.T, random *rand.Rand) {
	cfg := &sms.Config{SilenceLimit: 2 * time.Hour, SendTimeout: time.Minute}
	if random.IntN(2) == 0 {
		cfg.Store = storeIn(t)
		cfg.Quirks.Direct = random.IntN(2) == 0
	}
	cfg.Quirks.PromptGap = []time.Duration{0, 50 * time.Millisecond}[random.IntN(2)]
	cfg.Quirks.TextMode = random.IntN(4) == 0
	b := benchOn(t, []*fakemodem.Personality{fakemodem.SIM800, fakemodem.EC25}[random.IntN(2)], cfg)
	handled := 0
	arrived := b.receive(t, func(sms.Incoming) error {
		if handled++; handled%7 == 0 {
			return errors.New("not now")
		}
		return nil
	})
	time.Sleep(time.Minute)
	var clears []func()
	for range 2 {
		fault := combined[random.IntN(len(combined))]
		clear, err := b.fake.Inject(fault)
		require.NoError(t, err)
		t.Logf("%s %s %d", fault.ID, fault.On, fault.Code)
		clears = append(clears, clear)
	}
	long := func(text string, i int) string {
		if cfg.Quirks.TextMode {
			return text
		}
		return text + strings.Repeat(" long", i%3*40)
	}
	phases := random.Perm(7)
	outcomes := make(map[string]error)
	var both sync.WaitGroup
	both.Go(func() {
		for i := range 6 {
			text := long(fmt.Sprintf("out %d", i), i)
			outcomes[text] = b.sendUntil(t, sms.Message{To: b.phone.Number(), Text: text, StatusReport: i%2 == 0}, phases[i])
			time.Sleep(time.Duration(i*53) * time.Second)
		}
	})
	expected := make(map[string]int)
	both.Go(func() {
		for i := range 8 {
			text := long(fmt.Sprintf("in %d", i), i+1)
			expected[text]++
			if err := b.phone.Send(b.fake.Number(), text); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Duration(i*37) * time.Second)
		}
	})
	both.Wait()
	time.Sleep(30 * time.Minute)
	for _, clear := range clears {
		clear()
	}
	time.Sleep(100 * time.Hour)
	synctest.Wait()
	for len(arrived) > 0 {
		in := <-arrived
		require.NoError(t, in.Err)
		if in.Report == nil && in.Text != "full" { // F43 fills the storage
			expected[in.Text]--
		}
	}
	for text, missing := range expected {
		require.Zero(t, missing, text)
	}
	delivered := make(map[string]int)
	for _, m := range b.phone.Inbox() {
		delivered[m.Text]++
	}
	for text, err := range outcomes {
		switch {
		case err == nil:
			require.Equal(t, 1, delivered[text], text)
		case errors.Is(err, sms.ErrInDoubt):
			require.LessOrEqual(t, delivered[text], 1, text)
		default:
			require.ErrorIs(t, err, sms.ErrNotSent, text)
			require.Zero(t, delivered[text], text)
		}
	}
}

// sendUntil sends a message whose context ends at a point of the dialogue: at
// the command, at the prompt, in the gap behind it, at the end of the data,
// right behind that, or before the answer; 6 is never.
func (b *bench) sendUntil(t *testing.T, m sms.Message, phase int) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer b.fake.Watch(func(x fakemodem.Trace) {
		host := x.Direction == fakemodem.FromHost
		command := host && bytes.HasPrefix(x.Data, []byte("AT+CMGS"))
		prompt := !host && bytes.Contains(x.Data, []byte("> "))
		end := host && bytes.Contains(x.Data, []byte{0x1A})
		switch {
		case command && phase == 0, prompt && phase == 1, end && phase == 3:
			cancel()
		case prompt && phase == 2:
			time.AfterFunc(10*time.Millisecond, cancel)
		case end && phase == 4:
			time.AfterFunc(time.Millisecond, cancel)
		case end && phase == 5:
			time.AfterFunc(10*time.Millisecond, cancel)
		}
	})()
	_, err := b.service.Send(ctx, m)
	return err
}
