package at

import (
	"context"
	"fmt"
	"time"
)

// place is whether we know where the modem's talk stands: which line will be
// the next answer. It is lost when an answer stays away or something unheard
// of came, and found again by drain, quiet and a probe that names itself.
type place struct {
	lost    bool
	phase   placePhase
	due     time.Time // of the phase
	since   time.Time // begin of the drain
	round   int       // probes made in this search
	refused int       // of them answered by a failure
	probe   int       // turns through Config.Probes, so that a late answer has another name
	named   bool      // the probe's own line has come
	prompts bool      // a > is an entry that ESC ends
	numeric bool      // the modem answers in numbers (ATV0)
	fill    *Prompt   // an entry by count that may open late
	waiters []chan error
}

type placePhase uint8

const (
	placeStill  placePhase = iota // not searching
	placeDrain                    // read until the modem is quiet
	placeRepair                   // ATV1 is out
	placeProbe                    // a probe is out
	placeSettle                   // its answer came; a short silence must follow
	placeMute                     // ATE0 is out, the last step
)

func (p *place) searching() bool { return p.phase != placeStill }

// answer tells those who wait for the end of a search.
func (p *place) answer(err error) {
	for _, w := range p.waiters {
		w <- err
	}
	p.waiters = nil
}

// lose notes that the place is lost.
func (m *Modem) lose(why string) {
	m.place.lost = true
	m.stats.Losses++
	m.warn("place lost: " + why)
}

// search begins to look for the place.
func (m *Modem) search(open openPrompt) {
	if m.err != nil || m.place.searching() || m.call != nil && m.call.state != callSuspended {
		return
	}
	p := &m.place
	p.lost, p.phase = true, placeDrain
	p.since, p.round, p.refused = m.now, 0, 0
	p.prompts = open == mayBeOpen
	if p.prompts {
		m.putOwn(esc)
	}
	p.wait(m, m.cfg.Quiet)
}

// wait sets the end of the phase.
func (p *place) wait(m *Modem, d time.Duration) {
	p.due = m.now.Add(d)
	m.timer.arm(m, p.due)
}

// putOwn writes for the engine itself. What it had waiting before is void: the
// writer is stuck, and a search must not pile up behind it.
func (m *Modem) putOwn(text string) {
	if m.out.owner == nil && m.call == nil {
		m.out.buf = m.out.buf[:0]
	}
	m.put(nil, NothingWritten, text)
}

// heardPlace prolongs the wait for quiet.
func (m *Modem) heardPlace() {
	p := &m.place
	switch p.phase {
	case placeDrain:
		p.due = m.now.Add(m.cfg.Quiet)
		if limit := p.since.Add(max(drainLimit, m.cfg.Quiet)); p.due.After(limit) {
			p.due = limit
		}
		m.timer.arm(m, p.due)
	case placeSettle:
		if m.now.Before(p.since.Add(drainLimit)) {
			p.wait(m, m.cfg.Quiet/2)
		}
	}
}

// reopened ends an entry that opened only now.
func (m *Modem) reopened() {
	m.putOwn(esc)
	m.place.phase = placeDrain
	m.place.since = m.now
	m.place.wait(m, m.cfg.Quiet)
}

// tickPlace ends a phase whose time is over.
func (m *Modem) tickPlace() {
	p := &m.place
	if p.phase == placeStill || m.now.Before(p.due) {
		return
	}
	switch p.phase {
	case placeDrain:
		m.askPlace()
	case placeRepair:
		p.numeric = false
		m.askPlace()
	case placeProbe:
		m.nextRound()
	case placeSettle:
		if m.echo.seen && m.echo.unwish {
			p.phase = placeMute
			m.echo.sending("E0")
			m.putOwn("ATE0\r")
			p.wait(m, m.cfg.ProbeTimeout)
			return
		}
		m.found()
	case placeMute:
		m.found()
	}
}

