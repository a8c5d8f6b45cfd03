package at

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// exchange is one command from its call to the moment when the modem owes
// nothing more for it, which may be after the caller has left.
type exchange struct {
	cmd  Command
	call *DataCall // of a dial
	own  bool      // part of the end of a data call
	done chan struct{}

	// What the caller gets, fixed when done is signalled.
	resp     Response
	err      error
	reported Progress
	finished bool // done is signalled

	abandoned bool // the caller has left
	aborting  bool // the modem was told to stop
	rerun     bool // and the command is to run again afterwards
	progress  Progress
	out       bool // the command line is with the modem, so a line may be its answer

	asked         question
	deadline      instant
	promptDue     instant // the prompt must have come
	dataDue       instant // the data may go out after the prompt
	abortDue      instant
	graceDue      instant // a held OK counts
	prompt        promptState
	owed          bool  // the data fill an entry, whoever has left
	size          int   // octets of the answer so far
	fault         error // what makes the answer worthless
	stage         int   // stages done
	stageDeadline instant
}

type promptState uint8

const (
	promptNone   promptState = iota // the command has none, or it is over
	promptAwait                     // the mark has not come
	promptGap                       // the mark has come, the data waits for the gap
	promptFilled                    // the data is with the writer
)

// newExchange makes an exchange, from the spare one if there is one.
func (m *Modem) newExchange(cmd *Command, call *DataCall, own bool) *exchange {
	x := m.spare.Swap(nil)
	if x == nil {
		x = &exchange{done: make(chan struct{}, 1)}
	}
	x.cmd, x.call, x.own = *cmd, call, own          // the rest, but for asked, is zero
	if x.asked.text != cmd.Text || cmd.Text == "" { // agents repeat themselves
		x.asked = readQuestion(cmd.Text)
	}
	if limit := m.cfg.limit(cmd); limit > 0 {
		x.deadline = m.after(limit)
	}
	return x
}

// recycle keeps an exchange that has succeeded and to which nobody refers any
// more: finish is the last that is done with it.
func (m *Modem) recycle(x *exchange) {
	if x.abandoned {
		return
	}
	asked := x.asked
	if x.cmd.Sensitive {
		asked = question{}
	}
	*x = exchange{done: x.done, asked: asked}
	m.spare.Store(x)
}

// sent tells whether bytes of the command may have reached the modem, so that
// a line may be its answer.
func (x *exchange) sent() bool { return x.out }

// enqueue puts x behind all of its priority.
func (m *Modem) enqueue(x *exchange) {
	i := len(m.queue)
	for i > 0 && m.queue[i-1].cmd.Priority < x.cmd.Priority {
		i--
	}
	m.insert(x, i)
	if r := m.run; r != nil && r.cmd.Abortable && r.cmd.Priority < x.cmd.Priority {
		m.abort(r, true)
	}
}

func (m *Modem) insert(x *exchange, i int) {
	m.queue = append(m.queue, nil)
	copy(m.queue[i+1:], m.queue[i:])
	m.queue[i] = x
	m.timer.arm(m, x.deadline)
}

// start gives the line to x.
func (m *Modem) start(x *exchange) {
	m.run = x
	x.prompt = promptNone
	if p := x.cmd.Prompt; p != nil {
		x.prompt = promptAwait
		if d := promptLimit(p); d > 0 {
			x.promptDue = m.after(d)
			m.timer.arm(m, x.promptDue)
		}
	}
	m.timer.arm(m, x.deadline)
	m.echo.sending(x.cmd.Text)
	m.out.buf = append(append(append(m.out.buf, "AT"...), x.cmd.Text...), '\r')
	m.owned(x, CommandWritten)
}

func promptLimit(p *Prompt) time.Duration {
	if p.Timeout == 0 {
		return promptTimeout
	}
	return p.Timeout
}

// due returns when x wants to be looked at again.
func (x *exchange) due() (next instant) {
	for _, t := range [...]instant{x.deadline, x.dataDue, x.abortDue, x.graceDue, x.promptDue} {
		next = sooner(next, t)
	}
	return next
}

// finish tells the caller the end. One that has failed or that nobody waits
// for may still own the line; a success is the caller's from here on.
func (m *Modem) finish(x *exchange, err error) {
	if x.finished {
		return
	}
	x.finished, x.err, x.reported = true, err, x.progress
	m.freeCaller(x)
	x.done <- struct{}{}
}

// leave takes the line from x, which the modem has answered.
func (m *Modem) leave(x *exchange) {
	m.withdraw(x)
	m.run = nil
	m.echo.data = nil
	if m.pacing > 0 {
		m.earliest = m.after(m.pacing)
	}
}

// abandon ends x for its caller, who has stopped waiting.
func (m *Modem) abandon(x *exchange, cause error) {
	if x.finished {
		return
	}
	x.abandoned = true
	if x != m.run {
		m.queue = without(m.queue, x)
		m.staged = without(m.staged, x)
		m.finish(x, cause)
		return
	}
	m.release(x, cause)
	m.proceed()
}

// release ends the running x for its caller and sees to what it leaves open.
func (m *Modem) release(x *exchange, cause error) {
	x.abandoned = true
	if m.withdraw(x) && !x.sent() {
		m.finish(x, cause)
		m.leave(x)
		return
	}
	m.closePrompt(x)
	m.finish(x, cause)
	if x.cmd.Abortable || x.call != nil {
		m.abort(x, false)
	}
	if x.deadline == 0 { // no limit of its own, but the line needs one
		x.deadline = m.after(defaultAnswerTimeout)
		m.timer.arm(m, x.deadline)
	}
}

