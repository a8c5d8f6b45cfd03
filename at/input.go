package at

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// input is what the bytes from the modem are cut into: lines, prompts and
// counted blocks. It does not depend on where a read ends (F06).
type input struct {
	line     []byte // the line so far
	skip     bool   // the line is beyond the limit and dropped
	needLF   bool   // a line ended in CR; the LF belongs to it
	blanks   int    // empty lines since the last line
	crowded  bool   // a queue is half full
	block    block
	quoted   []byte // the octets that stood inside the line so far
	bodies   []pendingBody
	digit    byte // a lone digit that may be a numeric result (ATV0)
	digitDue instant
}

// Sizes of the read buffer. An engine that only waits holds the small one.
const (
	smallRead = 256
	largeRead = 16 << 10
)

// read is the reader: it reads until the line ends, writes nothing and waits
// for no consumer but that of a data call. It is the last goroutine to end.
func (m *Modem) read() {
	defer close(m.done)
	buf := make([]byte, smallRead)
	var pause idlePause
	for {
		n, err := m.line.Read(buf)
		if n > 0 {
			if m.received(buf[:n]) {
				m.giveWay()
			}
			pause = 0
			if n == len(buf) && n < largeRead {
				buf = make([]byte, min(4*n, largeRead))
			}
		}
		if err != nil && !isTimeout(err) {
			m.end(lineGone("read", err))
			break
		}
		if n <= 0 && !pause.wait(m) {
			break
		}
	}
	m.line.Close() // ends a write in progress
	m.writer.Wait()
}

// isTimeout tells whether a read ended at the read time-out of its port.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// lineGone makes the cause of an engine whose line failed.
func lineGone(doing string, err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: end of file", ErrLineGone)
	}
	return fmt.Errorf("%w: %s: %w", ErrLineGone, doing, err)
}

// idlePause keeps a port whose Read returns 0 bytes from using up a processor:
// some do so at each read time-out, some at once.
type idlePause time.Duration

const (
	pauseStep  = idlePause(time.Millisecond)
	pauseLimit = idlePause(20 * time.Millisecond)
)

// wait waits a little longer each time and tells whether the engine lives.
func (p *idlePause) wait(m *Modem) bool {
	if m.Err() != nil {
		return false
	}
	*p = min(*p+pauseStep, pauseLimit)
	time.Sleep(time.Duration(*p))
	return true
}

// received takes bytes from the reader and tells whether a subscriber is
// falling behind.
func (m *Modem) received(p []byte) (crowded bool) {
	m.lock()
	defer m.mu.Unlock()
	m.traceIn(p)
	for len(p) > 0 && m.err == nil {
		p = m.feed(p)
		if len(p) > 0 && m.call != nil && m.call.full() {
			m.call.cond.Wait() // the stream's back pressure; releases the lock
			m.now = 0
		}
	}
	crowded, m.in.crowded = m.in.crowded, false
	if m.err == nil {
		m.heardPlace()
		m.proceed()
	}
	return crowded
}

// feed takes some of p and returns the rest.
func (m *Modem) feed(p []byte) []byte {
	switch {
	case m.call != nil && m.call.streaming():
		return m.call.receive(p)
	case m.in.block.left > 0:
		return m.takeBlock(p)
	}
	return m.takeLine(p)
}

// takeLine takes bytes up to the next event: a line end, a prompt, the opening
// quote of a block.
func (m *Modem) takeLine(p []byte) []byte {
	in := &m.in
	if in.digitDue != 0 {
		m.digitFollowed(p[0])
	}
	if len(in.line) == 0 && !in.skip {
		if p = m.takeBreaks(p); len(p) == 0 {
			return nil
		}
		if rest := m.takeBurst(p); len(rest) < len(p) {
			return rest
		}
		if n := m.promptAt(p); n > 0 {
			return p[n:]
		}
	}
	end, plain := lineEnd(p)
	if m.mayQuote() {
		if n := m.quoteAt(p, end); n > 0 {
			return p[n:]
		}
	}
	if end < 0 {
		m.gather(p)
		m.markAtEnd()
		return nil
	}
	if len(in.line) == 0 && !in.skip {
		m.endLine(p[:end], p[end], plain)
	} else {
		m.gather(p[:end])
		m.endLine(in.line, p[end], false)
	}
	return p[end+1:]
}

