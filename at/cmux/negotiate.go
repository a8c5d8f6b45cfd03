package cmux

import "time"

// PN values (3GPP TS 27.010 clause 5.4.6.3.1): DLCI; frame type and convergence
// layer; priority; T1 in 10 ms; N1 in two octets; N2; k.
func (m *Mux) proposal(dlci int, s ChannelConfig) []byte {
	return []byte{byte(dlci), byte(s.ConvergenceLayer-1) << 4, byte(s.Priority),
		byte(min(m.cfg.T1/(10*time.Millisecond), 255)), byte(s.N1), byte(s.N1 >> 8), byte(min(m.cfg.N2, 255)), 0}
}

// agreed reads an answer into settings: never more than was proposed.
func agreed(s ChannelConfig, value []byte) ChannelConfig {
	if len(value) < 8 {
		return s
	}
	if n1 := int(value[4]) | int(value[5])<<8; n1 > 0 {
		s.N1 = min(s.N1, n1)
	}
	if p := int(value[2] & 0x3F); p > 0 {
		s.Priority = p
	}
	s.ConvergenceLayer = min(s.ConvergenceLayer, int(value[1]>>4)+1)
	return s
}

// agree answers the other side's PN: its priority, the smaller N1, and convergence
// layer 1 or 2. The values hold for the channel that is opened next.
func (m *Mux) agree(value []byte) []byte {
	dlci := int(value[0] & 0x3F)
	s := m.cfg.channel(dlci)
	s.ConvergenceLayer = 2
	s = agreed(s, value)
	if dlci < 1 || dlci > maxDLCI {
		return append([]byte(nil), value...)
	}
	m.settings[dlci] = s
	if c := m.channels[dlci]; c != nil && c.state == opened {
		c.settings.Priority, c.settings.N1 = s.Priority, s.N1
	}
	reply := append([]byte(nil), value[:8]...)
	reply[1] = byte(s.ConvergenceLayer-1) << 4
	reply[2] = byte(s.Priority)
	reply[4], reply[5] = byte(s.N1), byte(s.N1>>8)
	return reply
}
