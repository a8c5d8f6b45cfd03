package at

// holdDigit keeps a line of one digit that ended in CR: with ATV0 it is a
// final result (ITU-T V.250 clause 6.2.6), in an ordinary answer a LF follows.
func (m *Modem) holdDigit(c byte) bool {
	if _, ok := numericResults[c]; !ok {
		return false
	}
	if !m.place.searching() && (m.run == nil || !m.run.sent()) {
		return false
	}
	m.in.digit = c
	m.in.digitDue = m.after(m.cfg.Quiet)
	m.timer.arm(m, m.in.digitDue)
	return true
}

// digitFollowed decides about the digit by the byte behind it.
func (m *Modem) digitFollowed(next byte) {
	m.in.digitDue = 0
	if next == '\n' {
		line := []byte{m.in.digit}
		m.dispatch(line, line, true)
		return
	}
	m.numericResult()
}

// tickDigit takes a digit that nothing followed as a result.
func (m *Modem) tickDigit() {
	if m.come(m.in.digitDue) {
		m.in.digitDue = 0
		m.numericResult()
	}
}

// numericResult ends the command by the digit. The modem is put back to words
// before the next command.
func (m *Modem) numericResult() {
	text := []byte(numericResults[m.in.digit])
	m.place.numeric = true
	if !m.place.searching() {
		m.lose(nil, "the modem answers in numbers")
	}
	m.dispatch(text, text, true)
	m.search(promptClosed)
}
