package at

import (
	"io"
	"time"
)

// A command line need not go over the writer: its caller, which has nothing
// else to do, can write it and saves a change of goroutine. A Write may wait,
// and the caller must not, beyond the end of its command. So this is for lines
// whose Write can be cut short, and for callers whose context has no end. What
// a Write that was cut short has left goes to the writer, so the modem gets
// the same bytes either way.

// mayWriteSelf tells whether a caller may write now: nothing else is on its
// way out.
func (m *Modem) mayWriteSelf() bool {
	return m.cut != nil && m.out.caller == nil && !m.out.writing && len(m.out.buf) == 0
}

// writeSelf writes the command line of x if x has been started; else what
// there is to write is for the writer. It releases the lock meanwhile.
func (m *Modem) writeSelf(x *exchange) {
	if m.err != nil || m.out.owner != x || len(m.out.buf) == 0 {
		m.out.caller = nil
		m.kickIfNeeded()
		return
	}
	taken, owner, before := m.hand(m.out.spare)
	m.out.spare = nil
	m.running++ // Close waits
	m.mu.Unlock()
	n, err := m.line.Write(taken)
	m.lock()
	m.ran()
	m.out.caller = nil
	if m.out.cutting {
		m.out.cutting = false
		m.cut(time.Time{})
		if err != nil && isTimeout(err) {
			m.out.rest = append(m.out.rest, taken[n:]...) // still being written
			m.kickIfNeeded()
			return
		}
	}
	if err == nil && n < len(taken) {
		err = io.ErrShortWrite
	}
	if err != nil {
		m.mu.Unlock()
		m.writeFailed(owner, before, n, err)
		m.mu.Lock()
		return
	}
	m.out.spare = taken[:0]
	m.out.writing = false
	if m.call != nil {
		m.call.wrote(m.clock())
	}
	m.kickIfNeeded()
}

// freeCaller ends the Write of a caller whose command has ended. If the modem
// has answered it, the Write is as good as over: it has until somebody else
// wants to write, and until the limit of its command, when the alarm rings.
func (m *Modem) freeCaller(x *exchange) {
	if x.err != nil || x.deadline == 0 {
		m.cutShort(x)
	}
}

// cutShort ends the Write of the caller of x if it goes on.
func (m *Modem) cutShort(x *exchange) {
	if m.out.caller == x && m.out.writing && x.finished && !m.out.cutting {
		m.out.cutting = true
		m.cut(time.Unix(1, 0))
	}
}
