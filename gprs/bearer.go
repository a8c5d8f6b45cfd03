package gprs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// Causes of a connection that is not there.
var (
	// ErrDown says that there is no connection now: Connect makes one.
	ErrDown = errors.New("the bearer is not connected")
	// ErrNoStack says that the connection has no TCP/IP stack: BearerConfig.Stack is nil.
	ErrNoStack = errors.New("the bearer has no stack to dial with")
	// ErrContextLost says that the network took the context away.
	ErrContextLost = errors.New("the network has deactivated the context")
	// ErrRegistrationLost says that the modem lost the network during the call.
	ErrRegistrationLost = errors.New("the registration was lost during the call")
	// ErrProbeFailed says that the link looked well but carried nothing.
	ErrProbeFailed = errors.New("the link is up but carries nothing")
)

// ConnectError is a connection that did not come up.
type ConnectError struct {
	// Step is what was being done: "attach", "define", "dial", "ppp", "stack",
	// "sockets", "recover".
	Step string
	Err  error
}

// Error implements error.
func (e *ConnectError) Error() string { return "gprs: connect: " + e.Step + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// Bearer is packet data through one modem: it attaches, dials, brings PPP and
// a stack up, watches them, and ends all of it so that the modem is back in a
// proven command mode. All methods may be called by several goroutines at once.
//
// While a connection is up on a line of its own, the line carries nothing
// else: commands get at.ErrDataMode from the engine. On a channel of the
// multiplexer the other channels go on.
type Bearer struct {
	d        at.Commander
	dial     func(context.Context, at.Command) (io.ReadWriteCloser, error)
	cfg      BearerConfig
	quirks   *Quirks
	contexts *Contexts
	stops    []func()

	turn   chan struct{}   // holds a token while Connect or Close is at work
	open   context.Context // done with Close
	expire context.CancelCauseFunc

	mu      sync.Mutex
	current *Connection // the last one, perhaps ended
	stuck   bool        // command mode is not proven
	detach  bool        // the last call failed so that a detach is due
	closed  bool
}

// NewBearer returns a Bearer on d, which it does not own; cfg may be nil.
// Nothing is sent before Connect.
func NewBearer(d at.Dialer, cfg *BearerConfig) *Bearer {
	return newBearer(d, func(ctx context.Context, cmd at.Command) (io.ReadWriteCloser, error) {
		call, err := d.Dial(ctx, cmd)
		if err != nil {
			return nil, err
		}
		return call, nil
	}, cfg)
}

func newBearer(d at.Commander, dial func(context.Context, at.Command) (io.ReadWriteCloser, error), cfg *BearerConfig) *Bearer {
	b := &Bearer{d: d, dial: dial, turn: make(chan struct{}, 1)}
	b.open, b.expire = context.WithCancelCause(context.Background())
	if cfg != nil {
		b.cfg = *cfg
	}
	b.quirks = b.cfg.Quirks.or()
	b.contexts = NewContexts(d, b.quirks)
	listen := d
	if b.cfg.Control != nil {
		listen = b.cfg.Control
	}
	for _, prefix := range contextEventPrefixes {
		b.stops = append(b.stops, listen.Handle(prefix, b.onContext))
	}
	return b
}

// onContext passes a context that is lost on to the connection that is up.
func (b *Bearer) onContext(n at.Notification) {
	e, ok := ParseContextEvent(n.Line)
	if !ok || !e.Loses(b.cfg.Context.id()) {
		return
	}
	if c := b.up(); c != nil {
		c.hint(ErrContextLost)
	}
}

// up returns the connection that is up, or nil.
func (b *Bearer) up() *Connection {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current == nil || b.current.ended() {
		return nil
	}
	return b.current
}

// Connect brings a connection up, or returns the one that is up already. ctx
// bounds the set-up, not the connection. The error is a *ConnectError unless
// the context or the Bearer ended; the modem is then back in command mode, or
// the error says that it is not, as an *EndError inside.
func (b *Bearer) Connect(ctx context.Context) (*Connection, error) {
	if err := b.take(ctx); err != nil {
		return nil, err
	}
	defer b.give()
	if c := b.up(); c != nil {
		return c, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(b.open, func() { cancel(ErrClosed) })()
	c, err := b.settleAndConnect(ctx)
	switch {
	case err != nil && b.isClosed():
		return nil, errors.Join(ErrClosed, err)
	case err != nil:
		return nil, err
	}
	b.mu.Lock()
	b.current = c
	b.mu.Unlock()
	go c.watch()
	return c, nil
}

func (b *Bearer) settleAndConnect(ctx context.Context) (*Connection, error) {
	if err := b.settle(ctx); err != nil {
		return nil, err
	}
	return b.connect(ctx)
}

// take waits for the turn to change the state of the line.
func (b *Bearer) take(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if b.isClosed() {
		b.give()
		return ErrClosed
	}
	return nil
}

func (b *Bearer) give() { <-b.turn }

func (b *Bearer) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// settle waits for the end of the connection before and cures what it left.
func (b *Bearer) settle(ctx context.Context) error {
	b.mu.Lock()
	last := b.current
	b.mu.Unlock()
	if last != nil {
		select {
		case <-last.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.mu.Lock()
	stuck, detach := b.stuck, b.detach
	b.mu.Unlock()
	if stuck {
		if err := b.recover(ctx, nil); err != nil {
			return &ConnectError{Step: "recover", Err: err}
		}
	}
	if detach && !b.quirks.NoAttach {
		if err := b.contexts.Detach(ctx); err != nil && !refused(err) {
			return &ConnectError{Step: "detach", Err: err}
		}
		if err := sleep(ctx, time.Second); err != nil { // R410: 1 s between +CGATT=0 and +CGATT=1
			return err
		}
	}
	b.mu.Lock()
	b.detach = false
	b.mu.Unlock()
	return nil
}

// connect makes the connection. If PPP dies while it negotiates addresses, the
// attachment is renewed and the call made once more.
func (b *Bearer) connect(ctx context.Context) (*Connection, error) {
	if b.cfg.Sockets != nil {
		if err := b.attach(ctx); err != nil {
			return nil, err
		}
		n, err := b.cfg.Sockets(ctx, b.d, b.cfg.Context)
		if err != nil {
			return nil, &ConnectError{Step: "sockets", Err: err}
		}
		return newConnection(b, nil, nil, n), nil
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	c, err := b.call(ctx)
	if err == nil || ctx.Err() != nil || !diedInNetworkPhase(err) || b.quirks.NoAttach {
		return c, err
	}
	b.mu.Lock()
	b.detach = true
	b.mu.Unlock()
	if settleErr := b.settle(ctx); settleErr != nil {
		return nil, settleErr
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	return b.call(ctx)
}

// diedInNetworkPhase tells the failure that a new attachment cures: SARA-R410
// drops the call at the first IPCP request.
func diedInNetworkPhase(err error) bool {
	var p *ppp.Error
	return errors.As(err, &p) && p.Phase == ppp.PhaseNetwork
}

// prepare attaches and defines the context.
func (b *Bearer) prepare(ctx context.Context) error {
	if err := b.contexts.Define(ctx, b.cfg.Context); err != nil {
		return &ConnectError{Step: "define", Err: err}
	}
	return b.attach(ctx)
}

func (b *Bearer) attach(ctx context.Context) error {
	if b.quirks.NoAttach {
		return nil
	}
	if err := b.contexts.Attach(ctx); err != nil {
		return &ConnectError{Step: "attach", Err: err}
	}
	return nil
}

// call dials and puts PPP and the stack on the call.
func (b *Bearer) call(ctx context.Context) (*Connection, error) {
	stream, err := b.dialPatiently(ctx)
	if err != nil && !refused(err) { // the modem may answer CONNECT yet
		return nil, b.abandon(ctx, "dial", err, nil)
	}
	if err != nil {
		return nil, &ConnectError{Step: "dial", Err: err}
	}
	link, err := ppp.Dial(ctx, stream, b.cfg.link())
	if err != nil {
		return nil, b.abandon(ctx, "ppp", err, stream)
	}
	if b.cfg.Stack == nil {
		return newConnection(b, stream, link, nil), nil
	}
	n, err := b.cfg.Stack(link)
	if err != nil {
		link.Close()
		return nil, b.abandon(ctx, "stack", err, stream)
	}
	return newConnection(b, stream, link, n), nil
}

// abandon ends a call that is of no use and reports both failures if the modem
// did not come back.
func (b *Bearer) abandon(ctx context.Context, step string, cause error, stream io.Closer) error {
	if endErr := b.recover(context.WithoutCancel(ctx), &end{stream: stream, report: EndReport{Cause: cause}}); endErr != nil {
		cause = errors.Join(cause, endErr)
	}
	return &ConnectError{Step: step, Err: cause}
}

// dialPatiently dials, and again after a pause while the modem answers NO CARRIER.
func (b *Bearer) dialPatiently(ctx context.Context) (io.ReadWriteCloser, error) {
	if err := sleep(ctx, b.quirks.DialPause); err != nil {
		return nil, err
	}
	cmd := at.Command{
		Text:    strings.ReplaceAll(b.quirks.dial(), "{cid}", strconv.Itoa(b.cfg.Context.id())),
		Timeout: b.quirks.dialTimeout(),
	}
	pause := orDuration(b.cfg.DialPause, 2*time.Second)
	for attempt := 1; ; attempt++ {
		stream, err := b.dial(ctx, cmd)
		if err == nil {
			return stream, nil
		}
		if !refused(err) || attempt >= b.cfg.dialAttempts() {
			return nil, err
		}
		if sleepErr := sleep(ctx, pause); sleepErr != nil {
			return nil, errors.Join(err, sleepErr)
		}
		pause *= 2
	}
}

// DialContext connects through the connection that is up, by the way that was
// configured: the stack on PPP, or the modem's sockets. Without a connection it
// fails with ErrDown; it does not connect by itself.
func (b *Bearer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c := b.up()
	if c == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: ErrDown}
	}
	return c.DialContext(ctx, network, address)
}

// Disconnect ends the connection that is up and waits until the modem is in
// command mode again. If that cannot be proven the error is an *EndError that
// tells what was tried. Without a connection it does nothing. When ctx ends
// first, the end goes on without being waited for.
func (b *Bearer) Disconnect(ctx context.Context) error {
	b.mu.Lock()
	c := b.current
	b.mu.Unlock()
	if c == nil {
		return nil
	}
	c.lose(ErrClosed)
	select {
	case <-c.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.report.err()
}

// Close ends the connection, and a Connect in progress, waits for them, and
// ends the subscriptions. It may be called twice. The error is that of
// Disconnect.
func (b *Bearer) Close() error {
	b.mu.Lock()
	first := !b.closed
	b.closed = true
	b.mu.Unlock()
	if first {
		for _, stop := range b.stops {
			stop()
		}
		b.expire(ErrClosed)
	}
	b.turn <- struct{}{} // when Connect has brought the modem back
	defer b.give()
	return b.Disconnect(context.Background())
}

// String names the context.
func (b *Bearer) String() string { return fmt.Sprintf("bearer on %v", b.cfg.Context) }
