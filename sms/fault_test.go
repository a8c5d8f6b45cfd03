package sms_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// faulted is a bench with a running Receive and its events.
type faulted struct {
	*bench
	t       *testing.T
	arrived <-chan sms.Incoming
	events  map[sms.EventKind]int
}

func (f *faulted) inject(fault fakemodem.Fault) func() {
	clear, err := f.fake.Inject(fault)
	require.NoError(f.t, err)
	return clear
}

// once says that a text arrives, once, within a time.
func (f *faulted) once(text string, within time.Duration) {
	f.t.Helper()
	select {
	case in := <-f.arrived:
		require.NoError(f.t, in.Err)
		require.Equal(f.t, text, in.Text)
	case <-time.After(within):
		require.Fail(f.t, "nothing arrived", text)
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	require.Empty(f.t, f.arrived, "once is enough")
}

func (f *faulted) send(text string) { require.NoError(f.t, f.phone.Send(f.fake.Number(), text)) }

// storeIn opens a store for the time of a test.
func storeIn(t *testing.T) *sms.BoltStore {
	store, err := sms.OpenStore(filepath.Join(t.TempDir(), "sms.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// The faults of the catalogue, each with what the service makes of it.
var faults = map[string]func(f *faulted){
	"F33 temporary": func(f *faulted) {
		refusals := 2
		f.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result {
			if refusals--; refusals >= 0 {
				return fakemodem.CMS(38)
			}
			return fakemodem.Default
		})
		receipt, err := f.service.Send(f.t.Context(), sms.Message{To: f.phone.Number(), Text: "third time"})
		require.NoError(f.t, err)
		require.Equal(f.t, 3, receipt.Parts[0].Attempts)
		time.Sleep(time.Hour)
		require.Len(f.t, f.phone.Inbox(), 1)
	},
	"F33 permanent": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F33", Code: 21, Times: -1})
		began := time.Now()
		receipt, err := f.service.Send(f.t.Context(), sms.Message{To: f.phone.Number(), Text: "rejected"})
		require.ErrorIs(f.t, err, sms.ErrNotSent)
		require.Equal(f.t, 1, receipt.Parts[0].Attempts)
		require.Less(f.t, time.Since(began), time.Minute, "a refusal fails in seconds")
		var failed *sms.SendError
		require.ErrorAs(f.t, err, &failed)
		require.Equal(f.t, at.ClassPermanent, failed.Class())
	},
	"F43": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F43"})
		f.send("there is room again")
		deadline := time.After(time.Hour)
		for {
			select {
			case in := <-f.arrived:
				if in.Text == "there is room again" {
					synctest.Wait()
					require.NotZero(f.t, f.events[sms.EventStorageFull])
					return
				}
			case <-deadline:
				require.Fail(f.t, "reception has stopped")
			}
		}
	},
	"F44": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F44"})
		f.inject(fakemodem.Fault{ID: "F44", Text: "XX", Count: 999})
		f.fake.Emit(`+CMTI: ,-1`)
		f.send("after the lies")
		f.once("after the lies", time.Minute)
	},
	"F45": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F45"})
		f.send("twice")
		f.once("twice", time.Minute)
		require.Empty(f.t, f.fake.Messages("ME"), "both are deleted")
		require.NotZero(f.t, f.events[sms.EventDuplicate])
	},
	"F46": func(f *faulted) {
		clear := f.inject(fakemodem.Fault{ID: "F46", Times: -1})
		f.send("stays")
		f.once("stays", time.Minute)
		require.NotEmpty(f.t, f.fake.Messages("ME"))
		require.NotZero(f.t, f.events[sms.EventNotDeleted])
		clear()
		time.Sleep(10 * time.Minute)
		require.Empty(f.t, f.fake.Messages("ME"), "deletion is tried again")
		require.Empty(f.t, f.arrived)
	},
	"F47": func(f *faulted) {
		f.send("first")
		f.once("first", time.Minute)
		f.inject(fakemodem.Fault{ID: "F47"})
		f.send("stalled")
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		require.NotZero(f.t, f.events[sms.EventStalled], "the silence is noticed")
		require.Empty(f.t, f.arrived)
		_, err := f.service.Send(f.t.Context(), sms.Message{To: f.phone.Number(), Text: "moves it"})
		require.NoError(f.t, err)
		f.once("stalled", time.Hour)
	},
	"F48 count of nothing": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F48", Times: -1, Count: 0})
		f.send("uncounted")
		f.once("uncounted", time.Minute)
	},
	"F48 listing of nothing": func(f *faulted) {
		f.fake.OnCommand("+CMGL", fakemodem.Answer("OK"))
		f.send("unlisted")
		f.once("unlisted", 10*time.Minute)
		require.Empty(f.t, f.fake.Messages("ME"))
	},
	"F49": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F49", Times: -1})
		f.send(strings.Repeat("lost in the modem ", 20))
		select {
		case in := <-f.arrived:
			require.ErrorIs(f.t, in.Err, sms.ErrIncomplete)
			require.Len(f.t, in.TPDUs, 1)
		case <-time.After(100 * time.Hour):
			require.Fail(f.t, "what came of it is lost")
		}
	},
	"F50": func(f *faulted) {
		f.fake.OnCommand("+CNMI", nil)
		f.inject(fakemodem.Fault{ID: "F50"})
		for i := range 3 { // a report must be acknowledged now
			_, err := f.service.Send(f.t.Context(), sms.Message{To: f.phone.Number(), Text: "x", StatusReport: true})
			require.NoError(f.t, err)
			select {
			case in := <-f.arrived:
				require.NotNil(f.t, in.Report, i)
			case <-time.After(time.Hour):
				require.Fail(f.t, "reports have stopped")
			}
		}
	},
	"F51": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F51"})
		f.send("after a lie")
		f.once("after a lie", time.Minute)
	},
	"F52": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F52", Times: -1})
		f.service.Reset()
		f.send("in the right place")
		f.once("in the right place", time.Hour)
		f.fake.Reset()
		time.Sleep(time.Minute)
		f.send("after a restart")
		f.once("after a restart", time.Hour)
	},
	"F53": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F53"})
		_, err := f.service.Send(f.t.Context(), sms.Message{To: f.phone.Number(), Text: strings.Repeat("x", 160)})
		require.Error(f.t, err, "the modem is starting again")
		time.Sleep(time.Minute)
		_, err = f.service.Send(f.t.Context(), sms.Message{To: f.phone.Number(), Text: "short"})
		require.NoError(f.t, err)
		require.Len(f.t, f.phone.Inbox(), 1)
	},
	"F54": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F54", Times: -1})
		long := strings.Repeat("the reference is no identity ", 10)
		receipt, err := f.service.Send(f.t.Context(), sms.Message{To: f.phone.Number(), Text: long})
		require.NoError(f.t, err)
		require.Len(f.t, receipt.Parts, 2)
		got, err := f.phone.Receive(f.t.Context())
		require.NoError(f.t, err)
		require.Equal(f.t, long, got.Text)
	},
	"F55": func(f *faulted) {
		clear := f.inject(fakemodem.Fault{ID: "F55"})
		call, err := f.modem.Dial(f.t.Context(), at.Command{Text: "D*99#", Timeout: time.Minute})
		require.NoError(f.t, err)
		f.send("while data was up")
		time.Sleep(time.Hour)
		require.Empty(f.t, f.arrived)
		require.NoError(f.t, call.Close())
		clear()
		f.once("while data was up", 2*time.Hour)
	},
	"F56": func(f *faulted) {
		f.inject(fakemodem.Fault{ID: "F56"})
		time.Sleep(10 * time.Minute)
		require.Equal(f.t, "OK", (<-f.arrived).Text)
		require.Equal(f.t, "AT\r\nOK\r\nERROR", (<-f.arrived).Text)
	},
	"F64": func(f *faulted) {
		for _, skew := range []time.Duration{0, 50 * time.Hour, -1000 * time.Hour} {
			clear := func() {}
			if skew != 0 {
				clear = f.inject(fakemodem.Fault{ID: "F64", Delay: skew})
			}
			text := strings.Repeat("whatever its stamp says ", 20)
			f.send(text)
			in := <-f.arrived
			require.Equal(f.t, text, in.Text)
			require.WithinDuration(f.t, time.Now(), in.Arrived, time.Second, "this machine's clock")
			require.WithinDuration(f.t, time.Now().Add(skew), in.Sent, time.Minute, "the service centre's")
			clear()
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(f.t, f.arrived)
	},
	"F103": func(f *faulted) {
		other := f.network.NewModem(fakemodem.SIM800)
		modem := at.New(other.Line(), nil)
		defer modem.Close()
		f.inject(fakemodem.Fault{ID: "F103"})
		sender, sent := sms.New(modem, nil), make(map[string]bool)
		for i := range 10 {
			text := fmt.Sprintf("%d ", i) + strings.Repeat("interleaved ", 30)
			_, err := sender.Send(f.t.Context(), sms.Message{To: f.fake.Number(), Text: text})
			require.NoError(f.t, err)
			sent[text] = true
		}
		for range 10 {
			in := <-f.arrived
			require.True(f.t, sent[in.Text], in.Text)
			delete(sent, in.Text)
		}
	},
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, test := range faults {
		for _, durable := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, durable %v", name, durable), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					f := &faulted{t: t, events: make(map[sms.EventKind]int)}
					cfg := &sms.Config{SilenceLimit: 2 * time.Hour, OnEvent: func(e sms.Event) { f.events[e.Kind]++ }}
					if durable {
						cfg.Store = storeIn(t)
					}
					f.bench = newBench(t, cfg)
					f.arrived = f.receive(t, nil)
					time.Sleep(time.Minute)
					test(f)
				})
			})
		}
	}
}