func isBreak(c byte) bool { return c == '\r' || c == '\n' }

// takeBreaks takes the CRs and LFs in front of a line. Any run of them is one
// break, but for counting empty lines a CR LF is one.
func (m *Modem) takeBreaks(p []byte) []byte {
	in := &m.in
	for len(p) > 0 && isBreak(p[0]) {
		switch {
		case p[0] == '\r':
		case in.needLF:
			in.needLF = false
		default:
			in.blanks++
			m.blankLine()
		}
		p = p[1:]
	}
	return p
}

// lineEnd returns the index of the first CR or LF in p or -1. It knows short
// lines of nothing but printable characters to be plain.
func lineEnd(p []byte) (end int, plain bool) {
	const short = 32 // up to here looking is faster than calling
	plain = true
	for i, c := range p[:min(len(p), short)] {
		if isBreak(c) {
			return i, plain
		}
		plain = plain && c >= ' ' && c < 0x7F
	}
	cr := bytes.IndexByte(p, '\r')
	if cr < 0 {
		return bytes.IndexByte(p, '\n'), false
	}
	if lf := bytes.IndexByte(p[:cr], '\n'); lf >= 0 {
		return lf, false
	}
	return cr, false
}

// gather adds a piece to the line; beyond the limit the line is dropped.
func (m *Modem) gather(p []byte) {
	in := &m.in
	if in.skip {
		return
	}
	if len(in.line)+len(p) > m.cfg.LineLimit {
		in.skip = true
		in.line = in.line[:min(len(in.line), 64)] // its beginning tells whose it is
		return
	}
	in.line = append(in.line, p...)
}

// endLine ends a line, which is not empty, at CR or LF.
func (m *Modem) endLine(line []byte, end byte, plain bool) {
	in := &m.in
	skipped := in.skip
	in.skip = false
	in.needLF = end == '\r'
	if skipped || len(line) > m.cfg.LineLimit {
		m.overlong(line[:min(len(line), 64)])
	} else {
		m.lineDone(line, end, plain)
	}
	in.blanks, in.quoted = 0, nil
	if cap(in.line) > bigBuffer {
		in.line = nil
	}
	in.line = in.line[:0]
}

// lineDone hands a whole line to whoever it belongs to.
func (m *Modem) lineDone(line []byte, end byte, plain bool) {
	if !plain {
		line = dropNUL(line) // F02
	}
	if m.bodyLine(line) {
		return
	}
	text := trimBlanks(line)
	if len(text) == 0 {
		return
	}
	if len(text) == 1 && end == '\r' && m.holdDigit(text[0]) {
		return
	}
	m.dispatch(line, text, plain)
}

// dispatch hands on a line that is no body; text is the line without blanks
// around it, plain says that it has printable characters only.
func (m *Modem) dispatch(line, text []byte, plain bool) {
	text, isEcho := m.echo.strip(m, text, plain)
	switch {
	case isEcho:
		return
	case m.place.searching():
		m.placeLine(text)
	case m.run != nil && m.run.sent() && m.answer(m.run, line, text):
	case m.stageLine(text):
	case m.lateAnswer(text):
	default:
		m.stray(text)
	}
}

// trimBlanks returns the line without blanks around it.
func trimBlanks(line []byte) []byte {
	for len(line) > 0 && isBlank(line[0]) {
		line = line[1:]
	}
	for len(line) > 0 && isBlank(line[len(line)-1]) {
		line = line[:len(line)-1]
	}
	return line
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func dropNUL(line []byte) []byte {
	if bytes.IndexByte(line, 0) < 0 {
		return line
	}
	return bytes.ReplaceAll(line, []byte{0}, nil)
}

// overlong drops a line beyond the limit, of which only the beginning is left.
func (m *Modem) overlong(head []byte) {
	m.stats.Overlong++
	if x := m.run; x != nil && x.sent() && x.wants(bytes.TrimSpace(head)) {
		x.fault = ErrTooLong
	}
}
