package gprs

import (
	"context"
	"time"
)

// watchRegistration turns a lost registration into a suspicion.
func (c *Connection) watchRegistration(ctx context.Context, events <-chan Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			if e.Kind == EventRegistration && !e.Registration.State.Registered() {
				c.hint(ErrRegistrationLost)
			}
		}
	}
}

// probe asks the other end now and then whether it is there, and at once when
// there is a suspicion.
func (c *Connection) probe(ctx context.Context) {
	cfg := &c.b.cfg
	interval := orDuration(cfg.ProbeInterval, 5*time.Minute)
	timer := time.NewTimer(interval)
	defer timer.Stop()
	received, failures := uint64(0), 0
	for {
		var suspicion error
		select {
		case <-ctx.Done():
			return
		case suspicion = <-c.hints:
		case <-timer.C:
		}
		if suspicion != nil && c.confirmed(ctx, suspicion) {
			c.lose(suspicion)
			return
		}
		if c.lives(ctx, suspicion == nil && c.received() != received) {
			failures = 0
		} else {
			failures++
		}
		received = c.received()
		if ctx.Err() != nil {
			return
		}
		if failures >= cfg.probeFailures() || failures > 0 && suspicion != nil {
			c.lose(orError(suspicion, ErrProbeFailed))
			return
		}
		next := interval
		if failures > 0 {
			next = min(interval, orDuration(cfg.ProbeTimeout, defaultProbeTimeout))
		}
		timer.Reset(next)
	}
}

// lives tells whether the other end is there: packets that came say so by
// themselves, else the probe does. Without a probe nothing speaks against it.
func (c *Connection) lives(ctx context.Context, packetsCame bool) bool {
	if c.b.cfg.Probe == nil || c.network == nil || packetsCame {
		return true
	}
	return c.probeOnce(ctx) == nil
}

const defaultProbeTimeout = 30 * time.Second

func (c *Connection) probeOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, orDuration(c.b.cfg.ProbeTimeout, defaultProbeTimeout))
	defer cancel()
	return c.b.cfg.Probe(ctx, c.network)
}

// confirmed looks into a suspicion: a notification is a hint to go and look,
// since it may be late and mean the call before. With a probe the probe
// decides; a lost context is asked for on the control channel; without either
// the hint must do.
func (c *Connection) confirmed(ctx context.Context, suspicion error) bool {
	if suspicion == ErrContextLost && c.b.cfg.Control != nil {
		contexts := NewContexts(c.b.cfg.Control, c.b.quirks)
		active, err := contexts.Active(ctx, c.b.cfg.Context.id())
		return err != nil || !active
	}
	return c.b.cfg.Probe == nil || c.network == nil
}

// received is the number of IP packets that came so far.
func (c *Connection) received() uint64 {
	if c.link == nil {
		return 0
	}
	return c.link.Stats().Received.Packets
}

func orError(err, otherwise error) error {
	if err == nil {
		return otherwise
	}
	return err
}
