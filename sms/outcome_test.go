package sms_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// A part whose answer never comes is in doubt, and is not sent again unless the
// caller says so.
func TestPromise4InDoubt(t *testing.T) {
	for _, test := range []struct {
		name   string
		policy sms.DoubtPolicy
		copies int
	}{{"reported", sms.DoubtDefault, 1}, {"sent again", sms.DoubtRetry, 2}} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, &sms.Config{SendTimeout: time.Minute})
				require.NoError(t, b.service.Setup(t.Context()))
				loseAnswer(t, b)
				receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "once", InDoubt: test.policy})
				if test.copies == 1 {
					require.ErrorIs(t, err, sms.ErrInDoubt)
					require.Equal(t, sms.InDoubt, receipt.Parts[0].Outcome)
				} else {
					require.NoError(t, err)
				}
				time.Sleep(time.Hour)
				require.Len(t, b.phone.Inbox(), test.copies)
			})
		})
	}
}

// loseAnswer keeps the answer to the next message back until nobody waits for it.
func loseAnswer(t *testing.T, b *bench) {
	_, err := b.fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Times: 1, Delay: 10 * time.Minute})
	require.NoError(t, err)
}

// An answer that comes after the limit settles what was in doubt.
func TestLateAnswerSettlesADoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var settled []sms.Outcome
		b := newBench(t, &sms.Config{SendTimeout: 10 * time.Second, OnEvent: func(e sms.Event) {
			if e.Kind == sms.EventSettled {
				settled = append(settled, e.Outcome)
			}
		}})
		require.NoError(t, b.service.Setup(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel) // the message is out by then, its answer is not
		delayAnswer(t, b, 5*time.Second)
		receipt, err := b.service.Send(ctx, sms.Message{To: b.phone.Number(), Text: "late", StatusReport: true})
		require.ErrorIs(t, err, sms.ErrInDoubt)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []sms.Outcome{sms.Sent}, settled)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		known, _ := receipt.Wait(short)
		require.Equal(t, sms.Sent, known[0].Outcome)
	})
}

func delayAnswer(t *testing.T, b *bench, d time.Duration) {
	_, err := b.fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Times: 1, Delay: d})
	require.NoError(t, err)
}

func TestWaitForReports(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.receive(t, nil)
		time.Sleep(time.Minute)
		receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: strings.Repeat("x", 400), StatusReport: true})
		require.NoError(t, err)
		known, err := receipt.Wait(t.Context())
		require.NoError(t, err)
		require.Len(t, known, 3)
		for _, d := range known {
			require.Equal(t, sms.Delivered, d.State)
		}

		receipt, err = b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x"})
		require.NoError(t, err)
		_, err = receipt.Wait(t.Context())
		require.ErrorIs(t, err, sms.ErrNoReport)
	})
}

// The network keeps trying for as long as the message is valid, then says so.
func TestWaitForAPhoneThatIsOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.receive(t, nil)
		b.phone.SetOff(true)
		receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true, Validity: time.Hour})
		require.NoError(t, err)
		soon, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		known, err := receipt.Wait(soon)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, sms.Pending, known[0].State)
		known, err = receipt.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, sms.Expired, known[0].State)
	})
}

// References repeat after 256 parts; each report still finds its part.
func TestReportsAcrossReferenceWrap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.receive(t, nil)
		b.phone.SetOff(true)
		var receipts []sms.Receipt
		for range 300 {
			receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x", StatusReport: true})
			require.NoError(t, err)
			receipts = append(receipts, receipt)
			time.Sleep(time.Minute)
		}
		require.Equal(t, receipts[0].Parts[0].Reference, receipts[256].Parts[0].Reference)
		b.phone.SetOff(false)
		for i, receipt := range receipts {
			known, err := receipt.Wait(t.Context())
			require.NoError(t, err)
			require.Equal(t, sms.Delivered, known[0].State, i)
		}
	})
}

// A service centre that is missing is set from Config.
func TestServiceCentreIsSet(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{ServiceCentre: "+491710760000"})
		asked := ""
		b.fake.OnCommand("+CSCA", func(c *fakemodem.Call) fakemodem.Result {
			if c.Op == fakemodem.Set {
				asked = c.Text
			} else {
				c.Info(`+CSCA: "",129`)
			}
			return fakemodem.OK
		})
		require.NoError(t, b.service.Setup(t.Context()))
		require.Equal(t, `"+491710760000"`, asked)
	})
}

// A refused message names what would help.
func TestErrorClass(t *testing.T) {
	for code, class := range map[int]at.Class{21: at.ClassPermanent, 38: at.ClassTemporary, 322: at.ClassStorage, 330: at.ClassConfiguration} {
		require.Equal(t, class, (&sms.SendError{Err: at.CMSError{Code: code}}).Class())
	}
}

// Promise 1 and 4: the late answer to a message that nobody waits for any more
// says nothing of the next one, which waits for the modem meanwhile.
func TestPromise4ALateAnswerIsNotTheNextMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{Quirks: sms.Quirks{PromptGap: 50 * time.Millisecond}})
		require.NoError(t, b.service.Setup(t.Context()))
		delayAnswer(t, b, 5*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.service.Send(ctx, sms.Message{To: b.phone.Number(), Text: "first"})
		require.ErrorIs(t, err, sms.ErrInDoubt)
		err = b.sendUntil(t, sms.Message{To: b.phone.Number(), Text: "second"}, 1)
		require.ErrorIs(t, err, sms.ErrNotSent)
		time.Sleep(time.Minute)
		require.Len(t, b.phone.Inbox(), 1)
	})
}
