package fakemodem

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// Fault is something to go wrong with a modem: what, at which moment, how
// often and how long. The zero value of every field but ID is the catalogue's
// preset.
type Fault struct {
	// ID is the fault's name in the catalogue: "F21". Faults lists them.
	ID string

	// In is the time from now to the moment at which the fault sets in.
	In time.Duration
	// After is the number of further command lines before it sets in.
	After int
	// On is a command, such as "+CREG" or "D". A fault of commands strikes
	// this one alone; any other fault sets in when it comes. Empty is the
	// catalogue's choice, "*" is every command.
	On string
	// Probability, between 0 and 1, is for each occasion, from the network's
	// seed. Zero means 1.
	Probability float64
	// Times is the number of occasions that it strikes. Zero is the
	// catalogue's choice, negative is without end.
	Times int
	// For clears the fault so long after it has set in. Zero leaves it until
	// it is cleared or has struck often enough.
	For time.Duration

	// Count, Text, Code and Delay say more; FaultInfo tells for which faults.
	Count int
	Text  string
	Code  int
	Delay time.Duration
}

// FaultInfo describes a fault of the catalogue.
type FaultInfo struct {
	// ID is its number: "F21".
	ID string
	// Name is what happens, in a few words.
	Name string
	// Uses tells what Fault.Count, Text, Code and Delay mean here, with their
	// presets; empty if they mean nothing.
	Uses string
}

// Faults lists the catalogue, in the order of the numbers.
func Faults() []FaultInfo {
	var list []FaultInfo
	for _, k := range faultKinds {
		list = append(list, FaultInfo{ID: k.id, Name: k.name, Uses: k.uses})
	}
	sort.Slice(list, func(i, j int) bool { return faultNumber(list[i].ID) < faultNumber(list[j].ID) })
	return list
}

func faultNumber(id string) (n int) {
	fmt.Sscanf(id, "F%d", &n)
	return n
}

// faultKind is an entry of the catalogue.
type faultKind struct {
	id, name, uses string
	on             string // the commands that it strikes by preset; "*" all
	perCommand     bool   // On filters instead of setting the moment
	times          int    // preset of Times; zero: without end
	start          func(x *injected)
}

// faultKinds is the catalogue by id; the files fault_a.go to fault_i.go, one
// for each section, fill it.
var faultKinds = map[string]faultKind{}

func init() {
	for _, section := range [][]faultKind{faultsA, faultsB, faultsC, faultsD, faultsE, faultsF, faultsG, faultsH, faultsI} {
		for _, k := range section {
			faultKinds[k.id] = k
		}
	}
}

// injected is a fault on a modem.
type injected struct {
	Fault
	hooks
	m      *Modem
	kind   faultKind
	active bool
	left   int // occasions; negative: without end
	wait   *event
	end    *event
	undo   func()
}

// hooks are the places where a fault takes hold; nil ones leave things alone.
type hooks struct {
	command      func(*Call) (Result, bool)
	input        func(p *port, b []byte, idle time.Duration) []byte
	output       func(p *port, pieces []piece) []piece
	answer       func(p *port, a *answer)
	prompt       func(mark string) (string, time.Duration, bool)
	escape       func() bool
	notice       func(line string) bool // true: the notification is lost
	boot         func()
	registration func(circuit, packet int) (int, int)
	packet       func(up bool, size int) bool
	activate     func() (Result, bool)
	paging       func() bool                             // false: messages and calls do not get through
	ring         func()                                  // a call comes in
	deliver      func(tpdu []byte) (copies int, ok bool) // how often a message is stored
	refuse       func(name string) (code int, ok bool)   // a message by +CMGS or +CMSS does not leave
}

// faultSet is what is wrong with a modem.
type faultSet struct {
	list  []*injected
	count int // command lines so far
}

// Inject lets a fault happen. clear ends it and undoes what lasts; a fault
// that has struck as often as it should clears itself.
func (m *Modem) Inject(f Fault) (clear func(), err error) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	x, err := m.inject(f)
	if err != nil {
		return nil, err
	}
	return func() {
		m.n.mu.Lock()
		defer m.n.mu.Unlock()
		x.clear()
	}, nil
}

func (m *Modem) inject(f Fault) (*injected, error) {
	kind, ok := faultKinds[f.ID]
	if !ok {
		return nil, fmt.Errorf("fakemodem: no fault %q: see Faults", f.ID)
	}
	x := &injected{Fault: f, m: m, kind: kind, left: f.Times}
	if x.left == 0 {
		if x.left = kind.times; x.left == 0 {
			x.left = -1
		}
	}
	if x.On == "" {
		x.On = kind.on
	}
	x.On = strings.ToUpper(x.On)
	m.faults.list = append(m.faults.list, x)
	x.arm()
	return x, nil
}

// ClearFaults ends all faults of the modem.
func (m *Modem) ClearFaults() {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	for _, x := range append([]*injected(nil), m.faults.list...) {
		x.clear()
	}
}

// ActiveFaults lists the faults that are on the modem, waiting for their
// moment or at work.
func (m *Modem) ActiveFaults() []Fault {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	var list []Fault
	for _, x := range m.faults.list {
		list = append(list, x.Fault)
	}
	return list
}

// arm waits for the fault's moment.
func (x *injected) arm() {
	switch {
	case x.In > 0:
		x.wait = x.m.n.after(x.In, x.begin)
	case x.After > 0:
		x.After += x.m.faults.count
	case !x.kind.perCommand && x.On != "" && x.On != "*":
	default:
		x.begin()
	}
}

// begin lets the fault set in.
func (x *injected) begin() {
	if x.active {
		return
	}
	x.active = true
	if x.For > 0 {
		x.end = x.m.n.after(x.For, x.clear)
	}
	x.kind.start(x)
}

