package telemetry

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"
)

// Path is a bearer and how it is to be used for one peer. Only Name and Bearer
// are needed.
type Path struct {
	// Name stands for the path in events, counters and messages.
	Name string
	// Bearer carries the frames. It serves this path alone.
	Bearer Bearer
	// Costly says that each frame costs money: acknowledgements are gathered
	// for longer, few frames are under way at once, frames are limited in
	// number, and the path is never used just to see whether it works.
	Costly bool
	// AckWait is how long after sending a frame its acknowledgement is waited
	// for, before the readings in it may be sent again over any path. Zero
	// means 10 s, or 2 min if Costly. On a costly path it doubles with every
	// further attempt, to 32 times as much.
	AckWait time.Duration
	// AckDelay is how long an acknowledgement waits for company, and for the
	// handler to be done. Zero means 20 ms, or 2 s if Costly; negative means
	// none. While readings are stored but not handled it is ten times as long.
	AckDelay time.Duration
	// Gather is how long a reading waits for others to share a frame with
	// before it goes over this path. Zero and negative mean not at all.
	Gather time.Duration
	// SendLimit bounds one SendFrame. Zero means 30 s, or 2 min if Costly.
	SendLimit time.Duration
	// Interval and Burst limit the frames on this path: Burst at once, and one
	// more in each Interval. A zero Interval means no limit, or 30 s if Costly;
	// negative means no limit. A zero Burst means 20.
	Interval time.Duration
	Burst    int
	// InFlight bounds the frames that wait for acknowledgement. Zero means 32,
	// or 4 if Costly. After a failure it is one until something is heard.
	InFlight int
	// Retry is the pause after a first failure, which doubles with each further
	// one up to RetryMax; a quarter more or less by chance. Zero means 2 s and
	// 5 min, or 30 s and 1 h if Costly.
	Retry, RetryMax time.Duration
	// KeepAlive is after how long a silence on a path that is not costly a
	// small frame asks whether the peer is still there; it also keeps a
	// connection open for what the peer has to send. Zero and negative mean
	// never.
	KeepAlive time.Duration
}

// withDefaults fills in what was left open.
func (c Path) withDefaults() Path {
	choose := func(d *time.Duration, free, costly time.Duration) {
		if *d == 0 {
			*d = free
			if c.Costly {
				*d = costly
			}
		}
		*d = max(*d, 0)
	}
	choose(&c.AckWait, 10*time.Second, 2*time.Minute)
	choose(&c.AckDelay, 20*time.Millisecond, 2*time.Second)
	choose(&c.Gather, 0, 0)
	choose(&c.SendLimit, 30*time.Second, 2*time.Minute)
	choose(&c.Interval, 0, 30*time.Second)
	choose(&c.Retry, 2*time.Second, 30*time.Second)
	choose(&c.RetryMax, 5*time.Minute, time.Hour)
	if c.Burst <= 0 {
		c.Burst = 20
	}
	if c.InFlight <= 0 {
		c.InFlight = 32
		if c.Costly {
			c.InFlight = 4
		}
	}
	return c
}

func (c Path) check() error {
	switch {
	case c.Name == "" || len(c.Name) > maxName:
		return fmt.Errorf("telemetry: a path's name has 1 to %d octets", maxName)
	case c.Bearer == nil:
		return fmt.Errorf("telemetry: path %q has no bearer", c.Name)
	case !reflect.TypeOf(c.Bearer).Comparable():
		return fmt.Errorf("telemetry: path %q: its bearer cannot be compared; use a pointer", c.Name)
	case c.Bearer.MTU() < MinMTU:
		return fmt.Errorf("telemetry: path %q carries %d octets, %d are needed", c.Name, c.Bearer.MTU(), MinMTU)
	}
	return nil
}

// PathState is what is thought of a path.
type PathState uint8

// States of a path.
const (
	// PathUp: it works, or nothing speaks against it yet.
	PathUp PathState = iota
	// PathDown: it failed, and rests until the next attempt.
	PathDown
	// PathProbing: a ping is on its way over it.
	PathProbing
)

// String implements fmt.Stringer.
func (s PathState) String() string {
	switch s {
	case PathUp:
		return "up"
	case PathDown:
		return "down"
	case PathProbing:
		return "probing"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// path is a Path at work. The peer's lock guards it, but for Path and jobs.
type path struct {
	Path
	mtu  int
	jobs chan *order // to the goroutine that sends; it has room for the one in work

	state    PathState
	busy     bool // a frame is being handed over
	failures int  // in a row
	retryAt  time.Time
	proven   time.Time // when something last showed that it works
	used     time.Time // when a frame last went out or came in
	inFlight int

	ping     uint64    // the ping on its way; zero: none
	pingSent bool      // it has left
	pingTill time.Time // when it counts as lost
	pongs    []uint64  // owed to the peer

	tokens   float64 // frames allowed now
	tokensAt time.Time

	stats PathStats
}

func newPath(c Path, now time.Time) *path {
	c = c.withDefaults()
	return &path{
		Path:     c,
		mtu:      min(c.Bearer.MTU(), MaxFrame),
		jobs:     make(chan *order, 1),
		tokens:   float64(c.Burst),
		tokensAt: now,
		used:     now,
	}
}

// capacity is the longest segment that fits, in octets.
func (p *path) capacity() int { return p.mtu - overhead - dataOverhead }

// allowed returns when the next frame may go out; not after now means now.
func (p *path) allowed(now time.Time) time.Time {
	if p.Interval <= 0 {
		return now
	}
	p.tokens = min(p.tokens+float64(now.Sub(p.tokensAt))/float64(p.Interval), float64(p.Burst))
	p.tokensAt = now
	if p.tokens >= 1 {
		return now
	}
	return now.Add(time.Duration((1-p.tokens)*float64(p.Interval)) + 1)
}

// spend counts a frame against the limit.
func (p *path) spend() { p.tokens-- }

// room returns how many more frames may be under way.
func (p *path) room() int {
	if p.failures > 0 {
		return 1 - p.inFlight
	}
	return p.InFlight - p.inFlight
}

// pause returns how long to rest after the n-th failure in a row.
func (p *path) pause() time.Duration {
	d := p.Retry << min(p.failures-1, 16)
	if d <= 0 || d > p.RetryMax {
		d = p.RetryMax
	}
	return jitter(d)
}

// jitter varies d by up to a quarter, so that machines that failed together do
// not come back together.
func jitter(d time.Duration) time.Duration {
	return d*3/4 + time.Duration(rand.Int64N(int64(d/2)+1))
}

// ackWait is how long the n-th sending of a segment is waited for, from 0.
func (p *path) ackWait(tries int) time.Duration {
	if !p.Costly {
		return p.AckWait
	}
	return p.AckWait << min(tries, 5)
}

// ackDelay is how long an acknowledgement waits.
func (p *path) ackDelay(unhandled bool) time.Duration {
	if unhandled {
		return 10 * p.AckDelay
	}
	return p.AckDelay
}
