package netstack

import (
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/gprs/ppp"
)

// pacedLine is one end of a line that carries rate octets per second to the
// other end, where they arrive after delay. Up to buffer octets that wait are
// taken at once, as by a modem that is faster on its serial side than on the
// air; what is beyond holds up the writer.
type pacedLine struct {
	rate   float64
	delay  time.Duration
	buffer float64
	peer   *pacedLine

	mu       sync.Mutex
	free     time.Time // when the line will have carried all that was written
	arriving []arrival
	changed  chan struct{} // closed and renewed
	deadline time.Time
	closed   bool
}

type arrival struct {
	at    time.Time
	bytes []byte
}

func newPacedLine(bitsPerSecond float64, roundTrip time.Duration, buffer int) (a, b *pacedLine) {
	end := func() *pacedLine {
		return &pacedLine{rate: bitsPerSecond / 8, delay: roundTrip / 2, buffer: float64(buffer), changed: make(chan struct{})}
	}
	a, b = end(), end()
	a.peer, b.peer = b, a
	return a, b
}

func (l *pacedLine) notify() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *pacedLine) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; { // in pieces, as a UART sends
		piece := rest[:min(len(rest), 128)]
		rest = rest[len(piece):]
		l.mu.Lock()
		now := time.Now()
		if l.free.Before(now) {
			l.free = now
		}
		l.free = l.free.Add(seconds(float64(len(piece)) / l.rate))
		arrives, wait := l.free.Add(l.delay), l.free.Sub(now)-seconds(l.buffer/l.rate)
		closed := l.closed
		l.mu.Unlock()
		if closed {
			return 0, net.ErrClosed
		}
		l.peer.mu.Lock()
		l.peer.arriving = append(l.peer.arriving, arrival{arrives, append([]byte(nil), piece...)})
		l.peer.notify()
		l.peer.mu.Unlock()
		if wait > 0 {
			time.Sleep(wait)
		}
	}
	return len(p), nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (l *pacedLine) Read(p []byte) (int, error) {
	for {
		l.mu.Lock()
		now := time.Now()
		until := time.Hour
		switch {
		case l.closed:
			l.mu.Unlock()
			return 0, io.EOF
		case !l.deadline.IsZero() && !now.Before(l.deadline):
			l.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case len(l.arriving) > 0 && !l.arriving[0].at.After(now):
			n := copy(p, l.arriving[0].bytes)
			if l.arriving[0].bytes = l.arriving[0].bytes[n:]; len(l.arriving[0].bytes) == 0 {
				l.arriving = l.arriving[1:]
			}
			l.mu.Unlock()
			return n, nil
		case len(l.arriving) > 0:
			until = l.arriving[0].at.Sub(now)
		}
		if !l.deadline.IsZero() {
			until = min(until, l.deadline.Sub(now))
		}
		changed := l.changed
		l.mu.Unlock()
		timer := time.NewTimer(until)
		select {
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (l *pacedLine) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	l.notify()
	return nil
}

func (l *pacedLine) Close() error {
	for _, end := range []*pacedLine{l, l.peer} {
		end.mu.Lock()
		if !end.closed {
			end.closed = true
			end.notify()
		}
		end.mu.Unlock()
	}
	return nil
}

// pppPair brings PPP up on both ends of a line and puts a stack on each.
func pppPair(tb testing.TB, left, right io.ReadWriteCloser, config *Config) (a, b *Net) {
	tb.Helper()
	near, far := pppLinks(tb, left, right)
	return joined(tb, near, far, config)
}

// pppLinks brings PPP up on both ends of a line.
func pppLinks(tb testing.TB, left, right io.ReadWriteCloser) (a, b *ppp.Conn) {
	tb.Helper()
	type served struct {
		link *ppp.Conn
		err  error
	}
	serving := make(chan served, 1)
	go func() {
		link, err := ppp.Serve(tb.Context(), right, &ppp.Config{LocalAddr: there, PeerAddr: here, EchoInterval: -1, CloseStream: true})
		serving <- served{link, err}
	}()
	link, err := ppp.Dial(tb.Context(), left, &ppp.Config{EchoInterval: -1, CloseStream: true})
	require.NoError(tb, err)
	s := <-serving
	require.NoError(tb, s.err)
	return link, s.link
}

// newMemoryLine makes a line without a rate: bounded, and as fast as both ends.
func newMemoryLine() (a, b *memoryLine) {
	ab, ba := newMemoryPipe(), newMemoryPipe()
	return &memoryLine{ab, ba}, &memoryLine{ba, ab}
}

// memoryLine is one end of a line in memory.
type memoryLine struct{ out, in *memoryPipe }

func (l *memoryLine) Read(p []byte) (int, error)        { return l.in.read(p) }
func (l *memoryLine) Write(p []byte) (int, error)       { return l.out.write(p) }
func (l *memoryLine) SetReadDeadline(t time.Time) error { l.in.expire(t); return nil }
func (l *memoryLine) Close() error                      { l.in.close(); l.out.close(); return nil }

// memoryPipe is one direction: what a kernel's pipe does.
type memoryPipe struct {
	mu       sync.Mutex
	changed  sync.Cond
	data     []byte
	closed   bool
	deadline time.Time
	timer    *time.Timer
}

const memoryPipeSize = 64 << 10

func newMemoryPipe() *memoryPipe {
	p := new(memoryPipe)
	p.changed.L = &p.mu
	return p
}

func (p *memoryPipe) read(to []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.data) == 0 {
		if p.closed {
			return 0, io.EOF
		}
		if !p.deadline.IsZero() && !time.Now().Before(p.deadline) {
			return 0, os.ErrDeadlineExceeded
		}
		p.changed.Wait()
	}
	n := copy(to, p.data)
	if p.data = p.data[n:]; len(p.data) == 0 {
		p.data = p.data[:0]
	}
	p.changed.Broadcast()
	return n, nil
}

func (p *memoryPipe) write(from []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for sent := 0; ; {
		if p.closed {
			return sent, net.ErrClosed
		}
		n := min(memoryPipeSize-len(p.data), len(from)-sent)
		p.data = append(p.data, from[sent:sent+n]...)
		sent += n
		p.changed.Broadcast()
		if sent == len(from) {
			return sent, nil
		}
		p.changed.Wait()
	}
}

func (p *memoryPipe) expire(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	if p.timer != nil {
		p.timer.Stop()
	}
	if !t.IsZero() {
		p.timer = time.AfterFunc(time.Until(t), p.changed.Broadcast)
	}
	p.changed.Broadcast()
}

func (p *memoryPipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.changed.Broadcast()
}
