package cmux

import (
	"io"
	"sync"
	"time"
)

// A source reads a line until it is told to let go of it.
type source struct {
	line   io.ReadWriteCloser
	chunks chan []byte   // what was read, in order
	free   chan []byte   // buffers to read into
	stop   chan struct{} // closed by release
	ended  chan struct{} // closed when nothing reads any more

	late []byte // read after stop; valid when ended is closed
	err  error  // why reading ended; valid when ended is closed
}

// readSize is the size of a read; two buffers go round.
const readSize = 16 << 10

func newSource(line io.ReadWriteCloser) *source {
	s := &source{line: line, chunks: make(chan []byte), free: make(chan []byte, 2),
		stop: make(chan struct{}), ended: make(chan struct{})}
	s.free <- make([]byte, readSize)
	s.free <- make([]byte, readSize)
	go s.run()
	return s
}

func (s *source) run() {
	defer close(s.ended)
	for {
		var buf []byte
		select {
		case buf = <-s.free:
		case <-s.stop:
			return
		}
		n, err := s.line.Read(buf)
		if n > 0 {
			select {
			case s.chunks <- buf[:n]:
			case <-s.stop:
				s.late = buf[:n]
				return
			}
		} else {
			s.free <- buf
		}
		if err != nil {
			s.err = err
			return
		}
	}
}

// done gives a chunk's buffer back.
func (s *source) done(chunk []byte) { s.free <- chunk[:cap(chunk)] }

// release stops reading and returns the line to go on with. Rest was received
// already and is read first. If the line has read deadlines nothing reads it any
// more when release returns; otherwise a Read that waits is handed on.
func (s *source) release(rest []byte) io.ReadWriteCloser {
	close(s.stop)
	if line, ok := s.line.(interface{ SetReadDeadline(time.Time) error }); ok && line.SetReadDeadline(time.Unix(1, 0)) == nil {
		<-s.ended
		line.SetReadDeadline(time.Time{})
	}
	select {
	case <-s.ended:
		rest = append(rest, s.late...)
		if len(rest) == 0 {
			return s.line
		}
		return &returnedLine{ReadWriteCloser: s.line, rest: rest}
	default:
		return &returnedLine{ReadWriteCloser: s.line, rest: rest, pending: s}
	}
}

// A returnedLine is a line of which something was read ahead.
type returnedLine struct {
	io.ReadWriteCloser
	mu      sync.Mutex
	rest    []byte  // to be read first, guarded by mu
	pending *source // whose Read still waits, guarded by mu
}

// Read returns what was read ahead and then reads the line.
func (l *returnedLine) Read(p []byte) (int, error) {
	l.mu.Lock()
	pending := l.pending
	if n := copy(p, l.rest); n > 0 {
		l.rest = l.rest[n:]
		l.mu.Unlock()
		return n, nil
	}
	l.mu.Unlock()
	if pending == nil {
		return l.ReadWriteCloser.Read(p)
	}
	<-pending.ended
	l.mu.Lock()
	if l.pending == pending {
		l.pending, l.rest = nil, pending.late
	}
	l.mu.Unlock()
	if len(pending.late) == 0 && pending.err != nil {
		return 0, pending.err
	}
	return l.Read(p)
}

// Unwrap returns the line itself, for abilities that are not forwarded here.
func (l *returnedLine) Unwrap() io.ReadWriteCloser { return l.ReadWriteCloser }

// SetDTR forwards to the line, if it can.
func (l *returnedLine) SetDTR(on bool) error {
	if line, ok := l.ReadWriteCloser.(interface{ SetDTR(bool) error }); ok {
		return line.SetDTR(on)
	}
	return errNoDTR
}

// SetReadDeadline forwards to the line, if it can.
func (l *returnedLine) SetReadDeadline(t time.Time) error {
	if line, ok := l.ReadWriteCloser.(interface{ SetReadDeadline(time.Time) error }); ok {
		return line.SetReadDeadline(t)
	}
	return errNoDeadline
}

// SetWriteDeadline forwards to the line, if it can.
func (l *returnedLine) SetWriteDeadline(t time.Time) error {
	if line, ok := l.ReadWriteCloser.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return line.SetWriteDeadline(t)
	}
	return errNoDeadline
}
