package cmux

import (
	"fmt"
	"time"
)

// muxState says how far the multiplexer is.
type muxState int

const (
	settling    muxState = iota // initiator: waits for Config.Settle, sends nothing
	starting                    // initiator: SABM on DLCI 0 is out; responder: waits for it
	established                 // channels may open
	draining                    // Close: what was written still goes out
	closing                     // CLD is out
)

// A loop owns the state of a mux. Nothing here is touched by another goroutine.
type loop struct {
	m   *Mux
	src *source
	snk *sink
	dec decoder

	state    muxState
	now      time.Time
	due      time.Time // of what state waits for
	tries    int
	channels map[int]*Channel
	order    []*Channel // open ones, in turn for sending
	turn     int
	settings map[int]ChannelConfig // agreed by PN before SABM

	control   []byte // frames of channel 0 and answers, to be sent first
	batch     []byte
	scratch   []byte
	batchSize int  // how much one Write may hold
	writing   bool // a batch is out
	allStop   bool // the other side sent FCoff
	asleep    bool // flags must wake the other side
	held      frame
	holding   bool // held does not fit into its channel: reading waits

	gathered   []byte   // data frames of gatheredTo, put into its queue at once
	gatheredTo *Channel // nil if there are none

	commands  []*command
	heard     time.Time // when the last good frame came
	fed       time.Time // when the last octets came
	damage    int       // damaged frames since the last good one
	text      textFinder
	probing   bool
	ended     error // set: the loop ends
	stats     Stats
	closeEnd  time.Time // Close must be over
	finalSend bool      // end once everything is written
}

// maxControl bounds the answers that wait to be sent; above it reading waits.
const maxControl = 16 << 10

func (l *loop) init(m *Mux) {
	l.m = m
	l.channels = map[int]*Channel{}
	l.settings = map[int]ChannelConfig{}
	l.dec = decoder{option: m.cfg.Option, max: m.cfg.MaxFrame}
	l.state = starting
	if m.role == initiator {
		l.state = settling
	}
}

// serve is the loop: it waits nowhere but in its select.
func (m *Mux) serve() error {
	m.now = time.Now()
	m.heard, m.fed = m.now, m.now
	m.due = m.now.Add(max(m.cfg.Settle, 0))
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		m.now = time.Now()
		m.receive()
		next := m.tick()
		m.transmit()
		if m.ended != nil && (!m.finalSend || !m.writing && len(m.control) == 0 || !m.now.Before(m.closeEnd)) {
			return m.ended
		}
		timer.Reset(max(time.Until(next), 0))
		chunks := m.src.chunks
		if m.holding || len(m.control) > maxControl {
			chunks = nil
		}
		select {
		case chunk := <-chunks:
			m.fed = time.Now()
			m.stats.OctetsIn += uint64(len(chunk))
			m.dec.feed(chunk)
			m.src.done(chunk)
		case <-m.sourceEnded(chunks):
			return fmt.Errorf("%w: %w", ErrLineGone, m.src.err)
		case r := <-m.snk.results:
			if err := m.written(r); err != nil {
				return err
			}
		case <-m.wake:
		case f := <-m.calls:
			m.now = time.Now()
			f()
		case <-timer.C:
		}
	}
}

// sourceEnded is not looked at while chunks are not taken: what was read before the
// line broke must be delivered first.
func (m *Mux) sourceEnded(chunks chan []byte) chan struct{} {
	if chunks == nil {
		return nil
	}
	return m.src.ended
}

// written takes the result of a batch and sizes the next one by the pace of the line:
// what it takes in batchTime. A batch always holds one frame.
func (m *Mux) written(r result) error {
	m.writing = false
	if r.err != nil {
		return fmt.Errorf("%w: %w", ErrLineGone, r.err)
	}
	size := len(m.batch)
	pace := int(min(int64(size)*int64(batchTime)/max(int64(r.took), 1), maxBatch))
	switch {
	case pace > m.batchSize:
		m.batchSize = min(pace, 2*m.batchSize+256)
	case pace < m.batchSize && (r.took > batchTime || size >= m.batchSize/2):
		m.batchSize = pace
	default:
		return nil
	}
	for _, c := range m.order {
		c.out.limit.Store(int64(m.outLimit(c.settings.N1)))
	}
	return nil
}

