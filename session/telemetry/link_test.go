package telemetry

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReadingIsAcknowledgedAfterTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		release := make(chan struct{})
		var failures atomic.Int32
		w.collector.fail = func(Message) error {
			select {
			case <-release:
				return nil
			default:
				failures.Add(1)
				return errors.New("the database is down")
			}
		}
		w.open()
		defer w.close()
		events := w.collector.e.Events(t.Context())
		r := w.device.send("reading 1")
		time.Sleep(10 * time.Second)
		require.Equal(t, "", r.Path(), "stored by the peer, but its handler has not returned nil")
		require.Equal(t, 1, w.device.p.Stats().Outstanding)
		close(release)
		require.NoError(t, r.Wait(t.Context()))
		require.Equal(t, "data", r.Path())
		require.Equal(t, numbered(1, 1), w.collector.handled())
		require.Equal(t, "reading 1", w.collector.ids[r.ID()], "one name on both sides")
		require.Less(t, failures.Load(), int32(10), "the pause grows")
		for e := range events {
			if e.Kind == EventHandlerFailed {
				require.EqualError(t, e.Err, "the database is down")
				break
			}
		}
		require.Equal(t, uint64(0), w.device.p.Stats().Paths[1].FramesSent, "nothing was billed")
	})
}

func TestLossyLinksDeliverOnceInOrder(t *testing.T) {
	for _, tt := range []struct {
		name        string
		loss, again float64
		spread      time.Duration
	}{
		{"clean", 0, 0, 0},
		{"loses a third", 0.33, 0, 0},
		{"doubles and overtakes", 0, 0.5, 8 * time.Second},
		{"all of it", 0.3, 0.3, 20 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2)
				for _, a := range w.airs() {
					a.loss, a.double, a.spread = tt.loss, tt.again, tt.spread
				}
				w.open()
				defer w.close()
				pace := rand.New(rand.NewPCG(2, 99))
				var last, answer *Receipt
				for _, text := range numbered(1, 60) {
					last = w.device.send(text)
					answer = w.collector.send("answer to " + text)
					time.Sleep(time.Duration(pace.IntN(4000)) * time.Millisecond)
				}
				require.NoError(t, last.Wait(t.Context()))
				require.NoError(t, answer.Wait(t.Context()))
				require.Equal(t, numbered(1, 60), w.collector.handled())
				require.Len(t, w.device.handled(), 60)
				s := w.device.p.Stats()
				require.Equal(t, 0, s.Outstanding)
				require.Equal(t, 0, s.OutboxOctets)
				require.Equal(t, uint64(60), s.Acknowledged)
			})
		})
	}
}

// A day on which data comes and goes, a reading a minute.
func TestSwitchesBearersForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		for _, a := range w.airs() {
			a.loss = 0.02
		}
		w.open()
		defer w.close()
		const minutes = 24 * 60
		var last *Receipt
		for minute := range minutes {
			switch minute % 120 {
			case 40:
				both(w.data, func(a *air) { a.fault = errNoCoverage })
			case 50:
				both(w.data, func(a *air) { a.fault = nil; a.silent = true })
			case 60:
				both(w.data, func(a *air) { a.silent = false })
			}
			last = w.device.send(numbered(minute+1, minute+1)[0])
			time.Sleep(time.Minute)
		}
		require.NoError(t, last.Wait(t.Context()))
		require.Equal(t, numbered(1, minutes), w.collector.handled())
		s := w.device.p.Stats()
		require.Greater(t, s.AcknowledgedBy["data"], uint64(900))
		require.Greater(t, s.AcknowledgedBy["sms"], uint64(50))
		sms := s.Paths[1].FramesSent
		require.Less(t, sms, uint64(360), "240 readings fell into outages; not many messages more than that")
		t.Logf("by bearer %v, %d short messages there and %d back", s.AcknowledgedBy, sms, w.sms.peer.taken())
	})
}

func TestNothingIsBilledTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4)
		both(w.data, func(a *air) { a.fault = errNoCoverage })
		both(w.sms, func(a *air) { a.delay = 50 * time.Second }) // there and back within AckWait
		w.open()
		defer w.close()
		r := w.device.send("reading 1")
		require.NoError(t, r.Wait(t.Context()))
		time.Sleep(time.Hour)
		require.Equal(t, 1, w.sms.taken())
		require.Equal(t, 1, w.sms.peer.taken(), "one acknowledgement")
		require.Equal(t, "sms", r.Path())
	})
}

