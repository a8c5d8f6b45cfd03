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

// The reports of both copies of a part that was sent again name the message, also
// after a restart.
func TestReportsOfAPartSentTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := &sms.Config{SendTimeout: time.Minute, Store: storeIn(t)}
		b := newBench(t, cfg)
		b.phone.SetOff(true)
		require.NoError(t, b.service.Setup(t.Context()))
		loseAnswer(t, b)
		receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true, InDoubt: sms.DoubtRetry})
		require.NoError(t, err)
		time.Sleep(time.Hour)
		b.restart(t, cfg)
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		b.phone.SetOff(false)
		for range 2 {
			require.Equal(t, receipt.ID, next(t, arrived).Report.Message)
		}
	})
}

// A report that comes while its message is on its way to the modem does not wait
// for that when the store refuses it, and nothing else waits behind the report.
func TestAReportDoesNotWaitForWhatWasNotSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var full atomic.Bool
		store := &refusing{storeIn(t), func(changes []sms.Change) bool {
			if full.Load() && changes[0].Bucket == "receipt" {
				time.Sleep(5 * time.Second) // a disk that is slow to say so
				return true
			}
			return false
		}}
		b := newBench(t, &sms.Config{Store: store})
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		b.phone.SetOff(true)
		m := sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true}
		receipt, err := b.service.Send(t.Context(), m)
		require.NoError(t, err)
		full.Store(true)
		time.AfterFunc(time.Second, func() { b.phone.SetOff(false) })
		_, err = b.service.Send(t.Context(), m)
		require.ErrorIs(t, err, errDisk)
		full.Store(false)
		start := time.Now()
		require.Equal(t, receipt.ID, next(t, arrived).Report.Message)
		require.Less(t, time.Since(start), time.Hour)
	})
}

// Promise 4: a program that is killed while a later part of a long message is with
// the modem still knows that part by its report, even if that comes before the next
// one has its Outbox.
func TestPromise4ReportsOfALaterPartThatWasKilled(t *testing.T) {
	for _, late := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			store := newMemory()
			b := newBench(t, &sms.Config{Store: store})
			b.phone.SetOff(true)
			var parts atomic.Int32
			b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result {
				if parts.Add(1) == 2 {
					_, err := b.fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Times: 1, Delay: 10 * time.Hour})
					if err != nil {
						panic(err)
					}
				}
				return fakemodem.Default
			})
			o, err := sms.NewOutbox(b.service, store, nil)
			require.NoError(t, err)
			id, err := o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: threeParts, StatusReport: true}})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			left := make(chan *memory, 1)
			time.AfterFunc(15*time.Second, func() { left <- store.clone() }) // by a kill
			require.ErrorIs(t, o.Run(ctx, nil), context.DeadlineExceeded)
			require.Equal(t, int32(2), parts.Load())

			before := <-left
			b.restart(t, &sms.Config{Store: before})
			if !late {
				_, err = sms.NewOutbox(b.service, before, nil)
				require.NoError(t, err)
			}
			arrived := b.receive(t, nil)
			time.Sleep(time.Minute)
			b.phone.SetOff(false)
			told := make(map[int]bool)
			for range 2 {
				in := next(t, arrived)
				require.Equal(t, id, in.Report.Message)
				told[in.Report.Part] = true
			}
			require.Len(t, told, 2)
			o, err = sms.NewOutbox(b.service, before, nil)
			require.NoError(t, err)
			b.fake.OnCommand("+CMGS", nil)
			r := <-runOutbox(t, o, nil)
			require.NoError(t, r.Err, "the report settles the doubt")
		})
	}
}

