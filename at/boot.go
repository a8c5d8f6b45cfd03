package at

// bootWatch tells a second start of the modem from the several messages that
// one start prints.
type bootWatch struct {
	at   instant
	seen []string
}

// fresh notes a boot message and tells whether it begins a start of its own.
func (b *bootWatch) fresh(now instant, text string) bool {
	again := false
	for _, s := range b.seen {
		again = again || s == text
	}
	if b.at != 0 && now < b.at.add(bootSettle) && !again {
		b.seen = append(b.seen, text)
		return false
	}
	b.at, b.seen = now, append(b.seen[:0], text)
	return true
}

// bootLine takes a boot message. x is the command in flight, which fails by it
// unless it asked for the restart.
func (m *Modem) bootLine(x *exchange, text []byte) bool {
	if !m.cfg.isBoot(text) {
		return false
	}
	if x != nil && x.named(text) && x.accepts(text) {
		return false // AT+CFUN? is answered by the same line
	}
	line := string(text)
	expected := x != nil && x.reboots()
	if !m.boot.fresh(m.clock(), line) {
		m.notify(Notification{Line: line, Kind: KindKnown})
		return true
	}
	if expected && x.named(text) { // +CFUN: 1 comes without a restart, too
		m.boot = bootWatch{}
		m.notify(Notification{Line: line, Kind: KindKnown})
		return true
	}
	m.stats.Reboots++
	m.notify(Notification{Line: line, Kind: KindReboot})
	for _, s := range m.staged {
		m.finish(s, ErrRebooted)
	}
	m.staged = nil
	if x == nil {
		return true
	}
	m.leave(x)
	m.dropBodies(x)
	m.lose(x, "the modem has rebooted")
	if expected {
		x.resp.Final = line
		m.finish(x, nil)
	} else {
		m.finish(x, ErrRebooted)
	}
	m.search(promptClosed)
	return true
}

// reboots tells whether the command restarts the modem.
func (x *exchange) reboots() bool {
	return x.cmd.Reboots || x.asked.first.name == "+CFUN" && x.asked.first.form == formSet
}
