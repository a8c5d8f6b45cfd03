package sms_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// Quirks.Direct has messages handed over where all that this needs is there,
// and stored everywhere else; they arrive either way, once.
func TestDirect(t *testing.T) {
	answer := func(name, value string) func(*fakemodem.Modem) {
		return func(m *fakemodem.Modem) {
			m.OnCommand(name, func(c *fakemodem.Call) fakemodem.Result {
				switch {
				case c.Op == fakemodem.Test && strings.HasPrefix(value, "("):
					c.Info(name + ": " + value)
					return fakemodem.OK
				case c.Op == fakemodem.Set && strings.HasPrefix(c.Text, value):
					return fakemodem.CMS(302)
				}
				return fakemodem.Default
			})
		}
	}
	nothing := func(*fakemodem.Modem) {}
	for _, test := range []struct {
		name          string
		direct, store bool
		text          bool
		modem         func(*fakemodem.Modem)
		service, mt   string // what is set at the end
	}{
		{"not asked for", false, true, false, nothing, "0", "1"},
		{"with all it needs", true, true, false, nothing, "1", "2"},
		{"without a store", true, false, false, nothing, "0", "1"},
		{"in text mode", true, true, true, nothing, "0", "1"},
		{"phase 2+ refused", true, true, false, answer("+CSMS", "1"), "0", "1"},
		{"mt 2 not offered", true, true, false, answer("+CNMI", "(0-2),(0,1),(0,2),(0,1),(0,1)"), "1", "1"},
		{"mt 2 offered and refused", true, true, false, answer("+CNMI", "2,2"), "1", "2"},
		{"mt 2 refused in every mode", true, true, false, func(m *fakemodem.Modem) {
			m.OnCommand("+CNMI", func(c *fakemodem.Call) fakemodem.Result {
				if c.Op == fakemodem.Set && c.Text[1:4] == ",2," {
					return fakemodem.CMS(302)
				}
				return fakemodem.Default
			})
		}, "1", "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg := &sms.Config{Quirks: sms.Quirks{Direct: test.direct, TextMode: test.text}}
				if test.store {
					cfg.Store = storeIn(t)
				}
				b := newBench(t, cfg)
				test.modem(b.fake)
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				resp, err := b.modem.Exec(t.Context(), "+CNMI?;+CSMS?")
				require.NoError(t, err)
				require.Equal(t, test.mt, resp.Info[0].Text[9:10], resp.Info[0].Text)
				require.Equal(t, test.service, resp.Info[1].Text[7:8], resp.Info[1].Text)
				for _, text := range []string{"one", strings.Repeat("long ", 50), "last"} {
					if test.text && len(text) > 160 {
						continue // its parts are messages of their own
					}
					require.NoError(t, b.phone.Send(b.fake.Number(), text))
					in := <-arrived
					require.NoError(t, in.Err)
					require.Equal(t, text, in.Text)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				require.Empty(t, arrived)
				require.Zero(t, b.network.SMSC().Stats().Waiting)
				require.Zero(t, b.network.SMSC().Stats().Retried)
			})
		})
	}
}

// acknowledgments records what goes to +CNMA and when.
type acknowledgments struct {
	mu    sync.Mutex
	texts []string
	times []time.Time
}

func watchAcknowledgments(m *fakemodem.Modem) *acknowledgments {
	a := &acknowledgments{}
	m.OnCommand("+CNMA", func(c *fakemodem.Call) fakemodem.Result {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.texts, a.times = append(a.texts, c.Text), append(a.times, time.Now())
		return fakemodem.Default
	})
	return a
}

// said are the arguments so far.
func (a *acknowledgments) said() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.texts)
}

// when is the time of one of them.
func (a *acknowledgments) when(i int) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.times[i]
}

