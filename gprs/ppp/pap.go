package ppp

import (
	"crypto/subtle"
	"time"
)

// Codes of PAP (RFC 1334 section 2.2).
const (
	papRequest code = 1 // Authenticate-Request
	papAck     code = 2
	papNak     code = 3
)

// papPeer proves itself with name and password (RFC 1334 section 2).
type papPeer struct {
	exchange
	who credentials
	id  byte
}

func (p *papPeer) start(now time.Time) {
	p.id = 1
	data := append([]byte{byte(len(p.who.name))}, p.who.name...)
	data = append(append(data, byte(len(p.who.secret))), p.who.secret...)
	p.say(now, packet{papRequest, p.id, data})
}

func (p *papPeer) receive(_ time.Time, pkt packet) {
	if settled, _ := p.result(); settled || pkt.id != p.id {
		return
	}
	switch pkt.code {
	case papAck:
		p.settle(nil)
	case papNak:
		p.settle(refusal(papMessage(pkt.data), p.who))
	}
}

// papMessage is the text of an Ack or a Nak.
func papMessage(data []byte) []byte {
	if len(data) == 0 || int(data[0]) > len(data)-1 {
		return nil
	}
	return data[1 : 1+int(data[0])]
}

// papServer checks the peer's name and password.
type papServer struct {
	exchange
	secret func(name string) (string, bool)
	name   string // that the peer proved
}

func (p *papServer) start(now time.Time) { p.wait(now) }

func (p *papServer) receive(_ time.Time, pkt packet) {
	if pkt.code != papRequest {
		return
	}
	name, rest, ok := cutCounted(pkt.data)
	password, _, ok2 := cutCounted(rest)
	if !ok || !ok2 {
		return
	}
	want, known := p.secret(string(name))
	if !known || subtle.ConstantTimeCompare([]byte(want), password) != 1 {
		p.layer.send(protocolPAP, packet{papNak, pkt.id, counted("Login incorrect")})
		p.settle(ErrPeerNotAuthentic)
		return
	}
	p.layer.send(protocolPAP, packet{papAck, pkt.id, counted("Login ok")})
	if settled, err := p.result(); !settled || err == nil {
		p.name = string(name)
		p.settle(nil)
	}
}

// cutCounted takes an octet string with its length in front.
func cutCounted(b []byte) (s, rest []byte, ok bool) {
	if len(b) == 0 || int(b[0]) > len(b)-1 {
		return nil, nil, false
	}
	return b[1 : 1+int(b[0])], b[1+int(b[0]):], true
}

// counted puts the length in front of s, which is short.
func counted(s string) []byte { return append([]byte{byte(len(s))}, s...) }