// Neither a restart nor a data call that comes up and fails again has a short
// message sent again while its acknowledgement may be on the way.
func TestNothingIsBilledTwiceAcrossARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 14)
		both(w.data, func(a *air) { a.fault = errNoCoverage })
		both(w.sms, func(a *air) { a.delay = 50 * time.Second })
		w.open()
		w.device.send("reading 1")
		for range 4 {
			time.Sleep(10 * time.Second)
			w.device.close()
			w.device.open()
		}
		both(w.data, func(a *air) { a.fault = nil; a.silent = true })
		time.Sleep(20 * time.Second)
		both(w.data, func(a *air) { a.fault = errNoCoverage; a.silent = false })
		time.Sleep(30 * time.Minute)
		require.Equal(t, 1, w.sms.taken())
		require.Equal(t, numbered(1, 1), w.collector.handled())
		require.Zero(t, w.device.p.Stats().Outstanding)
		w.close()
	})
}

func TestCostlyPathIsLimitedWhileThePeerIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		both(w.data, func(a *air) { a.fault = errNoCoverage })
		both(w.sms, func(a *air) { a.silent = true })
		w.open()
		defer w.close()
		for _, text := range numbered(1, 100) {
			w.device.send(text)
			time.Sleep(time.Minute)
		}
		time.Sleep(22 * time.Hour)
		require.Less(t, w.sms.taken(), 50, "a day without an answer")
		both(w.sms, func(a *air) { a.silent = false })
		w.device.send("reading 101")
		time.Sleep(6 * time.Hour)
		require.Equal(t, numbered(1, 101), w.collector.handled())
	})
}

func TestFrameInDoubtCountsAsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 6)
		both(w.sms, func(a *air) { a.delay = 45 * time.Second }) // longer than a path rests after a failure
		w.device.paths = []Path{{Name: "sms", Costly: true, Bearer: &doubtful{w.sms}}}
		w.open()
		defer w.close()
		require.NoError(t, w.device.send("reading 1").Wait(t.Context()))
		require.Equal(t, 1, w.sms.taken())
	})
}

type doubtful struct{ *air }

func (d *doubtful) SendFrame(ctx context.Context, frame []byte) error {
	return errors.Join(d.air.SendFrame(ctx, frame), ErrInDoubt)
}

func TestLongReadingChangesBearerHalfWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 7)
		w.device.paths[1].Interval = -1
		w.collector.paths[1].Interval = -1
		w.open()
		defer w.close()
		both(w.data, func(a *air) { a.fault = errNoCoverage })
		long := strings.Repeat("0123456789", 300) // 38 segments
		r := w.device.send(long)
		time.Sleep(20 * time.Second)
		require.Empty(t, w.collector.handled())
		require.NotZero(t, w.sms.taken())
		both(w.data, func(a *air) { a.fault = nil })
		require.NoError(t, r.Wait(t.Context()))
		require.Equal(t, []string{long}, w.collector.handled())
		require.NotZero(t, w.data.taken())

		most := strings.Repeat("x", MaxReading)
		require.NoError(t, w.device.send(most).Wait(t.Context()))
		require.Equal(t, most, w.collector.handled()[1])
		require.NoError(t, w.device.send("").Wait(t.Context()), "an empty reading is one, too")
		require.Equal(t, "", w.collector.handled()[2])
		_, err := w.device.p.Send(t.Context(), make([]byte, MaxReading+1))
		require.ErrorIs(t, err, ErrTooLarge)
	})
}

func TestOutboxSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 8)
		both(w.data, func(a *air) { a.silent = true })
		both(w.sms, func(a *air) { a.fault = errNoCoverage })
		w.open()
		for life := range 5 {
			for _, text := range numbered(life*10+1, life*10+10) {
				w.device.send(text)
			}
			time.Sleep(time.Minute)
			r := w.device.send("never waited for")
			w.device.close()
			require.ErrorIs(t, r.Wait(t.Context()), ErrClosed)
			w.device.open()
		}
		require.Equal(t, 55, w.device.p.Stats().Outstanding)
		both(w.data, func(a *air) { a.silent = false })
		time.Sleep(time.Hour)
		got := slices.DeleteFunc(w.collector.handled(), func(s string) bool { return s == "never waited for" })
		require.Equal(t, numbered(1, 50), got, "in order across five lives")
		require.Zero(t, w.device.p.Stats().Outstanding)
		w.close()
	})
}

func TestFullOutboxRefusesAndKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 9)
		w.open()
		defer w.close()
		both(w.data, func(a *air) { a.fault = errNoCoverage })
		both(w.sms, func(a *air) { a.fault = errNoCoverage })
		w.device.e.maxOutbox = 1000
		n := 0
		for {
			_, err := w.device.p.Send(t.Context(), make([]byte, 36))
			if err != nil {
				require.ErrorIs(t, err, ErrFull)
				break
			}
			n++
		}
		require.Equal(t, 10, n)
		both(w.data, func(a *air) { a.fault = nil })
		time.Sleep(10 * time.Minute)
		require.Len(t, w.collector.handled(), 10)
		w.device.send("there is room again")
	})
}

