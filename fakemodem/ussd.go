package fakemodem

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ussdService is what the network answers to codes such as *100# (3GPP TS
// 22.090, TS 27.007 clause 7.15).
type ussdService struct {
	codes map[string]USSDHandler
}

// USSDHandler answers a subscriber. Text is the code at first, and then what
// the subscriber answers; more asks for another answer. It runs on a goroutine
// of its own and may wait.
type USSDHandler func(from, text string) (reply string, more bool)

func init() {
	add(table{"+CUSD": {run: ussdCommand, test: "(0,1,2)", sim: true}})
}

// HandleUSSD lets the network answer a code, such as "*100#". Codes that
// nobody answers are not supported.
func (n *Network) HandleUSSD(code string, fn USSDHandler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ussd.codes == nil {
		n.ussd.codes = make(map[string]USSDHandler)
	}
	n.ussd.codes[code] = fn
}

// PushUSSD sends a text to the modem that the network has begun; with reply it
// asks for an answer, which fn gets.
func (m *Modem) PushUSSD(text string, fn USSDHandler) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	mode := 0
	if fn != nil {
		mode = 1
	}
	m.session = fn
	m.sayUSSD(mode, text)
}

// ussdCommand is AT+CUSD: OK comes at once, the answer as a notification.
func ussdCommand(c *Call) Result {
	m := c.m
	switch c.Op {
	case Read:
		mode, _ := strconv.Atoi(or(m.params["+CUSD"], "0"))
		c.Info(fmt.Sprintf("+CUSD: %d", mode))
		return OK
	case Execute:
		return OK
	}
	mode := c.between(0, 0, 2, 0)
	if c.bad {
		return CME(cmeInvalidParam)
	}
	if mode == 2 {
		m.session = nil
		return OK
	}
	if m.params == nil {
		m.params = make(map[string]string)
	}
	m.params["+CUSD"] = strconv.Itoa(mode)
	if !c.given(1) {
		return OK
	}
	if !isRegistered(m.radio.circuit) {
		return CME(cmeNoNetwork)
	}
	text, ok := m.requestText(c.text(1, ""))
	if !ok {
		return ERROR
	}
	m.askUSSD(text)
	return OK
}

// requestText decodes what the host has asked: in the character set, or packed
// where the maker wants it so.
func (m *Modem) requestText(text string) (string, bool) {
	if !m.kind.PackedUSSD {
		return m.fromCharset(text), true
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return "", false
	}
	return strings.TrimRight(fromSeptets(unpackSeptets(b, 0, len(b)*8/7)), "\r@"), true
}

// askUSSD hands a text to the service and prints its answer.
func (m *Modem) askUSSD(text string) {
	fn := m.session
	if fn == nil {
		fn = m.n.ussd.codes[text]
	}
	m.session = nil
	start := m.starts
	m.after(m.n.scale(2*time.Second), func() {
		if fn == nil {
			m.notify("+CUSD: 4")
			return
		}
		m.n.start(func() {
			reply, more := fn(m.sim.number, text)
			m.n.mu.Lock()
			defer m.n.mu.Unlock()
			if m.starts != start {
				return
			}
			mode := 0
			if more {
				m.session, mode = fn, 1
			}
			m.sayUSSD(mode, reply)
		})
	})
}

// sayUSSD prints +CUSD with the text in the character set and its coding
// (3GPP TS 23.038 clause 5).
func (m *Modem) sayUSSD(mode int, text string) {
	const plain, ucs2 = 15, 72
	codes, ok := toSeptets(text)
	shown, dcs := m.inCharset(text), plain
	switch {
	case !ok:
		shown, dcs = strings.ToUpper(hex.EncodeToString(toUCS2(text))), ucs2
	case m.kind.PackedUSSD:
		shown = strings.ToUpper(hex.EncodeToString(packSeptets(codes, 0)))
	}
	m.notify(fmt.Sprintf(`+CUSD: %d,"%s",%d`, mode, shown, dcs))
}
