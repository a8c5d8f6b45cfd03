package fakemodem

import (
	"sort"
	"time"
)

// Chaos is a mixture of faults for soak tests: which ones, how often, and how
// long they stay.
type Chaos struct {
	// Weights are the faults by id with their shares. Nil is ChaosField's.
	Weights map[string]int
	// Every is the mean time from one fault to the next. Zero means 10 min.
	Every time.Duration
	// Stay bounds how long a fault stays that does not end by itself; each
	// stays between a tenth of it and all of it. Zero means 3 min.
	Stay time.Duration
	// AtOnce bounds the faults that are on the modem at one time. Zero means 2.
	AtOnce int
}

// ChaosField is the weather of the field: loss of coverage, late and lost
// answers, restarts, and dead calls.
var ChaosField = Chaos{Weights: map[string]int{
	"F59": 6, "F57": 2, "F66": 5, "F67": 3, "F68": 5, "F73": 3, "F76": 3, "F22": 3, "F40": 2,
	"F93": 2, "F94": 1, "F99": 1, "F33": 3, "F43": 1, "F45": 3, "F47": 1, "F30": 2, "F21": 3, "F23": 1, "F14": 1, "F71": 2,
}}

// ChaosLine is a bad line and nothing else.
var ChaosLine = Chaos{Every: time.Minute, Stay: 20 * time.Second, Weights: map[string]int{
	"F02": 2, "F04": 3, "F05": 2, "F06": 4, "F12": 1, "F16": 2, "F20": 1, "F27": 2, "F104": 2, "F105": 1,
}}

// Chaos lets faults of a profile happen to the modem, by the network's seed,
// until stop is called. Their ids go to the log as they set in, if there is one.
// A modem that hangs has its power cut at the end of the fault's stay.
func (m *Modem) Chaos(profile Chaos, log func(Fault)) (stop func()) {
	c := &chaos{m: m, profile: profile, log: log}
	c.ids = profile.sorted()
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	c.plan()
	return func() {
		m.n.mu.Lock()
		c.stopped = true
		m.n.cancel(c.next)
		running := c.running
		c.running = nil
		m.n.mu.Unlock()
		for _, clear := range running {
			clear()
		}
	}
}

// chaos is a Chaos at work.
type chaos struct {
	m       *Modem
	profile Chaos
	log     func(Fault)
	ids     []string // each as often as it weighs
	next    *event
	running map[string]func()
	stopped bool
}

// sorted lists the ids by their weights, in an order that does not change.
func (p *Chaos) sorted() []string {
	weights := p.Weights
	if weights == nil {
		weights = ChaosField.Weights
	}
	var list []string
	for id, k := range weights {
		for range k {
			list = append(list, id)
		}
	}
	sort.Strings(list)
	return list
}

// plan sets the time of the next fault.
func (c *chaos) plan() {
	if c.stopped || len(c.ids) == 0 {
		return
	}
	wait := time.Duration(c.m.n.rand.ExpFloat64() * float64(or(c.profile.Every, 10*time.Minute)))
	c.next = c.m.n.after(wait, func() {
		c.strike()
		c.plan()
	})
}

// strike lets one fault happen.
func (c *chaos) strike() {
	id := c.ids[c.m.n.rand.IntN(len(c.ids))]
	if len(c.running) >= or(c.profile.AtOnce, 2) || c.running[id] != nil {
		return
	}
	most := int64(or(c.profile.Stay, 3*time.Minute))
	stay := time.Duration(most/10 + c.m.n.rand.Int64N(most*9/10+1))
	f := Fault{ID: id, For: stay}
	x, err := c.m.inject(f)
	if err != nil {
		return
	}
	if c.log != nil {
		c.log(f)
	}
	if c.running == nil {
		c.running = make(map[string]func())
	}
	c.running[id] = func() {
		c.m.n.mu.Lock()
		defer c.m.n.mu.Unlock()
		x.clear()
	}
	c.m.n.after(stay, func() {
		delete(c.running, id)
		if id == "F99" && !c.stopped && !c.m.closed {
			c.m.restart()
		}
	})
}