func without(list []*exchange, x *exchange) []*exchange {
	for i := range list {
		if list[i] == x {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}

// abort makes the modem stop x by a character (ITU-T V.250 clause 5.6.1). A CR
// does it and means nothing to a modem that has just finished.
func (m *Modem) abort(x *exchange, rerun bool) {
	if x.aborting || x.prompt != promptNone || x.finished && !x.abandoned {
		return
	}
	if m.withdraw(x) && !x.sent() { // it has not even begun
		m.leave(x)
		if rerun {
			m.requeue(x)
		}
		return
	}
	x.aborting, x.rerun = true, rerun
	x.abortDue = m.after(abortTimeout)
	m.timer.arm(m, x.abortDue)
	m.put(nil, NothingWritten, "\r")
}

// requeue lets an aborted command run again, before its equals.
func (m *Modem) requeue(x *exchange) {
	x.aborting, x.rerun, x.abortDue = false, false, 0
	x.resp, x.size, x.fault, x.stage, x.out = Response{}, 0, nil, 0, false
	i := len(m.queue)
	for i > 0 && m.queue[i-1].cmd.Priority <= x.cmd.Priority {
		i--
	}
	m.insert(x, i)
}

// tickRun does what is due for the command that owns the line.
func (m *Modem) tickRun() {
	x := m.run
	if x == nil {
		return
	}
	switch {
	case m.come(x.deadline), m.come(x.abortDue), m.come(x.promptDue):
		m.expire(x)
	case m.come(x.graceDue):
		m.conclude(x, success, "OK")
	case m.come(x.dataDue):
		m.fillPrompt(x)
	}
}

// expire gives up the running x: the modem has not answered in time.
func (m *Modem) expire(x *exchange) {
	cause := error(ErrNoAnswer)
	if m.come(x.promptDue) {
		cause = fmt.Errorf("%w: the prompt %s has not come", ErrNoAnswer, x.cmd.Prompt.mark())
	}
	untouched := m.withdraw(x) && !x.sent()
	open := m.closePrompt(x)
	m.finish(x, cause)
	m.leave(x)
	if untouched {
		return
	}
	m.lose(x, "no answer")
	m.mayOpenLate(x)
	m.search(open)
}

// expireQueue fails the commands whose limit ended before they got the line.
func (m *Modem) expireQueue() {
	for i := 0; i < len(m.queue); {
		x := m.queue[i]
		if !m.come(x.deadline) {
			i++
			continue
		}
		m.queue = append(m.queue[:i], m.queue[i+1:]...)
		m.finish(x, fmt.Errorf("%w: the line was not free in time", ErrNoAnswer))
	}
}

// check refuses what must not be written: ErrInvalid.
func (c *Command) check(limit int) error {
	for i := range len(c.Text) {
		if b := c.Text[i]; b < ' ' || b == 0x7F {
			return fmt.Errorf("%w: control character 0x%02X at octet %d of the command", ErrInvalid, b, i)
		}
	}
	if len(c.Text) > limit {
		return fmt.Errorf("%w: a command of %d octets, the limit is %d", ErrInvalid, len(c.Text), limit)
	}
	p := c.Prompt
	if p == nil || p.Fixed {
		return nil
	}
	if i := bytes.IndexByte(p.Data, 0x1B); i >= 0 {
		return fmt.Errorf("%w: ESC at octet %d of the data would end the entry", ErrInvalid, i)
	}
	if len(p.End) > 0 && bytes.Contains(p.Data, p.End) {
		return fmt.Errorf("%w: the data holds the octets that end the entry", ErrInvalid)
	}
	return nil
}

// line returns the command line for errors; a sensitive one ends behind its
// name.
func (c *Command) line() string {
	if !c.Sensitive {
		return "AT" + c.Text
	}
	p, _ := nextPart(c.Text)
	return "AT" + p.name + "…"
}

// named tells whether a line begins with a name that the answer's lines have.
func (x *exchange) named(line []byte) bool {
	if x.cmd.Prefixes != nil {
		for _, p := range x.cmd.Prefixes {
			if hasName(line, p) {
				return true
			}
		}
		return false
	}
	_, ok := x.partOf(line)
	return ok
}

// partOf returns the part of the command line whose name the line begins with.
func (x *exchange) partOf(line []byte) (part, bool) {
	if x.asked.rest == "" { // as most are
		return x.asked.first, x.asked.first.name != "" && hasName(line, x.asked.first.name)
	}
	var last part
	found := false
	for p, rest := x.asked.first, x.asked.rest; ; p, rest = nextPart(rest) {
		if p.name != "" && hasName(line, p.name) {
			last, found = p, true
			if p.form != formSet { // +CREG=2;+CREG? is answered by the latter
				return p, true
			}
		}
		if rest == "" {
			return last, found
		}
	}
}

// unnamed tells whether lines without a name belong to the answer.
func (x *exchange) unnamed() bool { return x.cmd.FreeText || x.asked.unnamed }

// wants tells whether a line that cannot be read would be part of the answer.
func (x *exchange) wants(head []byte) bool { return x.unnamed() || x.named(head) }

// weigh counts octets of the answer.
func (x *exchange) weigh(m *Modem, n int) {
	x.size += n
	if x.size > m.cfg.AnswerLimit && x.fault == nil {
		x.fault = ErrTooLong
		x.resp.Info = nil
	}
}

// mark returns the prompt's mark without blanks around it.
func (p *Prompt) mark() string {
	mark := strings.TrimSpace(p.Mark)
	if mark == "" {
		return ">"
	}
	return mark
}
