package warthog

import (
	"strings"
	"sync"

	peer "github.com/warthog618/modem/at"

	"github.com/telemodem/telemodem/at"
)

// Handle subscribes fn to the notifications of a prefix; see at.Commander. The
// line behind +CMT, +CDS and +CBM is the notification's Body. The driver keeps
// knowing the prefix after stop.
func (m *Modem) Handle(prefix string, fn func(at.Notification)) (stop func()) {
	s := &subscriber{fn: fn, limit: m.cfg.QueueLimit}
	if prefix == "" {
		return func() {} // see the package comment
	}
	m.mu.Lock()
	_, known := m.names[prefix]
	m.names[prefix] = append(m.names[prefix], s)
	m.mu.Unlock()
	if !known {
		m.announce(prefix)
	}
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		list := m.names[prefix]
		for i := range list {
			if list[i] == s {
				m.names[prefix] = append(append([]*subscriber{}, list[:i]...), list[i+1:]...)
				break
			}
		}
		s.stop()
	}
}

// announce makes a prefix known to the driver. The driver compares beginnings
// only, so a name goes with its colon: else +CMT would take +CMTI as well.
func (m *Modem) announce(prefix string) {
	text, trailing := prefix, 0
	if strings.HasPrefix(prefix, "+") && !strings.Contains(prefix, ":") {
		text += ":"
	}
	switch prefix {
	case "+CMT", "+CDS", "+CBM": // 3GPP TS 27.005 clause 3.4.1, PDU mode
		trailing = 1
	}
	m.driver.AddIndication(text, func(lines []string) {
		n := at.Notification{Line: lines[0]}
		if len(lines) > 1 {
			n.Body = []byte(strings.Join(lines[1:], "\n"))
		}
		m.mu.Lock()
		list := m.names[prefix]
		m.mu.Unlock()
		for _, s := range list {
			s.put(n)
		}
	}, peer.WithTrailingLines(trailing))
}

// subscriber is one subscriber with its bounded queue; its goroutine lives
// only while there is something to deliver.
type subscriber struct {
	fn    func(at.Notification)
	limit int

	mu      sync.Mutex
	queue   []at.Notification
	running bool
	stopped bool
}

// put queues n; the oldest one makes room and is counted.
func (s *subscriber) put(n at.Notification) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.queue = append(s.queue, n)
	if len(s.queue) > s.limit {
		s.queue[1].Lost += s.queue[0].Lost + 1
		s.queue = append(s.queue[:0], s.queue[1:]...)
	}
	if !s.running {
		s.running = true
		go s.serve()
	}
}

func (s *subscriber) serve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 && !s.stopped {
		n := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		s.fn(n)
		s.mu.Lock()
	}
	s.queue, s.running = nil, false
}

func (s *subscriber) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}
