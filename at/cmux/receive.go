package cmux

import (
	"fmt"
)

// receive handles what the decoder holds, until a channel has no room or the mux ends.
func (m *Mux) receive() {
	defer m.hand()
	for m.ended == nil && len(m.control) <= maxControl {
		f := m.held
		if !m.holding {
			var ev event
			if f, ev = m.dec.next(); ev == noEvent {
				return
			} else if ev != gotFrame {
				m.oddity(f, ev)
				continue
			}
			m.stats.FramesIn++
			m.heard = m.now
			m.damage = 0
		}
		m.held, m.holding = f, !m.handle(f)
		if m.holding {
			return
		}
	}
}

// oddity handles what is no good frame.
func (m *Mux) oddity(f frame, ev event) {
	switch ev {
	case gotStray:
		m.stats.Stray += uint64(len(f.info))
		m.readText(f.info)
		return
	case gotOversize:
		m.stats.Oversized++
	}
	m.noteDamage()
}

// noteDamage counts a frame that could not be used, for every channel that it may
// have been for.
func (m *Mux) noteDamage() {
	m.hand()
	m.stats.Damaged++
	m.damage++
	for _, c := range m.order {
		c.lost()
	}
	if m.cfg.MaxDamage > 0 && m.damage >= m.cfg.MaxDamage {
		m.end(ErrDamaged)
	}
}

// lost notes one damaged place.
func (c *Channel) lost() {
	c.mu.Lock()
	c.losses++
	c.mu.Unlock()
	if c.mux.cfg.LossErrors {
		c.in.mark()
	}
}

// handle takes one frame; it says false if there is no room for it yet.
func (m *Mux) handle(f frame) bool {
	switch f.control {
	case uih, ui:
		if f.dlci != 0 {
			return m.deliver(f)
		}
		m.hand()
		m.readMessages(f)
		return true
	}
	m.hand()
	switch f.control {
	case sabm:
		m.gotSABM(f)
	case ua:
		m.gotUA(f)
	case dm:
		m.gotDM(f)
	case disc:
		m.gotDISC(f)
	}
	return true
}

// deliver puts data into its channel.
func (m *Mux) deliver(f frame) bool {
	c := m.channels[f.dlci]
	if c == nil || c.state != opened && c.state != connecting {
		m.stats.Unclaimed++
		return true
	}
	if c.settings.ConvergenceLayer == 2 { // 3GPP TS 27.010 clause 5.5.2
		if !m.holding {
			s, stop, n := parseSignals(f.info)
			m.peerSignals(c, s, stop)
			f.info = f.info[n:]
		} else { // the signals were read at the first try
			_, _, n := parseSignals(f.info)
			f.info = f.info[n:]
		}
	}
	if m.now.Before(c.flushEnd) || len(f.info) == 0 {
		return true
	}
	if m.gatheredTo != c {
		m.hand()
		m.gatheredTo = c
	}
	size := int(c.in.size.Load()) + len(m.gathered) + len(f.info)
	if size > m.cfg.Buffer+underWay {
		return false
	}
	m.gathered = append(m.gathered, f.info...)
	if !c.stopPeer && size > m.cfg.Buffer {
		c.stopPeer = true
		m.sendMSC(c)
	}
	return true
}

// hand gives the data gathered to its channel.
func (m *Mux) hand() {
	if m.gatheredTo == nil {
		return
	}
	m.gatheredTo.in.put(m.gathered) // an error means that the user closed it
	m.gatheredTo.in.signal()
	m.gathered, m.gatheredTo = m.gathered[:0], nil
}

// gotSABM answers the other side's wish to open (3GPP TS 27.010 clause 5.3.1).
func (m *Mux) gotSABM(f frame) {
	if f.dlci == 0 {
		if m.role == initiator {
			if f.cr { // our own, echoed
				m.end(fmt.Errorf("%w: it echoes frames", ErrPlainAT))
			}
			return
		}
		for _, c := range m.channels { // the other side has started anew
			m.drop(c, ErrClosedByPeer)
		}
		m.answer(0, ua, f.pf)
		if m.state == starting {
			m.state = established
		}
		return
	}
	c := m.channels[f.dlci]
	switch {
	case c != nil && c.state == opened: // our UA was lost, or the line doubles
		m.answer(f.dlci, ua, f.pf)
	case c != nil && c.state == parting:
		m.answer(f.dlci, dm, f.pf)
	case m.state != established || f.dlci > maxDLCI || !m.mayAccept(f.dlci) || c == nil && len(m.accepted) == maxAccepted:
		m.answer(f.dlci, dm, f.pf)
	case c != nil: // both sides open it at once
		m.answer(f.dlci, ua, f.pf)
		m.opened(c)
	default:
		c = newChannel(m, f.dlci)
		if agreed, ok := m.settings[f.dlci]; ok {
			c.settings = agreed
		}
		m.channels[f.dlci] = c
		m.answer(f.dlci, ua, f.pf)
		m.opened(c)
		m.accepted <- c // there is room: only the loop puts
	}
}

