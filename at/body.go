package at

import (
	"bytes"
)

// pendingBody is a line whose Body of text lines has not come yet. Other lines
// may tear in between; the newest pending body comes first.
type pendingBody struct {
	head     string
	run      *exchange // whose information it is; nil for a notification
	info     int       // which information line of run
	rule     Body
	lines    []byte
	got      int
	deadline instant // zero for a body of run: its command has a limit
}

// maxPending bounds the bodies waited for at once.
const maxPending = 8

// block is a counted run of octets: never scanned for lines.
type block struct {
	left   int
	data   []byte
	head   string
	run    *exchange
	info   int
	quoted bool // inside a line, which goes on behind it
	gap    bool // the line end before it may not be complete
	crs    int  // CRs seen in the gap
	due    instant
}

// expectBody begins reading what follows a line and tells whether anything
// does, in which case the line is kept until then.
func (m *Modem) expectBody(head string, b Body, x *exchange, info int) bool {
	n := b.Octets + b.Text
	switch {
	case n < 0 || n > m.cfg.LineLimit || b.Lines > m.cfg.LineLimit:
		m.stats.Overlong++
		if x != nil {
			x.fault = ErrTooLong
		}
		return false
	case n > 0:
		m.in.block = block{left: n, head: head, run: x, info: info, gap: true}
		if x == nil {
			m.in.block.due = m.after(bodyTimeout)
			m.timer.arm(m, m.in.block.due)
		}
		return true
	case b.Lines > 0:
		p := pendingBody{head: head, run: x, info: info, rule: b}
		if x == nil {
			p.deadline = m.after(bodyTimeout)
			m.timer.arm(m, p.deadline)
		}
		if len(m.in.bodies) == maxPending {
			m.giveUpBody(0)
		}
		m.in.bodies = append(m.in.bodies, p)
		return true
	}
	return false
}

// bodyLine offers a line to the pending bodies and tells whether one took it.
func (m *Modem) bodyLine(line []byte) bool {
	if len(m.in.bodies) == 0 {
		return false
	}
	i := m.bodyFor(line)
	if i < 0 {
		return false
	}
	b := &m.in.bodies[i]
	if b.rule.Hex {
		line = bytes.TrimSpace(line)
	}
	if b.got > 0 {
		b.lines = append(b.lines, '\n')
	}
	b.lines = append(b.lines, line...)
	b.got++
	if b.got >= b.rule.Lines || len(b.lines) > m.cfg.LineLimit {
		m.bodyDone(i, false)
	}
	return true
}

// bodyFor returns the index of the pending body that the line belongs to: of
// those that want a PDU one whose announced length fits, else the newest.
func (m *Modem) bodyFor(line []byte) int {
	newest := -1
	for i := len(m.in.bodies) - 1; i >= 0; i-- {
		b := &m.in.bodies[i]
		if !b.rule.Hex {
			if newest < 0 {
				return i
			}
			continue
		}
		if !isHex(line) {
			continue
		}
		if fitsTPDU(line, b.rule.TPDU) {
			return i
		}
		if newest < 0 {
			newest = i
		}
	}
	return newest
}

func isHex(line []byte) bool {
	line = bytes.TrimSpace(line)
	for _, c := range line {
		if !(('0' <= c && c <= '9') || ('A' <= c && c <= 'F') || ('a' <= c && c <= 'f')) {
			return false
		}
	}
	return len(line) > 0
}

// fitsTPDU tells whether a PDU with the service centre address in front (3GPP
// TS 27.005 clause 3.1, <pdu>) has the announced length.
func fitsTPDU(line []byte, tpdu int) bool {
	line = bytes.TrimSpace(line)
	if tpdu <= 0 || len(line) < 2 {
		return false
	}
	return len(line) == 2*(1+16*nibble(line[0])+nibble(line[1])+tpdu)
}

func nibble(c byte) int {
	switch {
	case c >= 'a':
		return int(c-'a') + 10
	case c >= 'A':
		return int(c-'A') + 10
	}
	return int(c - '0')
}

// blankLine is an empty line. Two of them behind the head of a text are an
// empty text and the break before the next line; one alone may be a stray one.
func (m *Modem) blankLine() {
	n := len(m.in.bodies)
	if n == 0 || m.in.blanks < 2 || m.in.bodies[n-1].rule.Hex || m.in.bodies[n-1].got > 0 {
		return
	}
	m.bodyLine(nil)
}

// bodyDone hands on what pending body i belongs to.
func (m *Modem) bodyDone(i int, incomplete bool) {
	b := m.in.bodies[i]
	m.in.bodies = append(m.in.bodies[:i], m.in.bodies[i+1:]...)
	if len(m.in.bodies) == 0 {
		m.in.bodies = nil
	}
	m.completeBody(b.run, b.info, b.head, b.lines, incomplete)
}

