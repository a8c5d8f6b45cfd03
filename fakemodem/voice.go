package fakemodem

import (
	"fmt"
	"strings"
	"time"
)

// voiceCall is the telephone call of a modem, one at a time. It carries no
// sound: it rings, is answered and ends, and disturbs what else goes on.
type voiceCall struct {
	state  callState
	out    bool // the modem has dialled
	number string
	peer   party  // the other end; nil outside the network
	rings  int    // RINGs so far
	timer  *event // the next RING, or the end of the wait for an answer
	begun  time.Time
	done   func(final string) // ends ATD; nil when that has its result
}

// party is the other end of a call. Its methods run with the network's lock held.
type party interface {
	answered()
	ended(final string) // "NO CARRIER" or "BUSY"
}

type callState uint8

const (
	callNone callState = iota
	callRinging
	callDialling
	callAlerting
	callActive
)

// Times of calls: from one RING to the next (ITU-T V.250 clause 6.3.3), and
// from ATD to a telephone that rings.
const (
	ringTime  = 5 * time.Second
	setupTime = 3 * time.Second
)

func init() {
	add(table{
		"A":     {run: answerCall, sim: true},
		"+CHUP": {run: hangUpVoice},
		"+CLCC": {run: listCalls},
		"+CLIP": {run: callSetting(func(s *settings) *int { return &s.clip }), own: true},
		"+CRC":  {run: callSetting(func(s *settings) *int { return &s.crc }), own: true},
		"+VTS":  {run: sendTone, test: "(0-9,A-D,*,#)"},
	})
}

func callSetting(field func(*settings) *int) handler {
	return numericSetting("(0,1)", 1, field)
}

// Ring lets a voice call from a number outside the network come in; an empty
// one is withheld. The modem says RING until it answers, refuses, or the
// caller gives up (HangUp). Phone.Call rings with an end that can be asked.
func (m *Modem) Ring(from string) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.ring(from, nil)
}

// HangUp ends the voice call from the other side.
func (m *Modem) HangUp() {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	m.ended("NO CARRIER")
}

// ring lets a call come in; it returns why it cannot.
func (m *Modem) ring(from string, peer party) (refusal string) {
	switch {
	case !m.reached():
		return "NO CARRIER"
	case m.voice.state != callNone:
		return "BUSY"
	}
	m.voice = voiceCall{state: callRinging, number: from, peer: peer}
	m.faults.rings()
	m.sayRing()
	return ""
}

// sayRing rings once more. In data mode the wire alone tells of it.
func (m *Modem) sayRing() {
	p := m.ports()[0]
	v := &m.voice
	v.rings++
	v.timer = m.after(ringTime, m.sayRing)
	if limit := int(p.set.s[regAnswer]); limit > 0 && v.rings > limit {
		m.pickUp()
		return
	}
	if p.mode == modeData {
		return
	}
	if p.set.crc == 1 {
		m.notify("+CRING: VOICE")
	} else {
		m.notify("RING")
	}
	if p.set.clip == 1 {
		m.notify(fmt.Sprintf(or(m.kind.Messages.Caller, `+CLIP: "%s",%d,,,,0`), v.number, v.numberType()))
	}
}

// numberType is the type of address octet (3GPP TS 24.008 clause 10.5.4.7).
func (v *voiceCall) numberType() int {
	switch {
	case v.number == "":
		return 128
	case v.number[0] == '+':
		return 145
	}
	return 129
}

func (m *Modem) ringing() bool { return m.voice.state == callRinging }

// suspended tells whether a call holds packets up: GSM modems are of class B
// and do one thing at a time (3GPP TS 23.060 clause 5.4.1).
func (m *Modem) suspended() bool {
	return m.voice.state == callActive && (m.tech() == GSM || m.tech() == EDGE)
}

// pickUp answers the call that rings.
func (m *Modem) pickUp() {
	v := &m.voice
	m.n.cancel(v.timer)
	v.state, v.begun = callActive, time.Now()
	m.notify(m.kind.Messages.CallBegin)
	if v.peer != nil {
		v.peer.answered()
	}
}

// answered: the other end of a call that the modem has made picks up.
func (m *Modem) answered() {
	v := &m.voice
	m.n.cancel(v.timer)
	v.state, v.begun = callActive, time.Now()
	m.notify(m.kind.Messages.CallBegin)
	if v.done != nil {
		v.done("OK")
	}
}

