package telemetry

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// forger seals frames as the device would, with any content.
type forger struct {
	t *testing.T
	s *sealer
	c *side
}

func newForger(t *testing.T, c *side) *forger {
	key, tag := c.key.derive(c.other, c.name)
	return &forger{t, &sealer{aead: newAEAD(key), tag: tag, epoch: 1 << 40}, c}
}

// data brings segments of a stream to the collector.
func (f *forger) data(stream epoch, first, floor uint64, segments ...segment) error {
	d := dataChunk{stream: stream, first: first, floor: floor, segments: segments}
	frame, _ := f.s.seal(d.append(nil, f.s.epoch))
	err := f.c.e.Receive(nil, frame)
	synctest.Wait() // for the handler
	return err
}

func whole(payload string) segment { return segment{payload: []byte(payload)} }
func part(payload string) segment  { return segment{payload: []byte(payload), more: true} }

// collectorAlone runs a test against a collector that hears frames of ours.
func collectorAlone(t *testing.T, test func(*side, *forger)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		w.collector.paths = nil
		w.collector.t = t
		w.collector.open()
		defer w.collector.close()
		test(w.collector, newForger(t, w.collector))
	})
}

func TestOldAndNewSegmentsInOneFrame(t *testing.T) {
	collectorAlone(t, func(c *side, f *forger) {
		require.NoError(t, f.data(5, 1, 1, whole("a"), whole("b")))
		require.NoError(t, f.data(5, 1, 1, whole("a"), whole("b"), whole("c")))
		require.NoError(t, f.data(5, 5, 1, whole("e")))
		require.NoError(t, f.data(5, 3, 1, whole("c"), whole("d"), whole("e")))
		require.Equal(t, []string{"a", "b", "c", "d", "e"}, c.handled())
		require.Equal(t, uint64(4), c.p.Stats().Duplicates)
		require.Zero(t, c.leftovers())
	})
}

func TestReadingInPartsOutOfOrder(t *testing.T) {
	collectorAlone(t, func(c *side, f *forger) {
		require.NoError(t, f.data(5, 3, 1, whole("3."), whole("next")))
		require.NoError(t, f.data(5, 2, 1, part("2,")))
		require.Empty(t, c.handled())
		a := c.p.in.acks[5]
		require.Equal(t, []spans{{2, 4}}, a.ranges, "told to the sender")
		require.NoError(t, f.data(5, 1, 1, part("1,")))
		require.Equal(t, []string{"1,2,3.", "next"}, c.handled())
		require.Zero(t, c.leftovers())
	})
}

func TestStreamsAreRememberedWithinALimit(t *testing.T) {
	collectorAlone(t, func(c *side, f *forger) {
		const lives = maxStreams + 10
		for life := range lives {
			require.NoError(t, f.data(epoch(life+1)<<40, 1, 1, whole(fmt.Sprint(life))))
		}
		require.Len(t, c.handled(), lives)
		require.Len(t, c.p.in.acks, maxStreams)
		require.NoError(t, f.data(epoch(lives)<<40, 1, 1, whole("again")), "remembered")
		require.Equal(t, uint64(1), c.p.Stats().Duplicates)

		events := c.e.Events(c.t.Context())
		require.NoError(t, f.data(1<<40, 1, 1, whole("again")), "forgotten: refused rather than doubled")
		require.ErrorIs(t, (<-events).Err, ErrStaleStream)
		require.Len(t, c.handled(), lives)
		require.Zero(t, c.leftovers())
	})
}

func TestEndlessReadingIsDiscarded(t *testing.T) {
	collectorAlone(t, func(c *side, f *forger) {
		events := c.e.Events(c.t.Context())
		big := string(make([]byte, maxSegment))
		for n := range uint64(MaxReading/maxSegment + 1) {
			require.NoError(t, f.data(5, n+1, 1, part(big)))
		}
		require.ErrorIs(t, (<-events).Err, ErrTooLarge)
		require.Empty(t, c.handled())
		require.Zero(t, c.leftovers())
	})
}

func TestSegmentsBeyondTheWindowAreRefused(t *testing.T) {
	collectorAlone(t, func(c *side, f *forger) {
		require.ErrorIs(t, f.data(5, maxWindow+1, 1, whole("x")), ErrFrame)
		require.NoError(t, f.data(5, maxWindow, 1, whole("x")))
		require.Equal(t, uint64(1), c.p.Stats().Refused)
		require.Equal(t, 1, c.leftovers())
	})
}

// A handler that fails takes nothing of the readings before it down with it.
func TestHandlerTxFailsWithinABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 21)
		store, err := OpenStore(w.collector.file)
		require.NoError(t, err)
		defer store.Close()
		var mended atomic.Bool
		e, err := Open(Config{Name: "collector", Store: store, HandlerTx: func(tx Tx, m Message) error {
			if err := tx.Put(m.Payload, []byte(m.From)); err != nil {
				return err
			}
			if !mended.Load() && string(m.Payload) == "c" {
				return errors.New("no")
			}
			return nil
		}})
		require.NoError(t, err)
		defer e.Close()
		w.collector.p, err = e.AddPeer(PeerConfig{Name: "device", Key: w.device.key})
		require.NoError(t, err)
		w.collector.e = e
		f := newForger(t, w.collector)
		require.NoError(t, f.data(5, 1, 1, whole("a"), whole("b"), whole("c"), whole("d")))
		has := func(key string) (there bool) {
			require.NoError(t, store.View(func(tx Tx) error {
				there = userTx{tx}.Get([]byte(key)) != nil
				return nil
			}))
			return there
		}
		require.Equal(t, uint64(2), w.collector.p.Stats().Handled)
		require.True(t, has("a") && has("b"))
		require.False(t, has("c"), "rolled back with its mark")
		mended.Store(true)
		for w.collector.p.Stats().Handled < 4 {
			sleep(t.Context(), handlerPause)
		}
		require.True(t, has("c") && has("d"))
	})
}
