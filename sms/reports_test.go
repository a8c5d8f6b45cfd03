package sms_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// restart ends what a program does and begins the next one on the same modem.
func (b *bench) restart(t *testing.T, cfg *sms.Config) {
	b.modem.Close()
	b.modem = at.New(b.fake.Line(), nil)
	t.Cleanup(func() { b.modem.Close() })
	b.service = sms.New(b.modem, cfg)
}

// next is what arrives next, within a day.
func next(t *testing.T, arrived <-chan sms.Incoming) sms.Incoming {
	t.Helper()
	select {
	case in := <-arrived:
		return in
	case <-time.After(24 * time.Hour):
		require.Fail(t, "nothing arrived")
		return sms.Incoming{}
	}
}

// A report finds its message after a restart, by an Outbox or by Send, whether
// the Service or the Outbox has the store, for all parts of a long one.
func TestReportsAfterARestart(t *testing.T) {
	for _, test := range []struct {
		name           string
		outbox, own    bool // sent by an Outbox; the Service has the store, too
		direct, refers bool // by +CDS with +CNMA; modem gives references
		text           string
	}{
		{"outbox", true, true, false, true, "x"},
		{"outbox with the only store", true, false, false, true, "x"},
		{"outbox, long", true, true, true, true, threeParts},
		{"send", false, true, false, true, "x"},
		{"send, long", false, true, true, true, threeParts},
		{"no references (F54)", true, true, true, false, threeParts},
		{"no reference (F54)", false, true, true, false, "x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				store := storeIn(t)
				cfg := &sms.Config{Quirks: sms.Quirks{Direct: test.direct}}
				if test.own {
					cfg.Store = store
				}
				b := newBench(t, cfg)
				if !test.refers {
					_, err := b.fake.Inject(fakemodem.Fault{ID: "F54", Times: -1})
					require.NoError(t, err)
				}
				b.phone.SetOff(true)
				m := sms.Message{To: b.phone.Number(), Text: test.text, StatusReport: true}
				var receipt sms.Receipt
				if test.outbox {
					o, err := sms.NewOutbox(b.service, store, nil)
					require.NoError(t, err)
					id, err := o.Enqueue(sms.OutMessage{Message: m})
					require.NoError(t, err)
					ctx, cancel := context.WithCancel(t.Context())
					require.ErrorIs(t, o.Run(ctx, func(_ context.Context, r sms.OutboxResult) error {
						receipt = r.Receipt
						cancel()
						return nil
					}), context.Canceled)
					require.Equal(t, id, receipt.ID)
				} else {
					var err error
					receipt, err = b.service.Send(t.Context(), m)
					require.NoError(t, err)
				}
				require.NotZero(t, receipt.ID)
				time.Sleep(3 * time.Hour)

				b.restart(t, cfg)
				if test.outbox {
					_, err := sms.NewOutbox(b.service, store, nil)
					require.NoError(t, err)
				}
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				b.phone.SetOff(false)
				told := make(map[int]bool)
				for range receipt.Parts {
					in := next(t, arrived)
					require.NotNil(t, in.Report)
					require.Equal(t, receipt.ID, in.Report.Message)
					told[in.Report.Part] = true
				}
				for i := range receipt.Parts {
					require.True(t, told[i+1], i)
				}
				again, err := b.service.Receipt(t.Context(), receipt.ID)
				require.NoError(t, err)
				require.Equal(t, receipt.ID, again.ID)
				require.Equal(t, receipt.Parts[0].Attempts, again.Parts[0].Attempts)
				require.Equal(t, receipt.Parts[0].Time.UTC(), again.Parts[0].Time.UTC())
				known, err := again.Wait(t.Context())
				require.NoError(t, err)
				for _, d := range known {
					require.Equal(t, sms.Delivered, d.State)
				}
				time.Sleep(time.Hour)
				require.Empty(t, arrived)
			})
		})
	}
}

