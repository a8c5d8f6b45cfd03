package at

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Dialer is a Commander that can also turn its line into a data call, as
// *Modem can.
type Dialer interface {
	Commander
	// Dial runs a command that ends in CONNECT (ATD*99#, +CGDATA) and hands
	// the line over as a stream.
	Dial(ctx context.Context, cmd Command) (*DataCall, error)
}

var _ Dialer = (*Modem)(nil)

// DataCall is the line while it carries data. One goroutine may read while
// another writes and a third one closes. Until it has ended, commands on the
// Modem fail with ErrDataMode, except while it is suspended.
type DataCall struct {
	m      *Modem
	result string
	done   chan struct{}
	closed chan struct{} // Close has come to its end
	event  chan string   // a result in answer to +++
	turn   chan struct{} // holds a value while Suspend, Resume or Close work

	handedOver bool // by Handover: the stream is not the modem's any more

	// Guarded by Modem.mu; cond is on it.
	cond     *sync.Cond
	state    callState
	closing  bool
	err      error // why it ended
	closeErr error
	rx       []byte // what Read has not taken
	held     int    // octets at the end of rx that may be a hang-up
	tail     tail
	discard  bool // nobody reads any more
	asked    bool // +++ is out
	lastOut  instant
	due      instant // the silence behind a hang-up is long enough
	deadline time.Time
	wakeRead *time.Timer
}

type callState uint8

const (
	callDialling  callState = iota // no CONNECT yet
	callUp                         // bytes are data
	callEscaping                   // bytes are data until a result; nothing is sent but +++
	callSuspended                  // command mode, the call goes on
	callEnding                     // command mode, for the end of the call alone
	callOver
)

// Limits of the stream's buffers in octets.
const (
	receiveLimit = 64 << 10
	sendLimit    = 2 << 10 // little, since what waits here delays the end
)

// Dial runs cmd, such as "D*99#" or `+CGDATA="PPP",1`, and returns the stream
// after CONNECT. Bytes glued behind CONNECT belong to the stream. A result
// such as NO CARRIER or BUSY is a *CommandError with a ResultError. When ctx
// ends before, the modem is told to stop dialling.
func (m *Modem) Dial(ctx context.Context, cmd Command) (*DataCall, error) {
	c := m.newCall()
	resp, err := m.do(ctx, &cmd, c, false)
	if err != nil {
		return nil, err
	}
	if c.result == "" {
		return nil, &CommandError{Command: cmd.line(), Progress: CommandWritten,
			Err: fmt.Errorf("no data call: %w", ResultError{Result: resp.Final})}
	}
	return c, nil
}

func (m *Modem) newCall() *DataCall {
	c := &DataCall{m: m, done: make(chan struct{}), closed: make(chan struct{}), event: make(chan string, 4), turn: make(chan struct{}, 1)}
	c.cond = sync.NewCond(&m.mu)
	return c
}

// connected gives the line to the call of x.
func (m *Modem) connected(x *exchange) {
	x.call.result = x.resp.Final
	m.occupy(x.call)
	m.refuseQueue()
}

// refuseQueue fails the commands that wait: the line carries data now.
func (m *Modem) refuseQueue() {
	for _, q := range m.queue {
		m.finish(q, ErrDataMode)
	}
	m.queue = nil
}

func (m *Modem) occupy(c *DataCall) {
	m.call = c
	c.state, c.discard, c.tail = callUp, c.closing, tail{}
	c.lastOut = m.clock()
	c.cond.Broadcast()
	if line, ok := m.line.(interface{ DCD() (bool, error) }); ok && !c.closing && !c.handedOver {
		m.spawn(func() { c.watchCarrier(line.DCD) })
	}
}

// unwantedData ends a call that nobody waits for. One that was to be resumed has
// an owner, who closes it.
func (m *Modem) unwantedData(c *DataCall) {
	if c != nil && (c.state == callSuspended || c.state == callEnding) {
		m.occupy(c)
		m.refuseQueue()
		return
	}
	if c == nil || c.state != callDialling {
		c = m.newCall()
	}
	m.place.phase = placeStill
	m.occupy(c)
	m.warn("unexpected data mode")
	m.spawn(func() { c.Close() })
}

// Result returns the final result that began the call: "CONNECT 115200".
func (c *DataCall) Result() string { return c.result }

// Done returns a channel that is closed when the call has ended: by Close, by
// the modem, or because the line is gone.
func (c *DataCall) Done() <-chan struct{} { return c.done }

// Err returns why the call has ended; nil while it goes on. It wraps
// ErrCallEnded or ErrLineGone.
func (c *DataCall) Err() error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.err
}

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

// hungUp ends a call that the modem has ended.
func (c *DataCall) hungUp(why string) {
	if c.state == callEscaping { // its escape will see that
		c.escaped("NO CARRIER")
		return
	}
	m := c.m
	c.over(fmt.Errorf("%w: %s", ErrCallEnded, why))
	if m.call == c {
		m.call = nil
		m.place.lost = true
		m.proceed()
	}
}

// over notes the end of the call. Data that have not gone out are none for command
// mode.
func (c *DataCall) over(cause error) {
	if c.state == callOver {
		return
	}
	if c.m.call == c && c.streaming() {
		c.m.out.drop()
	}
	c.state, c.err, c.due = callOver, cause, 0
	close(c.done)
	c.cond.Broadcast()
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

// take waits until no other of Suspend, Resume and Close is at work.
func (c *DataCall) take(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *DataCall) leave() { <-c.turn }

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
