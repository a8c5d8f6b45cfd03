package at

import "sync/atomic"

// subscription is one subscriber with its bounded queue. Its goroutine lives
// only while there is something to deliver.
type subscription struct {
	prefix string
	fn     func(Notification)

	// Guarded by Modem.mu: a ring that grows up to Config.QueueLimit.
	ring    []Notification
	first   int
	count   int
	running bool

	stopped atomic.Bool
	ahead   atomic.Int32 // taken out of the ring, not yet handed to fn
}

// Handle subscribes fn to the notifications whose line begins with prefix; see
// [Commander.Handle].
func (m *Modem) Handle(prefix string, fn func(Notification)) (stop func()) {
	s := &subscription{prefix: prefix, fn: fn}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.subs = append(m.subs, s)
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		s.stopped.Store(true)
		s.ring, s.count = nil, 0
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
	if n.Kind != KindLate {
		for _, s := range m.subs {
			if s.prefix != "" && hasPrefix(n.Line, s.prefix) {
				taken = true
				m.deliver(s, n)
			}
		}
	}
	if taken && n.Kind != KindReboot {
		return
	}
	for _, s := range m.subs {
		if s.prefix == "" {
			m.deliver(s, n)
		}
	}
}

func hasPrefix(line, prefix string) bool {
	return len(line) >= len(prefix) && line[:len(prefix)] == prefix &&
		(len(line) == len(prefix) || !isAlphanumeric(line[len(prefix)]))
}

// deliver puts n into the queue of s; the oldest one makes room.
func (m *Modem) deliver(s *subscription, n Notification) {
	if s.count > 0 && s.count+int(s.ahead.Load()) >= m.cfg.QueueLimit {
		lost := s.pop()
		m.stats.Lost++
		if s.count > 0 {
			s.ring[s.first].Lost += lost.Lost + 1
		} else {
			n.Lost += lost.Lost + 1
		}
	}
	if s.count == len(s.ring) {
		s.grow(m.cfg.QueueLimit)
	}
	s.ring[(s.first+s.count)%len(s.ring)] = n
	s.count++
	m.in.crowded = m.in.crowded || s.count > m.cfg.QueueLimit/2
	if !s.running {
		s.running = true
		m.spawn(func() { m.serve(s) })
	}
}

// grow doubles the ring.
func (s *subscription) grow(limit int) {
	bigger := make([]Notification, min(max(2*len(s.ring), 4), limit))
	for i := range s.count {
		bigger[i] = s.ring[(s.first+i)%len(s.ring)]
	}
	s.ring, s.first = bigger, 0
}

func (s *subscription) pop() Notification {
	n := s.ring[s.first]
	s.ring[s.first] = Notification{}
	s.first = (s.first + 1) % len(s.ring)
	s.count--
	return n
}

// keptRing is the size of a ring that is kept for the next burst.
const keptRing = 16

// serve calls the subscriber until its queue is empty.
func (m *Modem) serve(s *subscription) {
	var batch []Notification
	for {
		if batch = m.takeBatch(s, batch[:0]); len(batch) == 0 {
			return
		}
		for i := range batch {
			s.ahead.Add(-1)
			if !s.stopped.Load() {
				s.fn(batch[i])
			}
			batch[i] = Notification{}
		}
	}
}

// takeBatch takes all that waits for s, so that in a burst reader and subscriber
// do not fight for the lock; nothing ends the goroutine of s.
func (m *Modem) takeBatch(s *subscription, batch []Notification) []Notification {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := s.count
	for range n {
		batch = append(batch, s.pop())
	}
	s.ahead.Store(int32(n))
	if n == 0 {
		s.running = false
		if len(s.ring) > keptRing {
			s.ring, s.first = nil, 0
		}
	}
	return batch
}
