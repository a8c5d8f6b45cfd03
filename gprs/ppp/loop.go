package ppp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// loop owns the state of a link: the automatons, the authentication, the
// keepalive. It waits nowhere but in run.
type loop struct {
	conn     *Conn
	settings *settings

	phase  Phase
	lcp    automaton
	ipcp   automaton
	ipv6cp automaton

	lcpOptions    *lcpOptions
	ipcpOptions   *ipcpOptions
	ipv6cpOptions *ipv6cpOptions

	local  prover // proves us to the peer; nil for no need
	remote prover // has the peer prove itself; nil for no need

	echo    echo
	heard   bool      // the peer sent an LCP packet, not one of our own
	startBy time.Time // IP must be carried by then; zero for no bound or when it is
	grace   time.Time // a silent NCP is waited for until then; zero when none is
	waited  bool      // it was
	carried bool      // the link was up before
	granted netip.Addr

	cause error // why the link ends; the first one
	ended bool

	readDone bool // the reader reads no more: it brought the end
}

func (l *loop) init(c *Conn) {
	s := c.settings
	l.conn, l.settings = c, s
	l.phase = PhaseEstablish
	l.lcpOptions, l.ipcpOptions, l.ipv6cpOptions = s.lcpOptions(), s.ipcpOptions(), s.ipv6cpOptions()
	l.lcp.init(protocolLCP, l, l.lcpOptions, s.limits)
	l.ipcp.init(protocolIPCP, l, l.ipcpOptions, s.limits)
	l.ipv6cp.init(protocolIPV6CP, l, l.ipv6cpOptions, s.limits)
	l.echo = echo{interval: s.EchoInterval, misses: s.EchoMisses}
}

// run brings the link up, keeps it, and returns the cause of its end.
func (l *loop) run() error {
	now := time.Now()
	l.bound(now)
	l.lcp.handle(now, eventOpen)
	l.lcp.handle(now, eventUp)
	timer := time.NewTimer(0)
	defer timer.Stop()
	closing := l.conn.closing
	for !l.ended {
		l.arm(timer)
		select {
		case f := <-l.conn.control:
			l.receive(time.Now(), f)
			l.announce(time.Now())
			if l.readDone = l.ended; !l.ended {
				l.conn.handled <- struct{}{} // the reader waits for it
			}
		case <-timer.C:
			l.tick(time.Now())
			l.announce(time.Now())
		case b := <-l.conn.broken:
			l.note(b.err)
			l.ended, l.readDone = true, b.reading
		case err := <-l.conn.abort:
			l.note(err)
			l.lcp.handle(time.Now(), eventClose)
			l.ended = true
		case <-closing:
			closing = nil
			l.shut(time.Now(), net.ErrClosed)
		}
	}
	return l.cause
}

// note keeps the first cause, with how far we had come.
func (l *loop) note(err error) {
	if l.cause != nil {
		return
	}
	op := string(l.settings.role)
	if l.carried {
		op = "link"
	}
	l.cause = &Error{Op: op, Phase: l.phase, Err: err}
	l.conn.in.end(l.cause)
	l.conn.out.end(l.cause)
}

// shut ends the link in good order: LCP's layerFinished, at the latest when
// the Terminate-Requests are used up, ends the loop.
func (l *loop) shut(now time.Time, err error) {
	l.note(err)
	l.startBy, l.grace = time.Time{}, time.Time{}
	l.lcp.handle(now, eventClose)
	if l.lcp.state == stateClosed || l.lcp.state == stateInitial {
		l.ended = true
	}
}

// bound starts the time that the link has to carry IP.
func (l *loop) bound(now time.Time) {
	if l.settings.StartTimeout > 0 {
		l.startBy = now.Add(l.settings.StartTimeout)
	}
}

// arm sets timer to the next thing that is due.
func (l *loop) arm(timer *time.Timer) {
	next := l.echo.due
	for _, t := range []time.Time{l.lcp.deadline, l.ipcp.deadline, l.ipv6cp.deadline, l.startBy, l.grace} {
		next = earlier(next, t)
	}
	for _, p := range []prover{l.local, l.remote} {
		if p != nil {
			next = earlier(next, p.due())
		}
	}
	if next.IsZero() {
		timer.Stop()
		return
	}
	timer.Reset(time.Until(next))
}

// earlier is the earlier of two times, of which the zero one is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func passed(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }

// tick does what is due.
func (l *loop) tick(now time.Time) {
	l.lcp.tick(now)
	l.ipcp.tick(now)
	l.ipv6cp.tick(now)
	for _, p := range []prover{l.local, l.remote} {
		if p != nil {
			p.tick(now)
			l.checkAuth(now)
		}
	}
	if passed(l.echo.due, now) {
		l.sendEcho(now)
	}
	if passed(l.grace, now) {
		l.grace, l.waited = time.Time{}, true
	}
	if passed(l.startBy, now) && l.open() == 0 {
		l.shut(now, l.lateness())
	}
}

