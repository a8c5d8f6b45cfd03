package fakemodem

import (
	"io"
	"os"
	"sync"
	"time"
)

// bufferLimit bounds what waits in one direction of a line, in octets: the
// UART and USB buffers of real modems hold a few KiB, a kernel a few more.
const bufferLimit = 64 << 10

// buffer is one direction of a line: a bounded queue of octets, each of which
// may be read from its time on. The reader sees pieces run together unless
// they were put apart.
type buffer struct {
	mu      sync.Mutex
	pieces  []piece
	size    int
	lost    int  // octets that found no room
	held    bool // flow control: nothing may be read now
	closed  error
	changed chan struct{} // closed and replaced when something changed and someone waits
}

// piece is what became readable at one time.
type piece struct {
	data  []byte
	at    time.Time // zero: at once
	apart bool      // not to be read together with what follows
}

// wake tells all waiting readers and writers. The caller holds b.mu.
func (b *buffer) wake() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// wait returns a channel that is closed at the next change. The caller holds b.mu.
func (b *buffer) wait() <-chan struct{} {
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

// put adds p without waiting and counts what finds no room as lost, as a UART does.
func (b *buffer) put(p piece) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(p)
}

func (b *buffer) add(p piece) {
	if b.closed != nil || len(p.data) == 0 {
		return
	}
	if room := bufferLimit - b.size; len(p.data) > room {
		b.lost += len(p.data) - room
		p.data = p.data[:room]
		if room == 0 {
			return
		}
	}
	if k := len(b.pieces); k > 0 && !p.apart && !b.pieces[k-1].apart && !p.at.After(b.pieces[k-1].at) {
		b.pieces[k-1].data = append(b.pieces[k-1].data, p.data...)
	} else {
		p.data = append([]byte(nil), p.data...)
		b.pieces = append(b.pieces, p)
	}
	b.size += len(p.data)
	b.wake()
}

// write adds a piece and waits for room where there is none: the flow control
// of a data call. It ends early when the buffer is closed.
func (b *buffer) write(p piece) error {
	for {
		b.mu.Lock()
		if b.closed != nil {
			b.mu.Unlock()
			return b.closed
		}
		k := min(bufferLimit-b.size, len(p.data))
		b.add(piece{data: p.data[:k], at: p.at, apart: p.apart && k == len(p.data)})
		p.data = p.data[k:]
		if len(p.data) == 0 {
			b.mu.Unlock()
			return nil
		}
		changed := b.wait()
		b.mu.Unlock()
		<-changed
	}
}

// offer adds as much of p as finds room and tells how much that was; a closed
// buffer swallows everything.
func (b *buffer) offer(p []byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed != nil {
		return len(p)
	}
	k := min(bufferLimit-b.size, len(p))
	b.add(piece{data: p[:k]})
	return k
}

// roomLater is closed when offer may be tried again; nil if that is now.
func (b *buffer) roomLater() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.size < bufferLimit || b.closed != nil {
		return nil
	}
	return b.wait()
}

// cause is why the buffer is closed; nil while it is open.
func (b *buffer) cause() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// read waits for octets until the deadline that deadline returns at each look.
func (b *buffer) read(p []byte, deadline func() (time.Time, <-chan struct{})) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		b.mu.Lock()
		n, next, err := b.take(p, time.Now())
		changed := b.wait()
		b.mu.Unlock()
		if n > 0 || err != nil {
			return n, err
		}
		limit, moved := deadline()
		if !limit.IsZero() {
			if !time.Now().Before(limit) {
				return 0, os.ErrDeadlineExceeded
			}
			if next.IsZero() || limit.Before(next) {
				next = limit
			}
		}
		waitChange(changed, moved, next)
	}
}

// readLimit is a deadline for reads that can be moved while one waits.
type readLimit struct {
	mu    sync.Mutex
	until time.Time
	moved chan struct{} // closed and replaced when until moves; nil while nobody waits
}

func (l *readLimit) set(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = t
	if l.moved != nil {
		close(l.moved)
		l.moved = nil
	}
}

func (l *readLimit) get() (time.Time, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.moved == nil {
		l.moved = make(chan struct{})
	}
	return l.until, l.moved
}

// waitChange waits until one of the channels is closed or until the time.
func waitChange(changed, moved <-chan struct{}, until time.Time) {
	if until.IsZero() {
		select {
		case <-changed:
		case <-moved:
		}
		return
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-changed:
	case <-moved:
	case <-timer.C:
	}
}

// hold stops reads and lets them go on.
func (b *buffer) hold(held bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = held
	b.wake()
}

// take copies what may be read at now; next is when there will be more.
func (b *buffer) take(p []byte, now time.Time) (n int, next time.Time, err error) {
	if b.held && b.closed == nil {
		return 0, next, nil
	}
	for n < len(p) && len(b.pieces) > 0 {
		first := &b.pieces[0]
		if first.at.After(now) {
			next = first.at
			break
		}
		k := copy(p[n:], first.data)
		n += k
		b.size -= k
		first.data = first.data[k:]
		if len(first.data) > 0 {
			break
		}
		apart := first.apart
		b.pieces[0] = piece{}
		b.pieces = b.pieces[1:]
		if apart {
			break
		}
	}
	if len(b.pieces) == 0 {
		b.pieces = nil
	}
	if n > 0 {
		b.wake()
		return n, next, nil
	}
	if b.closed != nil && len(b.pieces) == 0 {
		return 0, next, b.closed
	}
	return 0, next, nil
}

// last is when the last octet put so far may be read; zero for at once.
func (b *buffer) last() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pieces) == 0 {
		return time.Time{}
	}
	return b.pieces[len(b.pieces)-1].at
}

// close ends the buffer: what is in it can still be read, then err comes.
func (b *buffer) close(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed == nil {
		if err == nil {
			err = io.EOF
		}
		b.closed = err
		b.wake()
	}
}

// clear throws away what waits.
func (b *buffer) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pieces, b.size = nil, 0
	b.wake()
}
