package at

import (
	"runtime"
	"sync/atomic"
	"time"
)

// subscription is one subscriber with its bounded queue. Its goroutine lives
// only while there is something to deliver.
type subscription struct {
	prefix string
	fn     func(Notification)

	// Guarded by Modem.mu.
	queue   ring // up to Config.QueueLimit, less what is ahead
	taken   int  // ahead is not more
	running bool
	behind  int // at the last look of giveWay

	stopped atomic.Bool
	ahead   atomic.Int32 // taken out of the queue, not yet handed to fn
}

// Handle subscribes fn to the notifications whose line begins with prefix; see
// [Commander.Handle].
func (m *Modem) Handle(prefix string, fn func(Notification)) (stop func()) {
	s := &subscription{prefix: prefix, fn: fn}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subs = append(m.subs, s)
	m.route = route{}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.route = route{}
		s.stopped.Store(true)
		s.queue = ring{}
		for i := range m.subs {
			if m.subs[i] == s { // a new list: notify may be walking the old one
				m.subs = append(append([]*subscription(nil), m.subs[:i]...), m.subs[i+1:]...)
				return
			}
		}
	}
}

// subscribed tells whether a line has a subscriber of its prefix.
func (m *Modem) subscribed(line []byte) bool {
	for _, s := range m.subs {
		if s.prefix != "" && hasName(line, s.prefix) {
			return true
		}
	}
	return false
}

// notify queues a notification for its subscribers: those of its prefix, or
// else those of the empty prefix. A late line goes to the latter alone.
func (m *Modem) notify(n Notification) {
	taken := false
	q := queued{line: n.Line}
	if n.Body != nil || n.Incomplete || n.Kind != KindKnown {
		full := n
		q.full = &full
	}
	if n.Kind != KindLate {
		for _, s := range m.subs {
			if s.prefix != "" && hasPrefix(n.Line, s.prefix) {
				taken = true
				m.deliver(s, q)
			}
		}
	}
	if taken && n.Kind != KindReboot {
		return
	}
	for _, s := range m.subs {
		if s.prefix == "" {
			m.deliver(s, q)
		}
	}
}

func hasPrefix(line, prefix string) bool {
	return len(line) >= len(prefix) && line[:len(prefix)] == prefix &&
		(len(line) == len(prefix) || !isAlphanumeric(line[len(prefix)]))
}

// deliver puts n into the queue of s; the oldest one makes room.
func (m *Modem) deliver(s *subscription, n queued) {
	q, limit := &s.queue, m.cfg.QueueLimit
	// What is ahead is asked for only when it matters: the subscriber changes it all the time.
	if q.count > 0 && q.count+s.taken >= limit && q.count+int(s.ahead.Load()) >= limit {
		q.drop()
		m.stats.Lost++
	}
	q.push(n, limit)
	m.in.crowded = m.in.crowded || q.count > limit/2
	if !s.running {
		s.running = true
		m.spawn(func() { m.serve(s) })
	}
}

// Bounds of giveWay: shorter than three octets take at 115,200 bit/s, also for
// a clock that stands still.
const (
	giveWayTime   = 200 * time.Microsecond
	giveWayYields = 1024
	giveWayLook   = 32 // yields between two looks
)

// giveWay lets subscribers whose queues are half full catch up, as long as they
// do: a handler that is slow or blocked does not stop the reader, and a burst
// is not lost because the reader is faster than a handler that is not slow.
func (m *Modem) giveWay() {
	m.catchingUp()
	begin := time.Now()
	for i := 1; i <= giveWayYields && time.Since(begin) < giveWayTime; i++ {
		runtime.Gosched()
		if i%giveWayLook == 0 && !m.catchingUp() {
			return
		}
	}
}

// catchingUp tells whether a subscriber whose queue is half full has taken
// something since the last look.
func (m *Modem) catchingUp() (yes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.subs {
		before := s.behind
		s.behind = s.queue.count + int(s.ahead.Load())
		yes = yes || s.queue.count > m.cfg.QueueLimit/2 && s.behind < before
	}
	return yes
}

// lingerYields is how often a subscriber without work lets others run before
// its goroutine ends: in a burst more work has come by then.
const lingerYields = 2

// serve calls the subscriber until its queue is empty. It takes the whole queue
// at once, so that in a burst reader and subscriber do not fight for the lock.
func (m *Modem) serve(s *subscription) {
	var batch ring
	for idle := 0; idle <= lingerYields; {
		batch = m.swapQueue(s, batch, idle == lingerYields)
		if batch.count == 0 {
			idle++
			runtime.Gosched()
			continue
		}
		idle = 0
		m.tell(s, &batch)
		batch.empty()
	}
}

// tell calls the subscriber for all of a batch.
func (m *Modem) tell(s *subscription, batch *ring) {
	left, step := batch.count, m.cfg.tellAhead()
	told := left - step
	lost := batch.lost
	for _, queue := range batch.parts() {
		for i := range queue {
			left--
			if left <= told {
				told = left - step
				s.ahead.Store(int32(left))
			}
			if s.stopped.Load() {
				return
			}
			n := Notification{Line: queue[i].line}
			if full := queue[i].full; full != nil {
				n = *full
			}
			n.Lost, lost = lost, 0
			s.fn(n)
		}
	}
}

// tellAhead is how many lines a subscriber takes before it says so, which costs
// as much as many a handler: few of those that its queue may hold.
func (c *Config) tellAhead() int { return 1 + c.QueueLimit/128 }

// swapQueue takes all that waits for s in exchange for an empty ring. If
// nothing does and this was the last look, the goroutine of s is to end.
func (m *Modem) swapQueue(s *subscription, empty ring, last bool) ring {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.queue.count > 0 {
		taken := s.queue
		s.queue = empty
		s.taken = taken.count
		s.ahead.Store(int32(taken.count))
		return taken
	}
	if last {
		s.running = false
		if len(s.queue.slots) > keptRing {
			s.queue = ring{}
		}
	}
	return empty
}
