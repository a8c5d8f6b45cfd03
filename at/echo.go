package at

import (
	"bytes"
	"strings"
)

// echo knows what the modem may repeat of what it was sent (ITU-T V.250
// clause 6.2.4): the last few command lines, also late (F12), also behind a
// notification (F104), also with characters lost, and the data of a prompt.
type echo struct {
	recent [4]string // texts without AT, the newest first
	sent   int
	seen   bool     // the newest has been repeated
	unwish bool     // ATE0 was set, so an echo means that it has been lost
	data   []string // lines of prompt data that are yet to be repeated
}

// sending notes a command line that goes out.
func (e *echo) sending(text string) {
	if e.sent == 0 || e.recent[0] != text {
		copy(e.recent[1:], e.recent[:])
		e.recent[0] = text
		e.sent = min(e.sent+1, len(e.recent))
	}
	e.seen, e.data = false, nil
}

// entering notes prompt data that goes out; a modem that has repeated the
// command line repeats it as well.
func (e *echo) entering(data []byte) {
	if !e.seen {
		return
	}
	e.data = strings.FieldsFunc(string(data), func(r rune) bool { return r == '\r' || r == '\n' })
}

// obeyed notes whether the modem was told to repeat or not to (ATE1, ATE0).
func (e *echo) obeyed(text string) {
	if text == "" || text[0] != 'E' && text[0] != 'e' {
		return
	}
	e.unwish = len(text) == 1 || text[1] != '1'
}

// strip takes away an echo. What is left is the line itself, or a line that
// followed an echo without a break.
func (e *echo) strip(m *Modem, text []byte, plain bool) (rest []byte, isEcho bool) {
	if text[0] == 'A' {
		for i, sent := range e.recent[:e.sent] {
			if isCommandLine(text, sent) {
				e.seen = e.seen || i == 0
				return nil, true
			}
		}
	}
	if len(e.data) > 0 && e.dataLine(m, text) {
		return nil, true
	}
	x := m.run
	if m.place.searching() || x == nil || !x.sent() || len(x.resp.Info) > 0 || e.sent == 0 {
		return text, false
	}
	if plain && text[0] != 'A' {
		// no noise that could hide an echo
	} else if rest, ok := e.glued(m, x, text); ok {
		e.seen = true
		return rest, len(rest) == 0
	}
	if isRemains(text, e.recent[0]) {
		e.seen = true
		return nil, true
	}
	return text, false
}

// isCommandLine tells whether line is the command line of text.
func isCommandLine(line []byte, text string) bool {
	return len(line) == 2+len(text) && string(line[:2]) == "AT" && string(line[2:]) == text
}

// dataLine tells whether the line repeats the next line of prompt data.
func (e *echo) dataLine(m *Modem, text []byte) bool {
	if m.run == nil || m.run.named(text) {
		e.data = nil
		return false
	}
	line := strings.TrimRight(strings.TrimLeft(string(text), "> "), "\x1a")
	if line != strings.TrimSpace(e.data[0]) && line != strings.TrimLeft(e.data[0], "> ") {
		return false
	}
	e.data = e.data[1:]
	return true
}

// glued finds the newest command line behind noise (F01) or in front of a line
// that began without a break.
func (e *echo) glued(m *Modem, x *exchange, text []byte) (rest []byte, ok bool) {
	i := bytes.Index(text, []byte("AT"))
	if i < 0 || i > 0 && isText(text[:i]) || !bytes.HasPrefix(text[i+2:], []byte(e.recent[0])) {
		return nil, false
	}
	rest = text[i+2+len(e.recent[0]):]
	if len(rest) == 0 {
		return nil, true
	}
	o, _ := x.result(m, rest)
	return rest, o != notFinal || x.named(rest) && !isNameByte(rest)
}

// isNameByte tells whether a line goes on with a character of a name, so that
// AT+CSQ in front of it is no echo but part of a longer name.
func isNameByte(rest []byte) bool { return isNameChar(rest[0]) }

// isRemains tells whether a line is what is left of a command line of which
// characters got lost: its end, or its beginning with gaps, and half of it at
// least. An answer has a colon or a blank that the command has not.
func isRemains(line []byte, text string) bool {
	whole := len("AT") + len(text)
	if len(line) < 2 || 2*len(line) < whole || len(line) >= whole {
		return false
	}
	if lost := whole - len(line); lost >= 2 && text[lost-2:] == string(line) || lost == 1 && line[0] == 'T' && text == string(line[1:]) {
		return true
	}
	if line[0] != 'A' {
		return false
	}
	sent := "AT" + text
	i := 0
	for j := 0; j < len(sent) && i < len(line); j++ {
		if sent[j] == line[i] {
			i++
		}
	}
	return i == len(line)
}
