package cmux

import (
	"io"
	"time"
)

// A sink writes batches to the line, one at a time, and never decides anything.
type sink struct {
	line    io.ReadWriteCloser
	speed   int         // bit/s, zero if the line's Write keeps the pace
	batches chan []byte // closed to end the sink
	results chan result // holds one
	stop    chan struct{}
	ended   chan struct{}
}

// A result says how one batch went.
type result struct {
	took time.Duration
	err  error
}

// lead is how far a paced sink may be ahead of the line.
const lead = 2 * time.Millisecond

func newSink(line io.ReadWriteCloser, speed int) *sink {
	s := &sink{line: line, speed: speed, batches: make(chan []byte, 1), results: make(chan result, 1),
		stop: make(chan struct{}), ended: make(chan struct{})}
	go s.run()
	return s
}

func (s *sink) run() {
	defer close(s.ended)
	var free time.Time // when the line has sent everything
	for batch := range s.batches {
		start := time.Now()
		n, err := s.line.Write(batch)
		if err == nil && n < len(batch) {
			err = io.ErrShortWrite
		}
		if s.speed > 0 {
			if free.Before(start) {
				free = start
			}
			free = free.Add(time.Duration(len(batch)) * 10 * time.Second / time.Duration(s.speed)) // start, 8 data and stop bit
			s.wait(time.Until(free) - lead)
		}
		s.results <- result{time.Since(start), err}
	}
}

// wait returns after d or when the sink is released.
func (s *sink) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.stop:
	}
}

// release ends the sink. A Write that does not come back within the limit is
// ended by its deadline, or if the line has none by closing the line.
func (s *sink) release(limit time.Duration) {
	close(s.batches)
	close(s.stop)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.ended:
		return
	case <-timer.C:
	}
	if line, ok := s.line.(interface{ SetWriteDeadline(time.Time) error }); ok && line.SetWriteDeadline(time.Unix(1, 0)) == nil {
		<-s.ended
		line.SetWriteDeadline(time.Time{})
		return
	}
	s.line.Close()
	<-s.ended
}
