package sms_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// deliveries is what is known of a message by now.
func deliveries(t *testing.T, r sms.Receipt) []sms.Delivery {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	known, _ := r.Wait(ctx)
	return known
}

// Promise 4: a late answer settles the message that was with the modem last, and
// not one before it of which nobody will ever hear.
func TestPromise4ALateAnswerSettlesOneMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{SendTimeout: 5 * time.Second})
		require.NoError(t, b.service.Setup(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Times: 1, Delay: 10 * time.Hour})
		require.NoError(t, err)
		first, err := b.service.Send(ctx, sms.Message{To: b.phone.Number(), Text: "first", StatusReport: true})
		require.ErrorIs(t, err, sms.ErrInDoubt)
		delayAnswer(t, b, 8*time.Second)
		second, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "second", StatusReport: true})
		require.NoError(t, err)
		require.Equal(t, sms.Sent, deliveries(t, second)[0].Outcome)
		require.Equal(t, sms.InDoubt, deliveries(t, first)[0].Outcome)
	})
}

// Promise 4: a refusal of the second try, late or not, says nothing of the try
// before it, whose answer never came: its report still finds the message.
func TestPromise4ARefusalOfTheSecondTry(t *testing.T) {
	for _, late := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			b := newBench(t, &sms.Config{SendTimeout: 5 * time.Second, RetryPauses: []time.Duration{time.Second}})
			b.phone.SetOff(true)
			arrived := b.receive(t, nil)
			time.Sleep(time.Minute)
			_, err := b.fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Times: 1, Delay: 10 * time.Hour})
			require.NoError(t, err)
			time.AfterFunc(20*time.Second, func() {
				if late {
					delayAnswer(t, b, 8*time.Second)
				}
				_, err := b.fake.Inject(fakemodem.Fault{ID: "F33", Code: 38, Times: 1})
				require.NoError(t, err)
			})
			receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true, InDoubt: sms.DoubtRetry})
			require.ErrorIs(t, err, sms.ErrInDoubt)
			require.Equal(t, 2, receipt.Parts[0].Attempts)
			require.Equal(t, sms.InDoubt, deliveries(t, receipt)[0].Outcome)
			b.phone.SetOff(false)
			require.Equal(t, receipt.ID, next(t, arrived).Report.Message)
		})
	}
}

// Promise 3: a Send whose context ends between two tries returns, however many
// others have taken the modem meanwhile.
func TestPromise3SendReturnsWhenItsContextEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		require.NoError(t, b.service.Setup(t.Context()))
		b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result { return fakemodem.CMS(38) })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		ended := make(chan time.Duration)
		go func() {
			_, err := b.service.Send(ctx, sms.Message{To: b.phone.Number(), Text: "x"})
			require.ErrorIs(t, err, sms.ErrNotSent)
			ended <- time.Since(start)
		}()
		time.Sleep(2100 * time.Millisecond) // it was refused twice
		synctest.Wait()
		b.fake.OnCommand("+CMGS", nil)
		_, err := b.fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Times: -1, Delay: time.Minute})
		require.NoError(t, err)
		for range 5 {
			go b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "y"})
		}
		require.Less(t, <-ended, 5*time.Second)
		time.Sleep(time.Hour)
	})
}

// An Outbox writes to the disk as often as it must: the number and the message,
// that a part goes, what the modem said, the result, and that it was told.
func TestCommitsOfAnOutbox(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var commits []string
		store := &refusing{newMemory(), func(changes []sms.Change) bool {
			commits = append(commits, changes[0].Bucket)
			return false
		}}
		b := newBench(t, &sms.Config{Store: store})
		o, err := sms.NewOutbox(b.service, store, nil)
		require.NoError(t, err)
		_, err = o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true}})
		require.NoError(t, err)
		r := <-runOutbox(t, o, nil)
		require.NoError(t, r.Err)
		synctest.Wait()
		require.Equal(t, []string{"number", "outbox", "outbox", "receipt", "outbox", "outbox"}, commits)
	})
}

// What could not be noted did not go: a refusal later is no doubt.
func TestPromise4WhatCouldNotBeNotedDidNotGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		full := false
		store := &refusing{newMemory(), func(changes []sms.Change) bool { return full && changes[0].Bucket == "outbox" }}
		b := newBench(t, &sms.Config{Store: store})
		o, err := sms.NewOutbox(b.service, store, nil)
		require.NoError(t, err)
		_, err = o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: "x"}})
		require.NoError(t, err)
		full = true
		require.ErrorIs(t, o.Run(t.Context(), nil), errDisk)
		full = false
		_, err = b.fake.Inject(fakemodem.Fault{ID: "F33", Code: 21, Times: 1})
		require.NoError(t, err)
		r := <-runOutbox(t, o, nil)
		require.ErrorIs(t, r.Err, sms.ErrNotSent)
		require.Equal(t, sms.NotSent, r.Outcome)
	})
}
