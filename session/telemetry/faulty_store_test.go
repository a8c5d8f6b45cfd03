package telemetry

import (
	"bytes"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errDiskFull = errors.New("no space left on device")

// fullDisk is a Store whose disk is full for a while.
type fullDisk struct {
	Store
	full atomic.Bool
}

func (s *fullDisk) Update(fn func(Tx) error) error {
	if s.full.Load() {
		return &StoreError{Op: "write", Err: errDiskFull}
	}
	return s.Store.Update(fn)
}

// While the receiver's disk is full nothing is acknowledged, and nothing is
// taken for a duplicate afterwards; while the sender's is, nothing is accepted.
func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 40)
		disk := func(s *side) *fullDisk {
			store, err := OpenStore(s.file)
			require.NoError(t, err)
			store.db.NoSync = true
			s.store = store
			full := &fullDisk{Store: store}
			s.e, err = Open(Config{Name: s.name, Store: full, Handler: s.handle})
			require.NoError(t, err)
			s.p, err = s.e.AddPeer(PeerConfig{Name: s.other, Key: s.key, Paths: s.paths[:1]})
			require.NoError(t, err)
			return full
		}
		sending, receiving := disk(w.device), disk(w.collector)
		defer w.close()
		var sent atomic.Value // the last frame
		w.data.set(func(a *air) { a.tap = func(f []byte) { sent.Store(bytes.Clone(f)) } })

		sending.full.Store(true)
		_, err := w.device.p.Send(t.Context(), []byte("reading 0"))
		require.ErrorIs(t, err, errDiskFull)
		require.Equal(t, 0, w.device.p.Stats().OutboxOctets)
		sending.full.Store(false)

		receiving.full.Store(true)
		r := w.device.send("reading 1")
		time.Sleep(time.Second)
		err = w.collector.e.Receive(nil, sent.Load().([]byte))
		require.ErrorIs(t, err, errDiskFull, "the network is to bring it again")
		time.Sleep(time.Minute)
		require.Equal(t, 1, w.device.p.Stats().Outstanding)
		receiving.full.Store(false)
		require.NoError(t, w.collector.e.Receive(nil, sent.Load().([]byte)), "the same frame, which is not a replay")
		require.NoError(t, r.Wait(t.Context()))
		require.Equal(t, numbered(1, 1), w.collector.handled())
	})
}

// The disk fills up between the handler's return and the mark: the handler sees
// the same reading again, by the same name.
func TestMarkThatFailsIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := OpenStore(filepath.Join(t.TempDir(), "x.db"))
		require.NoError(t, err)
		defer store.Close()
		disk := &fullDisk{Store: store}
		w := newWorld(t, 41)
		w.collector.fail = func(m Message) error {
			disk.full.Store(len(w.collector.got) == 0)
			return nil
		}
		w.collector.e, err = Open(Config{Name: "collector", Store: disk, Handler: w.collector.handle})
		require.NoError(t, err)
		defer w.collector.e.Close()
		w.collector.p, err = w.collector.e.AddPeer(PeerConfig{Name: "device", Key: w.device.key})
		require.NoError(t, err)
		require.NoError(t, newForger(t, w.collector).data(5, 1, 1, whole("a")))
		require.Equal(t, []string{"a"}, w.collector.handled())
		require.Zero(t, w.collector.p.Stats().Handled)
		time.Sleep(time.Minute) // at its next call the disk has room again
		require.Equal(t, []string{"a", "a"}, w.collector.handled())
		require.Len(t, w.collector.ids, 1)
		require.Equal(t, uint64(1), w.collector.p.Stats().Handled)
	})
}
