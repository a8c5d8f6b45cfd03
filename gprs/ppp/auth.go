package ppp

import "time"

// Auth is a set of authentication protocols.
type Auth byte

// The protocols. PAP shows the password on the line; CHAP, with MD5, does not.
const (
	AuthPAP      Auth = 1 << iota // RFC 1334
	AuthCHAP                      // RFC 1994, algorithm 5 (MD5)
	AuthMSCHAPv2                  // RFC 2759, algorithm 0x81

	allAuth = AuthPAP | AuthCHAP | AuthMSCHAPv2
)

// methods lists the set, best first.
func (a Auth) methods() (list []authMethod) {
	for _, m := range []authMethod{msCHAPv2, chapMD5, pap} {
		if a&m.flag() != 0 {
			list = append(list, m)
		}
	}
	return list
}

// authMethod is one authentication protocol with its algorithm.
type authMethod byte

const (
	noAuth authMethod = iota
	pap
	chapMD5
	msCHAPv2
)

// Algorithms of CHAP, from the assigned numbers of PPP.
const (
	algorithmMD5      = 5    // RFC 1994 section 3
	algorithmMSCHAPv2 = 0x81 // RFC 2759 section 2
)

func (m authMethod) String() string {
	switch m {
	case pap:
		return "PAP"
	case chapMD5:
		return "CHAP"
	case msCHAPv2:
		return "MS-CHAPv2"
	}
	return "no authentication"
}

func (m authMethod) flag() Auth {
	switch m {
	case pap:
		return AuthPAP
	case chapMD5:
		return AuthCHAP
	case msCHAPv2:
		return AuthMSCHAPv2
	}
	return 0
}

func (m authMethod) protocol() protocol {
	if m == pap {
		return protocolPAP
	}
	return protocolCHAP
}

// option is the data of the Authentication-Protocol option (RFC 1661 section 6.2).
func (m authMethod) option() []byte {
	switch m {
	case pap:
		return []byte{byte(protocolPAP >> 8), byte(protocolPAP & 0xff)}
	case msCHAPv2:
		return []byte{byte(protocolCHAP >> 8), byte(protocolCHAP & 0xff), algorithmMSCHAPv2}
	}
	return []byte{byte(protocolCHAP >> 8), byte(protocolCHAP & 0xff), algorithmMD5}
}

// methodOf is the inverse of option; noAuth for what we do not know.
func methodOf(data []byte) authMethod {
	for _, m := range []authMethod{pap, chapMD5, msCHAPv2} {
		if string(m.option()) == string(data) {
			return m
		}
	}
	return noAuth
}

// prover is one side of an authentication: the one that proves itself, or the
// one that checks. Like an automaton it is given the time.
type prover interface {
	// start sends what this side says first, if it speaks first.
	start(now time.Time)
	// receive takes a packet of the protocol and tick the passing of time.
	receive(now time.Time, p packet)
	tick(now time.Time)
	// due is when tick wants to be called; zero for never.
	due() time.Time
	// result tells whether it is settled, and how: nil is a success.
	result() (settled bool, err error)
}

// exchange is what the provers have in common: a packet that is sent again
// until it is answered, under the restart timer and counter.
type exchange struct {
	protocol protocol
	layer    layer
	limits   limits
	silence  error // the result if nothing comes

	last    packet
	tries   int
	dueAt   time.Time
	settled bool
	err     error
}

// say sends p and repeats it until settle or hold.
func (x *exchange) say(now time.Time, p packet) {
	x.last, x.tries = p, x.limits.maxConfigure-1
	x.dueAt = now.Add(x.limits.restart)
	x.layer.send(x.protocol, p)
}

// wait expects the other side to speak first.
func (x *exchange) wait(now time.Time) {
	x.tries = 0
	x.dueAt = now.Add(time.Duration(x.limits.maxConfigure) * x.limits.restart)
}

func (x *exchange) tick(now time.Time) {
	if x.dueAt.IsZero() || now.Before(x.dueAt) {
		return
	}
	if x.tries <= 0 {
		x.settle(x.silence)
		return
	}
	x.tries--
	x.dueAt = now.Add(x.limits.restart)
	x.layer.send(x.protocol, x.last)
}

// settle ends the exchange. A later settle changes the result: an
// authenticator may ask again, and refuse, while the link is up.
func (x *exchange) settle(err error) { x.settled, x.err, x.dueAt = true, err, time.Time{} }

func (x *exchange) due() time.Time        { return x.dueAt }
func (x *exchange) result() (bool, error) { return x.settled, x.err }

// credentials are a name and its secret. They print as nothing.
type credentials struct {
	name, secret string
}

func (credentials) String() string   { return "(secret)" }
func (credentials) GoString() string { return "(secret)" }
