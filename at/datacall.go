package at

import (
	"context"
	"fmt"
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
