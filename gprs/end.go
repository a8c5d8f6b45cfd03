package gprs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// EndReport tells how a connection was ended.
type EndReport struct {
	// Cause is why it ended.
	Cause error
	// Steps are what was done, in order.
	Steps []EndStep
	// CommandMode says that the modem has answered a command afterwards.
	CommandMode bool
}

// EndStep is one step on the way back to command mode.
type EndStep struct {
	Name string
	Err  error // nil if it did what it should
	Took time.Duration
}

// err is an *EndError unless command mode is proven.
func (r EndReport) err() error {
	if r.CommandMode {
		return nil
	}
	return &EndError{Report: r}
}

// EndError says that the modem could not be brought back to command mode: it
// needs a reset, or its line is gone.
type EndError struct {
	Report EndReport
}

// Error implements error.
func (e *EndError) Error() string {
	var steps []string
	for _, s := range e.Report.Steps {
		outcome := "done"
		if s.Err != nil {
			outcome = s.Err.Error()
		}
		steps = append(steps, s.Name+": "+outcome)
	}
	return fmt.Sprintf("gprs: the data call ended (%v) but the modem is not in command mode; tried: %s",
		e.Report.Cause, strings.Join(steps, "; "))
}

// Unwrap returns the error of the last step that failed.
func (e *EndError) Unwrap() error {
	for i := len(e.Report.Steps); i > 0; i-- {
		if err := e.Report.Steps[i-1].Err; err != nil {
			return err
		}
	}
	return nil
}

// end is an end in progress.
type end struct {
	network io.Closer // the stack or the sockets; nil if there are none
	link    io.Closer // PPP; nil if it never came up
	stream  io.Closer // the data call
	report  EndReport
}

// step does one thing and notes what came of it.
func (e *end) step(name string, do func() error) error {
	start := time.Now()
	err := do()
	e.report.Steps = append(e.report.Steps, EndStep{Name: name, Err: err, Took: time.Since(start)})
	return err
}

// end ends a connection whose cause is set: PPP by Terminate-Request, the call
// by the engine's escape and DTR, and if that does not prove command mode, the
// ladder.
func (b *Bearer) end(c *Connection) EndReport {
	e := &end{report: EndReport{Cause: c.cause}}
	if c.network != nil {
		e.network = c.network
	}
	if c.link != nil {
		e.link = c.link
	}
	if c.stream != nil {
		e.stream = c.stream
	}
	_ = b.recover(context.Background(), e) // the report holds it
	b.mu.Lock()
	b.detach = attachSuspect(c.cause)
	b.mu.Unlock()
	return e.report
}

// attachSuspect tells whether the cause says that the attachment itself may be
// dead, so that the next connection begins with a new one.
func attachSuspect(cause error) bool {
	for _, suspect := range []error{ErrProbeFailed, ErrContextLost, ErrRegistrationLost, ppp.ErrEchoLost} {
		if errors.Is(cause, suspect) {
			return true
		}
	}
	return false
}

// rungTimeout bounds a rung that has no limit of its own.
const rungTimeout = 30 * time.Second

// recover ends what e holds, which may be nothing, and climbs the ladder until
// the modem answers a command. The error is an *EndError.
func (b *Bearer) recover(ctx context.Context, e *end) error {
	if e == nil {
		e = &end{report: EndReport{Cause: ErrDown}}
	}
	if e.network != nil {
		_ = e.step("close the network", e.network.Close)
	}
	if e.link != nil {
		_ = e.step("terminate PPP", e.link.Close)
	}
	if e.stream != nil {
		e.report.CommandMode = e.step("leave data mode", func() error { return leave(e.stream) }) == nil
	}
	if !e.report.CommandMode { // also where a NO CARRIER in the stream was believed, but the call goes on
		e.report.CommandMode = e.step("ask for an answer", func() error { return b.prove(ctx) }) == nil
	}
	for _, rung := range b.cfg.Ladder {
		if e.report.CommandMode {
			break
		}
		_ = e.step(rung.Name, func() error {
			ctx, cancel := context.WithTimeout(ctx, orDuration(rung.Timeout, rungTimeout))
			defer cancel()
			return rung.Do(ctx)
		})
		e.report.CommandMode = e.step("ask for an answer", func() error { return b.prove(ctx) }) == nil
	}
	b.mu.Lock()
	b.stuck = !e.report.CommandMode
	b.mu.Unlock()
	return e.report.err()
}

// leave closes a data call. A line that is gone has no data mode, so the engine
// reports no failure; for us it is one.
func leave(call io.Closer) error {
	err := call.Close()
	if c, ok := call.(interface{ Err() error }); err == nil && ok && errors.Is(c.Err(), at.ErrLineGone) {
		err = c.Err()
	}
	return err
}

const (
	proveTimeout = 5 * time.Second        // of the question whether the modem is in command mode
	provePause   = 250 * time.Millisecond // before it is asked again, while the engine ends a call
)

// prove asks for something whose answer names itself, so that an OK of before
// is not taken for it. A refusal proves it as well. A modem that does not
// answer may still be in the data call that the engine has given up: an engine
// that can leave such a one is told to.
//
// A call that came up when its caller had gone is ended by the engine, which
// may let a question through before it has hung up. So two answers in a row
// are wanted.
func (b *Bearer) prove(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, rungTimeout)
	defer cancel()
	for {
		err := b.proveOnce(ctx, limit)
		if !occupied(err) || sleep(limit, provePause) != nil {
			return err
		}
	}
}

func (b *Bearer) proveOnce(ctx, limit context.Context) error {
	err := b.ask(limit)
	if err == nil {
		err = b.ask(limit)
	}
	if err == nil || occupied(err) {
		return err
	}
	if d, ok := b.d.(interface{ LeaveDataMode(context.Context) error }); ok && ctx.Err() == nil {
		return d.LeaveDataMode(ctx)
	}
	return err
}

// occupied tells whether the engine refused since it is busy with a call. A
// call that it could not end has more to say.
func occupied(err error) bool {
	var refusal *at.CommandError
	return err == at.ErrDataMode || errors.As(err, &refusal) && refusal.Err == at.ErrDataMode
}

// ask gives nil if the modem has answered.
func (b *Bearer) ask(ctx context.Context) error {
	_, err := b.d.Command(ctx, at.Command{Text: "+CMEE?", Timeout: proveTimeout})
	if refused(err) {
		return nil
	}
	return err
}
