package at

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	escapeTries = 3               // some modems need several (F71)
	escapeWait  = 2 * time.Second // for the OK, beyond the guard time
	dtrDrop     = time.Second     // DTR off for longer than S25 asks
	dtrSettle   = 500 * time.Millisecond
)

// Close ends the call and returns nil when the modem is in command mode and
// has proven it by an answer: it escapes by +++ with guard times and hangs up
// (ATH), or drops DTR where the line has it. If the modem does not come back,
// the error tells what was tried and wraps ErrDataMode; the line then needs
// another way to reset it. Close takes Config.HangupTimeout at most.
// Further calls wait for the first and return the same.
func (c *DataCall) Close() error {
	m := c.m
	m.mu.Lock()
	if c.closing {
		m.mu.Unlock()
		<-c.closed
		return c.closeErr
	}
	c.closing = true
	limit := m.cfg.HangupTimeout
	c.cond.Broadcast()
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := c.hangUp(ctx)
	m.mu.Lock()
	c.closeErr = err
	if c.wakeRead != nil {
		c.wakeRead.Stop()
	}
	m.mu.Unlock()
	close(c.closed)
	return err
}

// LeaveDataMode ends a data call that this engine knows nothing of, such as
// one that a program left open when it died: +++ with guard times, DTR where
// the line has it, proof by an answer. A command that runs fails with
// ErrDataMode.
func (m *Modem) LeaveDataMode(ctx context.Context) error {
	m.lock()
	if err := m.refusal(false); err != nil {
		m.mu.Unlock()
		return err
	}
	if x := m.run; x != nil {
		m.finish(x, ErrDataMode)
		m.leave(x)
		m.dropBodies(x)
	}
	c := m.newCall()
	c.closing = true
	m.place.phase = placeStill
	m.occupy(c)
	m.mu.Unlock()
	defer close(c.closed)
	return c.hangUp(ctx)
}

// hangUp brings the modem to command mode and proves it.
func (c *DataCall) hangUp(ctx context.Context) error {
	m := c.m
	if c.take(ctx) == nil { // else the end cannot wait for it any more
		defer c.leave()
	}
	m.mu.Lock()
	over, gone := c.state == callOver, m.err
	m.mu.Unlock()
	if gone != nil {
		return nil // no line, no data mode
	}
	tried := "the modem had hung up"
	if !over {
		tried = c.climbOut(ctx)
	}
	m.lock()
	c.over(ErrCallEnded)
	if m.call == c {
		m.call = nil
	}
	m.place.lost = true // before anything else goes out, the proof
	m.mu.Unlock()
	err := m.Resync(ctx)
	if err == nil || errors.Is(err, ErrClosed) || errors.Is(err, ErrLineGone) {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", ErrDataMode, tried, err)
}

// climbOut leaves data mode by +++ or by DTR and returns what it did.
func (c *DataCall) climbOut(ctx context.Context) (tried string) {
	c.m.lock()
	c.discard, c.rx, c.held = true, nil, 0
	suspended := c.state == callSuspended
	if suspended {
		c.state = callEnding
	}
	c.m.mu.Unlock()
	if suspended {
		if _, err := c.ath(ctx); !errors.Is(err, ErrDataMode) {
			return "it was suspended"
		} // else an ATO that nobody waited for any more has been obeyed
	}
	result, err := c.escape(ctx)
	if err == nil {
		if result == "OK" {
			c.ath(ctx)
		}
		return "+++ was answered by " + result
	}
	tried = fmt.Sprintf("+++ was not answered (%v)", err)
	line, ok := c.m.line.(interface{ SetDTR(bool) error })
	if !ok {
		return tried
	}
	return tried + "; " + c.dropDTR(ctx, line.SetDTR)
}

// ath hangs up. Its result matters less than the proof to come.
func (c *DataCall) ath(ctx context.Context) (Response, error) {
	return c.m.do(ctx, &Command{Text: "H"}, nil, true)
}

// dropDTR takes DTR away for a while: AT&D1 and AT&D2 end data mode by that
// (ITU-T V.250 clause 6.2.9).
func (c *DataCall) dropDTR(ctx context.Context, set func(bool) error) string {
	if err := set(false); err != nil {
		return fmt.Sprintf("DTR could not be dropped (%v)", err)
	}
	pause(ctx, dtrDrop)
	if err := set(true); err != nil {
		return fmt.Sprintf("DTR could not be raised again (%v)", err)
	}
	pause(ctx, dtrSettle)
	return "DTR was dropped"
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// escape sends +++ between guard times until the modem answers.
func (c *DataCall) escape(ctx context.Context) (result string, err error) {
	if err := c.beginEscape(); err != nil {
		return "", err
	}
	guard := max(c.m.cfg.EscapeGuard, 0)
	for range escapeTries {
		if err := c.waitSilent(ctx, guard); err != nil {
			return "", err
		}
		c.m.lock()
		if c.state == callEscaping {
			c.asked = true
			c.m.put(nil, NothingWritten, "+++")
		}
		c.m.mu.Unlock()
		t := time.NewTimer(guard + escapeWait)
		select {
		case result = <-c.event:
		case <-c.done:
			err = c.Err()
		case <-t.C:
		case <-ctx.Done():
			err = ctx.Err()
		}
		t.Stop()
		if result != "" || err != nil {
			return result, err
		}
	}
	return "", fmt.Errorf("%w: +++ was sent %d times", ErrNoAnswer, escapeTries)
}

// beginEscape stops the sending of data.
func (c *DataCall) beginEscape() error {
	c.m.lock()
	defer c.m.mu.Unlock()
	switch c.state {
	case callOver:
		return c.err
	case callUp:
		c.state, c.asked = callEscaping, false
		return nil
	}
	return fmt.Errorf("%w: the data call is already suspended or ending", ErrInvalid)
}

// waitSilent waits until nothing has been sent for the guard time.
func (c *DataCall) waitSilent(ctx context.Context, guard time.Duration) error {
	stop := context.AfterFunc(ctx, c.wakeAll)
	defer stop()
	m := c.m
	m.mu.Lock()
	for (len(m.out.buf) > 0 || m.out.writing) && ctx.Err() == nil && c.state == callEscaping {
		c.cond.Wait()
	}
	m.now = 0 // it may have been a long wait
	rest := c.lastOut.add(guard).until(m.clock())
	m.mu.Unlock()
	pause(ctx, rest)
	return ctx.Err()
}
