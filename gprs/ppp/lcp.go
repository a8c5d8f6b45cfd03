package ppp

import "encoding/binary"

// LCP options (RFC 1661 section 6, RFC 1662 section 7.1).
const (
	optionMRU   = 1
	optionACCM  = 2
	optionAuth  = 3
	optionMagic = 5
	optionPFC   = 7
	optionACFC  = 8
)

const (
	defaultMRU = 1500 // RFC 1661 section 6.1: every side always takes this much
	// smallestMRU is the least that we let the peer ask for: an IPv4 host may
	// count on 68 octets (RFC 791 section 3.2), and less than 128 leaves TCP
	// next to nothing.
	smallestMRU = 128
)

// loopLimit is how many of our own Configure-Requests may come back before
// the line counts as looped (RFC 1661 section 6.4 leaves the number open). A
// modem that fell back to command mode with echo on does just that.
const loopLimit = 3

// lcpOptions is the negotiator of LCP.
type lcpOptions struct {
	newMagic func() uint32
	offered  []authMethod // what we may ask the peer to prove itself with, best first
	accepted Auth         // what we may be asked for; zero rejects all

	// Ours, as asked in the next request.
	mru     uint16
	askMRU  bool
	accm    accm
	askACCM bool
	magic   uint32 // zero: the peer rejected the option
	pfc     bool
	acfc    bool
	demand  []authMethod // left of offered; the first is asked for
	refused bool         // the peer rejected authentication, or every method

	// The peer's, as granted.
	peer  peerOptions
	loops int // own requests seen
}

// peerOptions are what the peer asked for and we granted.
type peerOptions struct {
	mru    uint16
	accm   accm
	magic  uint32
	header headerForm
	auth   authMethod // what we must prove ourselves with; noAuth for nothing
}

// restart returns the peer's side to the defaults (RFC 1661 section 6). Ours
// keeps what was learnt.
func (o *lcpOptions) restart() {
	o.peer = peerOptions{mru: defaultMRU, accm: allControls}
}

func (o *lcpOptions) request(dst []byte) []byte {
	if o.askMRU {
		dst = appendOption(dst, optionMRU, byte(o.mru>>8), byte(o.mru))
	}
	if o.askACCM {
		dst = appendOption(dst, optionACCM, binary.BigEndian.AppendUint32(nil, uint32(o.accm))...)
	}
	if len(o.demand) > 0 {
		dst = appendOption(dst, optionAuth, o.demand[0].option()...)
	}
	if o.magic != 0 {
		dst = appendOption(dst, optionMagic, binary.BigEndian.AppendUint32(nil, o.magic)...)
	}
	if o.pfc {
		dst = appendOption(dst, optionPFC)
	}
	if o.acfc {
		dst = appendOption(dst, optionACFC)
	}
	return dst
}

func (o *lcpOptions) nak(options []option) {
	for _, n := range options {
		switch {
		case n.kind == optionMRU && len(n.data) == 2:
			if mru := binary.BigEndian.Uint16(n.data); mru >= smallestMRU && mru <= max(o.mru, defaultMRU) {
				o.mru, o.askMRU = mru, true
			}
		case n.kind == optionACCM && len(n.data) == 4:
			// RFC 1662 section 7.1: what either side needs, both escape.
			o.accm |= accm(binary.BigEndian.Uint32(n.data))
			o.askACCM = true
		case n.kind == optionMagic:
			o.magic = o.newMagic()
		case n.kind == optionAuth:
			o.nextMethod(methodOf(n.data))
		}
	}
}

// nextMethod drops the method that the peer does not want, and puts the one
// that it suggests first if it is among those that we offered.
func (o *lcpOptions) nextMethod(suggested authMethod) {
	if len(o.demand) == 0 {
		return
	}
	o.demand = o.demand[1:]
	for i, m := range o.demand {
		if m == suggested {
			o.demand = o.demand[i:]
			break
		}
	}
	o.refused = len(o.demand) == 0
}

func (o *lcpOptions) reject(options []option) {
	for _, r := range options {
		switch r.kind {
		case optionMRU:
			o.askMRU, o.mru = false, defaultMRU
		case optionACCM:
			o.askACCM, o.accm = false, allControls
		case optionAuth:
			o.demand, o.refused = nil, len(o.offered) > 0
		case optionMagic:
			o.magic = 0
		case optionPFC:
			o.pfc = false
		case optionACFC:
			o.acfc = false
		}
	}
}

func (o *lcpOptions) judge(options []option, v *verdict) {
	p := peerOptions{mru: defaultMRU, accm: allControls}
	for _, r := range options {
		switch {
		case r.kind == optionMRU && len(r.data) == 2:
			p.mru = binary.BigEndian.Uint16(r.data)
			if p.mru < smallestMRU {
				v.nak(optionMRU, smallestMRU>>8, smallestMRU&0xff)
				p.mru = smallestMRU
			}
		case r.kind == optionACCM && len(r.data) == 4:
			p.accm = accm(binary.BigEndian.Uint32(r.data))
		case r.kind == optionAuth && len(r.data) >= 2:
			p.auth = o.judgeAuth(r, v)
		case r.kind == optionMagic && len(r.data) == 4:
			p.magic = binary.BigEndian.Uint32(r.data)
			o.judgeMagic(p.magic, v)
		case r.kind == optionPFC && len(r.data) == 0:
			p.header.shortProtocol = true
		case r.kind == optionACFC && len(r.data) == 0:
			p.header.shortAddress = true
		default:
			v.reject(r)
		}
	}
	o.peer = p
}

// judgeMagic obeys RFC 1661 section 6.4: our own number, or none, gets a new one.
func (o *lcpOptions) judgeMagic(magic uint32, v *verdict) {
	own := magic == o.magic && magic != 0
	if own {
		o.loops++
	}
	if own || magic == 0 {
		v.nak(optionMagic, binary.BigEndian.AppendUint32(nil, o.newMagic())...)
	}
}

// looped tells whether the line gave back what we sent, too often for chance.
func (o *lcpOptions) looped() bool { return o.loops >= loopLimit }

// judgeAuth takes a method that we can do, and suggests our best otherwise.
func (o *lcpOptions) judgeAuth(r option, v *verdict) authMethod {
	m := methodOf(r.data)
	switch {
	case o.accepted == 0:
		v.reject(r)
	case m == noAuth || o.accepted&m.flag() == 0:
		v.nak(optionAuth, o.accepted.methods()[0].option()...)
	default:
		return m
	}
	return noAuth
}
