package ppp

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"time"
)

// Codes of CHAP (RFC 1994 section 4).
const (
	chapChallenge code = 1
	chapResponse  code = 2
	chapSuccess   code = 3
	chapFailure   code = 4
)

// chapAlgorithm is what differs between the kinds of CHAP.
type chapAlgorithm interface {
	// respond gives the Value of the Response to a challenge.
	respond(id byte, challenge []byte, who credentials) []byte
	// check compares a response with what the secret would give and returns
	// the text of the Success packet.
	check(id byte, challenge, response []byte, who credentials) (message string, ok bool)
	// prove checks the Success packet, where the algorithm is mutual.
	prove(message []byte) bool
	// failure is the text of the Failure packet.
	failure() string
	// size is the length of a challenge, in octets.
	size() int
}

// chapPeer proves itself whenever it is challenged (RFC 1994 section 4.1).
type chapPeer struct {
	exchange
	algorithm chapAlgorithm
	who       credentials
	id        byte
	challenge []byte // that was answered last
	response  packet
}

func (c *chapPeer) start(now time.Time) { c.wait(now) }

func (c *chapPeer) receive(now time.Time, p packet) {
	switch p.code {
	case chapChallenge:
		challenge, _, ok := cutCounted(p.data)
		if !ok || len(challenge) == 0 {
			return
		}
		if p.id == c.id && bytes.Equal(challenge, c.challenge) {
			c.say(now, c.response) // a copy, and MS-CHAPv2 never answers twice alike
			return
		}
		value := c.algorithm.respond(p.id, challenge, c.who)
		if value == nil {
			return
		}
		data := append([]byte{byte(len(value))}, value...)
		c.id, c.challenge = p.id, bytes.Clone(challenge)
		c.response = packet{chapResponse, p.id, append(data, c.who.name...)}
		c.say(now, c.response)
	case chapSuccess:
		if p.id != c.id || c.dueAt.IsZero() {
			return // unasked, or a copy
		}
		if !c.algorithm.prove(p.data) {
			c.settle(ErrPeerNotAuthentic)
			return
		}
		c.settle(nil)
	case chapFailure:
		if p.id == c.id && !c.dueAt.IsZero() {
			c.settle(refusal(p.data, c.who))
		}
	}
}

// chapServer challenges the peer.
type chapServer struct {
	exchange
	algorithm chapAlgorithm
	local     string // our name, for the Challenge
	secret    func(name string) (string, bool)
	id        byte
	challenge []byte
	verdict   packet // sent again for a repeated response
	name      string // that the peer proved
}

func (c *chapServer) start(now time.Time) {
	c.challenge = make([]byte, c.algorithm.size())
	rand.Read(c.challenge)
	var id [1]byte
	rand.Read(id[:])
	c.id = id[0]
	data := append([]byte{byte(len(c.challenge))}, c.challenge...)
	c.say(now, packet{chapChallenge, c.id, append(data, c.local...)})
}

func (c *chapServer) receive(_ time.Time, p packet) {
	if p.code != chapResponse || p.id != c.id {
		return
	}
	if settled, _ := c.result(); settled {
		// RFC 1994 section 4.2: a repeated Response gets the same verdict.
		if c.verdict.code != 0 {
			c.layer.send(protocolCHAP, c.verdict)
		}
		return
	}
	value, rest, ok := cutCounted(p.data)
	if !ok {
		return
	}
	name := string(rest)
	secret, known := c.secret(name)
	message, good := c.algorithm.check(p.id, c.challenge, value, credentials{name, secret})
	if !known || !good {
		c.verdict = packet{chapFailure, p.id, []byte(c.algorithm.failure())}
		c.layer.send(protocolCHAP, c.verdict)
		c.settle(ErrPeerNotAuthentic)
		return
	}
	c.verdict, c.name = packet{chapSuccess, p.id, []byte(message)}, name
	c.layer.send(protocolCHAP, c.verdict)
	c.settle(nil)
}

// md5Algorithm is CHAP's own (RFC 1994 section 4.1).
type md5Algorithm struct{}

func (md5Algorithm) respond(id byte, challenge []byte, who credentials) []byte {
	h := md5.New()
	h.Write([]byte{id})
	h.Write([]byte(who.secret))
	h.Write(challenge)
	return h.Sum(nil)
}

func (a md5Algorithm) check(id byte, challenge, response []byte, who credentials) (string, bool) {
	want := a.respond(id, challenge, who)
	return "Welcome", subtle.ConstantTimeCompare(want, response) == 1
}

func (md5Algorithm) prove([]byte) bool { return true }
func (md5Algorithm) failure() string   { return "Authentication failed" }
func (md5Algorithm) size() int         { return md5.Size }