// Promises 4 and 5: a program that is killed between sending and the answer, or
// between a report and its acknowledgment, at each of its commits, knows in the
// next run which message the report is about, and hands it over under one
// identity.
func TestPromise5ReportsOfAKilledProgram(t *testing.T) {
	sent := 0
	for commits := range 14 {
		bubble(t, func(t *testing.T) {
			store := storeIn(t)
			dying := killedAfter(store, commits)
			cfg := func(s sms.Store) *sms.Config {
				return &sms.Config{Store: s, Quirks: sms.Quirks{Direct: true}}
			}
			b := newBench(t, cfg(dying))
			b.fake.OnCommand("+CMGD", func(*fakemodem.Call) fakemodem.Result {
				require.GreaterOrEqual(t, dying.alive.Load(), int64(0), "deleted by a program that was killed")
				return fakemodem.Default
			})
			dying.die = func() { b.fake.Line() } // cuts the program off
			o, err := sms.NewOutbox(b.service, dying, nil)
			require.NoError(t, err)
			id, err := o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true}})
			if err != nil {
				return // killed before it was queued
			}
			ids := make(map[string]bool)
			take := func(_ context.Context, in sms.Incoming) error {
				require.Equal(t, id, in.Report.Message)
				require.Equal(t, 1, in.Report.Part)
				ids[in.ID] = true
				return nil
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- b.service.Receive(ctx, take) }()
			run, stop := context.WithTimeout(t.Context(), 5*time.Second)
			_ = o.Run(run, func(context.Context, sms.OutboxResult) error { return nil })
			stop()
			b.modem.Close()
			cancel()
			<-ended

			time.Sleep(5 * time.Second) // before the network tries again, which the modem would not hand over
			b.restart(t, cfg(store))
			o, err = sms.NewOutbox(b.service, store, nil)
			require.NoError(t, err)
			b.receive(t, func(in sms.Incoming) error { return take(t.Context(), in) })
			var result sms.OutboxResult
			if o.Len() > 0 {
				result = <-runOutbox(t, o, nil)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if len(b.phone.Inbox()) == 0 { // killed when it was noted that it was about to go
				require.ErrorIs(t, result.Err, sms.ErrInDoubt)
				require.Empty(t, ids)
				return
			}
			sent++
			require.Len(t, b.phone.Inbox(), 1, commits)
			require.Len(t, ids, 1, commits)
			receipt, err := b.service.Receipt(t.Context(), id)
			require.NoError(t, err)
			known, err := receipt.Wait(t.Context())
			require.NoError(t, err)
			require.Equal(t, sms.Sent, known[0].Outcome)
			require.Equal(t, sms.Delivered, known[0].State)
		})
	}
	require.GreaterOrEqual(t, sent, 10)
}

// A program that is killed before Send returned does not know the ID; what is
// told of the message later is kept under it all the same.
func TestReportsOfASendThatWasKilled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := storeIn(t)
		dying := killedAfter(store, 2) // the number, and that it goes to the modem
		b := newBench(t, &sms.Config{Store: dying})
		_, err := b.service.Send(t.Context(), sms.Message{To: "+15555550123", Text: "x", StatusReport: true})
		require.NoError(t, err)
		require.Negative(t, dying.alive.Load())
		require.Equal(t, "x", b.phone.Inbox()[0].Text)
		b.restart(t, &sms.Config{Store: store})
		arrived := b.receive(t, nil)
		time.Sleep(time.Second)
		b.emitReport([]byte{6, 200, 11, 0x91, 0x51, 0x55, 0x55, 0x05, 0x21, 0xF3, 0, 0x10, 0x10, 0, 0, 0x10, 0, 0, 0x10, 0x10, 0, 0, 0x10, 0, 0})
		in := next(t, arrived)
		require.NotZero(t, in.Report.Message)
		receipt, err := b.service.Receipt(t.Context(), in.Report.Message)
		require.NoError(t, err)
		known, err := receipt.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, sms.Sent, known[0].Outcome)
		require.Equal(t, sms.Delivered, known[0].State)
	})
}

