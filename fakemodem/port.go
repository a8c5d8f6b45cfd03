package fakemodem

import (
	"bytes"
	"strings"
	"sync/atomic"
	"time"
)

// port is one AT interface of a modem: a serial or USB port, or a channel of
// the multiplexer. It accumulates command lines, runs them and prints the
// answers; in a data call it hands octets on. All its fields are guarded by
// the network's lock.
type port struct {
	m     *Modem
	name  string
	out   *buffer // towards the host; nil when nobody is there
	line  *Line   // nil for a multiplexer channel
	mode  portMode
	set   settings
	input []byte // the command line so far
	early []byte // what came while a command ran
	last  string // the last command line, for A/
	exec  *execution
	ask   *prompt
	data  *stream
	calls *stream  // a data call that +++ has put on hold
	held  []string // notifications that wait for the end of data mode or a prompt

	replay *Replay // plays instead of the interpreter

	dtr       bool
	wires     wires
	rate      atomic.Int64 // bits per second; zero: as fast as can be
	unplugged bool
	heard     time.Time // when the last octet came from the host
	channel   int       // DLCI; zero for the port itself
}

// portMode is what a port does with the octets that come.
type portMode uint8

const (
	modeCommand portMode = iota // accumulates a command line
	modeBusy                    // runs one
	modePrompt                  // takes the text of a message or a block of data
	modeData                    // carries a data call or the multiplexer
)

// Limits of a port.
const (
	maxLine  = 4096 // octets of a command line; longer ones answer ERROR
	maxEarly = 4096 // octets kept while a command runs
	maxHeld  = 64   // notifications kept during data mode
)

// execution is a command line that runs.
type execution struct {
	parts  []part
	next   int
	call   *Call
	answer []string
}

// prompt is a wait for data behind a > or the like.
type prompt struct {
	call   *Call
	data   []byte
	fixed  int  // ends after so many octets; zero: at Ctrl-Z or ESC
	text   bool // CR brings a new prompt (3GPP TS 27.005 clause 3.5.1)
	limit  int
	opened time.Time
	finish func(data []byte) Result
}

// receive takes octets from the host. It tells how many it took, and if they
// were not all, busy is closed when it may be tried again.
func (p *port) receive(b []byte) (taken int, busy <-chan struct{}) {
	now := time.Now()
	idle := now.Sub(p.heard)
	p.heard = now
	if !p.m.on {
		return len(b), nil
	}
	p.m.trace(p, FromHost, b)
	taken = len(b)
	if b = p.withoutXON(b); len(b) == 0 {
		return taken, nil
	}
	if p.replay != nil {
		p.replay.receive(p.m.faults.input(p, b, idle))
		return taken, nil
	}
	if p.mode != modeData {
		p.feed(p.m.faults.input(p, b, idle))
		return taken, nil
	}
	k, busy := p.data.receive(b, idle)
	if taken == len(b) {
		return k, busy
	}
	return taken, nil // beside XON and XOFF, what finds no room is lost
}

// feed runs octets through the command interpreter.
func (p *port) feed(b []byte) {
	for len(b) > 0 {
		switch p.mode {
		case modeData:
			p.data.receive(b, 0)
			return
		case modePrompt:
			b = b[p.takePrompt(b):]
		case modeBusy:
			p.whileBusy(b[0])
			b = b[1:]
		default:
			p.take(b[0])
			b = b[1:]
		}
	}
}

// whileBusy: a character aborts a command that allows it (ITU-T V.250 clause
// 5.6.1); otherwise it waits.
func (p *port) whileBusy(c byte) {
	if call := p.exec.call; call != nil && call.abort != nil && c != '\n' {
		abort := call.abort
		call.abort = nil
		abort()
		return
	}
	if len(p.early) < maxEarly {
		p.early = append(p.early, c)
	}
}

