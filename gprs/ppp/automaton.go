package ppp

import (
	"bytes"
	"time"
)

// negotiator holds the options of one protocol: what we ask and what we grant.
type negotiator interface {
	// request appends the options of our next Configure-Request.
	request(dst []byte) []byte
	// nak and reject take what the peer said about our request.
	nak(options []option)
	reject(options []option)
	// judge answers the peer's request. If patient is false, a Nak has been
	// said too often, and what would get one is rejected.
	judge(options []option, v *verdict)
}

// layer is what an automaton calls.
type layer interface {
	send(p protocol, pkt packet)
	layerUp(a *automaton, now time.Time)
	layerDown(a *automaton, now time.Time)
	layerFinished(a *automaton, now time.Time)
}

// limits of a negotiation (RFC 1661 section 4.6).
type limits struct {
	restart      time.Duration // Restart timer
	maxConfigure int
	maxTerminate int
	maxFailure   int
}

// automaton negotiates one protocol. It has no clock and no line: it is given
// the time, says in deadline when it wants to be called, and sends through
// its layer.
type automaton struct {
	protocol protocol
	layer    layer
	options  negotiator
	limits   limits
	state    state
	deadline time.Time // of the restart timer; zero while it is stopped

	tries       int    // restart counter
	ids         byte   // the last identifier used
	requestID   byte   // of our last Configure-Request
	asked       []byte // its options
	answered    bool   // it had its answer; further ones are copies
	refusals    int    // Naks and Rejects taken in this negotiation
	patience    int    // requests that got a Nak in this negotiation
	refusedID   byte   // identifier of the last of them
	grantedID   byte   // identifier of the last Configure-Request that we acknowledged
	granted     []byte // its options
	copies      int    // of it, since we are Opened
	reply       packet // what sendAck, sendNak, sendTerminateAck, sendCodeReject or sendEchoReply sends
	heard       bool   // the peer sent a packet of this protocol
	peerEnded   bool   // the peer sent a Terminate-Request
	peerRefused bool   // the peer rejected this protocol
}

// init makes a ready for use in the state Initial.
func (a *automaton) init(p protocol, l layer, n negotiator, lim limits) {
	*a = automaton{protocol: p, layer: l, options: n, limits: lim, state: stateInitial}
}

// handle takes one event through the table.
func (a *automaton) handle(now time.Time, e event) {
	s := steps[e][a.state]
	if s.to == 0 {
		return
	}
	a.state = s.to
	if s.do&thisLayerDown != 0 {
		a.refusals, a.patience = 0, 0
		a.layer.layerDown(a, now)
	}
	a.restart(now, s.do)
	if s.do&(sendAck|sendNak|sendTerminateAck|sendCodeReject|sendEchoReply) != 0 {
		a.layer.send(a.protocol, a.reply)
	}
	if !a.timed() {
		a.deadline = time.Time{}
	}
	if s.do&thisLayerFinished != 0 {
		a.layer.layerFinished(a, now)
	}
	if s.do&thisLayerUp != 0 {
		a.copies = 0
		a.layer.layerUp(a, now)
	}
}

// restart does the actions on the restart counter and those that start the
// restart timer. thisLayerStarted needs nothing: our line is always there.
func (a *automaton) restart(now time.Time, do action) {
	switch {
	case do&zeroRestart != 0:
		a.tries, a.deadline = 0, now.Add(a.limits.restart)
	case do&initRestart != 0 && do&sendTerminate != 0:
		a.tries = a.limits.maxTerminate
	case do&initRestart != 0:
		a.tries = a.limits.maxConfigure
	}
	switch {
	case do&sendRequest != 0:
		a.tries--
		a.deadline = now.Add(a.limits.restart)
		a.sendRequest()
	case do&sendTerminate != 0:
		a.tries--
		a.deadline = now.Add(a.limits.restart)
		a.ids++
		a.layer.send(a.protocol, packet{code: codeTerminateRequest, id: a.ids})
	}
}

// sendRequest sends a Configure-Request: the last one again while nobody
// answered it, else a new one (RFC 1661 section 5.1).
func (a *automaton) sendRequest() {
	options := a.options.request(nil)
	if a.answered || !bytes.Equal(options, a.asked) || a.requestID == 0 {
		a.ids++
		if a.ids == 0 {
			a.ids = 1
		}
		a.requestID, a.asked, a.answered = a.ids, options, false
	}
	a.layer.send(a.protocol, packet{codeConfigureRequest, a.requestID, a.asked})
}

// timed tells whether the restart timer runs in this state.
func (a *automaton) timed() bool { return a.state >= stateClosing && a.state <= stateAckSent }

// tick is called when the deadline may have passed.
func (a *automaton) tick(now time.Time) {
	if a.deadline.IsZero() || now.Before(a.deadline) {
		return
	}
	if a.tries > 0 {
		a.handle(now, eventTimeout)
	} else {
		a.handle(now, eventTimeoutLast)
	}
}