// lateness is the error for a link that took too long.
func (l *loop) lateness() error {
	if !l.heard {
		return ErrNoAnswer
	}
	return fmt.Errorf("%w (%v)", ErrStartTimeout, l.settings.StartTimeout)
}

// receive takes one frame that is not IP.
func (l *loop) receive(now time.Time, f frame) {
	var automaton *automaton
	switch f.protocol {
	case protocolLCP:
		if p, ok := parsePacket(f.info); ok {
			l.receiveLCP(now, p)
		}
		return
	case protocolPAP, protocolCHAP:
		l.receiveAuth(now, f)
		return
	case protocolIPCP:
		if l.settings.Families&IPv4 != 0 {
			automaton = &l.ipcp
		}
	case protocolIPV6CP:
		if l.settings.Families&IPv6 != 0 {
			automaton = &l.ipv6cp
		}
	}
	if l.lcp.state != stateOpened {
		return // RFC 1661 section 3.4: too early for it
	}
	if automaton == nil {
		l.rejectProtocol(f)
		return
	}
	if p, ok := parsePacket(f.info); ok && l.phase == PhaseNetwork {
		automaton.receive(now, p)
	}
}

// receiveLCP takes the codes that only LCP has, and leaves the others to the
// automaton.
func (l *loop) receiveLCP(now time.Time, p packet) {
	defer l.checkLoop(now)
	switch p.code {
	case codeProtocolReject:
		l.heard = true
		if len(p.data) >= 2 && l.lcp.state == stateOpened {
			l.protocolRejected(now, protocol(binary.BigEndian.Uint16(p.data)))
		}
	case codeEchoRequest:
		l.answerEcho(now, p)
	case codeEchoReply:
		l.takeEcho(now, p)
	case codeDiscardRequest:
	default:
		if l.ownRequest(p) {
			// An answer would come back as well. The next request may not, if
			// the modem only now turns its echo off.
			l.lcpOptions.loops++
			return
		}
		l.receiveLCPCode(now, p)
	}
}

// ownRequest tells whether p is our own Configure-Request, octet for octet.
func (l *loop) ownRequest(p packet) bool {
	return p.code == codeConfigureRequest && p.id == l.lcp.requestID &&
		l.lcpOptions.magic != 0 && bytes.Equal(p.data, l.lcp.asked)
}

// receiveLCPCode hands the automaton what it has in common with the NCPs.
func (l *loop) receiveLCPCode(now time.Time, p packet) {
	loops := l.lcpOptions.loops
	if p.code == codeTerminateRequest && l.lcp.state == stateOpened {
		l.note(ErrTerminated)
	}
	l.lcp.receive(now, p)
	if l.lcpOptions.loops == loops {
		l.heard = true
	}
	if p.code == codeCodeReject && len(p.data) > 0 && code(p.data[0]) == codeEchoRequest {
		l.echo.off()
	}
}

// checkLoop ends a link whose line is looped.
func (l *loop) checkLoop(now time.Time) {
	if l.lcpOptions.looped() && l.cause == nil {
		l.note(ErrLoopback)
		l.ended = true // a Terminate-Request would only come back
	}
}

// rejectProtocol answers a frame of a protocol that we do not have (RFC 1661
// section 5.7).
func (l *loop) rejectProtocol(f frame) {
	room := int(l.lcpOptions.peer.mru) - packetHeader - 2
	data := binary.BigEndian.AppendUint16(nil, uint16(f.protocol))
	data = append(data, f.info[:min(len(f.info), room)]...)
	l.send(protocolLCP, packet{codeProtocolReject, l.lcp.nextID(), data})
}

// protocolRejected takes the peer's word that it does not have p.
func (l *loop) protocolRejected(now time.Time, p protocol) {
	switch p {
	case protocolIPCP, protocolIPv4:
		l.ipcp.refused(now)
	case protocolIPV6CP, protocolIPv6:
		l.ipv6cp.refused(now)
	case protocolPAP, protocolCHAP:
		if l.phase == PhaseAuthenticate {
			l.shut(now, fmt.Errorf("%w: the peer does not have %v", ErrNegotiation, p))
		}
	case protocolLCP:
		l.lcp.refused(now)
	}
}

// send sends a packet that is not IP; it makes loop a layer.
func (l *loop) send(p protocol, pkt packet) {
	if room := int(l.lcpOptions.peer.mru); packetHeader+len(pkt.data) > room {
		pkt.data = pkt.data[:room-packetHeader]
	}
	l.conn.out.control(p, pkt.append(nil))
}

// layerUp is called when an automaton is Opened.
func (l *loop) layerUp(a *automaton, now time.Time) {
	if a != &l.lcp {
		return // announce tells the rest of the link
	}
	o := l.lcpOptions
	l.conn.drop.Store(uint32(o.accm))
	l.conn.out.change(func(out *outbox) { out.escape, out.form = o.peer.accm, o.peer.header })
	l.echo.start(now)
	l.authenticate(now)
}

