package sms_test

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
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

// submissions lists what the network's service centre takes.
type submissions struct {
	mu  sync.Mutex
	all []tpdu.Concat
}

func watchSubmissions(n *fakemodem.Network) *submissions {
	s := &submissions{}
	n.SMSC().Configure(fakemodem.SMSCConfig{Inspect: func(in *fakemodem.Submission) fakemodem.Verdict {
		var d tpdu.Deliver
		if d.Decode(in.TPDU) == nil {
			c, _ := d.UserData.Header.Concat()
			s.mu.Lock()
			s.all = append(s.all, c)
			s.mu.Unlock()
		}
		return fakemodem.Forward
	}})
	return s
}

func (s *submissions) parts() (numbers []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		numbers = append(numbers, int(c.Part))
	}
	return numbers
}

var threeParts = strings.Repeat("Level 3.2 m. ", 30)

// Promise 4: when a later part of a long message is refused for now, those that
// were sent are not sent again, by the same program or the next.
func TestPromise4OutboxResumesALongMessage(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(map[bool]string{false: "same program", true: "next program"}[restart], func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				store := storeIn(t)
				b := newBench(t, &sms.Config{Store: store, RetryPauses: []time.Duration{}})
				seen := watchSubmissions(b.network)
				sent := 0
				b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result {
					if sent++; sent > 1 && sent < 4 {
						return fakemodem.CMS(38)
					}
					return fakemodem.Default
				})
				o, err := sms.NewOutbox(b.service, store, nil)
				require.NoError(t, err)
				_, err = o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: threeParts, StatusReport: true}})
				require.NoError(t, err)
				if restart {
					ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
					require.ErrorIs(t, o.Run(ctx, nil), context.DeadlineExceeded)
					cancel()
					require.Equal(t, []int{1}, seen.parts())
					b.service = sms.New(b.modem, &sms.Config{Store: store, RetryPauses: []time.Duration{}})
					o, err = sms.NewOutbox(b.service, store, nil)
					require.NoError(t, err)
				}
				b.receive(t, nil)
				r := <-runOutbox(t, o, nil)
				require.NoError(t, r.Err)
				require.Equal(t, []int{1, 2, 3}, seen.parts())
				require.Equal(t, seen.all[0].Reference, seen.all[2].Reference)
				for _, p := range r.Receipt.Parts {
					require.Equal(t, sms.Sent, p.Outcome)
					require.NotZero(t, p.Time)
				}
				known, err := r.Receipt.Wait(t.Context())
				require.NoError(t, err)
				for i, d := range known {
					if restart && i == 0 {
						continue // its report came while no program listened
					}
					require.Equal(t, sms.Delivered, d.State, i)
				}
				require.Len(t, b.phone.Inbox(), 1)
			})
		})
	}
}

// killed is a store whose last commits never reached the disk.
type killed struct {
	sms.Store
	die   func()       // nil: nothing
	alive atomic.Int64 // commits
}

func killedAfter(store sms.Store, commits int) *killed {
	k := &killed{Store: store}
	k.alive.Store(int64(commits))
	return k
}

func (k *killed) Commit(changes []sms.Change) error {
	if k.alive.Add(-1) < 0 {
		if k.die != nil {
			k.die()
		}
		return sms.ErrStoreClosed
	}
	return k.Store.Commit(changes)
}

