package fakemodem

import "time"

// Characters that end an entry behind a prompt (3GPP TS 27.005 clause 3.5.1).
const (
	ctrlZ  = 0x1a // sends it
	escape = 0x1b // throws it away
)

// askText prints a prompt and collects a message up to Ctrl-Z; finish then
// gets it. ESC ends the command with OK and sends nothing.
func (c *Call) askText(limit int, text bool, finish func([]byte) Result) Result {
	return c.ask(&prompt{call: c, text: text, limit: limit, finish: finish}, c.m.kind.prompt())
}

// askOctets prints mark as it is and collects exactly k octets.
func (c *Call) askOctets(mark string, k int, finish func([]byte) Result) Result {
	if k == 0 {
		return finish(nil)
	}
	return c.ask(&prompt{call: c, fixed: k, limit: k, finish: finish}, mark)
}

func (c *Call) ask(q *prompt, mark string) Result {
	mark, delay, hold := c.m.faults.promptMark(mark)
	open := func() {
		if c.p.exec == nil || c.p.exec.call != c {
			return
		}
		c.p.ask, c.p.mode = q, modePrompt
		q.opened = time.Now()
		if !hold {
			c.p.write([]byte(mark))
		}
		early := c.p.early
		c.p.early = nil
		c.p.feed(early)
	}
	if delay > 0 {
		c.m.after(delay, open)
		return pending
	}
	open()
	return pending
}

// takePrompt takes octets of an entry and tells how many belonged to it.
func (p *port) takePrompt(b []byte) int {
	q := p.ask
	if q.fixed > 0 {
		k := min(q.fixed-len(q.data), len(b))
		q.data = append(q.data, b[:k]...)
		if len(q.data) == q.fixed {
			p.endPrompt(q.data)
		}
		return k
	}
	for i, c := range b {
		switch c {
		case ctrlZ:
			p.endPrompt(q.data)
			return i + 1
		case escape:
			p.ask, p.mode = nil, modeBusy
			q.call.finish(OK)
			return i + 1
		case '\b':
			if len(q.data) > 0 {
				q.data = q.data[:len(q.data)-1]
			}
		default:
			p.promptOctet(q, c)
		}
	}
	return len(b)
}

func (p *port) promptOctet(q *prompt, c byte) {
	if len(q.data) < q.limit {
		q.data = append(q.data, c)
	}
	p.echo(c)
	if c == '\r' && q.text {
		p.write([]byte(p.m.kind.prompt()))
	}
}

func (p *port) endPrompt(data []byte) {
	q := p.ask
	p.ask, p.mode = nil, modeBusy
	if r := q.finish(data); r.kind != kindPending {
		q.call.finish(r)
	}
}
