package sms_test

import (
	"context"
	"errors"
	"strings"
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

// other is a second modem on the network, to send what a phone does not.
func (b *bench) other(t *testing.T) *sms.Service {
	modem := at.New(b.network.NewModem(fakemodem.SIM800).Line(), nil)
	t.Cleanup(func() { modem.Close() })
	return sms.New(modem, nil)
}

// A class 0 message is handed over without being stored, whatever the routing;
// one that the handler refuses comes again.
func TestClass0(t *testing.T) {
	for _, durable := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			cfg := &sms.Config{}
			if durable {
				cfg.Store = storeIn(t)
			}
			b := newBench(t, cfg)
			refusals := 2
			arrived := b.receive(t, func(sms.Incoming) error {
				require.Empty(t, b.fake.Messages("ME"))
				if refusals--; refusals >= 0 {
					return errors.New("not now")
				}
				return nil
			})
			time.Sleep(time.Minute)
			_, err := b.other(t).Send(t.Context(), sms.Message{To: b.fake.Number(), Text: "shown at once", Class: tpdu.Class0})
			require.NoError(t, err)
			began := time.Now()
			in := <-arrived
			require.Less(t, time.Since(began), time.Minute, "it is tried again soon")
			require.Equal(t, "shown at once", in.Text)
			require.Equal(t, tpdu.Class0, in.Class)
			time.Sleep(time.Hour)
			synctest.Wait()
			require.Empty(t, arrived, "once is enough")
		})
	}
}

// What a message says beside its text arrives: indications in both forms,
// protocol, reply path, class, from a named sender and to every kind of number.
func TestAttributesArrive(t *testing.T) {
	for name, m := range map[string]sms.Message{
		"voicemail waits":     {Text: "2 new", Waiting: &tpdu.Waiting{Kind: tpdu.VoicemailWaiting, Active: true, Store: true}},
		"no fax any more":     {Waiting: &tpdu.Waiting{Kind: tpdu.FaxWaiting}},
		"in UCS-2":            {Text: "ы", Waiting: &tpdu.Waiting{Kind: tpdu.EmailWaiting, Active: true, Store: true}},
		"counts":              {Text: "x", Indications: []tpdu.Indication{{Kind: tpdu.EmailWaiting, Count: 3, Store: true}, {Kind: tpdu.VoicemailWaiting}}},
		"counts, long":        {Text: strings.Repeat("x", 300), Indications: []tpdu.Indication{{Kind: tpdu.EmailWaiting, Count: 3}}},
		"type 0":              {ProtocolID: tpdu.ShortMessageType0},
		"replacing, answered": {Text: "x", ProtocolID: 0x41, ReplyPath: true, Class: tpdu.Class1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, nil)
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				m.To = b.fake.Number()
				_, err := b.other(t).Send(t.Context(), m)
				require.NoError(t, err)
				in := <-arrived
				require.NoError(t, in.Err)
				require.Equal(t, m.Text, in.Text)
				require.Equal(t, m.Waiting, in.Waiting)
				require.Equal(t, m.Indications, in.Indications)
				require.Equal(t, m.ProtocolID, in.ProtocolID)
				require.Equal(t, m.ReplyPath, in.ReplyPath)
				require.Equal(t, m.Class, in.Class)
			})
		})
	}
}

// An absolute validity ends when it says, a relative one after its time.
func TestValidityOfBothKinds(t *testing.T) {
	for name, m := range map[string]sms.Message{
		"relative": {Validity: 2 * time.Hour},
		"absolute": {ValidUntil: time.Date(2000, 1, 1, 2, 0, 0, 0, time.UTC)}, // a bubble begins at midnight
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBench(t, nil)
				b.receive(t, nil)
				b.phone.SetOff(true)
				m.To, m.Text, m.StatusReport = b.phone.Number(), "x", true
				receipt, err := b.service.Send(t.Context(), m)
				require.NoError(t, err)
				known, err := receipt.Wait(t.Context())
				require.NoError(t, err)
				require.Equal(t, sms.Expired, known[0].State)
				require.Equal(t, tpdu.ValidityExpired, known[0].Status, "the network said so")
				require.WithinDuration(t, time.Date(2000, 1, 1, 2, 0, 0, 0, time.UTC), time.Now(), 10*time.Second)
			})
		})
	}
}

// Messages to a port go to its handler alone, and obey promise 5 there.
func TestPortHandler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		port := make(chan sms.Incoming, 10)
		refusals := 1
		b := newBench(t, &sms.Config{Ports: map[uint16]func(context.Context, sms.Incoming) error{
			2948: func(_ context.Context, in sms.Incoming) error { // WAP push
				if refusals--; refusals >= 0 {
					return errors.New("not now")
				}
				port <- in
				return nil
			},
		}})
		arrived := b.receive(t, nil)
		time.Sleep(time.Minute)
		other := b.other(t)
		data := []byte(strings.Repeat("push", 100)) // several parts
		for destination := range []uint16{2948, 2949} {
			_, err := other.Send(t.Context(), sms.Message{
				To: b.fake.Number(), Data: data, Ports: &tpdu.Ports{Destination: uint16(2948 + destination), Source: 9200},
			})
			require.NoError(t, err)
		}
		in := <-port
		require.Equal(t, data, in.Data)
		require.Equal(t, uint16(2948), in.Ports.Destination)
		in = <-arrived
		require.Equal(t, uint16(2949), in.Ports.Destination, "nobody else's port")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, port)
		require.Empty(t, arrived)
		require.Empty(t, b.fake.Messages("ME"))
	})
}

// F43: each maker's word for a full storage makes room at once, long before
// the next sweep.
func TestStorageFullNotices(t *testing.T) {
	for notice, full := range map[string]bool{
		`^SMMEMFULL:"SM"`:       true,
		`+QIND: "smsfull","ME"`: true,
		`+SMS FULL`:             true,
		`+ SMS FULL`:            true,
		`*SMSFULL`:              true,
		`+QIND: "csq",17,99`:    false,
	} {
		t.Run(notice, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var told atomic.Int32
				b := newBench(t, &sms.Config{SweepInterval: -1, OnEvent: func(e sms.Event) {
					if e.Kind == sms.EventStorageFull {
						told.Add(1)
					}
				}})
				arrived := b.receive(t, nil)
				time.Sleep(time.Minute)
				var looks atomic.Int32
				b.fake.OnCommand("+CMGL", func(*fakemodem.Call) fakemodem.Result {
					looks.Add(1)
					return fakemodem.Default
				})
				b.fake.Emit(notice)
				time.Sleep(time.Minute)
				synctest.Wait()
				if !full {
					require.Zero(t, told.Load())
					require.Zero(t, looks.Load())
					return
				}
				require.EqualValues(t, 1, told.Load())
				require.NotZero(t, looks.Load())
				require.NoError(t, b.phone.Send(b.fake.Number(), "there is room"))
				require.Equal(t, "there is room", (<-arrived).Text)
			})
		})
	}
}

// weakStore fails a number of commits.
type weakStore struct {
	sms.Store
	failures atomic.Int32
}

func (s *weakStore) Commit(changes []sms.Change) error {
	if s.failures.Add(-1) >= 0 {
		return errors.New("disk full")
	}
	return s.Store.Commit(changes)
}
