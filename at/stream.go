package at

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"
)

// Limits of the stream's buffers in octets.
const (
	receiveLimit = 64 << 10
	sendLimit    = 2 << 10 // little, since what waits here delays the end
)

// streaming tells whether bytes from the modem are the call's.
func (c *DataCall) streaming() bool { return c.state == callUp || c.state == callEscaping }

// full tells whether the reader has to wait for Read.
func (c *DataCall) full() bool { return c.streaming() && !c.discard && len(c.rx) >= receiveLimit }

// receive takes data from p and returns what it cannot take: there is no room,
// or the rest is command mode.
func (c *DataCall) receive(p []byte) []byte {
	m := c.m
	for m.in.needLF && len(p) > 0 { // the line end of CONNECT
		switch p[0] {
		case '\n':
			m.in.needLF = false
			p = p[1:]
		case '\r':
			p = p[1:]
		default:
			m.in.needLF = false
		}
	}
	room := len(p)
	if !c.discard {
		room = min(room, receiveLimit-len(c.rx))
	}
	if room <= 0 {
		return p
	}
	n, result := room, ""
	if !c.handedOver {
		n, result = c.tail.scan(p[:room])
	}
	if c.discard {
		c.rx = nil
	} else {
		c.rx = append(c.rx, p[:n]...)
	}
	switch {
	case result != "" && c.state == callEscaping && c.asked:
		c.escaped(result)
		return p[n:]
	case result == "NO CARRIER":
		c.hold(min(len(c.rx), len("\r\nNO CARRIER\r\n")))
	case c.due != 0 && isLineText(p[:n]) && c.held+n <= m.cfg.LineLimit:
		c.hold(min(len(c.rx), c.held+n))
	default:
		c.due, c.held = 0, 0
	}
	c.cond.Broadcast()
	return p[n:]
}

// escaped ends the stream for now: the modem has answered +++.
func (c *DataCall) escaped(result string) {
	c.rx = c.rx[:len(c.rx)-min(len(c.rx), len(result)+4)]
	c.state, c.asked = callEnding, false
	c.m.in.line, c.m.in.needLF = c.m.in.line[:0], false
	c.event <- result
	c.cond.Broadcast()
}

// hold keeps the last bytes from Read: NO CARRIER and the text behind it. They
// show a hang-up if nothing but text follows until the line is silent.
func (c *DataCall) hold(n int) {
	m := c.m
	c.held = n
	c.due = m.after(max(m.cfg.EscapeGuard, m.cfg.Quiet))
	m.timer.arm(m, c.due)
}

// isLineText tells whether all of p can stand in lines of command mode. The flag
// of HDLC (RFC 1662 section 3.1), a tilde as text, is taken for a frame's.
func isLineText(p []byte) bool {
	for _, b := range p {
		if (b < ' ' || b >= '~') && b != '\r' && b != '\n' {
			return false
		}
	}
	return true
}

// tick ends the call when NO CARRIER, and notifications that go with it, were
// the last thing for long enough.
func (c *DataCall) tick() {
	if !c.m.come(c.due) {
		return
	}
	held := c.rx[len(c.rx)-c.held:]
	_, rest, _ := bytes.Cut(held, []byte("NO CARRIER\r\n"))
	rest = bytes.Clone(rest)
	c.due = 0
	if !c.m.speaks(rest) {
		c.held = 0
		c.cond.Broadcast()
		return
	}
	c.rx = c.rx[:len(c.rx)-c.held]
	c.held = 0
	c.hungUp("NO CARRIER")
	for len(rest) > 0 && c.m.call == nil {
		rest = c.m.takeLine(rest)
	}
}

// speaks tells whether every line of text is one that a modem sends by itself
// in command mode: a notification, known or by its look, or a result.
func (m *Modem) speaks(text []byte) bool {
	for line := range bytes.FieldsFuncSeq(text, func(r rune) bool { return r == '\r' || r == '\n' }) {
		_, known := m.cfg.rule(line)
		outcome, _ := finalResult(line, m.cfg.Finals)
		if !known && outcome == notFinal && !isSymbol(line[0]) && !m.cfg.isBoot(line) {
			return false
		}
	}
	return true
}

// Read reads data of the call. It returns io.EOF when the modem has ended the
// call, and an error of os.ErrDeadlineExceeded after the read deadline.
func (c *DataCall) Read(p []byte) (int, error) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	for {
		if ready := len(c.rx) - c.held; ready > 0 && !c.closing {
			n := copy(p, c.rx[:ready])
			c.rx = append(c.rx[:0], c.rx[n:]...)
			if len(c.rx) == 0 && cap(c.rx) > bigBuffer {
				c.rx = nil
			}
			c.cond.Broadcast()
			return n, nil
		}
		switch {
		case c.closing:
			return 0, ErrCallEnded
		case c.state == callOver && errors.Is(c.err, ErrCallEnded):
			return 0, io.EOF
		case c.state == callOver:
			return 0, c.err
		case !c.deadline.IsZero() && !time.Now().Before(c.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		}
		c.cond.Wait()
	}
}

// SetReadDeadline sets the time at which Read gives up, also one that waits;
// nothing received is lost by it. The zero time means never.
func (c *DataCall) SetReadDeadline(t time.Time) error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.deadline = t
	if c.wakeRead != nil {
		c.wakeRead.Stop()
		c.wakeRead = nil
	}
	if !t.IsZero() {
		c.wakeRead = time.AfterFunc(max(time.Until(t), 0), c.wakeAll)
	}
	c.cond.Broadcast()
	return nil
}

// wakeAll has everybody who waits look again. It takes the lock, so that nobody
// misses it who has looked already and does not wait yet.
func (c *DataCall) wakeAll() {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.cond.Broadcast()
}

// Write sends data. It waits while the modem does not take it, and while the
// call is suspended.
func (c *DataCall) Write(p []byte) (n int, err error) {
	m := c.m
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		switch {
		case c.closing:
			return n, ErrCallEnded
		case c.state == callOver:
			return n, c.err
		case n == len(p) && n > 0 || len(p) == 0:
			return n, nil
		case c.state == callUp && len(m.out.buf) < sendLimit:
			piece := p[n:min(len(p), n+sendLimit-len(m.out.buf))]
			m.out.buf = append(m.out.buf, piece...)
			n += len(piece)
			m.kick()
			continue
		}
		c.cond.Wait()
	}
}

// wrote notes that the writer has sent bytes.
func (c *DataCall) wrote(now instant) {
	c.lastOut = now
	c.cond.Broadcast()
}