// completeBody gives a body to the information line or the notification that
// it belongs to.
func (m *Modem) completeBody(x *exchange, info int, head string, data []byte, incomplete bool) {
	if x == nil {
		m.notify(Notification{Line: head, Body: data, Incomplete: incomplete, Kind: KindKnown})
		return
	}
	if x != m.run || info >= len(x.resp.Info) {
		return // the answer went to nobody
	}
	x.resp.Info[info].Body = data
	x.weigh(m, len(data))
}

// giveUpBody delivers pending body i without what is missing.
func (m *Modem) giveUpBody(i int) {
	m.stats.LostBodies++
	m.bodyDone(i, true)
}

// tickBodies gives up bodies of notifications that did not come in time.
func (m *Modem) tickBodies() {
	for i := 0; i < len(m.in.bodies); {
		if m.come(m.in.bodies[i].deadline) {
			m.giveUpBody(i)
			continue
		}
		i++
	}
	if m.in.block.left > 0 && m.come(m.in.block.due) {
		m.giveUpBlock()
	}
	m.tickDigit()
}

// giveUpBlock ends a block whose octets did not come: F08.
func (m *Modem) giveUpBlock() {
	b := m.in.block
	m.in.block = block{}
	m.stats.LostBodies++
	if b.run == nil {
		m.notify(Notification{Line: b.head, Body: b.data, Incomplete: true, Kind: KindKnown})
	}
}

// dropBodies forgets the bodies of an exchange that will have none.
func (m *Modem) dropBodies(x *exchange) {
	kept := m.in.bodies[:0]
	for _, b := range m.in.bodies {
		if b.run != x {
			kept = append(kept, b)
		}
	}
	m.in.bodies = kept
	if m.in.block.left > 0 && m.in.block.run == x {
		m.in.block = block{}
		m.in.line = m.in.line[:0]
	}
}

// flushBodies delivers at the end what has no chance of being completed.
func (m *Modem) flushBodies() {
	for len(m.in.bodies) > 0 {
		m.giveUpBody(0)
	}
}

// takeBlock takes the octets of a block from p and returns the rest. The line
// end before the block is CR LF, any CRs and LF, or CR alone.
func (m *Modem) takeBlock(p []byte) []byte {
	b := &m.in.block
	for b.gap {
		if len(p) == 0 {
			return nil
		}
		switch {
		case !m.in.needLF: // the line ended in LF
			b.gap = false
		case p[0] == '\n':
			m.in.needLF, b.gap, b.crs = false, false, 0
			p = p[1:]
		case p[0] == '\r':
			b.crs++
			p = p[1:]
		default: // the line ended in CR alone, so further CRs are octets
			m.in.needLF, b.gap = false, false
			n := min(b.crs, b.left)
			b.data = append(b.data, bytes.Repeat([]byte{'\r'}, n)...)
			b.left -= n
		}
	}
	n := min(b.left, len(p))
	b.data = append(b.data, p[:n]...)
	b.left -= n
	if b.left == 0 {
		m.blockDone()
	}
	return p[n:]
}

// blockDone hands on a block that is complete.
func (m *Modem) blockDone() {
	b := m.in.block
	m.in.block = block{}
	if b.quoted {
		m.in.quoted = b.data // until the line has ended
		return
	}
	m.completeBody(b.run, b.info, b.head, b.data, false)
}

// mayQuote tells whether the command in flight may be answered by a block
// inside a line.
func (m *Modem) mayQuote() bool {
	return m.run != nil && m.run.cmd.Body != nil && m.run.sent() && !m.in.skip && m.in.quoted == nil
}

// quoteAt looks for `,"` before the line end at p[end] and asks the command's
// Body rule at each. It returns how much of p it took, 0 if there is no block.
func (m *Modem) quoteAt(p []byte, end int) int {
	if end < 0 {
		end = len(p)
	}
	for i := range end {
		if p[i] != '"' {
			continue
		}
		var before byte
		if i > 0 {
			before = p[i-1]
		} else if n := len(m.in.line); n > 0 {
			before = m.in.line[n-1]
		}
		if before != ',' {
			continue
		}
		soFar := append(append([]byte(nil), m.in.line...), p[:i+1]...)
		if len(soFar) > m.cfg.LineLimit || !m.run.named(bytes.TrimLeft(soFar, " ")) {
			continue
		}
		b := m.run.cmd.Body(string(bytes.TrimLeft(soFar, " ")))
		if !b.Quoted || b.Octets <= 0 || b.Octets > m.cfg.LineLimit {
			continue
		}
		m.gather(p[:i+1])
		m.in.block = block{left: b.Octets, run: m.run, quoted: true}
		return i + 1
	}
	return 0
}
