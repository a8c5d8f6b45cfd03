package ppp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Causes of an end. Every error of this package that tells of a link wraps
// one of them, net.ErrClosed after Close, the error of the stream, or the
// cause of a context.
var (
	// ErrNoAnswer: the peer never sent a PPP packet that answers ours. The
	// modem may have left data mode, or the network does not speak PPP.
	ErrNoAnswer = errors.New("no answer from the peer")
	// ErrStartTimeout: PPP spoke but carried no IP within Config.StartTimeout.
	ErrStartTimeout = errors.New("the link did not come up in time")
	// ErrNegotiation: the two sides could not agree, or one would not.
	ErrNegotiation = errors.New("no agreement with the peer")
	// ErrRefused: the peer did not accept our name and password.
	ErrRefused = errors.New("the peer refused our authentication")
	// ErrPeerNotAuthentic: the peer did not prove who it is.
	ErrPeerNotAuthentic = errors.New("the peer failed to authenticate itself")
	// ErrLoopback: what we sent came back. A modem in command mode with echo
	// on does that.
	ErrLoopback = errors.New("the line is looped back")
	// ErrEchoLost: the peer no longer answers LCP Echo-Requests.
	ErrEchoLost = errors.New("the peer no longer answers echo requests")
	// ErrTerminated: the peer ended the link with a Terminate-Request.
	ErrTerminated = errors.New("the peer ended the link")
	// ErrNoCarrier: the modem wrote NO CARRIER between frames.
	ErrNoCarrier = errors.New("NO CARRIER on the line")
	// ErrAddressChanged: a renegotiation gave us another address, and what
	// was open on the old one is dead.
	ErrAddressChanged = errors.New("the peer changed our address")
	// ErrPacket: WritePacket was given what is no IP packet, or one that the
	// link cannot carry. The link goes on.
	ErrPacket = errors.New("packet not fit for the link")
)

// Phase is how far a link has come (RFC 1661 section 3.2).
type Phase byte

// The phases, in order.
const (
	PhaseEstablish    Phase = iota + 1 // LCP negotiates
	PhaseAuthenticate                  // PAP or CHAP
	PhaseNetwork                       // IPCP, IPV6CP, then IP
	PhaseTerminate                     // LCP ends the link
)

// String is the phase's name in RFC 1661.
func (p Phase) String() string {
	switch p {
	case PhaseEstablish:
		return "Establish"
	case PhaseAuthenticate:
		return "Authenticate"
	case PhaseNetwork:
		return "Network"
	case PhaseTerminate:
		return "Terminate"
	}
	return fmt.Sprintf("Phase(%d)", byte(p))
}

// Error is the end of a link, or the failure to bring one up.
type Error struct {
	Op    string // "dial", "serve", or "link" for a link that had been up
	Phase Phase  // in which it happened
	Err   error  // the cause
}

// Error tells what was tried, how far it came, and the cause.
func (e *Error) Error() string {
	return fmt.Sprintf("ppp: %s: %v (phase %v)", e.Op, e.Err, e.Phase)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// refusal is ErrRefused with what the peer said, unless that has the secret
// in it.
func refusal(message []byte, who credentials) error {
	if len(message) == 0 || who.secret != "" && bytes.Contains(message, []byte(who.secret)) {
		return ErrRefused
	}
	text := strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f {
			return -1
		}
		return r
	}, string(message[:min(len(message), 80)]))
	return fmt.Errorf("%w: %q", ErrRefused, text)
}
