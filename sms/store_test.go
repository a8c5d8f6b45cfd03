package sms_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

func TestStoreKeepsWhatIsCommitted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sms.db")
	store, err := sms.OpenStore(path)
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			err := store.Commit([]sms.Change{
				{Bucket: "a", Key: fmt.Appendf(nil, "%03d", i), Value: []byte("x")},
				{Bucket: "b", Key: []byte("gone"), Value: nil},
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.NoError(t, store.Close())
	require.NoError(t, store.Close(), "twice does no harm")
	require.ErrorIs(t, store.Commit(nil), sms.ErrStoreClosed)

	store, err = sms.OpenStore(path)
	require.NoError(t, err)
	defer store.Close()
	_, err = sms.OpenStore(path)
	require.Error(t, err, "one process at a time")
	var keys []string
	require.NoError(t, store.Load("a", func(key, _ []byte) error { keys = append(keys, string(key)); return nil }))
	require.Len(t, keys, 200)
	require.IsIncreasing(t, keys)
}

// A message of more parts than the storage has room for comes in, because parts
// leave the modem once they are in the store.
func TestThirtyPartsThroughTwentySlots(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{Store: storeIn(t), Quirks: sms.Quirks{Storages: []string{"SM"}}})
		arrived := b.receive(t, nil)
		text := strings.Repeat("0123456789", 30*15)
		require.NoError(t, b.phone.Send(b.fake.Number(), text))
		require.Equal(t, text, (<-arrived).Text)
		require.Empty(t, b.fake.Messages("SM"))
	})
}

// What a program held of a message when it ended is there for the next one, and
// what was handed over is not handed over again.
func TestPartsAndLedgerSurviveARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "sms.db")
		network := fakemodem.NewNetwork(nil)
		defer network.Close()
		fake := network.NewModem(fakemodem.SIM800)
		phone := network.Phone("+15555550123")
		text := strings.Repeat("a long story, ", 20)
		parts := submits(t, fake.Number(), text)
		require.Len(t, parts, 2)
		run := func(handler func(sms.Incoming) error, during func()) {
			store, err := sms.OpenStore(path)
			require.NoError(t, err)
			modem := at.New(fake.Line(), nil)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() {
				ended <- sms.New(modem, &sms.Config{Store: store}).Receive(ctx, func(_ context.Context, in sms.Incoming) error { return handler(in) })
			}()
			during()
			cancel()
			require.ErrorIs(t, <-ended, context.Canceled)
			require.NoError(t, modem.Close())
			require.NoError(t, store.Close())
		}
		run(func(in sms.Incoming) error { t.Error("too early", in.Text); return nil }, func() {
			time.Sleep(time.Minute)
			require.NoError(t, phone.SendTPDU(parts[1]))
			time.Sleep(time.Minute)
			require.Empty(t, fake.Messages("ME"), "it is in the store")
		})
		var ids []string
		run(func(in sms.Incoming) error { ids = append(ids, in.ID); return errors.New("not now") }, func() {
			require.NoError(t, phone.SendTPDU(parts[0]))
			time.Sleep(time.Minute)
			synctest.Wait()
			require.NotEmpty(t, ids)
			require.Empty(t, fake.Messages("ME"))
		})
		handed := 0
		run(func(in sms.Incoming) error {
			handed++
			require.Equal(t, text, in.Text)
			require.Equal(t, ids[0], in.ID)
			return nil
		}, func() { time.Sleep(time.Hour) })
		require.Equal(t, 1, handed)
		run(func(in sms.Incoming) error { t.Error("again", in.Text); return nil }, func() { time.Sleep(time.Hour) })
	})
}

// submits are the TPDUs with which a phone sends a text.
func submits(t testing.TB, to, text string) (octets [][]byte) {
	parts, err := tpdu.Split(text, &tpdu.SplitConfig{Reference: 7})
	require.NoError(t, err)
	var s tpdu.Submit
	s.Destination, err = tpdu.ParseAddress(to)
	require.NoError(t, err)
	s.DCS = parts.DCS(0)
	for i := range parts.Len() {
		s.UserData = parts.At(i)
		b, err := s.AppendBinary(nil)
		require.NoError(t, err)
		octets = append(octets, b)
	}
	return octets
}

// What is handed over directly is acknowledged when it is in the store, and
// comes to the handler until that returned nil.
func TestDirectRoutingIsAcknowledgedOnceSafe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBench(t, &sms.Config{Store: storeIn(t), Quirks: sms.Quirks{Direct: true}})
		refusals := 2
		ids := make(map[string]bool)
		arrived := b.receive(t, func(in sms.Incoming) error {
			ids[in.ID] = true
			if refusals--; refusals >= 0 {
				return errors.New("disk full")
			}
			return nil
		})
		time.Sleep(time.Minute)
		text := strings.Repeat("directly, ", 50)
		require.NoError(t, b.phone.Send(b.fake.Number(), text))
		require.Equal(t, text, (<-arrived).Text)
		require.Len(t, ids, 1, "an identity that stays")
		require.Empty(t, b.fake.Messages("ME"))
		require.NoError(t, b.phone.Send(b.fake.Number(), "next"))
		require.Equal(t, "next", (<-arrived).Text)
		time.Sleep(time.Second)
		require.Zero(t, b.network.SMSC().Stats().Waiting, "all are acknowledged")
	})
}

// exclusive is a store that does one thing at a time, as slow as a disk may be.
type exclusive struct {
	sms.Store
	lock chan struct{}
}

func (e exclusive) Load(bucket string, f func(key, value []byte) error) error {
	e.lock <- struct{}{}
	defer func() { <-e.lock }()
	time.Sleep(time.Second)
	return e.Store.Load(bucket, f)
}

// An Outbox may be made while the Service begins, whatever locks the store has.
func TestStoreWithALockOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store := exclusive{newMemory(), make(chan struct{}, 1)}
		b := newBench(t, &sms.Config{Store: store, RetryPauses: []time.Duration{}})
		o, err := sms.NewOutbox(b.service, store, nil)
		require.NoError(t, err)
		_, err = o.Enqueue(sms.OutMessage{Message: sms.Message{To: b.phone.Number(), Text: threeParts}})
		require.NoError(t, err)
		b.fake.OnCommand("+CMGS", func(*fakemodem.Call) fakemodem.Result { return fakemodem.CMS(38) })
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		require.ErrorIs(t, o.Run(ctx, nil), context.DeadlineExceeded)
		for at := range 6 { // while the Service reads another bucket
			b.service = sms.New(b.modem, &sms.Config{Store: store})
			stop := b.receiveUntil(t)
			time.Sleep(time.Duration(at) * 500 * time.Millisecond)
			o, err = sms.NewOutbox(b.service, store, nil)
			require.NoError(t, err)
			require.Equal(t, 1, o.Len())
			stop.cancel()
		}
	})
}
