package fakemodem

import (
	"strconv"
	"strings"
	"time"
)

// Call is one command that the modem is carrying out. A handler reads what was
// asked, adds information lines and returns a Result.
type Call struct {
	// Name is the command's name in capitals with its mark: "+CSQ", "E", "&F".
	Name string
	// Op is the form: AT+X, AT+X=, AT+X? or AT+X=?.
	Op Op
	// Text is what stood behind the equals sign, or behind the name of a
	// basic command, unchanged.
	Text string

	m      *Modem
	p      *port
	args   []arg
	bad    bool   // a value was no number where one was needed
	attach func() // what takes the line over behind CONNECT
	abort  func() // ends what the command has begun, when any octet arrives
	wait   *event // the delay before the result
}

// Args are the values behind the equals sign, without their quotes.
func (c *Call) Args() []string {
	var out []string
	for _, a := range c.values() {
		out = append(out, a.text)
	}
	return out
}

// Info adds an information line to the answer; line breaks inside are printed
// as they are.
func (c *Call) Info(line string) {
	if c.p.exec != nil {
		c.p.exec.answer = append(c.p.exec.answer, line)
	}
}

// Modem is the modem that carries the command out.
func (c *Call) Modem() *Modem { return c.m }

func (c *Call) values() []arg {
	if c.args == nil && c.Op == Set {
		c.args = splitArgs(c.Text)
	}
	return c.args
}

// count is the number of values, absent ones in the middle included.
func (c *Call) count() int { return len(c.values()) }

// text is value i, or what is given where it is absent.
func (c *Call) text(i int, absent string) string {
	if v := c.values(); i < len(v) && v[i].present {
		return v[i].text
	}
	return absent
}

// given tells whether value i is there.
func (c *Call) given(i int) bool {
	v := c.values()
	return i < len(v) && v[i].present
}

// number is value i; what is no number marks the call as bad.
func (c *Call) number(i, absent int) int {
	if !c.given(i) {
		return absent
	}
	k, err := strconv.Atoi(strings.TrimSpace(c.values()[i].text))
	if err != nil {
		c.bad = true
		return absent
	}
	return k
}

// between is value i; what is no number between low and high marks the call as bad.
func (c *Call) between(i, low, high, absent int) int {
	k := c.number(i, absent)
	if c.given(i) && (k < low || k > high) {
		c.bad = true
		return absent
	}
	return k
}

// finish ends a command that was pending. It does nothing if the command has
// been aborted. The caller holds the network's lock.
func (c *Call) finish(r Result) {
	if c.p.exec == nil || c.p.exec.call != c {
		return
	}
	c.p.advance(r)
}

// later ends the command after d, or now if that is zero, with what fn returns
// then.
func (c *Call) later(d time.Duration, fn func() Result) Result {
	if d == 0 {
		return fn()
	}
	c.wait = c.m.after(d, func() { c.finish(fn()) })
	return pending
}

// handler carries out one command, with the network's lock held.
type handler func(*Call) Result

// command is an entry of the command table.
type command struct {
	run  handler
	test string // what =? answers behind the name; empty: OK alone
	own  bool   // run answers =? itself
	sim  bool   // refused while the SIM is absent, locked or busy
	idle bool   // answers and does nothing
	kept bool   // keeps values and does nothing with them
}

// table is a set of commands by name.
type table map[string]command

// commands is the table that all personalities start from.
var commands = table{}

// add puts a table into the common one, at start-up.
func add(t table) {
	for name, c := range t {
		commands[name] = c
	}
}

// lookup finds a command: the personality's own entry first.
func (m *Modem) lookup(name string) (command, bool) {
	if c, ok := m.kind.commands[name]; ok {
		return c, c.run != nil
	}
	if c, ok := m.sockets.lookup(m, name); ok {
		return c, true
	}
	if m.kind.refuses(name) {
		return command{}, false
	}
	if p, ok := m.kind.parameter(name); ok {
		return p, true
	}
	if len(name) > 1 && name[0] == 'S' && name[1] >= '0' && name[1] <= '9' {
		return command{run: registers, own: true}, true
	}
	c, ok := commands[name]
	return c, ok
}

// dispatch runs a command and returns its result, which may be pending.
func (m *Modem) dispatch(c *Call) Result {
	if r, taken := m.faults.command(c); taken {
		return r
	}
	if fn := m.override(c.Name); fn != nil {
		m.runOverride(c, fn)
		return pending
	}
	return m.builtIn(c)
}

// builtIn runs the modem's own behaviour.
func (m *Modem) builtIn(c *Call) Result {
	cmd, ok := m.lookup(c.Name)
	if !ok {
		return unknown
	}
	if cmd.sim && c.Op != Test {
		if r, refused := m.sim.refusal(c.Name); refused {
			return r
		}
	}
	if c.Op == Test && !cmd.own {
		if test := m.kind.test(c.Name, cmd.test); test != "" {
			c.Info(c.Name + ": " + test)
		}
		return OK
	}
	r := cmd.run(c)
	if c.bad && r.kind == kindOK {
		return CME(cmeInvalidParam)
	}
	return r
}

// Handler is a command's behaviour as a test gives it. It runs on a goroutine
// of its own without any lock, so it may wait, and may use the modem and the
// network.
type Handler func(*Call) Result

// OnCommand puts fn in place of the command called name ("+CSQ", "E", "^FOO"),
// or adds it. fn gets all four forms; it may return Default to let the modem
// answer as it would have. A nil fn takes the handler away.
func (m *Modem) OnCommand(name string, fn Handler) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	name = strings.ToUpper(name)
	if fn == nil {
		delete(m.overrides, name)
		return
	}
	if m.overrides == nil {
		m.overrides = make(map[string]Handler)
	}
	m.overrides[name] = fn
}

// Answer makes a Handler that prints the lines and then OK. The last line may
// be a final result code of its own, such as "ERROR" or "+CME ERROR: 14".
func Answer(lines ...string) Handler {
	return func(c *Call) Result {
		for i, line := range lines {
			if i == len(lines)-1 && isFinal(line) {
				return Final(line)
			}
			c.Info(line)
		}
		return OK
	}
}

// isFinal tells final result codes from information lines.
func isFinal(line string) bool {
	switch line {
	case "OK", "ERROR", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE":
		return true
	}
	return strings.HasPrefix(line, "+CME ERROR: ") || strings.HasPrefix(line, "+CMS ERROR: ")
}

func (m *Modem) override(name string) Handler {
	return m.overrides[name]
}

// runOverride runs a test's handler aside and finishes the command with what
// it returns.
func (m *Modem) runOverride(c *Call, fn Handler) {
	m.n.start(func() {
		r := fn(c)
		m.n.mu.Lock()
		defer m.n.mu.Unlock()
		if r.kind == kindDefault && c.p.exec != nil && c.p.exec.call == c {
			if r = m.builtIn(c); r.kind == kindPending {
				return
			}
		}
		c.finish(r)
	})
}