// F45: a report that the network sends again is given once, and one that the
// service centre makes anew for the same part names the same message.
func TestF45AReportComesAgain(t *testing.T) {
	for _, restart := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			duplicates := 0
			cfg := &sms.Config{Store: storeIn(t), OnEvent: func(e sms.Event) {
				if e.Kind == sms.EventDuplicate {
					duplicates++
				}
			}}
			b := newBench(t, cfg)
			stop := b.receiveUntil(t)
			receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true})
			require.NoError(t, err)
			in := next(t, stop.arrived)
			require.Equal(t, receipt.ID, in.Report.Message)
			later, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "y", StatusReport: true})
			require.NoError(t, err)
			require.Equal(t, later.ID, next(t, stop.arrived).Report.Message)
			stop.cancel()
			if restart {
				b.restart(t, cfg)
			}
			arrived := b.receive(t, nil)
			time.Sleep(time.Minute)
			b.emitReport(in.TPDUs[0])
			time.Sleep(time.Minute)
			synctest.Wait()
			require.Empty(t, arrived)
			require.Equal(t, 1, duplicates)
			anew := append([]byte(nil), in.TPDUs[0]...)
			anew[len(anew)-4]++ // another minute of TP-DT
			b.emitReport(anew)
			require.Equal(t, receipt.ID, next(t, arrived).Report.Message)
		})
	}
}

// stoppable is a Receive that a test ends.
type stoppable struct {
	arrived <-chan sms.Incoming
	cancel  func()
}

func (b *bench) receiveUntil(t *testing.T) stoppable {
	arrived := make(chan sms.Incoming, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.service.Receive(ctx, func(_ context.Context, in sms.Incoming) error {
			arrived <- in
			return nil
		})
	}()
	return stoppable{arrived, func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	}}
}

// emitReport has the modem hand over a status report.
func (b *bench) emitReport(tpdu []byte) {
	b.fake.Emit(statusReport(tpdu))
}

// A report that no message of ours explains is handed over all the same.
func TestReportsOfNoMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{Store: storeIn(t)})
		arrived := b.receive(t, nil)
		_, err := b.service.Receipt(t.Context(), 7)
		require.ErrorIs(t, err, sms.ErrNoReceipt)
		_, err = b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x"}) // no report wanted
		require.NoError(t, err)
		other := b.network.NewModem(fakemodem.SIM800)
		modem := at.New(other.Line(), nil)
		defer modem.Close()
		theirs := sms.New(modem, nil)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		var report []byte
		go func() {
			ended <- theirs.Receive(ctx, func(_ context.Context, in sms.Incoming) error {
				report = in.TPDUs[0]
				return nil
			})
		}()
		_, err = theirs.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		b.emitReport(report)
		in := next(t, arrived)
		require.NotNil(t, in.Report)
		require.Zero(t, in.Report.Message)
		require.Zero(t, in.Report.Part)
	})
}

// A report that overtakes the answer to its +CMGS waits for that, and names its
// message even if another one with the reference it has is under way.
func TestAReportOvertakesTheAnswer(t *testing.T) {
	for _, delay := range []time.Duration{5 * time.Second, time.Minute, 20 * time.Minute} { // settled, late, lost
		bubble(t, func(t *testing.T) {
			b := newBench(t, &sms.Config{Store: storeIn(t), SendTimeout: 90 * time.Second})
			arrived := b.receive(t, nil)
			time.Sleep(time.Minute)
			_, err := b.fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Times: 1, Delay: delay})
			require.NoError(t, err)
			receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true})
			require.NoError(t, err, "the report tells that it was sent")
			require.Equal(t, receipt.ID, next(t, arrived).Report.Message)
			known, err := receipt.Wait(t.Context())
			require.NoError(t, err)
			require.Equal(t, sms.Delivered, known[0].State)
		})
	}
}

// refusing is a store that refuses some commits.
type refusing struct {
	sms.Store
	refuse func(changes []sms.Change) bool
}

var errDisk = errors.New("disk full")

func (r *refusing) Commit(changes []sms.Change) error {
	if r.refuse(changes) {
		return errDisk
	}
	return r.Store.Commit(changes)
}