// An old copy of the sender's file is put back: what it sends from then on is
// new, and what it sends again is known.
func TestSendersStoreRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		both(w.data, func(a *air) { a.silent = true })
		both(w.sms, func(a *air) { a.fault = errNoCoverage })
		w.open()
		w.device.send("reading 1")
		w.device.close()
		backup, err := os.ReadFile(w.device.file)
		require.NoError(t, err)

		w.device.open()
		both(w.data, func(a *air) { a.silent = false })
		require.NoError(t, w.device.send("reading 2").Wait(t.Context()))
		require.NoError(t, w.device.send("reading 3").Wait(t.Context()))
		w.device.close()

		require.NoError(t, os.WriteFile(w.device.file, backup, 0o600))
		w.device.open()
		require.NoError(t, w.device.send("reading 4").Wait(t.Context()))
		require.NoError(t, w.device.send("reading 5").Wait(t.Context()))
		require.Equal(t, numbered(1, 5), w.collector.handled())
		require.NotZero(t, w.collector.p.Stats().Duplicates, "reading 1, sent by two lives")
		w.close()
	})
}

// An old copy of the receiver's file is put back: the link goes on, and says
// what is missing.
func TestReceiversStoreRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 11)
		w.open()
		require.NoError(t, w.device.send("reading 1").Wait(t.Context()))
		w.collector.close()
		backup, err := os.ReadFile(w.collector.file)
		require.NoError(t, err)
		w.collector.open()
		require.NoError(t, w.device.send("reading 2").Wait(t.Context()))
		w.collector.failWith(func(Message) error { return errors.New("not now") })
		w.device.send("reading 3") // stored by the life that will be forgotten
		time.Sleep(5 * time.Second)
		w.collector.close()

		require.NoError(t, os.WriteFile(w.collector.file, backup, 0o600))
		w.collector.failWith(nil)
		w.collector.open()
		events := w.collector.e.Events(t.Context())
		time.Sleep(time.Hour)
		require.Equal(t, numbered(1, 3), w.collector.handled(), "reading 3 came again")
		require.Equal(t, uint64(1), w.collector.p.Stats().Skipped)
		e := <-events
		for e.Kind != EventSkipped {
			e = <-events
		}
		require.Equal(t, uint64(1), e.Count)
		w.close()
	})
}

func TestReplayedFramesDoNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 12)
		var seen [][]byte
		for _, a := range w.airs() {
			a.tap = func(frame []byte) { seen = append(seen, bytes.Clone(frame)) }
		}
		w.open()
		for _, text := range numbered(1, 5) {
			require.NoError(t, w.device.send(text).Wait(t.Context()))
		}
		replay := func() {
			for _, frame := range seen[:len(seen):len(seen)] {
				_ = w.collector.e.Receive(w.data.peer, frame)
				_ = w.device.e.Receive(nil, frame)
			}
		}
		replay()
		require.NotZero(t, w.collector.p.Stats().Replayed)
		w.collector.close() // forgets the windows, not the marks
		w.collector.open()
		replay()
		time.Sleep(time.Minute)
		require.Equal(t, numbered(1, 5), w.collector.handled())
		require.Empty(t, w.device.handled())
		w.close()

		nonces := make(map[string]bool)
		for _, frame := range seen {
			nonce := string(frame[1:headerSize]) // with the tag: each direction has its key
			require.False(t, nonces[nonce], "a nonce was used twice")
			nonces[nonce] = true
		}
	})
}

func TestForgedFramesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 13)
		var frame []byte
		w.data.tap = func(f []byte) { frame = bytes.Clone(f) }
		w.data.silent = true
		w.open()
		defer w.close()
		w.device.send("reading 1")
		synctest.Wait()
		for i := range frame {
			bad := bytes.Clone(frame)
			bad[i] ^= 0x40
			err := w.collector.e.Receive(nil, bad)
			require.Error(t, err, "octet %d changed", i)
			require.True(t, errors.Is(err, ErrFrame) || errors.Is(err, ErrUnknownPeer))
			require.Error(t, w.collector.e.Receive(nil, frame[:i]), "cut after %d", i)
		}
		require.NotContains(t, string(frame), "reading", "sealed")
		require.NoError(t, w.collector.e.Receive(nil, frame))
		synctest.Wait()
		require.Equal(t, numbered(1, 1), w.collector.handled())
	})
}
