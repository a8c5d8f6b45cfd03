package cmux

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// benchChunk is what the benchmarks write and read at once: a tty's buffer.
const benchChunk = 4 << 10

// rawTime is the time of one octet through the same pipe without a multiplexer.
func rawTime(b *testing.B, total int) time.Duration {
	x, y := net.Pipe()
	defer x.Close()
	defer y.Close()
	return transfer(b, x, y, total)
}

// transfer times total octets from one line to the other.
func transfer(b *testing.B, from io.Writer, to io.Reader, total int) time.Duration {
	b.Helper()
	chunk := make([]byte, benchChunk)
	start := time.Now()
	var writer sync.WaitGroup
	writer.Go(func() {
		for left := total; left > 0; left -= len(chunk) {
			if _, err := from.Write(chunk); err != nil {
				b.Error(err)
				return
			}
		}
	})
	sink := make([]byte, benchChunk)
	for left := total; left > 0; {
		n, err := to.Read(sink)
		if err != nil {
			b.Fatal(err)
		}
		left -= n
	}
	writer.Wait()
	return time.Since(start)
}

// BenchmarkBulk is one channel in bulk over net.Pipe against the same pipe without a multiplexer, in
// one run: "x-raw" is the ratio of the times, "wire/payload" the octets on the line for
// one of payload. An operation is one chunk of 4 KiB.
func BenchmarkBulk(b *testing.B) {
	for _, n1 := range []int{31, 127, 1509} {
		b.Run(fmt.Sprintf("N1=%d", n1), func(b *testing.B) {
			x, y := net.Pipe()
			host, modem := New(x, &Config{N1: n1}), Serve(y, &Config{N1: n1})
			defer func() { host.Close(); modem.Close(); x.Close(); y.Close() }()
			h, err := host.Open(context.Background(), 1)
			require.NoError(b, err)
			m, err := modem.Accept(context.Background())
			require.NoError(b, err)
			transfer(b, h, m, 64*benchChunk) // buffers grow
			total := b.N * benchChunk
			rawTotal := max(total, 1024*benchChunk)
			rawOctet := float64(rawTime(b, rawTotal)) / float64(rawTotal)
			before := host.Stats()
			b.SetBytes(benchChunk)
			b.ReportAllocs()
			b.ResetTimer()
			took := transfer(b, h, m, total)
			b.StopTimer()
			after := host.Stats()
			b.ReportMetric(float64(took)/float64(total)/rawOctet, "x-raw")
			b.ReportMetric(float64(after.OctetsOut-before.OctetsOut)/float64(total), "wire/payload")
			b.ReportMetric(float64(took)/float64(max(after.FramesOut-before.FramesOut, 1)), "ns/frame")
		})
	}
}

// BenchmarkFrame is the codec alone: one frame written and read back.
func BenchmarkFrame(b *testing.B) {
	for name, code := range map[string]codec{"basic": {}, "advanced": {option: Advanced}} {
		for _, n1 := range []int{31, 127, 1509} {
			b.Run(fmt.Sprintf("%s/N1=%d", name, n1), func(b *testing.B) {
				d := decoder{option: code.option, max: n1}
				info := noise(1, n1)
				var wire []byte
				b.SetBytes(int64(n1))
				b.ReportAllocs()
				for b.Loop() {
					wire = code.append(wire[:0], frame{dlci: 1, control: uih, info: info})
					d.feed(wire)
					if _, ev := d.next(); ev != gotFrame {
						b.Fatal(ev)
					}
				}
			})
		}
	}
}

// BenchmarkSmallWrite is a command of 5 octets on DLCI 1 while DLCI 2 sends all it can on
// a line of 115,200 bit/s whose Write takes the line's time. The metrics are in units
// of the time of one full frame (N1 = 127): the issue wants 2 and 3.
func BenchmarkSmallWrite(b *testing.B) {
	const n1 = 127
	octet := 10 * time.Second / 115200
	frameTime := (n1 + 6) * octet
	x, y := net.Pipe()
	host, modem := New(pacedLine{x, octet}, &Config{N1: n1}), Serve(y, &Config{N1: n1})
	defer func() { host.Close(); modem.Close(); x.Close(); y.Close() }()
	var h, m [2]*Channel
	for i := range h {
		var err error
		h[i], err = host.Open(context.Background(), i+1)
		require.NoError(b, err)
		m[i], err = modem.Accept(context.Background())
		require.NoError(b, err)
	}
	go io.Copy(h[1], endless{})
	go io.Copy(io.Discard, m[1])
	time.Sleep(20 * frameTime)
	var waits []time.Duration
	buf := make([]byte, 5)
	for b.Loop() {
		time.Sleep(3*frameTime + time.Duration(len(waits)%11)*frameTime/11)
		start := time.Now()
		h[0].Write([]byte("AT+X\r"))
		if _, err := io.ReadFull(m[0], buf); err != nil {
			b.Fatal(err)
		}
		waits = append(waits, time.Since(start))
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2])/float64(frameTime), "frames-median")
	b.ReportMetric(float64(waits[len(waits)*99/100])/float64(frameTime), "frames-p99")
}

// A pacedLine takes the line's time for each octet written.
type pacedLine struct {
	net.Conn
	octet time.Duration
}

func (l pacedLine) Write(p []byte) (int, error) {
	time.Sleep(time.Duration(len(p)) * l.octet)
	return l.Conn.Write(p)
}

// endless is a source of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
