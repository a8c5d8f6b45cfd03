package fakemodem

import (
	"errors"
	"io"
	"time"
)

// Causes that end a data call.
var (
	errReset     = errors.New("the modem has been reset")
	errHungUp    = errors.New("the call was hung up")
	errUnplugged = errors.New("the port is gone: the modem was unplugged")
	errLost      = errors.New("the network has ended the packet context")
	errClosed    = errors.New("the modem is closed")
)

// stream is the octets of a port in data mode, as PPP or the multiplexer see
// them: an io.ReadWriteCloser.
type stream struct {
	p       *port
	in      *buffer // from the host
	escapes bool    // +++ leaves data mode
	plus    int     // escape characters held back so far
	leave   *event  // runs when the silence behind +++ has lasted
	onEnd   func(error)
	limit   readLimit
	dead    bool // carries nothing more, without a sign of it
}

var _ io.ReadWriteCloser = (*stream)(nil)

// carry puts the port into data mode on a new stream.
func (p *port) carry(escapes bool) *stream {
	s := &stream{p: p, in: new(buffer), escapes: escapes}
	p.data, p.mode = s, modeData
	return s
}

// receive takes octets from the host, looks for the escape sequence in them
// and keeps the rest for Read.
func (s *stream) receive(b []byte, idle time.Duration) (taken int, busy <-chan struct{}) {
	if s.dead {
		return len(b), nil
	}
	guard := s.guard()
	for i, c := range b {
		if s.escapes && c == s.p.set.s[2] && s.plus < 3 && (s.plus > 0 || (i == 0 && idle >= guard)) {
			s.plus++
			if s.plus == 3 {
				s.leave = s.p.m.after(guard, s.escape)
			}
			continue
		}
		if s.plus > 0 {
			s.giveBack()
		}
		n := s.in.offer(b[i:])
		if n == len(b)-i {
			return len(b), nil
		}
		return i + n, s.in.roomLater()
	}
	return len(b), nil
}

// guard is the silence that must surround +++ (S12, in 20 ms).
func (s *stream) guard() time.Duration {
	return time.Duration(s.p.set.s[regGuard]) * 20 * time.Millisecond
}

// giveBack: it was no escape sequence after all.
func (s *stream) giveBack() {
	s.p.m.n.cancel(s.leave)
	for ; s.plus > 0; s.plus-- {
		s.in.offer([]byte{s.p.set.s[2]})
	}
}

// escape leaves data mode and keeps the call (ITU-T V.250 clause 6.2.9).
func (s *stream) escape() {
	s.plus = 0
	if s.p.data != s || s.p.m.faults.ignoreEscape() {
		return
	}
	s.p.hold()
}

// hold puts the data call of a port on hold: online command mode.
func (p *port) hold() {
	p.calls, p.data, p.mode = p.data, nil, modeCommand
	p.write(p.result("OK"))
	p.ready()
}

// resume goes back to the data call on hold.
func (p *port) resume() {
	p.data, p.calls, p.mode = p.calls, nil, modeData
}

// Read gives octets from the host.
func (s *stream) Read(b []byte) (int, error) {
	return s.in.read(b, s.limit.get)
}

// SetReadDeadline bounds running and later Reads.
func (s *stream) SetReadDeadline(t time.Time) error {
	s.limit.set(t)
	return nil
}

// Write sends octets to the host, waits for room, and drops them while the
// call is on hold or nobody is there.
func (s *stream) Write(b []byte) (int, error) {
	n := s.p.m.n
	n.mu.Lock()
	if err := s.in.cause(); err != nil {
		n.mu.Unlock()
		return 0, err
	}
	var pieces []piece
	out := s.p.out
	if s.p.data == s && out != nil && !s.dead {
		s.p.m.trace(s.p, FromModem, b)
		pieces = s.p.m.faults.output(s.p, b)
	}
	at := s.p.duration(len(b))
	n.mu.Unlock()
	for _, piece := range pieces {
		if at > 0 {
			start := time.Now()
			if last := out.last(); last.After(start) {
				start = last
			}
			piece.at = start.Add(at)
		}
		if out.write(piece) != nil {
			break // the host has closed the port; the call goes on
		}
	}
	return len(b), nil
}

// Close ends the stream from the network's side.
func (s *stream) Close() error {
	s.in.close(io.EOF)
	return nil
}

// end ends the stream from the modem's side. The caller holds the network's lock.
func (s *stream) end(cause error) {
	s.p.m.n.cancel(s.leave)
	s.in.close(cause)
	if s.onEnd != nil {
		fn := s.onEnd
		s.onEnd = nil
		fn(cause)
	}
}

// drop ends a call with a result code: NO CARRIER. The caller holds the
// network's lock.
func (s *stream) drop(final string, cause error) {
	p := s.p
	s.end(cause)
	switch s {
	case p.data:
		p.data, p.mode = nil, modeCommand
		p.print([]string{final}, true)
		p.ready()
	case p.calls:
		p.calls = nil
		p.notify(final)
	}
}

// setDTR moves the DTR wire; a drop in a data call does what AT&D says (ITU-T
// V.250 clause 6.2.9).
func (p *port) setDTR(on bool) {
	dropped := p.dtr && !on
	p.dtr = on
	if !dropped || p.data == nil || !p.data.escapes {
		return
	}
	switch p.set.dtr {
	case 1:
		p.hold()
	case 2:
		p.data.drop("NO CARRIER", errHungUp)
	}
}

// dcd is the state of the DCD wire.
func (p *port) dcd() bool {
	return p.set.dcd == 0 || p.data != nil || p.calls != nil
}
