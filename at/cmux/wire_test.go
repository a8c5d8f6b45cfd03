package cmux

import (
	"io"
	"math/rand"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A direction is one way of a wire: a bounded buffer that spoils what goes through.
type direction struct {
	mu     sync.Mutex
	buf    []byte
	closed bool
	change chan struct{} // holds one: there is data, or the end
	space  chan struct{} // holds one: there is room

	room  int                 // octets held at most
	spoil func([]byte) []byte // may be nil
	pace  time.Duration       // time of one octet, spent in Write
	piece int                 // octets given to one Read at most
	delay time.Duration       // before each Read that gives something
}

func (d *direction) signal() { token(d.change) }

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// A wireEnd is one end of a wire: a line with deadlines.
type wireEnd struct {
	in, out *direction
	read    *deadline
	write   *deadline
}

// newWire joins two ends; shape may change the two directions.
func newWire(shape func(d *direction)) (a, b *wireEnd) {
	var ds [2]*direction
	for i := range ds {
		ds[i] = &direction{change: make(chan struct{}, 1), space: make(chan struct{}, 1), room: 4096, piece: 1 << 20}
		if shape != nil {
			shape(ds[i])
		}
	}
	a = &wireEnd{in: ds[0], out: ds[1], read: newDeadline(), write: newDeadline()}
	b = &wireEnd{in: ds[1], out: ds[0], read: newDeadline(), write: newDeadline()}
	return a, b
}

func (e *wireEnd) Read(p []byte) (int, error) {
	over := e.read.passed()
	for {
		e.in.mu.Lock()
		n := copy(p[:min(len(p), e.in.piece)], e.in.buf)
		e.in.buf = e.in.buf[:copy(e.in.buf, e.in.buf[n:])]
		closed, left, delay := e.in.closed, len(e.in.buf), e.in.delay
		e.in.mu.Unlock()
		if n > 0 {
			if left > 0 || closed {
				e.in.signal()
			}
			token(e.in.space)
			if delay > 0 {
				time.Sleep(delay)
			}
			return n, nil
		}
		if closed {
			e.in.signal() // for other readers
			return 0, io.EOF
		}
		select {
		case <-e.in.change:
		case <-over:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (e *wireEnd) Write(p []byte) (n int, err error) {
	over := e.write.passed()
	if e.out.pace > 0 {
		time.Sleep(time.Duration(len(p)) * e.out.pace)
	}
	q := p
	if e.out.spoil != nil {
		q = e.out.spoil(append([]byte(nil), p...))
	}
	for {
		e.out.mu.Lock()
		if e.out.closed {
			e.out.mu.Unlock()
			return 0, io.ErrClosedPipe
		}
		k := min(len(q), max(e.out.room-len(e.out.buf), 0))
		e.out.buf = append(e.out.buf, q[:k]...)
		q = q[k:]
		e.out.mu.Unlock()
		e.out.signal()
		if len(q) == 0 {
			return len(p), nil
		}
		select {
		case <-e.out.space:
		case <-over:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (e *wireEnd) Close() error {
	for _, d := range []*direction{e.in, e.out} {
		d.mu.Lock()
		d.closed = true
		d.mu.Unlock()
		d.signal()
		token(d.space)
	}
	return nil
}

func (e *wireEnd) SetReadDeadline(t time.Time) error  { e.read.set(t); return nil }
func (e *wireEnd) SetWriteDeadline(t time.Time) error { e.write.set(t); return nil }

// flip changes one octet in about n.
func flip(seed int64, n int) func([]byte) []byte {
	r := rand.New(rand.NewSource(seed))
	return func(p []byte) []byte {
		for i := range p {
			if r.Intn(n) == 0 {
				p[i] ^= byte(1 + r.Intn(255))
			}
		}
		return p
	}
}

// lose drops one octet in about n.
func lose(seed int64, n int) func([]byte) []byte {
	r := rand.New(rand.NewSource(seed))
	return func(p []byte) []byte {
		q := p[:0]
		for _, b := range p {
			if r.Intn(n) != 0 {
				q = append(q, b)
			}
		}
		return q
	}
}