// ended: the other end, or the network, ends the call.
func (m *Modem) ended(final string) {
	v := m.voice
	if v.state == callNone {
		return
	}
	m.n.cancel(v.timer)
	m.voice = voiceCall{}
	if v.state == callActive {
		m.notify(m.kind.Messages.CallEnd)
	}
	if v.done != nil {
		v.done(final)
		return
	}
	m.notify(final)
}

// end ends the call from the modem's side; the other one hears why.
func (v *voiceCall) end(m *Modem, final string) {
	old := *v
	m.n.cancel(old.timer)
	*v = voiceCall{}
	if old.peer != nil {
		old.peer.ended(final)
	}
	if old.state == callActive {
		m.notify(m.kind.Messages.CallEnd)
	}
}

// reset ends the call without a word to the host.
func (v *voiceCall) reset(m *Modem) {
	peer := v.peer
	m.n.cancel(v.timer)
	*v = voiceCall{}
	if peer != nil {
		peer.ended("NO CARRIER")
	}
}

// checkCoverage ends a call without a network.
func (v *voiceCall) checkCoverage(m *Modem) {
	if v.state == callNone || isRegistered(m.radio.circuit) {
		return
	}
	if v.peer != nil {
		v.peer.ended("NO CARRIER")
	}
	m.ended("NO CARRIER")
}

// answerCall is ATA (ITU-T V.250 clause 6.3.5).
func answerCall(c *Call) Result {
	if !c.m.ringing() {
		return NoCarrier
	}
	c.m.pickUp()
	return OK
}

// hangUpVoice is AT+CHUP (3GPP TS 27.007 clause 6.5), and ATH with it. Who is
// refused hears that the line is busy.
func hangUpVoice(c *Call) Result {
	final := "NO CARRIER"
	if c.m.ringing() {
		final = "BUSY"
	}
	c.m.voice.end(c.m, final)
	return OK
}

// dialVoice is ATD with a number and a semicolon. A number without one asks for
// a data call by circuit, which the network does not have.
func (c *Call) dialVoice(text string) Result {
	m := c.m
	number, isVoice := strings.CutSuffix(text, ";")
	if number = strings.TrimRight(number, "IG"); !isRegistered(m.radio.circuit) || !isDialable(number) || number == "" { // clause 6.4: CLIR and closed user group
		return NoCarrier
	}
	if m.voice.state != callNone {
		return Final("BUSY")
	}
	m.voice = voiceCall{state: callDialling, out: true, number: number}
	m.voice.done = func(final string) {
		m.voice.done, c.abort = nil, nil
		if final == "OK" {
			c.finish(OK)
			return
		}
		c.finish(Final(final))
	}
	m.voice.timer = m.after(m.n.scale(setupTime), func() { m.setUp(number, isVoice) })
	if m.kind.DialReturns && isVoice {
		m.voice.done = nil
		return OK
	}
	c.abort = func() {
		m.voice.done = nil
		m.voice.end(m, "NO CARRIER")
		c.finish(NoCarrier)
	}
	return pending
}

// setUp reaches the number that a modem has dialled.
func (m *Modem) setUp(number string, isVoice bool) {
	refusal := "NO CARRIER"
	wait := time.Duration(m.ports()[0].set.s[regDialTime]) * time.Second
	if isVoice {
		m.voice.state = callAlerting
		m.voice.timer = m.after(wait, m.noAnswer)
		switch to := m.n.numbers[m.n.findNumber(number)].(type) {
		case *Modem:
			if refusal = to.ring(m.sim.number, m); refusal == "" && m.voice.state != callNone {
				m.voice.peer = to
			}
		case *Phone:
			refusal = to.ring(m.sim.number, m)
		}
	}
	if refusal != "" {
		m.ended(refusal)
	}
}

// noAnswer: nobody has picked up within S7.
func (m *Modem) noAnswer() {
	if m.voice.peer != nil {
		m.voice.peer.ended("NO CARRIER")
	}
	m.ended("NO ANSWER")
}

// sendTone is AT+VTS (3GPP TS 27.007 annex C.2.11): in a call alone.
func sendTone(c *Call) Result {
	if c.m.voice.state != callActive {
		return CME(cmeNotAllowed)
	}
	return OK
}

// listCalls is AT+CLCC (3GPP TS 27.007 clause 7.18).
func listCalls(c *Call) Result {
	v := &c.m.voice
	state := map[callState]int{callActive: 0, callDialling: 2, callAlerting: 3, callRinging: 4}[v.state]
	if v.state == callNone {
		return OK
	}
	direction := 1
	if v.out {
		direction = 0
	}
	c.Info(fmt.Sprintf(`+CLCC: 1,%d,%d,0,0,"%s",%d`, direction, state, v.number, v.numberType()))
	return OK
}
