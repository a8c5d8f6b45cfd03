package session

import (
	"context"
	"time"
)

const (
	// powerTimeout bounds Config.Power.
	powerTimeout = time.Minute
	// powerGrace is how long a call may go on after its context has ended, for
	// instance to give back the power that it has cut.
	powerGrace = 10 * time.Second
)

// callPower runs the hook in a goroutine of its own, which nobody can end: it is
// waited for until powerGrace after the end of its context.
func (s *Session) callPower() error {
	ctx, cancel := context.WithTimeout(s.ctx, powerTimeout)
	defer cancel()
	returned := make(chan struct{})
	var err error // of the goroutine until it has returned
	s.mu.Lock()
	s.power = returned
	s.mu.Unlock()
	go func() { // ended by its return alone; powering tells
		defer close(returned)
		err = s.cfg.Power(ctx)
	}()
	select {
	case <-returned:
		return err
	case <-ctx.Done():
	}
	grace := time.NewTimer(powerGrace)
	defer grace.Stop()
	select {
	case <-returned:
		return err
	case <-grace.C:
		return ErrPowerRunning
	}
}

// powering tells whether a call of the hook has not returned yet.
func (s *Session) powering() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.power == nil {
		return false
	}
	select {
	case <-s.power:
		return false
	default:
		return true
	}
}