// A message in doubt of which the Outbox has told keeps its report, though the
// program that told it is killed right then.
func TestPromise4ADoubtThatWasToldKeepsItsReport(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newMemory()
		b := newBench(t, &sms.Config{Store: store})
		require.NoError(t, b.service.Setup(t.Context()))
		b.phone.SetOff(true)
		loseAnswer(t, b)
		o, err := sms.NewOutbox(b.service, store, nil)
		require.NoError(t, err)
		id, err := o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true}})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		left := make(chan *memory, 2)
		time.AfterFunc(10*time.Second, func() { left <- store.clone() }) // by a kill
		require.ErrorIs(t, o.Run(ctx, nil), context.DeadlineExceeded)

		store = <-left
		b.restart(t, &sms.Config{Store: store})
		o, err = sms.NewOutbox(b.service, store, nil)
		require.NoError(t, err)
		r := <-runOutbox(t, o, nil)
		require.ErrorIs(t, r.Err, sms.ErrInDoubt)
		synctest.Wait()
		require.Zero(t, o.Len())
		store = store.clone()

		b.restart(t, &sms.Config{Store: store})
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		b.phone.SetOff(false)
		require.Equal(t, id, next(t, arrived).Report.Message)
	})
}

// Reports are waited for from when a message goes, and not from when it was tried
// first: in an Outbox days may lie between.
func TestReportsAreAwaitedFromTheLastTry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newMemory()
		b := newBench(t, &sms.Config{Store: store, RetryPauses: []time.Duration{}})
		arrived := b.receive(t, nil)
		o, err := sms.NewOutbox(b.service, store, &sms.OutboxConfig{RetryPause: time.Hour})
		require.NoError(t, err)
		var out atomic.Bool
		out.Store(true)
		b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result {
			if out.Load() {
				return fakemodem.CMS(38)
			}
			return fakemodem.Default
		})
		id, err := o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true}})
		require.NoError(t, err)
		time.AfterFunc(71*time.Hour, func() { out.Store(false) })
		b.phone.SetOff(true)
		r := <-runOutbox(t, o, nil)
		require.NoError(t, r.Err)
		time.Sleep(5 * time.Hour)
		require.Equal(t, sms.Pending, deliveries(t, r.Receipt)[0].State)
		_, err = b.service.Send(t.Context(), sms.Message{To: "+15555550199", Text: "y", StatusReport: true})
		require.NoError(t, err)
		b.phone.SetOff(false)
		for {
			if in := next(t, arrived); in.Report.To == b.phone.Number() {
				require.Equal(t, id, in.Report.Message)
				return
			}
		}
	})
}

// flaky is a store whose records cannot be read once.
type flaky struct {
	sms.Store
	bucket string
}

func (f *flaky) Load(bucket string, g func(key, value []byte) error) error {
	if bucket != f.bucket {
		return f.Store.Load(bucket, g)
	}
	f.bucket = ""
	return errors.Join(f.Store.Load(bucket, g), errDisk)
}

// Promise 5: a store that could not be read at first is read again as a whole:
// nothing is doubled, and no part that is in it alone is lost.
func TestPromise5AStoreIsReadAgain(t *testing.T) {
	for _, bucket := range []string{"reference", "flight", "receipt", "number", "seen", "part"} {
		t.Run(bucket, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				store := newMemory()
				b := newBench(t, &sms.Config{Store: store})
				stop := b.receiveUntil(t)
				hold := 0
				b.network.SMSC().Configure(fakemodem.SMSCConfig{Inspect: func(*fakemodem.Submission) fakemodem.Verdict {
					if hold++; hold == 2 {
						return fakemodem.Vanish
					}
					return fakemodem.Forward
				}})
				require.NoError(t, b.phone.Send(b.fake.Number(), threeParts))
				time.Sleep(time.Minute)
				synctest.Wait()
				stop.cancel()
				require.Equal(t, 2, store.count("part"))

				cfg := &sms.Config{Store: &flaky{store, bucket}}
				b.restart(t, cfg)
				require.ErrorIs(t, b.service.Receive(t.Context(), nil), errDisk)
				stop = b.receiveUntil(t)
				require.NoError(t, b.phone.Send(b.fake.Number(), "another"))
				require.Equal(t, "another", next(t, stop.arrived).Text)
				time.Sleep(time.Minute)
				require.Empty(t, stop.arrived)
				require.Equal(t, 2, store.count("part"))
				stop.cancel()
			})
		})
	}
}

