package at

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Modem is the engine on one line. All methods may be called by several
// goroutines at once, also from handlers of notifications.
type Modem struct {
	line io.ReadWriteCloser
	cut  func(time.Time) error // SetWriteDeadline of line; nil if it has none
	cfg  *Config
	done chan struct{} // closed by read, which is the last to end
	wake chan struct{} // something waits for the writer; closed at the end

	writer sync.WaitGroup

	spare atomic.Pointer[exchange] // for the next command
	began time.Time

	mu  sync.Mutex // guards all that follows; never held across a wait
	now instant    // of the event being worked on
	err error      // the first cause of the end; nil while alive

	out     outbox
	in      input
	run     *exchange   // owns the line; nil when it is free
	queue   []*exchange // wait for the line, first comes first
	staged  []*exchange // had their final result and wait for a later line
	echo    echo
	place   place // whether we know where the modem's talk stands
	call    *DataCall
	subs    []*subscription
	route   route
	slab    slab // for the texts of lines
	timer   alarm
	boot    bootWatch
	stats   Stats
	running int           // handlers, goroutines and Writes that Close waits for
	settled chan struct{} // closed when running is zero after the end
	trace   traceState

	earliest instant       // no command goes out before
	pacing   time.Duration // see Config.Pacing
}

// New starts an engine on line, which it owns from then on: nobody else may
// read, write or close it. A nil config is a sound choice. If line has
// SetWriteDeadline, as a net.Conn has, that must end a Write that waits: callers
// whose context has no end then write their commands themselves.
func New(line io.ReadWriteCloser, config *Config) *Modem {
	m := &Modem{
		line:  line,
		cfg:   config.resolved(),
		done:  make(chan struct{}),
		wake:  make(chan struct{}, 1),
		began: time.Now(),
	}
	if l, ok := line.(interface{ SetWriteDeadline(time.Time) error }); ok && l.SetWriteDeadline(time.Time{}) == nil {
		m.cut = l.SetWriteDeadline
	}
	m.pacing = m.cfg.Pacing
	m.trace.sinks(m.cfg)
	go m.read()
	return m
}

// Done returns a channel that is closed when the engine has ended: after
// Close, or because the line is gone.
func (m *Modem) Done() <-chan struct{} { return m.done }

// Err returns why the engine has ended: ErrClosed, or an error that wraps
// ErrLineGone. It is nil while the engine lives.
func (m *Modem) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Close ends the engine and closes the line. Commands that run or wait fail
// with ErrClosed. It waits for the engine's goroutines, and up to a second for
// handlers that run, so a handler that calls Close delays it that long. It may
// be called again and returns nil then as well.
func (m *Modem) Close() error {
	m.end(ErrClosed)
	err := m.line.Close()
	<-m.done
	m.mu.Lock()
	if m.settled == nil {
		m.settled = make(chan struct{})
		if m.running == 0 {
			close(m.settled)
		}
	} else {
		err = nil // not the first Close
	}
	settled := m.settled
	m.mu.Unlock()
	limit := time.NewTimer(handlerGrace)
	defer limit.Stop()
	select {
	case <-settled:
	case <-limit.C:
	}
	if errors.Is(m.Err(), ErrLineGone) {
		return nil // the line had ended before; its Close has nothing to add
	}
	return err
}

// end ends the engine for the given cause unless it has ended before.
func (m *Modem) end(cause error) {
	m.lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return
	}
	m.err = cause
	m.timer.stop()
	close(m.wake)
	for _, list := range [][]*exchange{m.queue, m.staged} {
		for _, x := range list {
			m.finish(x, cause)
		}
	}
	m.queue, m.staged = nil, nil
	if x := m.run; x != nil {
		m.run = nil
		m.finish(x, cause)
	}
	m.place.answer(cause)
	if m.call != nil {
		m.call.over(cause)
	}
	m.flushBodies()
}

// lock takes the lock for an event.
func (m *Modem) lock() {
	m.mu.Lock()
	m.now = 0
}

// spawn runs fn on a goroutine that Close waits for. The lock is held.
func (m *Modem) spawn(fn func()) {
	m.running++
	go func() {
		defer func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.ran()
		}()
		fn()
	}()
}

// ran notes the end of something that Close waits for. The lock is held.
func (m *Modem) ran() {
	m.running--
	if m.running == 0 && m.settled != nil {
		close(m.settled)
	}
}

