package cmux

// messageType is the type field of a control channel message without its C/R bit
// (3GPP TS 27.010 clause 5.4.6.3).
type messageType byte

const (
	msgPN    messageType = 0x81 // parameter negotiation, 5.4.6.3.1
	msgPSC   messageType = 0x41 // power saving control, 5.4.6.3.2
	msgCLD   messageType = 0xC1 // multiplexer close down, 5.4.6.3.3
	msgTest  messageType = 0x21 // 5.4.6.3.4
	msgFCon  messageType = 0xA1 // flow control on: go, 5.4.6.3.5
	msgFCoff messageType = 0x61 // flow control off: stop, 5.4.6.3.6
	msgMSC   messageType = 0xE1 // modem status, 5.4.6.3.7
	msgNSC   messageType = 0x11 // non-supported command, 5.4.6.3.8
	msgRPN   messageType = 0x91 // remote port negotiation, 5.4.6.3.9
	msgRLS   messageType = 0x51 // remote line status, 5.4.6.3.10
)

// messageCommand is the C/R bit of the type field: set in a command (5.4.6.1).
const messageCommand = 0x02

// A message is one type, length, value triple of the control channel.
type message struct {
	kind    messageType
	command bool
	value   []byte
}

// append writes the message (clause 5.4.6.1).
func (m message) append(dst []byte) []byte {
	kind := byte(m.kind)
	if m.command {
		kind |= messageCommand
	}
	dst = append(dst, kind)
	if n := len(m.value); n <= maxShort {
		dst = append(dst, byte(n<<1)|1)
	} else {
		dst = append(dst, byte(n<<1), byte(n>>7))
	}
	return append(dst, m.value...)
}

// parseMessage reads the first message of p and returns what follows it; ok is
// false if p does not hold a whole one.
func parseMessage(p []byte) (m message, rest []byte, ok bool) {
	if len(p) < 2 || p[0]&1 == 0 {
		return m, nil, false
	}
	m.kind, m.command = messageType(p[0]&^messageCommand), p[0]&messageCommand != 0
	n, p := int(p[1]>>1), p
	head := 2
	if p[1]&1 == 0 {
		if len(p) < 3 {
			return m, nil, false
		}
		n, head = n|int(p[2])<<7, 3
	}
	if len(p) < head+n {
		return m, nil, false
	}
	m.value = p[head : head+n]
	return m, p[head+n:], true
}

// subject returns the DLCI that a message is about, 0 if about none.
func (m message) subject() int {
	switch m.kind {
	case msgMSC, msgRPN, msgRLS:
		if len(m.value) > 0 {
			return int(m.value[0] >> 2)
		}
	case msgPN:
		if len(m.value) > 0 {
			return int(m.value[0] & 0x3F)
		}
	}
	return 0
}

// aboutDLCI is the first octet of MSC, RPN and RLS: EA, a one, the DLCI.
func aboutDLCI(dlci int) byte { return byte(dlci)<<2 | 3 }