// take adds one character to the command line (ITU-T V.250 clause 5.2).
func (p *port) take(c byte) {
	switch c {
	case p.set.s[3]: // S3, the command line termination character
		p.echo(c)
		line := string(p.input)
		p.input = p.input[:0]
		p.begin(line)
	case '\n':
	case p.set.s[5]: // S5, the editing character
		p.echo(c)
		if len(p.input) > 0 {
			p.input = p.input[:len(p.input)-1]
		}
	default:
		p.echo(c)
		if len(p.input) < maxLine {
			p.input = append(p.input, c)
		}
		if c == '/' && len(p.input) >= 2 && strings.EqualFold(string(p.input[len(p.input)-2:]), "A/") && !hasAT(p.input) {
			p.input = p.input[:0]
			p.begin("AT" + p.last)
		}
	}
}

func (p *port) echo(c byte) {
	if p.set.echo {
		p.write([]byte{c})
	}
}

// hasAT tells whether a line contains the prefix of a command line.
func hasAT(line []byte) bool {
	return bytes.Contains(bytes.ToUpper(line), []byte("AT"))
}

// begin runs a command line. What stands before AT is noise; a line without
// it is ignored without an answer.
func (p *port) begin(line string) {
	i := indexAT(line)
	if i < 0 {
		return
	}
	if len(line) >= maxLine {
		p.print([]string{"ERROR"}, true)
		return
	}
	line = line[i+2:]
	p.last = line
	p.m.faults.line()
	p.exec = &execution{parts: splitLine(line)}
	p.mode = modeBusy
	p.step()
}

// indexAT finds the AT, in capitals or not, in a line that may hold any octets.
func indexAT(line string) int {
	for i := 0; i+1 < len(line); i++ {
		if line[i]|0x20 == 'a' && line[i+1]|0x20 == 't' {
			return i
		}
	}
	return -1
}

// step runs commands until one has to wait or the line is done.
func (p *port) step() {
	for p.exec != nil {
		if p.exec.next == len(p.exec.parts) {
			p.conclude(OK)
			return
		}
		next := p.exec.parts[p.exec.next]
		p.exec.next++
		c := &Call{Name: next.name, Op: next.op, Text: next.text, m: p.m, p: p}
		p.exec.call = c
		r := p.m.dispatch(c)
		if r.kind == kindPending || p.exec == nil || p.exec.call != c {
			return
		}
		if d := p.m.delay(c); d > 0 {
			c.later(d, func() Result { return r })
			return
		}
		if !p.goesOn(r) {
			return
		}
	}
}

// advance goes on behind a command that was pending.
func (p *port) advance(r Result) {
	if p.goesOn(r) {
		p.step()
	}
}

// goesOn ends the line unless the result lets the next command run.
func (p *port) goesOn(r Result) bool {
	if r.kind == kindOK {
		return true
	}
	p.conclude(r)
	return false
}

// conclude prints the answer and makes the port ready for the next line.
func (p *port) conclude(r Result) {
	e := p.exec
	p.exec = nil
	if p.mode == modeBusy || p.mode == modePrompt {
		p.mode, p.ask = modeCommand, nil
	}
	a := answer{call: e.call, info: e.answer, final: r.print(&p.set, p.m.kind)}
	p.m.faults.answer(p, &a)
	p.printAnswer(&a)
	if r.kind == kindConnect && e.call.attach != nil {
		e.call.attach()
	}
	p.ready()
}

// ready lets go what waited for command mode.
func (p *port) ready() {
	if p.mode != modeCommand {
		return
	}
	p.flushHeld()
	early := p.early
	p.early = nil
	p.feed(early)
}

// reset brings the port back to what it is after power-on.
func (p *port) reset() {
	p.mode, p.exec, p.ask = modeCommand, nil, nil
	p.input, p.early, p.held = nil, nil, nil
	p.set = p.m.stored
	if p.data != nil {
		p.data.end(errReset)
	}
	if p.calls != nil {
		p.calls.end(errReset)
	}
	p.data, p.calls = nil, nil
	p.wires.xoff = false
	p.takeAgain()
	p.gate()
}

// duration is how long k octets take on the line: ten bits each with 8N1.
func (p *port) duration(k int) time.Duration {
	rate := p.rate.Load()
	if rate <= 0 {
		return 0
	}
	return time.Duration(k) * 10 * time.Second / time.Duration(rate)
}