// Command runs one command and waits for its end. A command that the modem
// refused, that was not answered in time or could not be sent is a
// *CommandError. When ctx ends, Command returns at once, but the command keeps
// the line until the modem has answered it or the engine has found its place
// again; an answer that is already there is returned even so.
func (m *Modem) Command(ctx context.Context, cmd Command) (Response, error) {
	if len(cmd.Text) > 0 && (cmd.Text[0] == 'D' || cmd.Text[0] == 'd') {
		// ATD of a voice call (ending in ";") is an ordinary command.
		if cmd.Text[len(cmd.Text)-1] != ';' {
			return Response{}, &CommandError{Command: cmd.line(), Err: fmt.Errorf("%w: a data call needs Dial", ErrInvalid)}
		}
	}
	return m.do(ctx, &cmd, nil, false)
}

// Exec runs a plain command: the text without AT and CR, such as "+CSQ".
func (m *Modem) Exec(ctx context.Context, text string) (Response, error) {
	return m.do(ctx, &Command{Text: text}, nil, false)
}

// do runs a command. A call makes it a dial; own says that it belongs to the
// data call that occupies the line.
func (m *Modem) do(ctx context.Context, cmd *Command, call *DataCall, own bool) (Response, error) {
	if err := cmd.check(m.cfg.LineLimit); err != nil {
		return Response{}, &CommandError{Command: cmd.line(), Err: err}
	}
	if err := ctx.Err(); err != nil {
		return Response{}, &CommandError{Command: cmd.line(), Err: err}
	}
	m.lock()
	if err := m.refusal(own); err != nil {
		m.mu.Unlock()
		return Response{}, &CommandError{Command: cmd.line(), Err: err}
	}
	x := m.newExchange(cmd, call, own)
	self := ctx.Done() == nil && m.mayWriteSelf()
	if self {
		m.out.caller = x
	}
	if m.idle() {
		m.start(x)
	} else {
		m.enqueue(x)
		m.proceed()
	}
	if self {
		m.writeSelf(x)
	}
	m.mu.Unlock()
	return m.await(ctx, x)
}

// refusal returns why no command can be taken now.
func (m *Modem) refusal(own bool) error {
	switch {
	case m.err != nil:
		return m.err
	case m.call != nil && !own && m.call.state != callSuspended:
		return ErrDataMode
	}
	return nil
}

// await waits until x has finished or ctx ends.
func (m *Modem) await(ctx context.Context, x *exchange) (Response, error) {
	if done := ctx.Done(); done == nil {
		<-x.done
	} else {
		select {
		case <-x.done:
		case <-done:
			m.lock()
			m.abandon(x, ctx.Err())
			m.mu.Unlock()
			<-x.done
		}
	}
	if x.err != nil { // it may still own the line
		return Response{}, &CommandError{Command: x.cmd.line(), Progress: x.reported, Err: x.err}
	}
	resp := x.resp
	m.recycle(x)
	return resp, nil
}

// idle tells whether a command can start at once.
func (m *Modem) idle() bool {
	return m.run == nil && len(m.queue) == 0 && m.call == nil && !m.place.lost && m.earliest == 0
}

// proceed starts what can start now. Every event ends with it.
func (m *Modem) proceed() {
	if m.err != nil || m.run != nil || m.place.searching() {
		return
	}
	inCall := m.call != nil && m.call.state != callSuspended
	if m.place.lost && !inCall {
		if len(m.place.waiters) > 0 {
			m.search(mayBeOpen)
		} else if len(m.queue) > 0 {
			m.search(promptClosed)
		}
		return
	}
	i := 0
	if inCall { // its end alone has commands to send, and others wait for that
		i = slices.IndexFunc(m.queue, func(x *exchange) bool { return x.own && m.call.state == callEnding })
	}
	if i < 0 || i >= len(m.queue) {
		return
	}
	if m.earliest != 0 && !m.come(m.earliest) {
		m.timer.arm(m, m.earliest)
		return
	}
	x := m.queue[i]
	m.queue = slices.Delete(m.queue, i, i+1)
	m.start(x)
}

// tick does what is due at m.clock() and returns when it wants to be called next.
func (m *Modem) tick() (next instant) {
	soon := func(t instant) { next = sooner(next, t) }
	if x := m.out.caller; x != nil {
		m.cutShort(x)
	}
	m.expireQueue()
	m.expireStaged()
	m.tickRun()
	m.tickBodies()
	m.tickPlace()
	m.proceed()
	for _, list := range [...][]*exchange{m.queue, m.staged} {
		for _, x := range list {
			soon(x.deadline)
			soon(x.stageDeadline)
		}
	}
	if m.run != nil {
		soon(m.run.due())
	}
	for _, b := range m.in.bodies {
		soon(b.deadline)
	}
	soon(m.in.digitDue)
	if m.place.searching() {
		soon(m.place.due)
	}
	if len(m.queue) > 0 && !m.come(m.earliest) {
		soon(m.earliest)
	}
	if c := m.call; c != nil {
		c.tick() // may end the call
		soon(c.due)
	}
	return next
}
