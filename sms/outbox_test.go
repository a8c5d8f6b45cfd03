package sms_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// runOutbox runs an outbox until the test ends and gives its results.
func runOutbox(t *testing.T, o *sms.Outbox, take func(sms.OutboxResult) error) <-chan sms.OutboxResult {
	results := make(chan sms.OutboxResult, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- o.Run(ctx, func(_ context.Context, r sms.OutboxResult) error {
			if take != nil {
				if err := take(r); err != nil {
					return err
				}
			}
			results <- r
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	return results
}

func TestOutboxPriorityAndRate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		o, err := sms.NewOutbox(b.service, storeIn(t), &sms.OutboxConfig{Interval: time.Minute})
		require.NoError(t, err)
		for priority, text := range []string{"low", "middle", "high"} {
			_, err := o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: text}, Priority: priority})
			require.NoError(t, err)
		}
		began := time.Now()
		results := runOutbox(t, o, nil)
		for _, text := range []string{"high", "middle", "low"} {
			r := <-results
			require.NoError(t, r.Err)
			require.Equal(t, sms.Sent, r.Outcome)
			require.Equal(t, text, r.Message.Text)
		}
		require.GreaterOrEqual(t, time.Since(began), 2*time.Minute)
		synctest.Wait()
		require.Zero(t, o.Len())
	})
}

func TestOutboxOutcomes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{RetryPauses: []time.Duration{}})
		o, err := sms.NewOutbox(b.service, storeIn(t), &sms.OutboxConfig{Capacity: 2})
		require.NoError(t, err)
		enqueue := func(m sms.OutMessage) error {
			m.To = b.phone.Number()
			_, err := o.Enqueue(m)
			return err
		}
		var code atomic.Int32
		b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result {
			if c := code.Load(); c != 0 {
				return fakemodem.CMS(int(c))
			}
			return fakemodem.Default
		})
		refused := false
		results := runOutbox(t, o, func(sms.OutboxResult) error {
			if !refused {
				refused = true
				return errors.New("not now")
			}
			return nil
		})
		require.ErrorIs(t, enqueue(sms.OutMessage{Message: sms.Message{Text: "\xff"}}), sms.ErrInvalidMessage)

		code.Store(21)
		require.NoError(t, enqueue(sms.OutMessage{Message: sms.Message{Text: "rejected"}}))
		require.ErrorIs(t, (<-results).Err, sms.ErrNotSent, "told again after the first time failed")
		synctest.Wait() // until it is out of the outbox

		code.Store(38)
		require.NoError(t, enqueue(sms.OutMessage{Message: sms.Message{Text: "too late"}, Expires: time.Now().Add(5 * time.Minute)}))
		require.NoError(t, enqueue(sms.OutMessage{Message: sms.Message{Text: "in time"}}))
		require.ErrorIs(t, enqueue(sms.OutMessage{Message: sms.Message{Text: "no room"}}), sms.ErrOutboxFull)
		require.ErrorIs(t, (<-results).Err, sms.ErrExpired)
		synctest.Wait()
		code.Store(0)
		require.NoError(t, (<-results).Err)
		synctest.Wait()

		loseAnswer(t, b)
		require.NoError(t, enqueue(sms.OutMessage{Message: sms.Message{Text: "who knows"}}))
		require.ErrorIs(t, (<-results).Err, sms.ErrInDoubt)
	})
}
