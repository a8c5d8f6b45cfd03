package fakemodem

import (
	"fmt"
	"time"
)

// voiceCall is the telephone call of a modem: just enough of one to disturb
// what else goes on.
type voiceCall struct {
	state  callState
	number string
	ring   *event
}

type callState uint8

const (
	callNone callState = iota
	callRinging
	callDialling
	callActive
)

// ringTime is the time from one RING to the next (ITU-T V.250 clause 6.3.3).
const ringTime = 5 * time.Second

func init() {
	add(table{
		"A":     {run: answerCall, sim: true},
		"+CHUP": {run: func(c *Call) Result { c.m.voice.end(c.m); return OK }},
		"+CLCC": {run: listCalls},
		"+CLIP": {run: callSetting(func(s *settings) *int { return &s.clip }), own: true},
		"+CRC":  {run: callSetting(func(s *settings) *int { return &s.crc }), own: true},
		"+VTS":  {run: accept},
	})
}

func callSetting(field func(*settings) *int) handler {
	return numericSetting("(0,1)", 1, field)
}

// Ring lets a voice call from a number come in: the modem says RING until it
// is answered, refused, or the caller gives up (HangUp).
func (m *Modem) Ring(from string) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	if !m.on || !isRegistered(m.radio.circuit) || m.voice.state != callNone {
		return
	}
	m.voice = voiceCall{state: callRinging, number: from}
	m.sayRing()
}

// HangUp ends the voice call from the other side.
func (m *Modem) HangUp() {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	if m.voice.state != callNone {
		m.voice.end(m)
		m.notify("NO CARRIER")
	}
}

func (m *Modem) sayRing() {
	set := &m.ports()[0].set
	if set.crc == 1 {
		m.notify("+CRING: VOICE")
	} else {
		m.notify("RING")
	}
	if set.clip == 1 {
		m.notify(fmt.Sprintf(`+CLIP: "%s",145,"",0,"",0`, m.voice.number))
	}
	m.voice.ring = m.after(ringTime, m.sayRing)
}

func (m *Modem) ringing() bool { return m.voice.state == callRinging }

// end ends the call without a word.
func (v *voiceCall) end(m *Modem) {
	m.n.cancel(v.ring)
	*v = voiceCall{}
}

func (v *voiceCall) reset(m *Modem) { v.end(m) }

func answerCall(c *Call) Result {
	v := &c.m.voice
	if v.state != callRinging {
		return NoCarrier
	}
	c.m.n.cancel(v.ring)
	v.state = callActive
	return OK
}

// dialVoice is ATD with a number: the far end answers if it is a subscriber.
func (c *Call) dialVoice(number string) Result {
	m := c.m
	if len(number) > 0 && number[len(number)-1] == ';' {
		number = number[:len(number)-1]
	}
	if !isRegistered(m.radio.circuit) || !isDialable(number) || number == "" {
		return NoCarrier
	}
	if m.voice.state != callNone {
		return Final("BUSY")
	}
	m.voice = voiceCall{state: callDialling, number: number}
	to, _ := m.n.numbers[m.n.findNumber(number)].(*Modem)
	c.abort = func() {
		m.n.cancel(c.wait)
		m.voice.end(m)
		c.finish(NoCarrier)
	}
	return c.later(m.n.scale(3*time.Second), func() Result {
		c.abort = nil
		if to != nil && to.reached() && to.voice.state == callNone {
			to.voice = voiceCall{state: callRinging, number: m.sim.number}
			to.sayRing()
		}
		m.voice.state = callActive
		return OK
	})
}

// listCalls is AT+CLCC (3GPP TS 27.007 clause 7.18).
func listCalls(c *Call) Result {
	v := &c.m.voice
	direction, state := 0, 0
	switch v.state {
	case callNone:
		return OK
	case callRinging:
		direction, state = 1, 4
	case callDialling:
		state = 2
	}
	c.Info(fmt.Sprintf(`+CLCC: 1,%d,%d,0,0,"%s",145`, direction, state, v.number))
	return OK
}