// A program that ends while a part is with the modem doubts that part alone:
// the policy decides whether it goes again, and the ones before it do not.
func TestPromise4OutboxInDoubtAfterARestart(t *testing.T) {
	for _, policy := range []sms.DoubtPolicy{sms.DoubtReport, sms.DoubtRetry} {
		t.Run(map[sms.DoubtPolicy]string{sms.DoubtReport: "reported", sms.DoubtRetry: "sent again"}[policy], func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				store := storeIn(t)
				b := newBench(t, &sms.Config{Store: store})
				seen := watchSubmissions(b.network)
				// Enqueue, part 1 and part 2 are noted; part 3 is not, and not sent.
				dying := killedAfter(store, 3)
				o, err := sms.NewOutbox(b.service, dying, nil)
				require.NoError(t, err)
				_, err = o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: threeParts, InDoubt: policy}})
				require.NoError(t, err)
				require.ErrorIs(t, o.Run(t.Context(), nil), sms.ErrStoreClosed)
				require.Equal(t, []int{1, 2}, seen.parts())

				o, err = sms.NewOutbox(sms.New(b.modem, &sms.Config{Store: store}), store, nil)
				require.NoError(t, err)
				r := <-runOutbox(t, o, nil)
				if policy == sms.DoubtReport {
					require.ErrorIs(t, r.Err, sms.ErrInDoubt)
					require.Equal(t, []int{1, 2}, seen.parts())
				} else {
					require.NoError(t, r.Err)
					require.Equal(t, []int{1, 2, 2, 3}, seen.parts())
					require.Equal(t, seen.all[0].Reference, seen.all[3].Reference)
				}
				require.Equal(t, sms.Sent, r.Receipt.Parts[0].Outcome)
			})
		})
	}
}

// A message whose part is in doubt is in doubt for good when it is given up.
func TestPromise4ADoubtOutlivesARefusal(t *testing.T) {
	for name, code := range map[string]int{"refused for good": 21, "expired": 38} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, &sms.Config{SendTimeout: time.Minute, RetryPauses: []time.Duration{}})
				require.NoError(t, b.service.Setup(t.Context()))
				o, err := sms.NewOutbox(b.service, storeIn(t), nil)
				require.NoError(t, err)
				tries := 0
				b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result {
					if tries++; tries > 1 {
						return fakemodem.CMS(code)
					}
					return fakemodem.Default
				})
				loseAnswer(t, b)
				_, err = o.Enqueue(sms.OutMessage{
					Message: sms.Message{To: b.phone.Number(), Text: "once", InDoubt: sms.DoubtRetry},
					Expires: time.Now().Add(time.Hour),
				})
				require.NoError(t, err)
				r := <-runOutbox(t, o, nil)
				require.ErrorIs(t, r.Err, sms.ErrInDoubt)
				require.NotErrorIs(t, r.Err, sms.ErrNotSent)
				require.Equal(t, sms.InDoubt, r.Outcome)
			})
		})
	}
}

// A message that lies in the outbox after a restart keeps its reference: none
// other to that number gets it, even when the sequence has come round.
func TestOutboxReferencesAreInFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "sms.db")
		network := fakemodem.NewNetwork(nil)
		defer network.Close()
		fake := network.NewModem(fakemodem.SIM800)
		phone := network.Phone("+15555550123")
		seen := watchSubmissions(network)
		refusing := true
		sent := 0
		fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result {
			if sent++; refusing && sent > 1 {
				return fakemodem.CMS(38)
			}
			return fakemodem.Default
		})
		open := func(f func(store *sms.BoltStore, s *sms.Service, o *sms.Outbox)) {
			store, err := sms.OpenStore(path)
			require.NoError(t, err)
			modem := at.New(fake.Line(), nil)
			s := sms.New(modem, &sms.Config{Store: store, RetryPauses: []time.Duration{}})
			o, err := sms.NewOutbox(s, store, nil)
			require.NoError(t, err)
			f(store, s, o)
			require.NoError(t, modem.Close())
			require.NoError(t, store.Close())
		}
		open(func(_ *sms.BoltStore, _ *sms.Service, o *sms.Outbox) {
			_, err := o.Enqueue(sms.OutMessage{Message: sms.Message{To: phone.Number(), Text: threeParts}})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			require.ErrorIs(t, o.Run(ctx, nil), context.DeadlineExceeded)
		})
		refusing = false
		reference := seen.all[0].Reference
		// As after 65,536 more messages, and when all of them have arrived.
		store, err := sms.OpenStore(path)
		require.NoError(t, err)
		value := binary.BigEndian.AppendUint16(make([]byte, 8), reference)
		flight := binary.BigEndian.AppendUint16([]byte("5550123"), reference)
		require.NoError(t, store.Commit([]sms.Change{{Bucket: "reference", Key: []byte("5550123"), Value: value}, {Bucket: "flight", Key: flight}}))
		require.NoError(t, store.Close())
		open(func(_ *sms.BoltStore, s *sms.Service, o *sms.Outbox) {
			_, err := s.Send(t.Context(), sms.Message{To: "15555550123", Text: threeParts})
			require.NoError(t, err)
			require.Equal(t, reference+1, seen.all[1].Reference)
			r := <-runOutbox(t, o, nil)
			require.NoError(t, r.Err)
			require.Equal(t, reference, seen.all[len(seen.all)-1].Reference)
			require.Equal(t, []int{1, 1, 2, 3, 2, 3}, seen.parts())
			synctest.Wait()
			_, err = s.Send(t.Context(), sms.Message{To: phone.Number(), Text: threeParts})
			require.NoError(t, err)
			require.Equal(t, reference+2, seen.all[len(seen.all)-1].Reference)
		})
	})
}

