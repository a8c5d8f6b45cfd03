package session

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/telemodem/telemodem/at"
)

// relay is an at.Commander that outlives the modems behind it: commands wait
// until there is one that is set up, subscriptions move on to the next.
type relay struct {
	mu      sync.Mutex // never held across a wait
	current *unit
	held    bool          // it is being set up: only who does that may speak
	changed chan struct{} // closed and replaced with each change of current
	closed  error         // set once: no modem will come any more
	told    func()        // called at each change, with the lock held; nil: nothing
	subs    map[*subscription]struct{}
}

// subscription is one call of Handle.
type subscription struct {
	prefix string
	fn     func(at.Notification)
	stop   func() // ends it on the current modem; nil without one
}

func newRelay() *relay {
	return &relay{changed: make(chan struct{}), subs: make(map[*subscription]struct{})}
}

// Command implements at.Commander.
func (r *relay) Command(ctx context.Context, cmd at.Command) (at.Response, error) {
	u, err := r.wait(ctx)
	if err != nil {
		return at.Response{}, &at.CommandError{Command: "AT" + shown(cmd), Progress: at.NothingWritten, Err: err}
	}
	if a := attemptOf(ctx); a != nil && cmd.Prompt != nil {
		a.begun.Store(true)
	}
	return u.commands.Command(ctx, cmd)
}

// shown is the part of a command that may be told: all of it, or its name.
func shown(cmd at.Command) string {
	if !cmd.Sensitive {
		return cmd.Text
	}
	for i, c := range cmd.Text {
		if c == '=' || c == ' ' {
			return cmd.Text[:i]
		}
	}
	return cmd.Text
}

// setter marks the context of who sets the modem up.
type setter struct{}

func asSetter(ctx context.Context) context.Context { return context.WithValue(ctx, setter{}, true) }

// attempt marks the context of who does not wait for this modem, since there are
// others: its commands get errAway while none is set up.
type attempt struct {
	// begun is set before data that follows a prompt goes to the modem: from
	// then on what became of it must be waited for.
	begun atomic.Bool
}

type attemptKey struct{}

func (a *attempt) mark(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

func attemptOf(ctx context.Context) *attempt {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	return a
}

var errAway = errors.New("the modem is being brought back")

// has tells whether there is a modem that is set up.
func (r *relay) has() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current != nil && !r.held && r.closed == nil
}

// wait returns the modem in use, as soon as there is one that is set up: before,
// its SIM would seem to be closed and its answers would have no numbers.
func (r *relay) wait(ctx context.Context) (*unit, error) {
	for {
		r.mu.Lock()
		current, changed, closed := r.current, r.changed, r.closed
		if r.held && ctx.Value(setter{}) == nil {
			current = nil
		}
		r.mu.Unlock()
		switch {
		case closed != nil:
			return nil, closed
		case current != nil:
			return current, nil
		case attemptOf(ctx) != nil:
			return nil, errAway
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Handle implements at.Commander.
func (r *relay) Handle(prefix string, fn func(at.Notification)) (stop func()) {
	sub := &subscription{prefix: prefix, fn: fn}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subs[sub] = struct{}{}
	if r.current != nil {
		sub.stop = r.current.commands.Handle(prefix, fn)
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.subs, sub)
		if sub.stop != nil {
			sub.stop()
			sub.stop = nil
		}
	}
}

// hold keeps everybody away from the modem but who sets it up; it lets them go
// on when that is done.
func (r *relay) hold(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = on
	r.tell()
}

// tell wakes those who wait. The lock is held.
func (r *relay) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
	if r.told != nil {
		r.told()
	}
}

// use makes u the modem behind the relay; nil leaves it without one.
func (r *relay) use(u *unit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for sub := range r.subs {
		if sub.stop != nil {
			sub.stop()
			sub.stop = nil
		}
		if u != nil {
			sub.stop = u.commands.Handle(sub.prefix, sub.fn)
		}
	}
	r.current = u
	r.tell()
}

// close lets all who wait go with err.
func (r *relay) close(err error) {
	r.use(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed == nil {
		r.closed = err
		r.tell()
	}
}
