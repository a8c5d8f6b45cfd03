package fakemodem

import (
	"strconv"
	"strings"
	"time"
)

// Flow control of a line (ITU-T V.250 clause 6.2.12): how each side stops the
// other.
const (
	flowNone = 0
	flowXON  = 1 // the characters DC1 and DC3
	flowWire = 2 // circuits 133 and 106, RTS and CTS
)

// Characters of flow control (ITU-T T.50).
const (
	charXON  = 0x11
	charXOFF = 0x13
)

// smsPulse is how long RI is on for a message: that of SIMCom's and Quectel's
// hardware design guides.
const smsPulse = 120 * time.Millisecond

// wires are the circuits of a port besides its data.
type wires struct {
	rtsOff bool
	xoff   bool          // the host has sent XOFF
	full   chan struct{} // the modem takes nothing; closed when it does again
}

func init() {
	add(table{"+IFC": {run: flowControl, own: true}})
}

// flowControl is AT+IFC=<modem stopped by host>,<host stopped by modem>.
func flowControl(c *Call) Result {
	if c.Op == Set {
		c.between(0, 0, 2, 2)
		c.between(1, 0, 2, 2)
		if c.bad {
			return CME(cmeInvalidParam)
		}
	}
	r := keepValue(c, Parameter{Preset: "0,0", Test: "(0-2),(0-2)"})
	c.p.gate()
	return r
}

// flow is what AT+IFC has set.
func (m *Modem) flow() (byHost, byModem int) {
	first, second, _ := strings.Cut(m.params["+IFC"], ",")
	byHost, _ = strconv.Atoi(first)
	if byModem, _ = strconv.Atoi(second); second == "" {
		byModem = byHost
	}
	return byHost, byModem
}

// gate lets octets towards the host out or holds them.
func (p *port) gate() {
	if p.out == nil {
		return
	}
	byHost, _ := p.m.flow()
	p.out.hold(byHost == flowWire && p.wires.rtsOff || byHost == flowXON && p.wires.xoff)
}

// withoutXON takes the characters of flow control out of what the host sends.
func (p *port) withoutXON(b []byte) []byte {
	if byHost, _ := p.m.flow(); byHost != flowXON {
		return b
	}
	out := make([]byte, 0, len(b))
	for _, c := range b {
		switch c {
		case charXON, charXOFF:
			p.wires.xoff = c == charXOFF
		default:
			out = append(out, c)
		}
	}
	p.gate()
	return out
}

// HoldInput lets the modem's AT port take nothing more, as when its buffers are
// full, or take octets again. What the host sees is as AT+IFC says: with
// hardware flow control CTS drops and writes wait, with software flow control
// it gets XOFF; what is written meanwhile without hardware flow control is
// lost. A restart ends it.
func (m *Modem) HoldInput(hold bool) {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	p := m.port
	if hold == (p.wires.full != nil) || !m.on {
		return
	}
	_, byModem := m.flow()
	char := byte(charXOFF)
	if hold {
		p.wires.full = make(chan struct{})
	} else {
		char = charXON
		p.takeAgain()
	}
	if byModem == flowXON {
		p.write([]byte{char})
	}
}

// takeAgain ends HoldInput.
func (p *port) takeAgain() {
	if p.wires.full != nil {
		close(p.wires.full)
		p.wires.full = nil
	}
}

// stopped tells what becomes of octets while the modem takes none: they are
// lost, or wait for a channel.
func (p *port) stopped() (lost bool, wait <-chan struct{}) {
	if p.wires.full == nil || !p.m.on {
		return false, nil
	}
	if _, byModem := p.m.flow(); byModem == flowWire {
		return false, p.wires.full
	}
	return true, nil
}

// pulse switches the ring indicator on for a message.
func (m *Modem) pulse(line string) {
	if strings.HasPrefix(line, "+CMT") || strings.HasPrefix(line, "+CDS") {
		m.pulseEnd = time.Now().Add(smsPulse)
	}
}
