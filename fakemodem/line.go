package fakemodem

import (
	"io"
	"os"
	"time"
)

// Line is the host's end of a serial line to a port of a modem, in memory. It
// is an io.ReadWriteCloser whose Close unblocks Read, and it has the wires of
// a serial port. One goroutine may read while others write and close.
//
// A line has room for 64 KiB towards the host; in command mode a modem drops
// what finds no room, in a data call it waits.
type Line struct {
	port *port
	in   *buffer // from the modem to the host

	limit  readLimit
	done   chan struct{}
	closed bool // guarded by the network's lock
}

var _ io.ReadWriteCloser = (*Line)(nil)

// newLine connects a line to p; the caller holds the network's lock. A line
// that is on the port already is cut off from it.
func newLine(p *port) *Line {
	l := &Line{port: p, in: new(buffer), done: make(chan struct{})}
	if p.line != nil {
		p.line.in.close(io.EOF)
	}
	if p.unplugged || p.m.closed {
		l.in.close(errUnplugged)
		return l
	}
	p.line = l
	p.out = l.in
	p.dtr, p.wires.rtsOff = true, false
	p.gate()
	return l
}

// Read waits for octets from the modem. It returns io.EOF after the modem or
// its USB port is gone, os.ErrClosed after Close, and os.ErrDeadlineExceeded
// after the deadline.
func (l *Line) Read(p []byte) (int, error) {
	return l.in.read(p, l.limit.get)
}

// SetReadDeadline bounds running and later Reads; the zero time lifts the bound.
func (l *Line) SetReadDeadline(t time.Time) error {
	l.limit.set(t)
	return nil
}

// Write hands octets to the modem. It waits where a real line does: for the
// line's speed, if it has one, and in a data call for room.
func (l *Line) Write(p []byte) (int, error) {
	n := l.port.m.n
	done := 0
	for done < len(p) {
		b := l.step(p[done:])
		if d := l.port.duration(len(b)); d > 0 {
			l.pause(d)
		}
		n.mu.Lock()
		if err := l.gone(); err != nil {
			n.mu.Unlock()
			return done, err
		}
		lost, busy := l.port.stopped()
		k := 0
		switch {
		case lost:
			k = len(b)
		case busy == nil:
			k, busy = l.port.receive(b)
		}
		n.mu.Unlock()
		done += k
		if busy != nil {
			select {
			case <-busy:
			case <-l.done:
			}
		}
	}
	return done, nil
}

// step cuts what is written at once on a line with a speed, so that octets
// arrive spread over time.
func (l *Line) step(p []byte) []byte {
	if l.port.duration(1) > 0 && len(p) > 64 {
		return p[:64]
	}
	return p
}

func (l *Line) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.done:
	}
}

// gone tells why the line cannot be written to. The caller holds the network's lock.
func (l *Line) gone() error {
	if l.closed {
		return os.ErrClosed
	}
	if l.port.line != l || l.port.unplugged || l.port.m.closed {
		return errUnplugged
	}
	return nil
}

// Close lets go of the port. Its DTR wire drops, as that of a tty does. It may
// be called twice.
func (l *Line) Close() error {
	n := l.port.m.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	l.in.clear()
	l.in.close(os.ErrClosed)
	if l.port.line == l {
		l.port.setDTR(false)
		l.port.line, l.port.out = nil, nil
	}
	return nil
}

// SetDTR raises or drops the Data Terminal Ready wire (ITU-T V.24 circuit
// 108/2). What a drop does in a data call is set by AT&D.
func (l *Line) SetDTR(on bool) error {
	n := l.port.m.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := l.gone(); err != nil {
		return err
	}
	l.port.setDTR(on)
	return nil
}

// SetRTS raises or drops Request To Send. With hardware flow control (AT+IFC)
// a dropped RTS holds the modem's output.
func (l *Line) SetRTS(on bool) error {
	n := l.port.m.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := l.gone(); err != nil {
		return err
	}
	l.port.wires.rtsOff = !on
	l.port.gate()
	return nil
}

// DCD tells whether the Data Carrier Detect wire is up: during a data call, or
// always with AT&C0.
func (l *Line) DCD() bool {
	n := l.port.m.n
	n.mu.Lock()
	defer n.mu.Unlock()
	return l.gone() == nil && l.port.dcd()
}

// RI tells whether the ring indicator is on: while a call rings, and for
// 120 ms when the modem tells of a message.
func (l *Line) RI() bool {
	n := l.port.m.n
	n.mu.Lock()
	defer n.mu.Unlock()
	return l.gone() == nil && (l.port.m.ringing() || time.Now().Before(l.port.m.pulseEnd))
}

// CTS tells whether the modem is ready to take octets.
func (l *Line) CTS() bool {
	n := l.port.m.n
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, byModem := l.port.m.flow(); byModem == flowWire && l.port.wires.full != nil {
		return false
	}
	return l.gone() == nil && l.port.m.on
}

// DSR tells whether the modem is there and has power.
func (l *Line) DSR() bool {
	n := l.port.m.n
	n.mu.Lock()
	defer n.mu.Unlock()
	return l.gone() == nil && l.port.m.on
}