// end lets the loop end for a reason, the first one given.
func (m *Mux) end(cause error) {
	if m.ended == nil {
		m.ended = cause
	}
}

// tick does what is due and returns when it wants to be called next.
func (m *Mux) tick() time.Time {
	next := m.now.Add(time.Hour)
	soon := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	soon(m.tickMux())
	soon(m.tickCommands())
	for _, c := range m.channels {
		soon(m.tickChannel(c))
	}
	if m.dec.partial() && !m.holding {
		due := m.fed.Add(m.cfg.FrameTimeout)
		if !m.now.Before(due) {
			m.doubt()
		} else {
			soon(due)
		}
	}
	if m.cfg.KeepAlive > 0 && m.state == established && !m.probing && !m.holding {
		due := m.heard.Add(m.cfg.KeepAlive)
		if !m.now.Before(due) {
			m.probe()
			soon(m.tickCommands())
		} else {
			soon(due)
		}
	}
	return next
}

// tickMux moves the multiplexer's own state.
func (m *Mux) tickMux() time.Time {
	switch m.state {
	case settling:
		if m.now.Before(m.due) {
			return m.due
		}
		m.state = starting
		fallthrough
	case starting:
		if m.role == responder {
			return time.Time{}
		}
		if m.tries > 0 && m.now.Before(m.due) {
			return m.due
		}
		if m.tries > m.cfg.N2 {
			m.end(m.silence())
			return m.now
		}
		m.sendSABM(0)
		m.stats.Repeats += uint64(min(m.tries, 1))
		m.tries++
		m.due = m.now.Add(m.cfg.T1)
		return m.due
	case draining:
		if m.now.Before(m.due) && m.pendingOut() {
			return m.due
		}
		m.sendCLD()
		return m.closeEnd
	case closing:
		if m.ended == nil && !m.now.Before(m.closeEnd) {
			m.left = fmt.Errorf("%w to close-down", ErrNoAnswer)
			m.end(ErrClosed)
		}
		return m.closeEnd
	}
	return time.Time{}
}

// silence is the reason for an end without an answer.
func (m *Mux) silence() error {
	if m.text.seen != "" {
		return fmt.Errorf("%w: %q", ErrPlainAT, m.text.seen)
	}
	return ErrNoAnswer
}

// pendingOut tells whether something that can be sent is left.
func (m *Mux) pendingOut() bool {
	if m.writing || len(m.control) > 0 {
		return true
	}
	return m.pendingData()
}

// beginClose starts the end that Close asks for.
func (m *Mux) beginClose() {
	switch {
	case m.ended != nil || m.state == draining || m.state == closing:
	case m.state == established:
		m.state = draining
		m.due = m.now.Add(m.cfg.CloseTimeout / 2)
		m.closeEnd = m.now.Add(m.cfg.CloseTimeout)
	default: // nobody answered yet: tell them all the same
		m.closeEnd = m.now.Add(m.cfg.CloseTimeout)
		if m.role == responder {
			m.end(ErrClosed)
			return
		}
		m.sendCLD()
	}
}

// sendCLD asks for the end of the multiplexer (3GPP TS 27.010 clause 5.4.6.3.3).
// Channels end here: nothing is sent or kept any more.
func (m *Mux) sendCLD() {
	m.state = closing
	for _, c := range m.channels {
		m.drop(c, ErrClosed)
	}
	m.failCommands(ErrClosed)
	m.holding = false
	m.command(message{kind: msgCLD}, 0, func(_ []byte, err error) {
		if err != nil && m.left == nil {
			m.left = fmt.Errorf("%w to close-down", err)
		}
		m.end(ErrClosed)
	})
}

// doubt looks again at a frame whose rest does not come.
func (m *Mux) doubt() {
	m.fed = m.now
	if m.dec.hurry() == gotDamage {
		m.noteDamage()
		m.receive()
		return
	}
	m.readText(m.dec.rest())
}
