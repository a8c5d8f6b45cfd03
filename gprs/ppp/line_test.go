package ppp

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lineEnd is one end of a line in memory. It takes whatever is written at
// once, and hands it to the other end through a list of faults.
type lineEnd struct {
	mu       sync.Mutex
	data     chan struct{} // closed and renewed when something changes
	buf      []byte
	closed   bool
	deadline time.Time

	peer   *lineEnd
	mangle func([]byte) [][]byte // what becomes of one write; nil leaves it alone
	delay  func() time.Duration  // before a write arrives; nil for none
	last   time.Time             // arrival of the latest write
	wrote  []byte                // everything written, if keep
	keep   bool
}

// newLine makes a line without faults.
func newLine() (a, b *lineEnd) {
	a, b = &lineEnd{data: make(chan struct{})}, &lineEnd{data: make(chan struct{})}
	a.peer, b.peer = b, a
	return a, b
}

func (l *lineEnd) changed() {
	close(l.data)
	l.data = make(chan struct{})
}

func (l *lineEnd) Read(p []byte) (int, error) {
	for {
		l.mu.Lock()
		switch {
		case !l.deadline.IsZero() && !time.Now().Before(l.deadline):
			l.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case len(l.buf) > 0:
			n := copy(p, l.buf)
			l.buf = l.buf[n:]
			l.mu.Unlock()
			return n, nil
		case l.closed:
			l.mu.Unlock()
			return 0, io.EOF
		}
		wait, deadline := l.data, l.deadline
		l.mu.Unlock()
		if deadline.IsZero() {
			<-wait
			continue
		}
		timer := time.NewTimer(time.Until(deadline))
		select {
		case <-wait:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (l *lineEnd) Write(p []byte) (int, error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return 0, net.ErrClosed
	}
	if l.keep {
		l.wrote = append(l.wrote, p...)
	}
	pieces := [][]byte{p}
	if l.mangle != nil {
		pieces = l.mangle(p)
	}
	now := pieces
	if l.delay != nil {
		l.later(pieces)
		now = nil
	}
	l.mu.Unlock()
	for _, piece := range now {
		l.peer.arrive(piece)
	}
	return len(p), nil
}

// later lets pieces arrive when their time has come, in order.
func (l *lineEnd) later(pieces [][]byte) {
	for _, piece := range pieces {
		at := time.Now().Add(l.delay())
		if !at.After(l.last) {
			at = l.last.Add(1)
		}
		l.last = at
		piece = append([]byte(nil), piece...)
		time.AfterFunc(time.Until(at), func() { l.peer.arrive(piece) })
	}
}

func (l *lineEnd) arrive(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.buf = append(l.buf, p...)
		l.changed()
	}
}

func (l *lineEnd) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	l.changed()
	return nil
}

// Close hangs up: both ends see the end of the line.
func (l *lineEnd) Close() error {
	for _, e := range []*lineEnd{l, l.peer} {
		e.mu.Lock()
		if !e.closed {
			e.closed = true
			e.changed()
		}
		e.mu.Unlock()
	}
	return nil
}

// lossy drops, doubles or damages frames with the given odds, in per mille.
func lossy(r *rand.Rand, drop, double, damage int) func([]byte) [][]byte {
	return func(p []byte) (out [][]byte) {
		for _, f := range splitAtFlags(p) {
			switch n := r.IntN(1000); {
			case n < drop:
			case n < drop+double:
				out = append(out, f, f)
			case n < drop+double+damage && len(f) > 0:
				f = append([]byte(nil), f...)
				f[r.IntN(len(f))] ^= byte(1 << r.IntN(8))
				out = append(out, f)
			default:
				out = append(out, f)
			}
		}
		return out
	}
}

// splitAtFlags cuts p behind every flag.
func splitAtFlags(p []byte) (out [][]byte) {
	from := 0
	for i, c := range p {
		if c == flagOctet {
			out = append(out, p[from:i+1])
			from = i + 1
		}
	}
	if from < len(p) {
		out = append(out, p[from:])
	}
	return out
}

// bring brings up both ends of a line.
func bring(t *testing.T, a, b io.ReadWriteCloser, dial, serve *Config) (client, server *Conn, dialErr, serveErr error) {
	t.Helper()
	var both sync.WaitGroup
	both.Go(func() { client, dialErr = Dial(t.Context(), a, dial) })
	both.Go(func() { server, serveErr = Serve(t.Context(), b, serve) })
	both.Wait()
	t.Cleanup(func() {
		a.Close()
		for _, c := range []*Conn{client, server} {
			if c != nil {
				c.Close()
			}
		}
	})
	return
}

// mustBring fails the test if the link does not come up.
func mustBring(t *testing.T, a, b io.ReadWriteCloser, dial, serve *Config) (client, server *Conn) {
	t.Helper()
	client, server, err1, err2 := bring(t, a, b, dial, serve)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// bubble runs f on the fake clock.
func bubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }
