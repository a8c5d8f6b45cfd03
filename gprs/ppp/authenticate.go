package ppp

import (
	"fmt"
	"time"
)

// authenticate begins the authentication that LCP agreed on (RFC 1661 section
// 3.5), or goes on to the network phase if there is none.
func (l *loop) authenticate(now time.Time) {
	l.phase = PhaseAuthenticate
	o := l.lcpOptions
	if o.refused {
		l.shut(now, fmt.Errorf("%w: it offers no method that we require", ErrPeerNotAuthentic))
		return
	}
	if o.peer.auth != noAuth {
		l.local = l.peerSide(o.peer.auth)
	}
	if len(o.demand) > 0 {
		l.remote = l.serverSide(o.demand[0])
	}
	for _, p := range []prover{l.local, l.remote} {
		if p != nil {
			p.start(now)
		}
	}
	l.checkAuth(now)
}

// peerSide makes the prover that proves us.
func (l *loop) peerSide(m authMethod) prover {
	x := exchange{protocol: m.protocol(), layer: l, limits: l.settings.limits,
		silence: fmt.Errorf("%w: no answer to %v", ErrRefused, m)}
	who := credentials{l.settings.User, l.settings.Password}
	if m == pap {
		return &papPeer{exchange: x, who: who}
	}
	return &chapPeer{exchange: x, who: who, algorithm: m.algorithm()}
}

// serverSide makes the prover that has the peer prove itself.
func (l *loop) serverSide(m authMethod) prover {
	x := exchange{protocol: m.protocol(), layer: l, limits: l.settings.limits,
		silence: fmt.Errorf("%w: no answer to %v", ErrPeerNotAuthentic, m)}
	if m == pap {
		return &papServer{exchange: x, secret: l.settings.Secret}
	}
	return &chapServer{exchange: x, algorithm: m.algorithm(), local: l.settings.User, secret: l.settings.Secret}
}

func (m authMethod) algorithm() chapAlgorithm {
	if m == msCHAPv2 {
		return &msAlgorithm{}
	}
	return md5Algorithm{}
}

// receiveAuth hands a packet to the side that it is for: PAP's requests and
// CHAP's responses are for the one that checks.
func (l *loop) receiveAuth(now time.Time, f frame) {
	p, ok := parsePacket(f.info)
	if !ok || l.lcp.state != stateOpened {
		return
	}
	to, method := l.local, l.lcpOptions.peer.auth
	if f.protocol == protocolPAP && p.code == papRequest || f.protocol == protocolCHAP && p.code == chapResponse {
		to, method = l.remote, noAuth
		if len(l.lcpOptions.demand) > 0 {
			method = l.lcpOptions.demand[0]
		}
	}
	if to == nil || method.protocol() != f.protocol {
		return
	}
	to.receive(now, p)
	l.checkAuth(now)
}

// checkAuth goes on when both sides are settled, and ends the link when one
// of them failed, then or later.
func (l *loop) checkAuth(now time.Time) {
	if l.cause != nil {
		return
	}
	all := true
	for _, p := range []prover{l.local, l.remote} {
		if p == nil {
			continue
		}
		settled, err := p.result()
		if settled && err != nil {
			l.shut(now, err)
			return
		}
		all = all && settled
	}
	if all && l.phase == PhaseAuthenticate {
		l.network(now)
	}
}

// network starts the NCPs.
func (l *loop) network(now time.Time) {
	l.phase = PhaseNetwork
	if l.settings.Families&IPv4 != 0 {
		l.ipcp.handle(now, eventOpen)
		l.ipcp.handle(now, eventUp)
	}
	if l.settings.Families&IPv6 != 0 {
		l.ipv6cp.handle(now, eventOpen)
		l.ipv6cp.handle(now, eventUp)
	}
}

// peerName is the name that the peer proved, if it had to.
func (l *loop) peerName() string {
	switch p := l.remote.(type) {
	case *papServer:
		return p.name
	case *chapServer:
		return p.name
	}
	return ""
}