// askPlace sends the next probe, or first ATV1 to a modem that answers in
// numbers.
func (m *Modem) askPlace() {
	p := &m.place
	m.stats.Noise += len(m.in.line)
	m.in.line = m.in.line[:0]
	if p.numeric {
		p.phase = placeRepair
		m.putOwn("ATV1\r")
	} else {
		p.phase, p.named = placeProbe, false
		p.probe++
		text := p.question(m.cfg)
		m.echo.sending(text)
		m.putOwn("AT" + text + "\r")
	}
	p.wait(m, m.cfg.ProbeTimeout)
}

// question returns the probe of this round.
func (p *place) question(c *Config) string {
	return c.Probes[(p.probe-1)%len(c.Probes)]
}

// nextRound is the end of a probe that was not answered.
func (m *Modem) nextRound() {
	p := &m.place
	p.round++
	switch {
	case p.round < probeRounds:
		p.phase, p.since = placeDrain, m.now
		p.wait(m, m.cfg.Quiet)
	case p.refused >= probeRounds:
		m.found() // refused every probe, one by one: that is an answer as well
	default:
		m.giveUp()
	}
}

// found ends a search with success.
func (m *Modem) found() {
	p := &m.place
	p.probe = 0
	p.lost, p.phase, p.prompts, p.fill = false, placeStill, false, nil
	p.answer(nil)
}

// giveUp ends a search without success: whoever waits for the line gets told,
// and the next command begins another search.
func (m *Modem) giveUp() {
	err := fmt.Errorf("%w: none of %d probes was answered", ErrNoAnswer, probeRounds)
	m.place.phase = placeStill
	m.warn("place not found")
	for _, x := range m.queue {
		m.finish(x, err)
	}
	m.queue = nil
	m.place.answer(err)
}

// placeLine looks at a line that comes while the place is being looked for.
func (m *Modem) placeLine(text []byte) {
	p := &m.place
	o, _ := finalResult(text, m.cfg.Finals)
	switch {
	case p.phase == placeProbe && p.answers(m.cfg, text):
		p.named = true
	case o == notFinal:
		m.placeStray(text)
	case p.phase == placeProbe && p.named:
		p.phase, p.since = placeSettle, m.now
		p.wait(m, m.cfg.Quiet/2)
	case p.phase == placeProbe && o == failure:
		p.refused++
	case p.phase == placeRepair && o == success:
		p.numeric = false
		m.askPlace()
	case p.phase == placeMute:
		m.found()
	case o == connected:
		p.phase = placeStill
		m.unwantedData(nil)
	default:
		m.late(string(text))
	}
}

// answers tells whether a line is the answer to the probe that is out.
func (p *place) answers(c *Config, text []byte) bool {
	asked, _ := nextPart(p.question(c))
	if asked.name == "" || !hasName(text, asked.name) {
		return false
	}
	x := exchange{first: asked}
	return x.accepts(text)
}

// placeStray delivers a line that is no answer to a probe: known ones as what
// they are, others as late.
func (m *Modem) placeStray(text []byte) {
	if m.known(text) || m.cfg.isBoot(text) {
		m.stray(text)
		return
	}
	if !isText(text) || m.isPromptRemains(text) {
		m.stats.Noise += len(text)
		return
	}
	m.late(string(text))
}

// Resync finds the modem's place again: it ends an SMS prompt that may be
// open, waits until the modem is quiet and asks until an answer names its
// question. It waits for a command that owns the line. A modem that does not
// answer is ErrNoAnswer; one that may be in data mode needs LeaveDataMode.
func (m *Modem) Resync(ctx context.Context) error {
	m.lock()
	if err := m.refusal(false); err != nil {
		m.mu.Unlock()
		return err
	}
	done := make(chan error, 1)
	m.place.waiters = append(m.place.waiters, done)
	m.place.lost = true
	if m.run == nil {
		m.search(mayBeOpen)
	}
	m.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
