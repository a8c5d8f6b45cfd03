package cmux

import "slices"

// sendFrame puts a frame before all data.
func (m *Mux) sendFrame(f frame) {
	m.control = m.code.append(m.control, f)
	m.stats.FramesOut++
}

// sendSABM asks to open a channel; P is set (3GPP TS 27.010 clause 5.4.1).
func (m *Mux) sendSABM(dlci int) {
	m.sendFrame(frame{dlci: dlci, cr: m.role == initiator, control: sabm, pf: true})
}

// answer sends UA or DM; the C/R bit of a response is the other way round (clause
// 5.2.1.2).
func (m *Mux) answer(dlci int, kind control, final bool) {
	m.sendFrame(frame{dlci: dlci, cr: m.role == responder, control: kind, pf: final})
}

// wakeFlags wake a side that has gone to sleep after PSC (clause 5.4.7).
const wakeFlags = 16

// overhead is what a frame has besides its information field: two flags, address,
// control, two octets of length, FCS (3GPP TS 27.010 clause 5.2.6.1).
const overhead = 7

// transmit hands the sink the next batch if it is idle. Which data goes next is
// decided only then, so that a command never waits behind more than one batch.
func (m *Mux) transmit() {
	if m.writing {
		return
	}
	b := m.batch[:0]
	if m.asleep && (len(m.control) > 0 || m.pendingData()) {
		m.asleep = false
		for range wakeFlags {
			b = append(b, m.code.flag())
		}
	}
	b = append(b, m.control...)
	m.control = m.control[:0]
	for len(b) == 0 || len(b)+m.cfg.N1+overhead <= m.batchSize {
		c, alone := m.pick()
		if c == nil {
			break
		}
		frames := 1
		if alone && c.settings.ConvergenceLayer == 1 {
			frames = max((m.batchSize-len(b))/(c.settings.N1+overhead), 1)
		}
		b = m.appendData(b, c, frames)
	}
	m.batch = b
	if len(b) > 0 {
		m.writing = true
		m.stats.OctetsOut += uint64(len(b))
		m.snk.batches <- b // it is idle and has room for one
	}
}

// fairness: every so often the channel that was passed over longest goes first, so
// that a busy channel of high priority does not starve the others.
const fairness = 8

// ready tells that a channel has data that may go.
func (m *Mux) ready(c *Channel) bool {
	return !c.stopped && !m.allStop && c.out.size.Load() > 0
}

// pendingData tells that some channel is ready.
func (m *Mux) pendingData() bool { return slices.ContainsFunc(m.order, m.ready) }

// pick chooses the channel whose frame goes next: the lowest priority number, equal
// ones in turn. Alone says that no other channel is ready.
func (m *Mux) pick() (best *Channel, alone bool) {
	if m.state == closing {
		return nil, false
	}
	n := len(m.order)
	at := m.turn
	alone = true
	for i := range n {
		k := (m.turn + i) % n
		c := m.order[k]
		if !m.ready(c) {
			continue
		}
		alone = best == nil
		if best == nil || rank(c) < rank(best) {
			best, at = c, k
		}
		c.skipped++
	}
	if best != nil {
		best.skipped = 0
		m.turn = at + 1
	}
	return best, alone
}

// rank is a channel's priority, or before all others if it has waited too long.
func rank(c *Channel) int {
	if c.skipped >= fairness {
		return 0
	}
	return c.settings.Priority
}

// information is the kind of frame that carries information.
func (m *Mux) information() control {
	if m.cfg.UI {
		return ui
	}
	return uih
}

// appendData appends up to so many frames of a channel's data.
func (m *Mux) appendData(b []byte, c *Channel, frames int) []byte {
	f := frame{dlci: c.dlci, cr: m.role == initiator, control: m.information()}
	info := m.scratch[:0]
	room := c.settings.N1
	if c.settings.ConvergenceLayer == 2 {
		info = c.local.append(info, c.stopPeer)
		room = max(room-len(info), 1)
	}
	want := len(info) + room*frames
	m.scratch = slices.Grow(info, want)
	n, _, _ := c.out.take(m.scratch[len(info):want])
	info = m.scratch[:len(info)+n]
	c.out.signal()
	c.stoppedAt = m.now
	for len(info) > 0 {
		n := min(len(info), c.settings.N1)
		f.info, info = info[:n], info[n:]
		m.stats.FramesOut++
		b = m.code.append(b, f)
	}
	return b
}
