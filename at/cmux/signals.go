package cmux

import "time"

// Signals are the V.24 circuits that a modem status command carries
// (3GPP TS 27.010 clause 5.4.6.3.7).
type Signals struct {
	RTC bool // ready to communicate: DTR from the terminal, DSR from the modem
	RTR bool // ready to receive: RTS from the terminal, CTS from the modem
	IC  bool // incoming call: RI
	DV  bool // data valid: DCD
	// Break is how long the break signal lasts that comes along, in steps of 200 ms
	// up to 3 s; zero means none.
	Break time.Duration
}

// Bits of the control signal octet and of the break octet (figure 9 and 10).
const (
	bitFC     = 0x02
	bitRTC    = 0x04
	bitRTR    = 0x08
	bitIC     = 0x40
	bitDV     = 0x80
	bitBreak  = 0x02
	breakStep = 200 * time.Millisecond
)

// append writes the signal octet, and the break octet if there is a break.
func (s Signals) append(dst []byte, stop bool) []byte {
	b := byte(0)
	for _, bit := range [...]struct {
		on   bool
		mask byte
	}{{stop, bitFC}, {s.RTC, bitRTC}, {s.RTR, bitRTR}, {s.IC, bitIC}, {s.DV, bitDV}} {
		if bit.on {
			b |= bit.mask
		}
	}
	if s.Break <= 0 {
		return append(dst, b|1)
	}
	steps := min((s.Break+breakStep-1)/breakStep, 15)
	return append(dst, b, byte(steps)<<4|bitBreak|1)
}

// parseSignals reads what append wrote and returns how many octets it took; zero
// if p is too short.
func parseSignals(p []byte) (s Signals, stop bool, n int) {
	if len(p) == 0 {
		return s, false, 0
	}
	b := p[0]
	s = Signals{RTC: b&bitRTC != 0, RTR: b&bitRTR != 0, IC: b&bitIC != 0, DV: b&bitDV != 0}
	if b&1 != 0 {
		return s, b&bitFC != 0, 1
	}
	if len(p) < 2 {
		return s, false, 0
	}
	if p[1]&bitBreak != 0 {
		s.Break = time.Duration(p[1]>>4) * breakStep
	}
	return s, b&bitFC != 0, 2
}
