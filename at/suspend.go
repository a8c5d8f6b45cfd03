package at

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Suspend goes to command mode and keeps the call: a guard time, +++, a guard
// time, OK (ITU-T V.250 and S12). Commands can be run on the Modem until
// Resume. Data that comes before the OK can still be read. When ctx ends behind
// the +++, Suspend waits for its answer even so, for the guard time and 2 s at
// most: else nobody could tell what the next octets are to the modem.
func (c *DataCall) Suspend(ctx context.Context) error {
	if err := c.take(ctx); err != nil {
		return fmt.Errorf("suspending the data call: %w", err)
	}
	defer c.leave()
	result, err := c.escape(ctx)
	if err != nil && ctx.Err() != nil {
		result, err = c.straggler(err)
	}
	c.m.lock()
	defer c.m.mu.Unlock()
	if err != nil {
		select {
		case result = <-c.event: // at the last moment
			err = nil
		default:
		}
	}
	switch {
	case err != nil:
		if c.state == callEscaping {
			c.state = callUp
			c.cond.Broadcast()
		}
		return fmt.Errorf("suspending the data call: %w", err)
	case result != "OK":
		c.state = callUp // for hungUp
		c.hungUp(result)
		return fmt.Errorf("suspending the data call: %w", c.err)
	}
	c.state = callSuspended
	c.m.proceed()
	return nil
}

// straggler waits for the answer to a +++ that is out, and returns cause without
// one.
func (c *DataCall) straggler(cause error) (result string, err error) {
	c.m.mu.Lock()
	asked := c.asked || c.state == callEnding
	c.m.mu.Unlock()
	if !asked {
		return "", cause
	}
	t := time.NewTimer(max(c.m.cfg.EscapeGuard, 0) + escapeWait)
	defer t.Stop()
	select {
	case result = <-c.event:
		return result, nil
	case <-c.done:
	case <-t.C:
	}
	return "", cause
}

// Resume goes back to data mode (ATO, ITU-T V.250 clause 6.3.7). If the modem
// has given up the call meanwhile, the call is over. When ctx ends before the
// modem has answered, the call may be up again or not; Close ends it either way.
func (c *DataCall) Resume(ctx context.Context) error {
	if err := c.take(ctx); err != nil {
		return fmt.Errorf("resuming the data call: %w", err)
	}
	defer c.leave()
	c.m.mu.Lock()
	if c.state != callSuspended {
		defer c.m.mu.Unlock()
		if c.err != nil {
			return c.err
		}
		return fmt.Errorf("%w: the data call is not suspended", ErrInvalid)
	}
	c.m.mu.Unlock()
	_, err := c.m.do(ctx, &Command{Text: "O"}, c, true)
	var refused ResultError
	if errors.As(err, &refused) {
		c.m.lock()
		defer c.m.mu.Unlock()
		c.hungUp(refused.Result)
	}
	return err
}
