package at

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// place is whether we know where the modem's talk stands: which line will be
// the next answer. It is lost when an answer stays away or something unheard
// of came, and found again by drain, quiet and a probe that names itself.
type place struct {
	lost    bool
	phase   placePhase
	due     instant   // of the phase
	since   instant   // begin of the drain
	round   int       // probes made in this search
	refused int       // of them answered by a failure
	last    *exchange // the lost command, whose late answer may have a body
	weak    bool      // the probe that is out is like an earlier one
	probes  []string  // the questions that the lost command cannot have asked
	probe   int       // probes since the place was known; no two of them are alike
	asked   instant   // when the first of them went out
	word    []string  // the names that the answer to the probe that is out has, in order
	matched int       // of them heard since the last result
	foreign bool      // a line of another answer was heard since then
	prompts bool      // a > is an entry that ESC ends
	numeric bool      // the modem answers in numbers (ATV0)
	fill    *exchange // whose entry, by count, may open late
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

// lose notes that the place is lost, because of x if that is not nil.
func (m *Modem) lose(x *exchange, why string) {
	m.place.lost, m.place.last = true, x
	m.place.choose(m.cfg, x)
	if x != nil {
		x.abandoned = true // it must not be recycled
	}
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
	p.since, p.round, p.refused = m.clock(), 0, 0
	p.prompts = open == mayBeOpen
	if p.prompts {
		m.putOwn(esc)
	}
	p.wait(m, m.cfg.Quiet)
}

// wait sets the end of the phase.
func (p *place) wait(m *Modem, d time.Duration) {
	p.due = m.after(d)
	m.timer.arm(m, p.due)
}

// putOwn writes for the engine itself. What it had waiting before is void: the
// writer is stuck, and a search must not pile up behind it.
func (m *Modem) putOwn(text string) {
	if m.out.owner == nil && m.call == nil {
		m.out.drop()
	}
	m.put(nil, NothingWritten, text)
}

// heardPlace prolongs the wait for quiet.
func (m *Modem) heardPlace() {
	p := &m.place
	switch p.phase {
	case placeDrain:
		p.due = min(m.after(m.cfg.Quiet), p.since.add(max(drainLimit, m.cfg.Quiet)))
		m.timer.arm(m, p.due)
	case placeSettle:
		if m.clock() < p.since.add(settleLimit) {
			p.wait(m, m.settleTime())
		}
	}
}

// settleTime is the silence that must follow the answer to a probe. If that may be
// the answer to an earlier one, the modem may take as long for the next as it took
// for this.
func (m *Modem) settleTime() time.Duration {
	if !m.place.weak {
		return m.cfg.Quiet / 2
	}
	slow := m.clock().until(m.place.asked)
	return max(drainLimit, m.cfg.Quiet, min(slow, settleLimit))
}

// reopened ends an entry that opened only now.
func (m *Modem) reopened() {
	m.putOwn(esc)
	m.place.phase = placeDrain
	m.place.since = m.clock()
	m.place.wait(m, m.cfg.Quiet)
}

// tickPlace ends a phase whose time is over.
func (m *Modem) tickPlace() {
	p := &m.place
	if p.phase == placeStill || m.clock() < p.due {
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
	if p.last != nil {
		m.dropBodies(p.last) // quiet has come before their end
	}
	m.stats.Noise += len(m.in.line)
	m.in.line = m.in.line[:0]
	if p.numeric {
		p.phase = placeRepair
		m.putOwn("ATV1\r")
	} else {
		p.phase = placeProbe
		if p.probe == 0 {
			p.asked = m.clock()
		}
		text := p.ask(m.cfg)
		m.echo.sending(text)
		m.putOwn("AT" + text + "\r")
	}
	p.wait(m, m.cfg.ProbeTimeout)
}

// choose takes the probes whose answer cannot be mistaken for that of x.
func (p *place) choose(c *Config, x *exchange) {
	if p.probe > 0 {
		return // some are out, and their names count on
	}
	p.probes = nil
	for _, text := range c.Probes {
		if asked, _ := nextPart(text); x == nil || !x.named([]byte(asked.name)) {
			p.probes = append(p.probes, text)
		}
	}
	if len(p.probes) == 0 {
		p.probes = c.Probes
	}
}

// ask makes the next probe. Since a modem answers in order, the answer to a
// probe shows that those before it are answered or lost, if only no two are
// alike: the first ask one question each, further ones two, then three (the
// numerals of a system whose digits are the questions). When some of these have
// got no answer, the last round of a search asks one question again, for modems
// that take no joined commands; its answer counts only when a long silence follows,
// without another answer, which would have been asked for before.
func (p *place) ask(c *Config) string {
	if len(p.probes) == 0 {
		p.choose(c, nil)
	}
	p.probe++
	p.word, p.matched, p.foreign = p.word[:0], 0, false
	var texts []string
	n := p.probe
	if p.weak = n >= len(p.probes)+probeRounds && p.round == probeRounds-1; p.weak {
		n = 1 + n%len(p.probes)
	}
	for ; n > 0; n = (n - 1) / len(p.probes) {
		text := p.probes[(n-1)%len(p.probes)]
		asked, _ := nextPart(text)
		texts = append(texts, text)
		p.word = append(p.word, asked.name)
	}
	return Join(texts...)
}

// nextRound is the end of a probe that was not answered.
func (m *Modem) nextRound() {
	p := &m.place
	p.round++
	switch {
	case p.round < probeRounds:
		p.phase, p.since = placeDrain, m.clock()
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
	p.probe, p.probes, p.last = 0, nil, nil
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
	case p.phase == placeProbe && p.answers(text):
		p.matched++
	case p.phase == placeSettle && p.weak && o != notFinal && o != connected:
		m.late(string(text)) // so what was taken for the answer to the probe was an older one
		m.nextRound()
	case o == notFinal:
		p.foreign = p.foreign || !m.known(text)
		m.placeStray(text)
	case p.phase == placeProbe:
		m.probeResult(o, text)
	case p.phase == placeRepair && o == success:
		p.numeric = false
		m.askPlace()
	case p.phase == placeMute:
		m.found()
	case o == connected:
		m.unwantedData(nil)
	default:
		m.late(string(text))
	}
}

// probeResult takes a final result while a probe is out.
func (m *Modem) probeResult(o outcome, text []byte) {
	p := &m.place
	whole := p.matched == len(p.word) && !p.foreign
	refused := o == failure && p.matched == 0 && !p.foreign
	p.matched, p.foreign = 0, false
	switch {
	case o == connected:
		m.unwantedData(nil)
	case whole:
		p.phase, p.since = placeSettle, m.clock()
		p.wait(m, m.settleTime())
	case refused && p.refused == p.round:
		p.refused++ // one for each round at most
	default:
		m.late(string(text))
	}
}

// answers tells whether a line is the next of the answer to the probe that is
// out.
func (p *place) answers(text []byte) bool {
	if p.matched >= len(p.word) || !hasName(text, p.word[p.matched]) {
		return false
	}
	x := exchange{asked: readQuestion(p.word[p.matched] + "?")}
	return x.accepts(text)
}

// placeStray delivers a line that is no answer to a probe: known ones as what
// they are, others as late.
func (m *Modem) placeStray(text []byte) {
	if m.lateAnswer(text) {
		return
	}
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

// lateAnswer takes a line of the answer to the lost command, with what follows
// it, also after a search without success: what is inside a body is no line.
func (m *Modem) lateAnswer(text []byte) bool {
	x := m.place.last
	if !m.place.lost || x == nil || !x.named(text) || !x.accepts(text) {
		return false
	}
	m.late(string(text))
	if x.cmd.Body != nil && m.in.quoted == nil {
		m.expectBody(string(text), x.cmd.Body(string(text)), x, 0)
	}
	return true
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
		m.mu.Lock()
		defer m.mu.Unlock()
		m.place.waiters = slices.DeleteFunc(m.place.waiters, func(w chan error) bool { return w == done })
		return ctx.Err()
	}
}
