package session

import (
	"errors"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/at/port"
)

// trouble is a kind of what can be wrong with a modem. Each has rungs of its
// own that may help against it.
type trouble uint8

const (
	troubleGone    trouble = iota // the line is gone, or cannot be opened
	troubleBusy                   // another program has the line
	troubleDeaf                   // nothing answers on it
	troubleSick                   // the modem answers, but cannot be used
	troubleNoSIM                  // it works, but has no SIM
	troubleNetwork                // it works, but no network is found for long
	troubleData                   // it is registered, but data calls fail one after the other
	numTroubles
)

// troubleOf sorts the reason why a modem was given up or could not be started.
func troubleOf(err error) trouble {
	var opening *openError
	var busy *port.BusyError
	switch {
	case errors.As(err, &busy):
		return troubleBusy
	case errors.As(err, &opening), errors.Is(err, at.ErrLineGone):
		return troubleGone
	case errors.Is(err, at.ErrNoAnswer), errors.Is(err, at.ErrDataMode):
		return troubleDeaf
	case errors.Is(err, errAbsent):
		return troubleNoSIM
	}
	return troubleSick
}

// step says when a rung is due: after so many failures in a row, the first of
// them so long ago.
type step struct {
	rung     Rung
	failures int
	after    time.Duration
}

// steps are the rungs beyond the opening of the line, by trouble, the lowest
// first. A firmware that updates itself is silent for minutes (fault F100) and
// must not lose its power then, hence the time before that.
var steps = [numTroubles][]step{
	troubleGone:    {{RungPower, 6, 10 * time.Minute}},
	troubleDeaf:    {{RungRestart, 3, 0}, {RungPower, 4, 10 * time.Minute}},
	troubleSick:    {{RungRadio, 2, 0}, {RungRestart, 3, 0}, {RungPower, 5, 10 * time.Minute}},
	troubleNoSIM:   {{RungRadio, 2, 0}, {RungRestart, 4, 10 * time.Minute}, {RungPower, 6, time.Hour}},
	troubleNetwork: {{RungRestart, 4, 30 * time.Minute}, {RungPower, 6, 2 * time.Hour}},
	troubleData:    {{RungAttach, 3, 0}, {RungRadio, 5, 0}, {RungRestart, 8, 10 * time.Minute}, {RungPower, 12, 30 * time.Minute}},
}

// resetGaps are the least times between a reset, by restart or power, and the
// next: fault F101, a ladder that resets what is still starting, is a loop of
// its own making. The last one stays.
var resetGaps = [...]time.Duration{0, 10 * time.Minute, 30 * time.Minute, time.Hour}

// repeats are the least times until a reset that did not help is tried again,
// by trouble: that there is no SIM, no network or no data is seldom the modem's
// fault.
var repeats = [numTroubles]time.Duration{troubleNoSIM: 24 * time.Hour, troubleNetwork: 24 * time.Hour, troubleData: 6 * time.Hour}

// calmTime is how long a modem has to do well until its troubles are forgotten.
const calmTime = 30 * time.Minute

// spell is one time of trouble: failures without calm between them.
type spell struct {
	began    time.Time // zero without
	failures int
	tried    [numRungs]bool
	told     [numRungs]bool // that the budget is spent
}

// ladder decides which rung comes next. It does nothing itself and has no
// clock. It belongs to the goroutine of run.
type ladder struct {
	budgets Budgets
	spent   account

	start   spell // of gone, busy, deaf and sick
	network spell
	data    spell

	resets int       // since the last calm
	reset  time.Time // the last of them
}

func (l *ladder) spell(t trouble) *spell {
	switch t {
	case troubleNetwork:
		return &l.network
	case troubleData:
		return &l.data
	}
	return &l.start
}

// next counts a failure and returns the rung that is due, or RungReopen where
// none of those with a budget is. exhausted is a rung that would be due and
// whose budget is spent; it is told once in a spell. can tells whether a rung
// can be climbed at all. Who climbs it tells so by climb.
func (l *ladder) next(now time.Time, t trouble, can func(Rung) bool) (due, exhausted Rung) {
	s := l.spell(t)
	if s.began.IsZero() {
		s.began = now
	}
	s.failures++
	var again Rung
	for _, step := range steps[t] {
		if !can(step.rung) {
			continue
		}
		if s.failures < step.failures || now.Sub(s.began) < step.after {
			again = 0 // its time will come
			break
		}
		if step.rung.resets() && !l.mayReset(now) {
			continue
		}
		if budget, _ := l.budgets.of(step.rung); !l.spent.allows(step.rung, budget, now) {
			if !s.told[step.rung] {
				s.told[step.rung], exhausted = true, step.rung
			}
			continue
		}
		if !s.tried[step.rung] {
			s.tried[step.rung] = true
			return step.rung, exhausted
		}
		again = step.rung
	}
	if again.resets() && now.Sub(l.reset) >= repeats[t] { // all were tried: the highest once more
		return again, exhausted
	}
	return RungReopen, exhausted
}

// mayReset tells whether the last reset is long enough ago.
func (l *ladder) mayReset(now time.Time) bool {
	gap := resetGaps[min(l.resets, len(resetGaps)-1)]
	return l.reset.IsZero() || now.Sub(l.reset) >= gap
}

// climb notes that a rung is climbed now, which may be long after next: budgets
// and gaps go by that.
func (l *ladder) climb(now time.Time, r Rung) {
	if _, counted := l.budgets.of(r); counted {
		l.spent.enter(r, now)
	}
	if r.resets() {
		l.reset = now
		l.resets++
	}
}

// calm forgets what was, but not what it has cost. Troubles with the network
// and with data end when those work.
func (l *ladder) calm() {
	if l.network == (spell{}) && l.data == (spell{}) {
		l.start, l.resets = spell{}, 0
	}
}
