package telemetry

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// BenchmarkSend measures how many readings Send accepts, by the number of
// goroutines that send, against what the disk does: readings/flush is the rate
// of readings over the rate at which a page is written and flushed alone,
// measured just before. A commit takes two flushes, so a single sender can
// reach 0.5.
func BenchmarkSend(b *testing.B) {
	for _, senders := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("senders=%d", senders), func(b *testing.B) {
			dir := b.TempDir()
			raw := flushTime(b, filepath.Join(dir, "raw"))
			store, err := OpenStore(filepath.Join(dir, "store.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			e, err := Open(Config{Name: "a", Store: store, MaxOutbox: -1})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			p, err := e.AddPeer(PeerConfig{Name: "b", Key: NewKey()})
			if err != nil {
				b.Fatal(err)
			}
			payload := make([]byte, 60)
			b.ResetTimer()
			var all sync.WaitGroup
			for i := range senders {
				all.Go(func() {
					for n := i; n < b.N; n += senders {
						if _, err := p.Send(b.Context(), payload); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			each := b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(raw)/float64(each), "readings/flush")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}

// flushTime is how long it takes to write a page and flush it.
func flushTime(b *testing.B, path string) time.Duration {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	const rounds = 200
	start := time.Now()
	for i := range rounds {
		if _, err := f.WriteAt(page, int64(i%8)*4096); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start) / rounds
}
