package at

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	peer "github.com/warthog618/modem/at"
)

// The benchmarks of BENCHMARKS.md. Each measures the bare loop, this engine
// and github.com/warthog618/modem/at v0.4.0 in turn within one run and reports
// ratios of medians, so that another load on the machine matters little:
//
//	go test -run '^$' -bench . -benchtime 1x ./at

// rounds is how often each measurement is repeated; the median counts.
const rounds = 7

// responder answers each command line with the same bytes.
func responder(line memoryLine, answer string) { respond(line.out, line.in, answer) }

func respond(from io.Reader, to io.Writer, answer string) {
	buf, reply := make([]byte, 256), []byte(answer)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if slices.Contains(buf[:n], '\r') {
			to.Write(reply)
		}
	}
}

const csqAnswer = "\r\n+CSQ: 17,0\r\n\r\nOK\r\n"

func newResponder(b *testing.B, answer string) memoryLine {
	line := memoryLine{newHalfPipe(), newHalfPipe()}
	go responder(line, answer)
	b.Cleanup(func() { line.Close() })
	return line
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// perCall returns the time of one call in nanoseconds.
func perCall(n int, call func()) float64 {
	begin := time.Now()
	for range n {
		call()
	}
	return float64(time.Since(begin)) / float64(n)
}

// BenchmarkRoundTrip has a line without write deadlines, as a serial port is,
// one with them, as a net.Conn is, on which callers write themselves, and the
// pipe of package net, whose Write waits for the Read.
func BenchmarkRoundTrip(b *testing.B) {
	memory := func(b *testing.B) io.ReadWriteCloser { return newResponder(b, csqAnswer) }
	b.Run("plain", func(b *testing.B) { roundTrip(b, memory(b), memory) })
	b.Run("deadlines", func(b *testing.B) { roundTrip(b, deadlineLine{newResponder(b, csqAnswer)}, memory) })
	b.Run("net", func(b *testing.B) { roundTrip(b, newNetResponder(b), newNetResponder) })
}

// newNetResponder is newResponder on net.Pipe.
func newNetResponder(b *testing.B) io.ReadWriteCloser {
	line, modem := net.Pipe()
	go func() {
		defer modem.Close()
		respond(modem, modem, csqAnswer)
	}()
	b.Cleanup(func() { line.Close() })
	return line
}

func roundTrip(b *testing.B, line io.ReadWriteCloser, newLine func(*testing.B) io.ReadWriteCloser) {
	const calls = 20_000
	bareLine := newLine(b)
	buf := make([]byte, 256)
	command := []byte("AT+CSQ\r")
	bare := func() {
		bareLine.Write(command)
		for got := 0; got < len(csqAnswer); {
			n, err := bareLine.Read(buf)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	}
	m := New(line, nil)
	defer m.Close()
	ctx := context.Background()
	cmd := Command{Text: "+CSQ"}
	ours := func() {
		resp, err := m.Command(ctx, cmd)
		if err != nil || len(resp.Info) != 1 {
			b.Fatal(resp, err)
		}
	}
	other := peer.New(newLine(b))
	theirs := func() {
		if _, err := other.Command("+CSQ"); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		var t [3][]float64
		for range rounds {
			t[0] = append(t[0], perCall(calls, bare))
			t[1] = append(t[1], perCall(calls, ours))
			t[2] = append(t[2], perCall(calls/10, theirs))
		}
		b.ReportMetric(median(t[1]), "ns/roundtrip")
		b.ReportMetric(median(t[1])/median(t[0]), "x-bare")
		b.ReportMetric(median(t[2])/median(t[1]), "x-faster-than-peer")
		b.ReportMetric(testing.AllocsPerRun(1000, ours), "allocs/roundtrip")
	}
}

func TestRoundTripAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	plain := memoryLine{newHalfPipe(), newHalfPipe()}
	limited := deadlineLine{memoryLine{newHalfPipe(), newHalfPipe()}}
	go responder(plain, csqAnswer)
	go responder(limited.memoryLine, csqAnswer)
	for _, line := range []io.ReadWriteCloser{plain, limited} {
		m := New(line, nil)
		defer m.Close()
		cmd := Command{Text: "+CSQ"}
		allocs := testing.AllocsPerRun(1000, func() { m.Command(context.Background(), cmd) })
		if allocs > 2 { // the list of lines and the line
			t.Errorf("%T: %.1f allocations for a round trip, at most 2 are allowed", line, allocs)
		}
	}
}

// floodChunks are n numbered notifications in chunks as a busy UART delivers
// them.
func floodChunks(n int) []string {
	var chunks []string
	var chunk strings.Builder
	for i := range n {
		fmt.Fprintf(&chunk, "\r\n+N: %d\r\n", i)
		if chunk.Len() > 3000 || i == n-1 {
			chunks = append(chunks, chunk.String())
			chunk.Reset()
		}
	}
	return chunks
}

// flood sends them.
func flood(line memoryLine, chunks []string) {
	for _, c := range chunks {
		line.in.writeBounded(c, 16<<10)
	}
}

// writeBounded writes as a UART with flow control does: it waits while the
// reader has fallen behind.
func (p *halfPipe) writeBounded(text string, limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) >= limit && p.err == nil {
		p.cond.Wait()
	}
	p.buf = append(p.buf, text...)
	p.cond.Broadcast()
}

func heap() float64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return float64(s.HeapInuse + s.StackInuse)
}