// Nothing goes to the modem before it is noted, and no report is acknowledged
// before what it told is.
func TestReceiptsThatTheStoreRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var full atomic.Bool
		store := &refusing{storeIn(t), func(changes []sms.Change) bool { return full.Load() && changes[0].Bucket == "receipt" }}
		b := newBench(t, &sms.Config{Store: store, Quirks: sms.Quirks{Direct: true}})
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		full.Store(true)
		m := sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true}
		receipt, err := b.service.Send(t.Context(), m)
		require.ErrorIs(t, err, errDisk)
		require.ErrorIs(t, err, sms.ErrNotSent)
		require.Zero(t, receipt.Parts[0].Attempts)
		time.Sleep(time.Hour)
		require.Empty(t, b.phone.Inbox())

		full.Store(false)
		b.phone.SetOff(true)
		receipt, err = b.service.Send(t.Context(), m)
		require.NoError(t, err)
		full.Store(true)
		b.phone.SetOff(false)
		time.Sleep(10 * time.Minute)
		require.Empty(t, arrived)
		full.Store(false)
		in := next(t, arrived)
		require.Equal(t, receipt.ID, in.Report.Message)
		require.Equal(t, 1, in.Report.Part)
		time.Sleep(24 * time.Hour)
		require.Empty(t, arrived)
	})
}

// Clocks that are set between two runs neither end a wait at once nor prolong
// it for years.
func TestReceiptsWhenTheClockIsSet(t *testing.T) {
	for _, jump := range []time.Duration{-30 * 365 * 24 * time.Hour, 30 * 365 * 24 * time.Hour} {
		bubble(t, func(t *testing.T) {
			store := storeIn(t)
			cfg := &sms.Config{Store: store}
			b := newBench(t, cfg)
			b.phone.SetOff(true)
			receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true})
			require.NoError(t, err)
			shiftReceipts(t, store, jump)
			b.restart(t, cfg)
			arrived := b.receive(t, nil)
			again, err := b.service.Receipt(t.Context(), receipt.ID)
			require.NoError(t, err)
			soon, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
			defer cancel()
			_, err = again.Wait(soon)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			b.phone.SetOff(false)
			require.Equal(t, receipt.ID, next(t, arrived).Report.Message)

			b.phone.SetOff(true)
			receipt, err = b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "y", StatusReport: true})
			require.NoError(t, err)
			shiftReceipts(t, store, jump)
			b.restart(t, cfg)
			again, err = b.service.Receipt(t.Context(), receipt.ID)
			require.NoError(t, err)
			began := time.Now()
			known, err := again.Wait(t.Context())
			require.NoError(t, err)
			require.Equal(t, sms.Expired, known[0].State)
			require.LessOrEqual(t, time.Since(began), 72*time.Hour)
		})
	}
}

// IDs are never used again, whatever was told and forgotten meanwhile.
func TestIDsAreNotUsedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := storeIn(t)
		seen := make(map[uint64]bool)
		for range 3 {
			b := newBench(t, &sms.Config{Store: store})
			o, err := sms.NewOutbox(b.service, store, nil)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			var last uint64
			for range 70 {
				id, err := o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: "x"}})
				require.NoError(t, err)
				require.False(t, seen[id], id)
				require.Greater(t, id, last)
				seen[id], last = true, id
			}
			receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "y", StatusReport: true})
			require.NoError(t, err)
			require.False(t, seen[receipt.ID])
			seen[receipt.ID] = true
			_ = o.Run(ctx, func(context.Context, sms.OutboxResult) error {
				if o.Len() == 1 {
					cancel()
				}
				return nil
			})
			require.Zero(t, o.Len())
			b.modem.Close()
		}
	})
}

// What is followed has its time, in the store too.
func TestReceiptsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := newMemory()
		b := newBench(t, &sms.Config{Store: store})
		for range 3 {
			_, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: threeParts, StatusReport: true})
			require.NoError(t, err)
			require.Equal(t, 3, store.count("receipt"))
			time.Sleep(72 * time.Hour)
		}
		_, err := b.service.Send(t.Context(), sms.Message{To: "+15555550199", Text: "x", StatusReport: true})
		require.NoError(t, err)
		b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result { return fakemodem.CMS(21) })
		_, err = b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true})
		require.ErrorIs(t, err, sms.ErrNotSent)
		require.Equal(t, 1, store.count("receipt"), "of what was not sent, no report can come")
	})
}
