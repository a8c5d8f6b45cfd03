package at

import (
	"bytes"
	"strings"
)

const esc = "\x1b"

// promptAt looks for a prompt at the beginning of a line, p being what follows,
// and returns how much of p it took. A prompt is not a line: it is known
// without waiting for a line end (F13).
func (m *Modem) promptAt(p []byte) int {
	if m.place.lost && m.run == nil {
		return m.latePromptAt(p)
	}
	x := m.run
	if x == nil || x.prompt != promptAwait || !x.sent() {
		return 0
	}
	mark := x.cmd.Prompt.mark()
	if isLetter(mark[0]) || !bytes.HasPrefix(p, []byte(mark)) {
		return 0
	}
	m.prompted(x)
	return len(mark)
}

// latePromptAt looks for a prompt that comes while the place is lost, be it looked
// for or not: the entry is ended, or filled with what it was opened for.
func (m *Modem) latePromptAt(p []byte) int {
	if x := m.place.fill; x != nil {
		if mark := x.cmd.Prompt.mark(); bytes.HasPrefix(p, []byte(mark)) {
			m.place.fill = nil
			m.out.drop() // what a search had to say
			m.fillEntry(x)
			return len(mark)
		}
	}
	if p[0] != '>' || !m.place.prompts && len(bytes.Trim(p, "> \r\n")) > 0 {
		return 0
	}
	if m.place.searching() {
		m.place.prompts = true
		m.reopened()
	} else {
		m.search(mayBeOpen)
	}
	return 1
}

// markAtEnd looks for a prompt of several characters that came in pieces.
func (m *Modem) markAtEnd() {
	x := m.run
	if x == nil || x.prompt != promptAwait || !x.sent() || m.in.skip {
		return
	}
	if mark := x.cmd.Prompt.mark(); !isLetter(mark[0]) && string(bytes.TrimLeft(m.in.line, " ")) == mark {
		m.in.line = m.in.line[:0]
		m.prompted(x)
	}
}

// promptLine takes a prompt that is a line of its own, such as CONNECT, and
// the prompts that modems repeat while data is entered.
func (m *Modem) promptLine(x *exchange, text []byte) bool {
	if x.cmd.Prompt == nil {
		return false
	}
	mark := x.cmd.Prompt.mark()
	if x.prompt == promptAwait && isLetter(mark[0]) {
		if string(text) == mark || strings.HasPrefix(string(text), mark+" ") {
			m.prompted(x)
			return true
		}
	}
	return x.prompt == promptFilled && len(bytes.Trim(text, "> ")) == 0
}

// prompted answers the prompt of x, once.
func (m *Modem) prompted(x *exchange) {
	x.promptDue = 0
	switch {
	case x.abandoned && x.cmd.Prompt.Fixed:
		m.fillEntry(x)
	case x.abandoned:
		x.prompt = promptNone
		m.put(nil, NothingWritten, esc)
	case x.cmd.Prompt.Gap > 0:
		x.prompt = promptGap
		x.dataDue = m.after(x.cmd.Prompt.Gap)
		m.timer.arm(m, x.dataDue)
	default:
		m.fillPrompt(x)
	}
}

// fillPrompt sends the data.
func (m *Modem) fillPrompt(x *exchange) {
	p := x.cmd.Prompt
	x.prompt, x.dataDue = promptFilled, 0
	m.echo.entering(p.Data)
	m.out.buf = append(m.out.buf, p.Data...)
	m.put(x, DataWritten, string(p.End))
}

// mayOpenLate notes that the entry of x, which has lost the line, has not opened
// yet. Only one by count needs more than an ESC.
func (m *Modem) mayOpenLate(x *exchange) {
	if p := x.cmd.Prompt; p != nil && p.Fixed && x.prompt == promptAwait && x.sent() {
		m.place.fill = x
	}
}

// fillEntry sends the data though nobody waits any more: an entry by count ends in
// no other way.
func (m *Modem) fillEntry(x *exchange) {
	x.owed = true
	m.fillPrompt(x)
}

// closePrompt sees to the prompt of x, which is given up, and tells what may
// be open at the modem.
func (m *Modem) closePrompt(x *exchange) (open openPrompt) {
	p := x.cmd.Prompt
	if p == nil || x.prompt == promptNone || !x.sent() {
		return promptClosed
	}
	if !p.Fixed {
		if x.prompt != promptAwait && (x.progress != DataWritten || len(p.End) > 0) {
			if x.progress == DataWritten {
				return mayBeOpen // the end of the entry has gone out
			}
			m.withdraw(x)
			m.put(nil, NothingWritten, esc)
			x.prompt, x.dataDue = promptNone, 0
		}
		return mayBeOpen
	}
	if x.prompt == promptGap || x.prompt == promptFilled && x.progress != DataWritten {
		m.withdraw(x)
		m.fillEntry(x)
	}
	x.progress = DataWritten // the data is out, or will go out to fill the entry
	return promptClosed
}

// openPrompt is what an abandoned command may have left at the modem.
type openPrompt uint8

const (
	promptClosed openPrompt = iota
	mayBeOpen               // an entry that ESC ends
)