// receive takes one packet of the protocol. Codes above Code-Reject are LCP's
// and never come here, unless they are unknown.
func (a *automaton) receive(now time.Time, p packet) {
	if a.state == stateInitial || a.state == stateStarting {
		return // RFC 1661 section 4.3: the layer below is not up
	}
	a.heard = true
	switch p.code {
	case codeConfigureRequest:
		a.receiveRequest(now, p)
	case codeConfigureAck:
		if a.expected(p) && (bytes.Equal(p.data, a.asked) || a.idle()) {
			a.answered = true
			a.reply = packet{code: codeTerminateAck, id: p.id}
			a.handle(now, eventAck)
		}
	case codeConfigureNak, codeConfigureReject:
		a.receiveRefusal(now, p)
	case codeTerminateRequest:
		a.peerEnded = true
		a.reply = packet{code: codeTerminateAck, id: p.id}
		a.handle(now, eventTerminate)
	case codeTerminateAck:
		a.handle(now, eventTerminateAck)
	case codeCodeReject:
		a.receiveCodeReject(now, p)
	default:
		a.reply = packet{code: codeCodeReject, id: a.nextID(), data: p.append(nil)}
		a.handle(now, eventUnknownCode)
	}
}

// expected tells whether p answers our last request, for the first time: a
// copy of an answer is silently discarded (RFC 1661 section 5.2).
func (a *automaton) expected(p packet) bool {
	return a.idle() || p.id == a.requestID && !a.answered
}

// idle tells whether nothing of ours can be waiting for an answer.
func (a *automaton) idle() bool { return a.state == stateClosed || a.state == stateStopped }

func (a *automaton) nextID() byte {
	a.ids++
	return a.ids
}

// receiveRequest judges the peer's Configure-Request.
func (a *automaton) receiveRequest(now time.Time, p packet) {
	if a.state == stateOpened && p.id == a.grantedID && bytes.Equal(p.data, a.granted) && a.copies < maxCopies {
		a.copies++
		a.layer.send(a.protocol, packet{codeConfigureAck, p.id, p.data})
		return
	}
	a.reply = packet{code: codeTerminateAck, id: p.id}
	if a.state == stateClosed {
		a.handle(now, eventRequestGood)
		return
	}
	options, err := parseOptions(p.data)
	if err != nil {
		return // RFC 1661 section 5: what is malformed is silently discarded
	}
	var v verdict
	a.options.judge(options, &v)
	if len(v.naks) > 0 && a.patience >= a.limits.maxFailure {
		v = impatient(options, v)
	}
	c, data := v.answer(p.data)
	a.reply = packet{c, p.id, bytes.Clone(data)}
	switch c {
	case codeConfigureAck:
		a.grantedID, a.granted = p.id, a.reply.data
		a.handle(now, eventRequestGood)
		return
	case codeConfigureNak:
		if p.id != a.refusedID { // else our Nak was lost, not ignored
			a.patience++
		}
		a.refusedID = p.id
	}
	a.handle(now, eventRequestBad)
}

// maxCopies bounds how often a Configure-Request that we acknowledged is
// acknowledged again while we stay Opened. RFC 1661 section 4.1 would
// negotiate anew, yet such a copy means that an Ack was lost, or that the line
// doubles; a peer that truly begins anew sends another magic number, and one
// that insists gets what the table says.
const maxCopies = 2

// impatient turns naks into rejects once Max-Failure Naks were in vain (RFC
// 1661 section 4.6). An option that the peer had not asked for at all is let go.
func impatient(options []option, v verdict) verdict {
	naks, _ := parseOptions(v.naks)
	v.naks = nil
	for _, o := range options {
		for _, n := range naks {
			if n.kind == o.kind {
				v.reject(o)
				break
			}
		}
	}
	return v
}

// receiveRefusal takes a Nak or a Reject. A peer that refuses without end is
// asked again only when the restart timer says so, and the restart counter
// ends it (F69: some modems nak for as long as the network gave no address).
func (a *automaton) receiveRefusal(now time.Time, p packet) {
	options, err := parseOptions(p.data)
	if err != nil || !a.expected(p) {
		return
	}
	a.reply = packet{code: codeTerminateAck, id: p.id}
	if p.code == codeConfigureNak {
		a.options.nak(options)
	} else {
		a.options.reject(options)
	}
	a.refusals++
	if a.refusals > a.limits.maxFailure && a.timed() {
		return
	}
	a.answered = true
	a.handle(now, eventNak)
}

// receiveCodeReject tells a code that no peer can do without from one that is
// an extra (RFC 1661 section 5.6).
func (a *automaton) receiveCodeReject(now time.Time, p packet) {
	if len(p.data) > 0 && code(p.data[0]) > codeCodeReject {
		a.handle(now, eventRejectMild)
		return
	}
	a.peerRefused = true
	a.handle(now, eventRejectFatal)
}

// refused is called when the peer rejected the whole protocol.
func (a *automaton) refused(now time.Time) {
	a.peerRefused = true
	a.handle(now, eventRejectFatal)
}