// clear takes the fault off the modem.
func (x *injected) clear() {
	f := &x.m.faults
	for i := range f.list {
		if f.list[i] == x {
			f.list = append(f.list[:i:i], f.list[i+1:]...)
			break
		}
	}
	x.m.n.cancel(x.wait)
	x.m.n.cancel(x.end)
	x.active = false
	if undo := x.undo; undo != nil {
		x.undo = nil
		undo()
	}
}

// strikes tells whether the fault takes this occasion, and counts it.
func (x *injected) strikes() bool {
	if !x.active || x.left == 0 || x.Probability > 0 && x.m.n.rand.Float64() >= x.Probability {
		return false
	}
	if x.left > 0 {
		if x.left--; x.left == 0 {
			x.m.n.after(0, x.clear)
		}
	}
	return true
}

// once runs an action that does not last.
func (x *injected) once(fn func()) {
	if x.strikes() {
		fn()
	}
	if x.left < 0 && x.undo == nil {
		x.m.n.after(0, x.clear)
	}
}

// concerns tells whether a fault of commands strikes this one.
func (x *injected) concerns(c *Call) bool {
	return x.On == "*" || x.On == "" || c != nil && x.On == c.Name
}

func or[T comparable](v, preset T) T {
	var zero T
	if v == zero {
		return preset
	}
	return v
}

// each runs fn for the faults that are at work.
func (f *faultSet) each(fn func(*injected)) {
	if len(f.list) == 0 {
		return
	}
	for _, x := range append([]*injected(nil), f.list...) {
		if x.active {
			fn(x)
		}
	}
}

// has finds a fault at work by its id: for parts of the modem that look for
// themselves, such as its sockets.
func (f *faultSet) has(id string) (found *injected) {
	f.each(func(x *injected) {
		if x.ID == id && found == nil {
			found = x
		}
	})
	return found
}

// line counts a command line and lets faults set in that waited for it.
func (f *faultSet) line() {
	f.count++
	for _, x := range append([]*injected(nil), f.list...) {
		if !x.active && x.After > 0 && f.count > x.After {
			x.begin()
		}
	}
}

func (f *faultSet) command(c *Call) (r Result, taken bool) {
	for _, x := range append([]*injected(nil), f.list...) {
		if !x.active && !x.kind.perCommand && x.In == 0 && x.After == 0 && x.On == c.Name {
			x.begin()
		}
	}
	f.each(func(x *injected) {
		if !taken && x.hooks.command != nil && x.concerns(c) {
			r, taken = x.hooks.command(c)
		}
	})
	return r, taken
}

func (f *faultSet) input(p *port, b []byte, idle time.Duration) []byte {
	f.each(func(x *injected) {
		if x.hooks.input != nil {
			b = x.hooks.input(p, b, idle)
		}
	})
	return b
}

func (f *faultSet) output(p *port, b []byte) []piece {
	pieces := []piece{{data: b}}
	f.each(func(x *injected) {
		if x.hooks.output != nil {
			pieces = x.hooks.output(p, pieces)
		}
	})
	return pieces
}

func (f *faultSet) answer(p *port, a *answer) {
	f.each(func(x *injected) {
		if x.hooks.answer != nil && x.concerns(a.call) {
			x.hooks.answer(p, a)
		}
	})
}

func (f *faultSet) promptMark(mark string) (string, time.Duration, bool) {
	delay, hold := time.Duration(0), false
	f.each(func(x *injected) {
		if x.hooks.prompt != nil {
			mark, delay, hold = x.hooks.prompt(mark)
		}
	})
	return mark, delay, hold
}

func (f *faultSet) ignoreEscape() (ignored bool) {
	f.each(func(x *injected) { ignored = ignored || x.hooks.escape != nil && x.hooks.escape() })
	return ignored
}

func (f *faultSet) losesNotice(line string) (lost bool) {
	f.each(func(x *injected) { lost = lost || x.hooks.notice != nil && x.hooks.notice(line) })
	return lost
}

func (f *faultSet) booted() {
	f.each(func(x *injected) {
		if x.hooks.boot != nil {
			x.hooks.boot()
		}
	})
}

func (f *faultSet) registration(circuit, packet int) (int, int) {
	f.each(func(x *injected) {
		if x.hooks.registration != nil {
			circuit, packet = x.hooks.registration(circuit, packet)
		}
	})
	return circuit, packet
}

func (f *faultSet) dropsPacket(up bool, size int) (drops bool) {
	f.each(func(x *injected) { drops = drops || x.hooks.packet != nil && x.hooks.packet(up, size) })
	return drops
}

func (f *faultSet) activation() (r Result, refused bool) {
	f.each(func(x *injected) {
		if !refused && x.hooks.activate != nil {
			r, refused = x.hooks.activate()
		}
	})
	return r, refused
}

func (f *faultSet) pages() bool {
	pages := true
	f.each(func(x *injected) { pages = pages && (x.hooks.paging == nil || x.hooks.paging()) })
	return pages
}

func (f *faultSet) rings() {
	f.each(func(x *injected) {
		if x.hooks.ring != nil {
			x.hooks.ring()
		}
	})
}

// refusal is the +CMS ERROR with which a message is refused; 0 if it is not.
func (f *faultSet) refusal(name string) (code int) {
	f.each(func(x *injected) {
		if x.hooks.refuse != nil && code == 0 {
			if c, ok := x.hooks.refuse(name); ok {
				code = c
			}
		}
	})
	return code
}

func (f *faultSet) copies(tpdu []byte) int {
	copies := 1
	f.each(func(x *injected) {
		if x.hooks.deliver != nil {
			if k, ok := x.hooks.deliver(tpdu); ok {
				copies = k
			}
		}
	})
	return copies
}