// layerDown is called when an automaton leaves Opened. RFC 1661 section 3.5:
// when LCP does so, all else falls back with it.
func (l *loop) layerDown(a *automaton, now time.Time) {
	if l.cause == nil && l.carried && l.startBy.IsZero() {
		l.bound(now)
	}
	if a != &l.lcp {
		return
	}
	l.conn.drop.Store(uint32(allControls))
	l.conn.out.change(func(out *outbox) { out.escape, out.form = allControls, headerForm{} })
	l.phase = PhaseEstablish
	if l.cause != nil {
		l.phase = PhaseTerminate
	}
	l.local, l.remote = nil, nil
	l.echo.stop()
	l.ipcp.handle(now, eventDown)
	l.ipv6cp.handle(now, eventDown)
}

// layerFinished is called when an automaton has given up or has ended.
func (l *loop) layerFinished(a *automaton, now time.Time) {
	if a != &l.lcp {
		return // announce sees whether anything is left
	}
	switch {
	case a.peerEnded:
		l.note(ErrTerminated)
	case a.peerRefused:
		l.note(fmt.Errorf("%w: the peer does not have LCP", ErrNegotiation))
	case !l.heard:
		l.note(ErrNoAnswer)
	default:
		l.note(fmt.Errorf("%w on LCP", ErrNegotiation))
	}
	l.ended = true
}

// announce compares what the NCPs carry with what the rest of the link knows,
// after every event.
func (l *loop) announce(now time.Time) {
	open := l.open()
	l.conn.in.accept(open)
	if open != 0 && l.cause == nil {
		l.publish(now)
	}
	mtu := l.conn.addrs.Load().mtu
	l.conn.out.change(func(out *outbox) {
		out.open, out.mtu = open, mtu
		out.known |= open
	})
	if l.cause != nil || l.phase != PhaseNetwork {
		return
	}
	switch {
	case open != 0 && (l.carried || l.settled() || passed(l.startBy, now)):
		l.startBy, l.grace = time.Time{}, time.Time{}
		if !l.carried {
			l.carried = true
			close(l.conn.up)
		}
	case open != 0 && l.grace.IsZero() && !l.waited:
		l.grace = now.Add(2 * l.settings.RestartInterval)
	case open == 0:
		l.grace = time.Time{}
		if l.settled() {
			l.shut(now, l.nothingAgreed())
		}
	}
}

// open are the families that can be carried now.
func (l *loop) open() (f Families) {
	if l.ipcp.state == stateOpened {
		f |= IPv4
	}
	if l.ipv6cp.state == stateOpened {
		f |= IPv6
	}
	return f
}

// settled tells whether no NCP that is wanted still negotiates. One that the
// peer has not said a word to by the end of the grace is not waited for.
func (l *loop) settled() bool {
	settled := func(a *automaton, f Families) bool {
		return l.settings.Families&f == 0 || a.state == stateOpened || a.idle() ||
			!a.heard && l.waited
	}
	return settled(&l.ipcp, IPv4) && settled(&l.ipv6cp, IPv6)
}

// nothingAgreed is the error for a link that carries no IP, and never will.
func (l *loop) nothingAgreed() error {
	a := &l.ipcp
	if l.settings.Families&IPv4 == 0 {
		a = &l.ipv6cp
	}
	why := fmt.Sprintf("no acceptable answer to %d Configure-Requests", l.settings.MaxConfigure)
	switch {
	case a.peerRefused:
		why = "the peer does not have it"
	case a.peerEnded:
		return fmt.Errorf("%w, by ending %v", ErrTerminated, a.protocol)
	case a.refusals > 0:
		why = fmt.Sprintf("the peer refused %d times", a.refusals)
	}
	return fmt.Errorf("%w on %v: %s", ErrNegotiation, a.protocol, why)
}

// publish makes what was agreed known.
func (l *loop) publish(now time.Time) {
	a := addresses{mtu: min(int(l.lcpOptions.peer.mru), l.settings.MRU)}
	if l.ipcp.state == stateOpened {
		o := l.ipcpOptions
		a.local, a.peer, a.dns = o.local, o.peer, o.names()
		if a.local.IsUnspecified() || !o.askAddress {
			a.local = l.settings.LocalAddr
		}
		if !a.local.IsValid() {
			l.shut(now, fmt.Errorf("%w on IPCP: the peer gave no address", ErrNegotiation))
			return
		}
		if l.granted.IsValid() && l.granted != a.local {
			l.shut(now, fmt.Errorf("%w from %v to %v", ErrAddressChanged, l.granted, a.local))
			return
		}
		l.granted = a.local
	}
	if l.ipv6cp.state == stateOpened {
		a.local6, a.peer6 = l.ipv6cpOptions.local.linkLocal(), l.ipv6cpOptions.peer.linkLocal()
	}
	a.peerName = l.peerName()
	l.conn.addrs.Store(&a)
}