// A store that was written before there were receipts and numbers in it: what lies
// in its outbox is told, its number is not given again, and its report finds it.
func TestAStoreOfAnOlderVersion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newMemory()
		record := `{"id":7,"message":{"To":"+15555550123","Text":"x","StatusReport":true},"expires":"2000-01-04T00:00:00Z","state":1,` +
			`"parts":[{"Outcome":2,"Reference":0,"Attempts":1,"Time":"2000-01-01T00:00:00Z"}]}`
		key := []byte{0, 0, 0, 0, 0, 0, 0, 7}
		require.NoError(t, store.Commit([]sms.Change{{Bucket: "outbox", Key: key, Value: []byte(record)}}))
		b := newBench(t, &sms.Config{Store: store})
		arrived := b.receive(t, nil)
		o, err := sms.NewOutbox(b.service, store, nil)
		require.NoError(t, err)
		id, err := o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: "y"}})
		require.NoError(t, err)
		require.Greater(t, id, uint64(7))
		results := runOutbox(t, o, nil)
		r := <-results
		require.Equal(t, uint64(7), r.ID)
		require.ErrorIs(t, r.Err, sms.ErrInDoubt)
		require.Equal(t, sms.Sent, (<-results).Outcome)
		require.Len(t, b.phone.Inbox(), 1)
		b.emitReport([]byte{6, 200, 11, 0x91, 0x51, 0x55, 0x55, 0x05, 0x21, 0xF3, 0, 0x10, 0x10, 0, 0, 0x10, 0, 0, 0x10, 0x10, 0, 0, 0x10, 0, 0})
		in := next(t, arrived)
		require.Equal(t, uint64(7), in.Report.Message)
		require.Equal(t, 1, in.Report.Part)
	})
}

// A report that overtakes the answer to its message is not given to an older one
// with the same reference, which came round.
func TestAReportThatOvertakesIsNotTheOlderMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		arrived := b.receive(t, nil)
		b.phone.SetOff(true)
		m := sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true}
		older, err := b.service.Send(t.Context(), m)
		require.NoError(t, err)
		for range 255 {
			_, err := b.service.Send(t.Context(), sms.Message{To: "+15555550199", Text: "y"})
			require.NoError(t, err)
		}
		time.Sleep(time.Until(time.Date(2000, 1, 1, 0, 4, 0, 0, time.UTC)))
		delayAnswer(t, b, 5*time.Second)
		reference := older.Parts[0].Reference
		time.AfterFunc(time.Second, func() {
			b.emitReport([]byte{6, reference, 11, 0x91, 0x51, 0x55, 0x55, 0x05, 0x21, 0xF3, 0, 0x10, 0x10, 0, 0x40, 0, 0, 0, 0x10, 0x10, 0, 0x40, 0, 0, 0})
		})
		receipt, err := b.service.Send(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, reference, receipt.Parts[0].Reference)
		require.Equal(t, receipt.ID, next(t, arrived).Report.Message)
	})
}

// A Service that has sent without a store does not take over that of an Outbox:
// their numbers would mean two messages each.
func TestAStoreIsNotTakenOverLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newMemory()
		b := newBench(t, &sms.Config{Store: store})
		b.phone.SetOff(true)
		m := sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true}
		first, err := b.service.Send(t.Context(), m)
		require.NoError(t, err)
		b.restart(t, nil)
		m.To = "+15555550199"
		second, err := b.service.Send(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, first.ID, second.ID)
		_, err = sms.NewOutbox(b.service, store, nil)
		require.NoError(t, err)
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		b.phone.SetOff(false)
		for {
			if in := next(t, arrived); in.Report.To == b.phone.Number() {
				require.Zero(t, in.Report.Message)
				return
			}
		}
	})
}
