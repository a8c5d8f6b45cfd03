package cmux

import (
	"errors"
	"slices"
	"time"
)

// openChannel starts to open a channel, or makes it wait for the mux itself.
func (m *Mux) openChannel(c *Channel) {
	m.channels[c.dlci] = c
	switch {
	case m.state == draining || m.state == closing || m.ended != nil:
		m.drop(c, ErrClosed)
	case m.state != established || c.state != waiting:
	case !m.cfg.Negotiate:
		m.connect(c)
	default:
		c.state = proposing
		m.command(message{kind: msgPN, value: m.proposal(c.dlci, c.settings)}, c.dlci, func(value []byte, err error) {
			if c.state != proposing {
				return
			}
			if err == nil {
				c.settings = agreed(c.settings, value)
			} else { // the other side knows no PN: go on as AT+CMUX has it
				c.settings.ConvergenceLayer = 1
			}
			m.connect(c)
		})
	}
}

// connect sends the first SABM.
func (m *Mux) connect(c *Channel) {
	c.state = connecting
	c.tries = 1
	c.due = m.now.Add(m.cfg.T1)
	m.sendSABM(c.dlci)
}

// opened: UA has come or gone. Our modem status follows at once; without it many do
// not send data.
func (m *Mux) opened(c *Channel) {
	c.state = opened
	c.flushEnd = m.now.Add(max(m.cfg.Flush, 0))
	c.stoppedAt = m.now
	m.order = append(m.order, c)
	m.sendMSC(c)
}

// abandon ends an Open whose context is over.
func (m *Mux) abandon(c *Channel) {
	c.waiter = nil
	switch c.state {
	case connecting, opened:
		m.disconnect(c)
	case waiting, proposing:
		m.drop(c, ErrClosed)
	}
}

// closeChannel starts what Close asks for: the rest of the data, then DISC.
func (m *Mux) closeChannel(c *Channel) {
	if c.state != opened || c.draining {
		return
	}
	c.draining = true
	c.drainEnd = m.now.Add(m.cfg.CloseTimeout)
	c.out.end(ErrClosed, false)
	c.in.end(ErrClosed, true)
}

// disconnect sends the first DISC.
func (m *Mux) disconnect(c *Channel) {
	c.state = parting
	c.in.end(ErrClosed, true)
	c.out.end(ErrClosed, true)
	m.leave(c)
	c.tries = 1
	c.due = m.now.Add(m.cfg.T1)
	m.sendFrame(frame{dlci: c.dlci, cr: m.role == initiator, control: disc, pf: true})
}

// leave takes a channel out of the turn for sending.
func (m *Mux) leave(c *Channel) {
	if i := slices.Index(m.order, c); i >= 0 {
		m.order = slices.Delete(m.order, i, i+1)
	}
	if m.holding && m.held.dlci == c.dlci {
		m.holding = false
	}
}

// drop ends a channel. The user still reads what came before.
func (m *Mux) drop(c *Channel, cause error) {
	if c.state == closed {
		return
	}
	c.state = closed
	c.in.end(cause, false)
	c.out.end(cause, true)
	m.leave(c)
	delete(m.channels, c.dlci)
	delete(m.settings, c.dlci)
	for _, cmd := range slices.Clone(m.commands) {
		if cmd.dlci == c.dlci {
			m.settle(cmd, nil, cause)
		}
	}
	m.tell(c, cause)
	close(c.gone)
}

// tell answers Open.
func (m *Mux) tell(c *Channel, err error) {
	if c.waiter != nil {
		c.waiter <- err
		c.waiter = nil
	}
}

// tickChannel does what is due on a channel and returns when it wants to be called
// next.
func (m *Mux) tickChannel(c *Channel) time.Time {
	switch c.state {
	case connecting, parting:
		return m.tickRepeat(c)
	case opened:
	default:
		return time.Time{}
	}
	if c.stopPeer && int(c.in.size.Load()) <= m.cfg.Buffer/2 {
		c.stopPeer = false
		m.sendMSC(c)
	}
	var next time.Time
	if !c.openAt.IsZero() && c.waiter != nil {
		if next = c.openAt; !m.now.Before(next) {
			next = time.Time{}
			m.tell(c, nil)
		}
	}
	if c.draining {
		if c.out.size.Load() == 0 || !m.now.Before(c.drainEnd) {
			m.disconnect(c)
			return c.due
		}
		next = c.drainEnd
	}
	if flow := m.tickFlow(c); next.IsZero() || !flow.IsZero() && flow.Before(next) {
		next = flow
	}
	return next
}

// tickRepeat repeats SABM and DISC every T1 up to N2 times (clause 5.7.1 and 5.7.3).
func (m *Mux) tickRepeat(c *Channel) time.Time {
	if m.now.Before(c.due) {
		return c.due
	}
	if m.holding && c.state == connecting { // nothing is read, so no answer can be missed
		c.due = m.now.Add(m.cfg.T1)
		return c.due
	}
	if c.tries > m.cfg.N2 {
		if c.state == parting {
			m.drop(c, ErrClosed)
		} else {
			m.drop(c, ErrNoAnswer)
		}
		return time.Time{}
	}
	c.tries++
	m.stats.Repeats++
	c.due = m.now.Add(m.cfg.T1)
	kind := sabm
	if c.state == parting {
		kind = disc
	}
	m.sendFrame(frame{dlci: c.dlci, cr: m.role == initiator, control: kind, pf: true})
	return c.due
}

// tickFlow bounds how long the other side may stop a channel that has data to send:
// at half of it our MSC is sent again, which makes some answer with theirs.
func (m *Mux) tickFlow(c *Channel) time.Time {
	if m.cfg.FlowTimeout < 0 || !(c.stopped || m.allStop) || c.out.size.Load() == 0 {
		c.stoppedAt = m.now
		return time.Time{}
	}
	half, end := c.stoppedAt.Add(m.cfg.FlowTimeout/2), c.stoppedAt.Add(m.cfg.FlowTimeout)
	switch {
	case !m.now.Before(end):
		m.drop(c, errors.Join(ErrFlowStuck))
		return time.Time{}
	case !m.now.Before(half):
		if !c.asked {
			c.asked = true
			m.sendMSC(c)
		}
		return end
	}
	return half
}