func BenchmarkNotifications(b *testing.B) {
	const many = 1_000_000
	chunks := floodChunks(many)
	for b.Loop() {
		line := memoryLine{newHalfPipe(), newHalfPipe()}
		before := heap()
		m := New(line, &Config{QueueLimit: 16 << 10})
		done := make(chan int, 1)
		next, lost, wrong := 0, 0, 0
		m.Handle("+N", func(n Notification) {
			var number int
			for _, c := range n.Line[len("+N: "):] {
				number = 10*number + int(c-'0')
			}
			lost += n.Lost
			if number != next+n.Lost {
				wrong++
			}
			if next = number + 1; next == many {
				done <- lost
			}
		})
		var s0, s1 runtime.MemStats
		runtime.ReadMemStats(&s0)
		begin := time.Now()
		flood(line, chunks)
		lost = <-done
		ours := float64(many) / time.Since(begin).Seconds()
		runtime.ReadMemStats(&s1)
		held := heap() - before
		m.Close()
		if wrong > 0 {
			b.Fatalf("%d out of order", wrong)
		}
		theirs := peerNotifications(b, many/50)
		b.ReportMetric(ours, "lines/s")
		b.ReportMetric(ours/theirs, "x-faster-than-peer")
		b.ReportMetric(float64(s1.Mallocs-s0.Mallocs)/many, "allocs/line")
		b.ReportMetric(held/(1<<20), "MiB-held")
		b.ReportMetric(float64(lost), "lost")
	}
}

// peerNotifications returns the peer's lines per second.
func peerNotifications(b *testing.B, n int) float64 {
	line := memoryLine{newHalfPipe(), newHalfPipe()}
	other := peer.New(line)
	var seen atomic.Int64
	done := make(chan struct{})
	chunks := floodChunks(n)
	other.AddIndication("+N:", func([]string) {
		if seen.Add(1) == int64(n) {
			close(done)
		}
	})
	begin := time.Now()
	flood(line, chunks)
	<-done
	rate := float64(n) / time.Since(begin).Seconds()
	line.Close()
	<-other.Closed()
	return rate
}

// BenchmarkBlockedHandler floods a handler that never returns: commands are
// answered all the same, and the loss is counted.
func BenchmarkBlockedHandler(b *testing.B) {
	const many = 1_000_000
	chunks := floodChunks(many)
	for b.Loop() {
		line := memoryLine{newHalfPipe(), newHalfPipe()}
		go responder(line, csqAnswer)
		m := New(line, nil)
		release := make(chan struct{})
		m.Handle("+N", func(Notification) { <-release })
		before := heap()
		go flood(line, chunks)
		answered := 0
		for m.Stats().Lost < many-1024-1 {
			if _, err := m.Exec(context.Background(), "+CSQ"); err != nil {
				b.Fatal(err)
			}
			answered++
		}
		b.ReportMetric(float64(answered), "commands-answered")
		b.ReportMetric(float64(m.Stats().Lost), "lost-counted")
		b.ReportMetric((heap()-before)/(1<<20), "MiB-held")
		close(release)
		m.Close()
	}
}

// BenchmarkInterleaved runs 100,000 commands with three notifications inside
// each answer.
func BenchmarkInterleaved(b *testing.B) {
	const calls = 100_000
	const answer = "\r\n+N: 1\r\n\r\n+CSQ: 17,0\r\n\r\n+N: 2\r\n\r\n+N: 3\r\n\r\nOK\r\n"
	for b.Loop() {
		m := New(newResponder(b, answer), &Config{QueueLimit: 1 << 20})
		heard, leaked := 0, 0
		m.Handle("+N", func(Notification) { heard++ })
		m.Handle("", func(Notification) { leaked++ })
		wrong := 0
		for range calls {
			resp, err := m.Exec(context.Background(), "+CSQ")
			if err != nil || len(resp.Info) != 1 || resp.Info[0].Text != "+CSQ: 17,0" {
				wrong++
			}
		}
		m.Close()
		other := peer.New(newResponder(b, answer))
		other.AddIndication("+N:", func([]string) {})
		theirs := 0
		for range calls / 100 {
			if info, err := other.Command("+CSQ"); err != nil || len(info) != 1 {
				theirs++
			}
		}
		b.ReportMetric(float64(wrong), "wrong")
		b.ReportMetric(float64(leaked), "leaked")
		b.ReportMetric(float64(3*calls-heard), "lost")
		b.ReportMetric(100*float64(theirs)/(calls/100), "peer-%-wrong")
	}
}

// BenchmarkIdle holds 10,000 engines: new ones, and ones that have run a
// command and been idle since for longer than its limit.
func BenchmarkIdle(b *testing.B) {
	const many = 10_000
	const limit = time.Second
	hold := func(wait time.Duration, open func(memoryLine) io.Closer) float64 {
		lines := make([]memoryLine, many)
		for i := range lines {
			lines[i] = newResponder(b, csqAnswer)
			lines[i].Write([]byte("AT\r")) // so that the far end has what it needs
			for got, buf := 0, make([]byte, 64); got < len(csqAnswer); {
				n, _ := lines[i].Read(buf)
				got += n
			}
		}
		runtime.GC()
		before := heap()
		var held []io.Closer
		for _, line := range lines {
			held = append(held, open(line))
		}
		time.Sleep(wait)
		runtime.GC()
		each := (heap() - before) / many
		for _, h := range held {
			h.Close()
		}
		return each / 1024
	}
	for b.Loop() {
		b.ReportMetric(hold(0, func(line memoryLine) io.Closer { return New(line, nil) }), "KiB-new")
		b.ReportMetric(hold(2*limit, func(line memoryLine) io.Closer {
			m := New(line, &Config{AnswerTimeout: limit})
			m.Handle("+N", func(Notification) {})
			if _, err := m.Exec(context.Background(), "+CSQ"); err != nil {
				b.Fatal(err)
			}
			return m
		}), "KiB-used")
		b.ReportMetric(hold(0, func(line memoryLine) io.Closer {
			peer.New(line)
			return line
		}), "peer-KiB-new")
	}
}
