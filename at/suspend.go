package at

import (
	"context"
	"errors"
	"fmt"
)

// Suspend goes to command mode and keeps the call: a guard time, +++, a guard
// time, OK (ITU-T V.250 and S12). Commands can be run on the Modem until
// Resume. Data that comes before the OK can still be read.
func (c *DataCall) Suspend(ctx context.Context) error {
	result, err := c.escape(ctx)
	c.m.lock()
	defer c.m.mu.Unlock()
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

// Resume goes back to data mode (ATO, ITU-T V.250 clause 6.3.7). If the modem
// has given up the call meanwhile, the call is over.
func (c *DataCall) Resume(ctx context.Context) error {
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
