package cmux

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// A command is a message of the control channel whose answer is awaited.
type command struct {
	msg   message
	dlci  int
	tries int
	due   time.Time
	after func(value []byte, err error) // runs in the loop, once
}

// maxCommands bounds the commands in flight.
const maxCommands = 256

// command sends a message and repeats it every T2 up to N2 times. A newer command of
// the same kind about the same channel takes the place of an older MSC.
func (m *Mux) command(msg message, dlci int, after func([]byte, error)) {
	msg.command = true
	if msg.kind == msgMSC {
		for _, old := range m.commands {
			if old.msg.kind == msgMSC && old.dlci == dlci {
				old.msg, old.tries = msg, 0
				m.sendCommand(old)
				return
			}
		}
	}
	if len(m.commands) >= maxCommands {
		after(nil, ErrInUse)
		return
	}
	c := &command{msg: msg, dlci: dlci, after: after}
	m.commands = append(m.commands, c)
	m.sendCommand(c)
}

func (m *Mux) sendCommand(c *command) {
	c.tries++
	c.due = m.now.Add(m.cfg.T2)
	m.sendMessage(c.msg)
}

// tickCommands repeats what was not answered (clause 5.7.4 and 5.7.5).
func (m *Mux) tickCommands() (next time.Time) {
	for _, c := range slices.Clone(m.commands) {
		switch {
		case m.now.Before(c.due):
		case m.holding: // nothing is read, so no answer can be missed
			c.due = m.now.Add(m.cfg.T2)
		case c.tries > m.cfg.N2:
			m.settle(c, nil, ErrNoAnswer)
			continue
		default:
			m.stats.Repeats++
			m.sendCommand(c)
		}
		if next.IsZero() || c.due.Before(next) {
			next = c.due
		}
	}
	return next
}

// settle ends the wait for an answer.
func (m *Mux) settle(c *command, value []byte, err error) {
	if i := slices.Index(m.commands, c); i >= 0 {
		m.commands = slices.Delete(m.commands, i, i+1)
		if c.after != nil {
			c.after(value, err)
		}
	}
}

// failCommands ends every wait.
func (m *Mux) failCommands(cause error) {
	for len(m.commands) > 0 {
		m.settle(m.commands[0], nil, cause)
	}
}

// sendMessage puts one message into a frame of channel 0.
func (m *Mux) sendMessage(msg message) {
	m.sendFrame(frame{dlci: 0, cr: m.role == initiator, control: m.information(), info: msg.append(nil)})
}

// readMessages handles the messages of one frame on channel 0.
func (m *Mux) readMessages(f frame) {
	for p := f.info; len(p) > 0; {
		msg, rest, ok := parseMessage(p)
		if !ok {
			m.noteDamage()
			return
		}
		p = rest
		switch {
		case msg.command && m.echoed(f, msg):
			m.end(fmt.Errorf("%w: it echoes frames", ErrPlainAT))
			return
		case msg.command:
			m.obey(msg)
		default:
			m.answered(msg)
		}
	}
}

// echoed tells that a Test message with our direction bit is our own probe.
func (m *Mux) echoed(f frame, msg message) bool {
	return m.probing && msg.kind == msgTest && f.cr == (m.role == initiator) && bytes.Equal(msg.value, probeData)
}

// answered finds the command that a response belongs to.
func (m *Mux) answered(msg message) {
	for _, c := range m.commands {
		if msg.kind == msgNSC && len(msg.value) > 0 && messageType(msg.value[0]&^messageCommand) == c.msg.kind {
			m.settle(c, nil, ErrNotSupported)
			return
		}
		if msg.kind == c.msg.kind && msg.subject() == c.msg.subject() {
			m.settle(c, msg.value, nil)
			return
		}
	}
}

// obey carries out a command of the other side and answers it (clause 5.4.6.3).
func (m *Mux) obey(msg message) {
	reply := message{kind: msg.kind, value: msg.value}
	switch msg.kind {
	case msgTest, msgPSC:
	case msgFCon:
		m.allStop = false
	case msgFCoff:
		m.allStop = true
	case msgCLD:
		m.sendMessage(reply)
		m.byPeer()
		return
	case msgMSC:
		if c := m.channels[msg.subject()]; c != nil && len(msg.value) > 1 {
			if s, stop, n := parseSignals(msg.value[1:]); n > 0 {
				m.peerSignals(c, s, stop)
			}
		}
	case msgPN:
		if len(msg.value) < 8 {
			return
		}
		reply.value = m.agree(msg.value)
	case msgRPN:
		if reply.value = m.portSettings(msg.value); reply.value == nil {
			return
		}
	case msgRLS:
		if c := m.channels[msg.subject()]; c != nil && len(msg.value) > 1 {
			c.setLineStatus(LineStatus(msg.value[1] & 0x0F))
		}
	case msgNSC: // some send it as a command
		m.answered(msg)
		return
	default:
		kind := byte(msg.kind) | messageCommand
		reply = message{kind: msgNSC, value: []byte{kind}}
	}
	m.sendMessage(reply)
}

// peerSignals notes the other side's signals and its wish to stop or go.
func (m *Mux) peerSignals(c *Channel, s Signals, stop bool) {
	if stop && !c.stopped {
		c.stoppedAt, c.asked = m.now, false
	}
	c.stopped = stop
	c.setPeer(s)
}

// sendMSC tells our signals and whether the other side must stop.
func (m *Mux) sendMSC(c *Channel) {
	value := c.local.append([]byte{aboutDLCI(c.dlci)}, c.stopPeer)
	m.command(message{kind: msgMSC, value: value}, c.dlci, func([]byte, error) {
		// Answered or not, the channel can be used: some modems never answer.
		if c.waiter != nil && c.openAt.IsZero() {
			c.openAt = m.now.Add(max(m.cfg.ChannelSettle, 0))
			if c.openAt.Before(c.flushEnd) {
				c.openAt = c.flushEnd
			}
		}
	})
}