// mayAccept asks the Config.
func (m *Mux) mayAccept(dlci int) bool {
	if m.cfg.Accept != nil {
		return m.cfg.Accept(dlci)
	}
	return m.role == responder
}

// gotUA ends the wait for it; a repeated one changes nothing.
func (m *Mux) gotUA(f frame) {
	if f.dlci == 0 {
		if m.role == initiator && m.state == starting {
			m.state = established
			m.text.seen = "" // lines between OK and UA mean nothing
			for _, c := range m.channels {
				m.openChannel(c)
			}
		}
		return
	}
	switch c := m.channels[f.dlci]; {
	case c == nil:
	case c.state == connecting:
		m.opened(c)
	case c.state == parting:
		m.drop(c, ErrClosed)
	}
}

// gotDM: refused, or gone.
func (m *Mux) gotDM(f frame) {
	if f.dlci == 0 {
		if m.role == initiator && m.state == starting {
			m.end(ErrRefused)
		} else if m.state == established {
			m.end(ErrClosedByPeer)
		}
		return
	}
	switch c := m.channels[f.dlci]; {
	case c == nil:
	case c.state == opened:
		m.drop(c, ErrClosedByPeer)
	case c.state == parting:
		m.drop(c, ErrClosed)
	default:
		m.drop(c, ErrRefused)
	}
}

// gotDISC closes a channel, or everything (clause 5.3.3 and 5.3.4).
func (m *Mux) gotDISC(f frame) {
	c := m.channels[f.dlci]
	switch {
	case f.dlci == 0:
		m.answer(0, ua, f.pf)
		m.byPeer()
	case c == nil:
		m.answer(f.dlci, dm, f.pf)
	default:
		m.answer(f.dlci, ua, f.pf)
		cause := ErrClosedByPeer
		if c.state == parting {
			cause = ErrClosed
		}
		m.drop(c, cause)
	}
}

// byPeer ends the mux once the answer is written.
func (m *Mux) byPeer() {
	m.finalSend = true
	m.state = closing
	m.closeEnd = m.now.Add(m.cfg.CloseTimeout)
	m.end(ErrClosedByPeer)
}

// A textFinder looks for the lines of a modem in plain AT mode among octets that
// are in no frame.
type textFinder struct {
	line []byte
	seen string // the last line found
}

// maxText bounds the line that is kept.
const maxText = 80

// add takes octets and reports a line of two or more printable characters.
func (t *textFinder) add(p []byte) (found bool) {
	for _, b := range p {
		switch {
		case b == '\r' || b == '\n':
			if len(t.line) >= 2 {
				t.seen, found = string(t.line), true
			}
			t.line = t.line[:0]
		case b >= ' ' && b <= '~' && len(t.line) < maxText:
			t.line = append(t.line, b)
		default:
			t.line = t.line[:0]
		}
	}
	return found
}

// readText looks at octets outside frames. Text there after the start means that
// the modem may have left the multiplexer: a Test message finds out. Text alone
// proves nothing: it may be what is left of a frame that lost an octet.
func (m *Mux) readText(p []byte) {
	if m.text.add(p) && m.state == established {
		m.probe()
	}
}

// probeData is the Test message of a probe: a multiplexer sends it back, and a modem
// in plain AT finds a command in it and answers OK or echoes it.
var probeData = []byte("\rAT\r")

// probe asks whether the other side still is a multiplexer.
func (m *Mux) probe() {
	if m.probing {
		return
	}
	m.probing = true
	m.command(message{kind: msgTest, value: probeData}, 0, func(_ []byte, err error) {
		m.probing = false
		if err == ErrNoAnswer {
			m.end(m.silence())
			return
		}
		m.text.seen = ""
	})
}