// What cannot be made safe in the store is given back to the network by a
// negative acknowledgment, which sends it again: nothing is lost, nothing
// doubled.
func TestNegativeAcknowledgment(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := &weakStore{Store: storeIn(t)}
		b := newBench(t, &sms.Config{Store: store, Quirks: sms.Quirks{Direct: true}})
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		acks := watchAcknowledgments(b.fake)
		store.failures.Store(1)
		require.NoError(t, b.phone.Send(b.fake.Number(), "kept by the network"))
		began := time.Now()
		in := <-arrived
		require.Equal(t, "kept by the network", in.Text)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, arrived, "once is enough")
		require.Equal(t, []string{"2", ""}, acks.said())
		require.Less(t, acks.when(1).Sub(began), 2*time.Minute, "routing is set again at once")
		require.Equal(t, 1, b.network.SMSC().Stats().Retried)
	})
}

// phase2 is a bench without a store whose modem wants acknowledgments (F50).
func phase2(t *testing.T, handler func(sms.Incoming) error) (b *bench, arrived <-chan sms.Incoming, acks *acknowledgments) {
	b = newBench(t, nil)
	arrived = b.receive(t, handler)
	time.Sleep(time.Minute)
	_, err := b.fake.Inject(fakemodem.Fault{ID: "F50"})
	require.NoError(t, err)
	return b, arrived, watchAcknowledgments(b.fake)
}

// Without a store a message is safe once the handler has taken it, and given
// back if the handler refuses it.
func TestNegativeAcknowledgmentOfWhatTheHandlerRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		refusals := 1
		b, arrived, acks := phase2(t, func(sms.Incoming) error {
			if refusals--; refusals >= 0 {
				return errors.New("disk full")
			}
			return nil
		})
		_, err := b.other(t).Send(t.Context(), sms.Message{To: b.fake.Number(), Text: "shown at once", Class: tpdu.Class0})
		require.NoError(t, err)
		require.Equal(t, "shown at once", (<-arrived).Text)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, arrived, "once is enough")
		require.Equal(t, "2", acks.said()[0])
		require.Equal(t, 1, b.network.SMSC().Stats().Retried)
		require.Zero(t, b.network.SMSC().Stats().Waiting)
	})
}

// A handler that takes its time does not keep the network waiting beyond its
// limit: it is told that the message is not safe, and its repeat is known.
func TestNegativeAcknowledgmentWithinTheLimitOfTheNetwork(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, arrived, acks := phase2(t, func(sms.Incoming) error {
			time.Sleep(40 * time.Second)
			return nil
		})
		began := time.Now()
		_, err := b.other(t).Send(t.Context(), sms.Message{To: b.fake.Number(), Text: "slowly taken", Class: tpdu.Class0})
		require.NoError(t, err)
		require.Equal(t, "slowly taken", (<-arrived).Text)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, arrived, "once is enough")
		require.Equal(t, "2", acks.said()[0])
		require.Less(t, acks.when(0).Sub(began), 12*time.Second, "TS 24.011 clause 10, TR2M")
		require.Zero(t, b.network.SMSC().Stats().Waiting)
	})
}

// +CNMA goes ahead of whatever else waits for the modem.
func TestAcknowledgmentGoesAheadOfOtherCommands(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{Store: storeIn(t), Quirks: sms.Quirks{Direct: true}})
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		_, err := b.fake.Inject(fakemodem.Fault{ID: "F22", On: "+CSQ", Times: -1, Delay: 3 * time.Second})
		require.NoError(t, err)
		acks := watchAcknowledgments(b.fake)
		var done atomic.Int32
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				_, err := b.modem.Command(context.Background(), at.Command{Text: "+CSQ", Timeout: 10 * time.Minute})
				if err != nil {
					t.Error(fmt.Errorf("command %d: %w", i, err))
				}
				done.Add(1)
			})
		}
		time.Sleep(time.Second)
		began := time.Now()
		require.NoError(t, b.phone.Send(b.fake.Number(), "ahead of them"))
		require.Equal(t, "ahead of them", (<-arrived).Text)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{""}, acks.said())
		require.Less(t, acks.when(0).Sub(began), 5*time.Second, "after the one that was running")
		require.Less(t, done.Load(), int32(10))
		all.Wait()
		require.Zero(t, b.network.SMSC().Stats().Retried)
	})
}