// The rate counts what the network counts, and while it holds messages back
// the others still expire and are told in time.
func TestOutboxRateCountsPartsAndExpiresInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, nil)
		o, err := sms.NewOutbox(b.service, storeIn(t), &sms.OutboxConfig{Interval: time.Hour})
		require.NoError(t, err)
		began := time.Now()
		for i, text := range []string{threeParts, "next", "last"} {
			m := sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: text}, Priority: -i}
			if text == "last" {
				m.Expires = began.Add(30 * time.Minute)
			}
			_, err := o.Enqueue(m)
			require.NoError(t, err)
		}
		results := runOutbox(t, o, nil)
		r := <-results
		require.Equal(t, threeParts, r.Message.Text)
		require.Less(t, time.Since(began), time.Minute, "parts go back to back")
		r = <-results
		require.ErrorIs(t, r.Err, sms.ErrExpired)
		require.WithinDuration(t, began.Add(30*time.Minute), time.Now(), time.Second)
		r = <-results
		require.NoError(t, r.Err)
		require.WithinDuration(t, began.Add(3*time.Hour), time.Now(), time.Minute)
	})
}

// A status report settles what no answer has: the message is not sent again,
// although the policy would.
func TestPromise4AReportSettlesADoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{SendTimeout: time.Minute})
		b.receive(t, nil)
		require.NoError(t, b.service.Setup(t.Context()))
		loseAnswer(t, b)
		m := sms.Message{To: b.phone.Number(), Text: "once", StatusReport: true, InDoubt: sms.DoubtRetry}
		receipt, err := b.service.Send(t.Context(), m)
		require.NoError(t, err)
		require.Equal(t, 1, receipt.Parts[0].Attempts)
		known, err := receipt.Wait(t.Context())
		require.NoError(t, err)
		require.Equal(t, sms.Delivered, known[0].State)
		time.Sleep(time.Hour)
		require.Len(t, b.phone.Inbox(), 1)
	})
}

// A Run that ends while a part is with the modem does not decide on it: the
// answer may come before the next one.
func TestPromise4OutboxStopsInTheMiddle(t *testing.T) {
	for name, test := range map[string]struct {
		text   string
		answer time.Duration
		want   sms.Outcome
		parts  []int
	}{
		"the answer comes":       {"once", 5 * time.Second, sms.Sent, []int{0}},
		"more parts are to come": {threeParts, 5 * time.Second, sms.Sent, []int{1, 2, 3}},
		"it does not":            {"once", time.Hour, sms.InDoubt, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, nil)
				require.NoError(t, b.service.Setup(t.Context()))
				seen := watchSubmissions(b.network)
				o, err := sms.NewOutbox(b.service, storeIn(t), nil)
				require.NoError(t, err)
				_, err = o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: test.text}})
				require.NoError(t, err)
				delayAnswer(t, b, test.answer)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				require.ErrorIs(t, o.Run(ctx, nil), context.DeadlineExceeded)
				time.Sleep(time.Minute)
				r := <-runOutbox(t, o, nil)
				require.Equal(t, test.want, r.Outcome)
				require.Equal(t, test.want == sms.InDoubt, errors.Is(r.Err, sms.ErrInDoubt))
				require.Equal(t, test.parts, seen.parts())
			})
		})
	}
}
