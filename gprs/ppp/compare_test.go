package ppp

import (
	"slices"
	"testing"
	"time"
)

// compare times ours and theirs in turn, so that both meet the same machine,
// and reports the ratio of their medians.
func compare(b *testing.B, ours, theirs func()) {
	const batch = 64
	var a, c []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		for range batch {
			ours()
		}
		middle := time.Now()
		for range batch {
			theirs()
		}
		a, c = append(a, middle.Sub(start)), append(c, time.Since(middle))
	}
	slices.Sort(a)
	slices.Sort(c)
	own, plain := a[len(a)/2], c[len(c)/2]
	b.ReportMetric(float64(own)/float64(plain), "ratio")
	b.ReportMetric(float64(own.Nanoseconds())/batch, "ns/packet")
	b.ReportMetric(float64(plain.Nanoseconds())/batch, "plain-ns/packet")
}
