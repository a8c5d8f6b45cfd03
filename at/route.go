package at

import (
	"bytes"
	"strings"
)

// route is where lines of one name go that are notifications and nothing else:
// in a burst this is found out once. It is void when a subscription changes.
type route struct {
	name string // with its colon: "+CREG:"
	to   []*subscription
}

// learnRoute remembers where a notification without a body went, if what
// follows its name cannot change that.
func (m *Modem) learnRoute(text []byte) {
	m.route.name, m.route.to = "", nil
	end := bytes.IndexByte(text, ':')
	if end < 0 {
		return
	}
	name := string(text[:end+1])
	var to []*subscription
	for _, s := range m.subs {
		if s.prefix == "" {
			continue
		}
		if strings.HasPrefix(s.prefix, name) {
			return
		}
		if hasPrefix(name, s.prefix) {
			to = append(to, s)
		}
	}
	if len(to) == 0 || m.cfg.looksInto(name) {
		return
	}
	m.route.name, m.route.to = name, to
}

// looksInto tells whether the engine itself decides by more of a line than its
// name.
func (c *Config) looksInto(name string) bool {
	for _, boot := range c.BootMessages {
		if strings.HasPrefix(boot, name) {
			return true
		}
	}
	for _, list := range [...][]NotificationRule{c.Notifications, messageRules} {
		for _, r := range list {
			if strings.HasPrefix(r.Prefix, name) {
				return true
			}
		}
	}
	return false
}

// takeBurst takes lines that are like the one before, if nothing else that is
// under way could want them, and returns the rest. p begins a line.
func (m *Modem) takeBurst(p []byte) []byte {
	name := m.route.name
	if name == "" || m.run != nil || len(m.staged) > 0 || len(m.in.bodies) > 0 || len(m.echo.data) > 0 || m.place.lost {
		return p
	}
	text := "" // of what follows, copied at once
	for len(p) > len(name) && string(p[:len(name)]) == name {
		end := plainEnd(p, len(name))
		if end < 0 {
			break
		}
		line := trimBlanks(p[:end])
		if len(text) < len(line) && len(p) >= slabSize {
			text = string(p[:slabSize])
		}
		var q queued
		if len(text) >= len(line) {
			q.line = text[:len(line)]
		} else {
			q.line = m.slab.add(line)
		}
		for _, s := range m.route.to {
			m.deliver(s, q)
		}
		m.in.needLF, m.in.blanks = p[end] == '\r', 0
		rest := m.takeBreaks(p[end+1:])
		text = text[min(len(text), len(p)-len(rest)):]
		p = rest
	}
	return p
}

// plainEnd returns the index of the CR or LF that ends the line, or -1 if the
// line is long, not complete, or has other control characters.
func plainEnd(p []byte, from int) int {
	for i, c := range p[from:min(len(p), from+slabSize/4)] {
		if c >= ' ' {
			continue
		}
		if isBreak(c) {
			return from + i
		}
		break
	}
	return -1
}
