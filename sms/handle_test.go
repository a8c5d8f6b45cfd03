package sms_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// What the modem hands over is taken and acknowledged in time while the modem
// keeps a message of ours waiting, and a sweep waits for that.
func TestHandedOverWhileASendIsWaiting(t *testing.T) {
	for _, durable := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			cfg := &sms.Config{SendTimeout: 5 * time.Minute, SweepInterval: 10 * time.Second}
			if durable {
				cfg.Store = storeIn(t)
			}
			b := newBench(t, cfg)
			arrived := b.receive(t, nil)
			time.Sleep(5 * time.Second)
			delayAnswer(t, b, 3*time.Minute)
			sent := make(chan error)
			go func() {
				_, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "slow"})
				sent <- err
			}()
			time.Sleep(30 * time.Second) // a sweep waits
			_, err := b.other(t).Send(t.Context(), sms.Message{To: b.fake.Number(), Text: "now", Class: tpdu.Class0})
			require.NoError(t, err)
			select {
			case in := <-arrived:
				require.Equal(t, "now", in.Text)
			case <-time.After(time.Minute):
				require.Fail(t, "it waited for the send")
			}
			require.NoError(t, <-sent)
			time.Sleep(time.Hour)
			synctest.Wait()
			require.Empty(t, arrived, "once is enough")
		})
	}
}

// F54: a report that the handler refuses comes again, but counts once: it is
// not taken for that of another message with the same reference.
func TestAReportCountsOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		var refusals atomic.Int32
		b.receive(t, func(sms.Incoming) error {
			if refusals.Add(1) <= 3 {
				return errors.New("not now")
			}
			return nil
		})
		time.Sleep(time.Minute)
		_, err := b.fake.Inject(fakemodem.Fault{ID: "F54", Times: -1})
		require.NoError(t, err)
		send := func(text string) sms.Receipt {
			receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: text, StatusReport: true, Validity: time.Hour})
			require.NoError(t, err)
			return receipt
		}
		b.network.SMSC().Configure(fakemodem.SMSCConfig{Inspect: func(in *fakemodem.Submission) fakemodem.Verdict {
			var d tpdu.Deliver
			if d.Decode(in.TPDU) == nil {
				if text, err := d.AppendText(nil); err == nil && string(text) == "lost" {
					return fakemodem.Vanish
				}
			}
			return fakemodem.Forward
		}})
		lost := send("lost")
		time.Sleep(time.Minute)
		delivered := send("delivered")
		known, err := delivered.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, sms.Delivered, known[0].State)
		known, err = lost.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, sms.Expired, known[0].State)
		require.Greater(t, refusals.Load(), int32(3))
	})
}

// A sender that sends a part again, because it did not know whether it had
// left, does not spoil the message, nor leave anything behind.
func TestAPartSentAgain(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			cfg := &sms.Config{}
			if durable {
				cfg.Store = storeIn(t)
			}
			b := newBench(t, cfg)
			arrived := b.receive(t, nil)
			time.Sleep(time.Minute)
			text := strings.Repeat("a long story, ", 30)
			parts := submits(t, b.fake.Number(), text)
			require.Len(t, parts, 3)
			for _, i := range []int{0, 1, 1, 2} {
				require.NoError(t, b.phone.SendTPDU(parts[i]))
				time.Sleep(time.Minute) // another time stamp
			}
			require.Len(t, arrived, 1)
			in := <-arrived
			require.NoError(t, in.Err)
			require.Equal(t, text, in.Text)
			time.Sleep(100 * time.Hour)
			synctest.Wait()
			require.Empty(t, arrived)
			require.Empty(t, b.fake.Messages("ME"))
		})
	}
}

// A handler that takes nothing does not fill the memory: what it leaves stays
// in the modem or with the network, and comes when it takes again.
func TestBacklog(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			var refusing atomic.Bool
			refusing.Store(true)
			seen := make(map[string]bool)
			b := newBench(t, &sms.Config{Store: storeIn(t), Backlog: 3, Quirks: sms.Quirks{Direct: direct}})
			arrived := b.receive(t, func(in sms.Incoming) error {
				if refusing.Load() {
					seen[in.Text] = true
					return errors.New("disk full")
				}
				return nil
			})
			time.Sleep(time.Minute)
			texts := strings.Split("abcdefghij", "")
			for _, text := range texts {
				require.NoError(t, b.phone.Send(b.fake.Number(), text))
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			require.LessOrEqual(t, len(seen), 3)
			refusing.Store(false)
			time.Sleep(time.Hour)
			synctest.Wait()
			require.Len(t, arrived, len(texts))
		})
	}
}

// A place in the modem is not emptied once something else may lie in it: here
// another SIM is in the modem when the handler takes the message at last.
func TestNothingElseIsDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{SweepInterval: 20 * time.Minute})
		release := make(chan struct{})
		first := true
		arrived := b.receive(t, func(sms.Incoming) error {
			if first {
				first = false
				<-release
			}
			return nil
		})
		time.Sleep(time.Minute)
		require.NoError(t, b.phone.Send(b.fake.Number(), "slowly taken"))
		time.Sleep(time.Minute)
		var deleted atomic.Int32
		b.fake.OnCommand("+CMGD", func(*fakemodem.Call) fakemodem.Result {
			deleted.Add(1)
			return fakemodem.Default
		})
		b.service.Reset()
		close(release)
		require.Equal(t, "slowly taken", (<-arrived).Text)
		synctest.Wait()
		require.Zero(t, deleted.Load(), "what lies there now was not looked at")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.EqualValues(t, 1, deleted.Load(), "it is found again and known")
		require.Empty(t, arrived)
	})
}
