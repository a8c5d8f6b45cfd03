package ppp

import (
	"encoding/binary"
	"time"
)

// echo is the keepalive by LCP Echo-Request (RFC 1661 section 5.8). It is
// sent whether or not data comes in, for a link that carries one way only
// must be found out too (F68).
type echo struct {
	interval time.Duration // not positive: never
	misses   int
	missed   int  // requests without an answer
	sent     byte // identifier of the last request
	due      time.Time
}

func (e *echo) start(now time.Time) {
	e.missed = 0
	if e.interval > 0 {
		e.due = now.Add(e.interval)
	}
}

func (e *echo) stop() { e.due = time.Time{} }

// off ends it for good: the peer does not have Echo-Request.
func (e *echo) off() { e.interval, e.due = 0, time.Time{} }

// sendEcho sends the next Echo-Request, or gives the peer up.
func (l *loop) sendEcho(now time.Time) {
	e := &l.echo
	if e.missed >= e.misses {
		e.stop()
		l.shut(now, ErrEchoLost)
		return
	}
	e.missed++
	e.sent = l.lcp.nextID()
	e.due = now.Add(e.interval)
	l.send(protocolLCP, packet{codeEchoRequest, e.sent, l.magic()})
}

func (l *loop) magic() []byte {
	return binary.BigEndian.AppendUint32(nil, l.lcpOptions.magic)
}

// ownMagic tells whether data begins with our own Magic-Number, which only a
// looped line can bring (RFC 1661 section 6.4).
func (l *loop) ownMagic(data []byte) bool {
	return len(data) >= 4 && l.lcpOptions.magic != 0 && binary.BigEndian.Uint32(data) == l.lcpOptions.magic
}

// answerEcho sends an Echo-Reply with the data of the request and our number.
func (l *loop) answerEcho(now time.Time, p packet) {
	if len(p.data) < 4 || l.lcp.state != stateOpened {
		return
	}
	if l.ownMagic(p.data) {
		l.lcpOptions.loops = loopLimit
		return
	}
	l.lcp.reply = packet{codeEchoReply, p.id, append(l.magic(), p.data[4:]...)}
	l.lcp.handle(now, eventEcho)
}

// takeEcho takes any Echo-Reply as a sign of life: some modems answer with a
// wrong identifier.
func (l *loop) takeEcho(_ time.Time, p packet) {
	if l.lcp.state == stateOpened && !l.ownMagic(p.data) {
		l.echo.missed = 0
	}
}
