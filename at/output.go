package at

import (
	"io"
)

// outbox is what waits for the writer.
type outbox struct {
	buf     []byte
	owner   *exchange // whose bytes buf holds; nil for the engine's own
	step    Progress  // what the owner's progress becomes when they are taken
	secret  *exchange // a sensitive one of which buf has bytes
	writing bool      // bytes taken before are being written
	started bool      // the writer's goroutine runs
	retire  bool      // it is to end, since there is nothing to do

	caller  *exchange // whose caller writes instead of the writer, which has to wait
	cutting bool      // that Write was cut short
	rest    []byte    // what it has left; goes before buf
	spare   []byte    // for buf, when a caller writes
}

// put queues bytes of an exchange, or the engine's own, for the writer.
func (m *Modem) put(x *exchange, step Progress, text string) {
	m.out.buf = append(m.out.buf, text...)
	m.owned(x, step)
}

// owned says whose bytes wait for the writer.
func (m *Modem) owned(x *exchange, step Progress) {
	m.out.owner, m.out.step = x, step
	if x != nil && x.cmd.Sensitive {
		m.out.secret = x
	}
	m.kick()
}

// kick wakes the writer, which is started at its first use.
func (m *Modem) kick() {
	if x := m.out.caller; x != nil {
		m.cutShort(x)
		return
	}
	if m.err != nil {
		return
	}
	if !m.out.started {
		m.out.started = true
		m.writer.Go(m.write)
	}
	select {
	case m.wake <- struct{}{}:
	default: // it has been woken before
	}
}

// kickIfNeeded wakes the writer if there is something to write.
func (m *Modem) kickIfNeeded() {
	if len(m.out.buf) > 0 || len(m.out.rest) > 0 {
		m.kick()
	}
}

// withdraw takes back what x has waiting for the writer and tells whether
// there was anything.
func (m *Modem) withdraw(x *exchange) bool {
	if m.out.owner != x || x.owed || len(m.out.buf) == 0 {
		return false
	}
	m.out.drop()
	return true
}

// drop forgets what waits.
func (o *outbox) drop() { o.buf, o.owner, o.secret = o.buf[:0], nil, nil }

// bigBuffer is the capacity beyond which a buffer is not kept for the next use.
const bigBuffer = 4 << 10

// write is the writer: it writes what is put and decides nothing.
func (m *Modem) write() {
	var taken []byte
	for range m.wake {
		for {
			var owner *exchange
			var before Progress
			taken, owner, before = m.take(taken)
			if taken == nil {
				return
			}
			if len(taken) == 0 {
				break
			}
			n, err := m.line.Write(taken)
			if err == nil && n < len(taken) {
				err = io.ErrShortWrite
			}
			if err != nil {
				m.writeFailed(owner, before, n, err)
				return
			}
		}
	}
}

// retireWriter ends a writer that has had nothing to do, and its stack; the
// next bytes start another.
func (m *Modem) retireWriter() {
	if m.out.started && !m.out.writing && len(m.out.buf) == 0 && m.run == nil && len(m.queue) == 0 && m.call == nil && !m.place.searching() {
		m.out.retire = true
		m.kick()
	}
}

// take hands the waiting bytes to the writer in exchange for the buffer it has
// done with. Nil ends the writer.
func (m *Modem) take(done []byte) (taken []byte, owner *exchange, before Progress) {
	m.lock()
	defer m.mu.Unlock()
	if cap(done) > bigBuffer {
		done = nil
	}
	if m.out.caller != nil { // who wakes the writer afterwards
		return empty(done), nil, NothingWritten
	}
	if m.out.writing && m.call != nil {
		m.call.wrote(m.clock())
	}
	switch {
	case m.err == nil && len(m.out.rest) > 0:
		taken, m.out.rest = m.out.rest, nil
		return taken, nil, NothingWritten
	case m.err != nil || len(m.out.buf) == 0:
		m.out.writing = false
		if m.out.retire {
			m.out.retire, m.out.started = false, false
			return nil, nil, NothingWritten
		}
		return empty(done), nil, NothingWritten
	}
	return m.hand(done)
}

// hand gives the waiting bytes to who is going to write them, in exchange for
// another buffer. From here on the owner's bytes count as sent.
func (m *Modem) hand(other []byte) (taken []byte, owner *exchange, before Progress) {
	m.out.retire = false
	taken, owner = m.out.buf, m.out.owner
	m.out.buf, m.out.owner = other[:0], nil
	m.out.writing = true
	if owner != nil {
		before = owner.progress
		owner.progress = max(owner.progress, m.out.step)
		owner.out = true
	}
	if len(m.trace.recorders) > 0 {
		m.traceOut(taken, m.out.secret)
	}
	m.out.secret = nil
	return taken, owner, before
}

// empty returns a buffer without bytes that is not nil.
func empty(buf []byte) []byte {
	if buf == nil {
		return []byte{}
	}
	return buf[:0]
}

// writeFailed ends the engine. A Write that took no byte leaves its command
// where it was.
func (m *Modem) writeFailed(owner *exchange, before Progress, n int, err error) {
	if n <= 0 && owner != nil {
		m.mu.Lock()
		owner.progress = before
		m.mu.Unlock()
	}
	m.end(lineGone("write", err))
	m.line.Close() // ends read
}
