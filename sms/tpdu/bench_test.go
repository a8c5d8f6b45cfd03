package tpdu_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	peer "github.com/warthog618/sms"
	peertpdu "github.com/warthog618/sms/encoding/tpdu"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// Each benchmark does the same work with this package and with
// github.com/warthog618/sms in one run and reports their ratio as x-peer.

// workloads are the texts of the benchmarks.
var workloads = []struct{ name, text string }{
	{"gsm7-160", strings.Repeat("Pressure 4.2 bar, level 81%, ok. ", 5)[:160]},
	{"gsm7-ten-parts", strings.Repeat("Pressure 4.2 bar, level 81%, ok. ", 50)[:1530]},
	{"ucs2-70", strings.Repeat("Температура 95 градусов. ", 10)[:len("Температура 95 градусов. Температура 95 градусов. Температура 95 гра")]},
	{"ucs2-ten-parts", string([]rune(strings.Repeat("Температура 95 градусов. ", 40))[:670])},
}

const benchNumber = "+4915112345678"

// compare runs ours under the benchmark's clock, then both by turns, and
// reports the ratio of the fastest rounds.
func compare(b *testing.B, ours, theirs func()) {
	b.ReportAllocs()
	for b.Loop() {
		ours()
	}
	b.StopTimer()
	round := func(n int, work func()) time.Duration {
		start := time.Now()
		for range n {
			work()
		}
		return time.Since(start) / time.Duration(n)
	}
	own, other := time.Duration(1<<62), time.Duration(1<<62)
	for range 20 {
		own = min(own, round(200, ours))
		other = min(other, round(10, theirs))
	}
	b.ReportMetric(float64(other)/float64(max(own, 1)), "x-peer")
}

func BenchmarkEncode(b *testing.B) {
	to, err := tpdu.ParseAddress(benchNumber)
	require.NoError(b, err)
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			var parts tpdu.Parts
			out := make([]byte, 0, 4096)
			submit := tpdu.Submit{Destination: to}
			compare(b, func() {
				if err := parts.Split(w.text, nil); err != nil {
					b.Fatal(err)
				}
				submit.DCS = parts.DCS(tpdu.NoClass)
				out = out[:0]
				for i := range parts.Len() {
					submit.UserData = parts.At(i)
					out, err = submit.AppendBinary(out)
					if err != nil {
						b.Fatal(err)
					}
				}
			}, func() {
				pdus, err := peer.Encode([]byte(w.text), peer.To(benchNumber))
				if err != nil {
					b.Fatal(err)
				}
				for i := range pdus {
					if _, err := pdus[i].MarshalBinary(); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// deliveries makes the SMS-DELIVERs of a text.
func deliveries(tb testing.TB, from, text string, reference uint16) [][]byte {
	tb.Helper()
	oa, err := tpdu.ParseAddress(from)
	require.NoError(tb, err)
	parts, err := tpdu.Split(text, &tpdu.SplitConfig{Reference: reference, Wide: true})
	require.NoError(tb, err)
	var all [][]byte
	for i := range parts.Len() {
		d := tpdu.Deliver{Originator: oa, DCS: parts.DCS(tpdu.NoClass), UserData: parts.At(i),
			Timestamp: tpdu.NewTimestamp(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
		octets, err := d.AppendBinary(nil)
		require.NoError(tb, err)
		all = append(all, octets)
	}
	return all
}

func BenchmarkDecode(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			in := deliveries(b, benchNumber, w.text, 7)
			var (
				d    tpdu.Deliver
				text tpdu.TextDecoder
				out  = make([]byte, 0, 8192)
			)
			compare(b, func() {
				out = out[:0]
				for _, octets := range in {
					if err := d.Decode(octets); err != nil {
						b.Fatal(err)
					}
					var err error
					if out, err = text.Append(out, d.DCS, &d.UserData); err != nil {
						b.Fatal(err)
					}
				}
				out = text.Finish(out)
			}, func() {
				pdus := make([]*peertpdu.TPDU, len(in))
				for i, octets := range in {
					var err error
					if pdus[i], err = peer.Unmarshal(octets); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := peer.Decode(pdus); err != nil {
					b.Fatal(err)
				}
			})
			require.Equal(b, w.text, string(out))
		})
	}
}
