package cmux

import (
	"context"
	"fmt"
)

// LineStatus is what RLS reports of a remote line (3GPP TS 27.010 clause 5.4.6.3.10).
type LineStatus byte

const (
	Overrun LineStatus = 0x03 // a received character was overwritten
	Parity  LineStatus = 0x05 // a received character had a wrong parity
	Framing LineStatus = 0x09 // a received character did not end with a stop bit
)

// rpnRates are the rate codes of RPN (clause 5.4.6.3.9, table 10), in bit/s.
var rpnRates = [...]int{2400, 4800, 7200, 9600, 19200, 38400, 57600, 115200, 230400}

// rpnDefault is what a channel has until it is told otherwise: 9600 bit/s, 8 bits, one
// stop bit, no parity, no flow control, XON and XOFF of ISO 646.
var rpnDefault = []byte{0x03, 0x03, 0x00, 0x11, 0x13, 0x00, 0x00}

// portSettings answers RPN: a request for the values gets them, new values are
// accepted as they are, because a virtual port has no rate.
func (m *Mux) portSettings(value []byte) []byte {
	switch {
	case len(value) == 1:
		reply := append([]byte{value[0]}, rpnDefault...)
		if c := m.channels[int(value[0]>>2)]; c != nil && c.port != nil {
			copy(reply[1:], c.port)
		}
		return reply
	case len(value) >= 8:
		if c := m.channels[int(value[0]>>2)]; c != nil {
			c.port = append([]byte(nil), value[1:8]...)
		}
		return value
	}
	return nil
}

// SetSpeed asks the other side by RPN to run the remote port at so many bit/s, 8 bits,
// no parity, one stop bit. Most modems accept anything.
func (c *Channel) SetSpeed(ctx context.Context, bitsPerSecond int) error {
	for code, rate := range rpnRates {
		if rate == bitsPerSecond {
			value := append([]byte{aboutDLCI(c.dlci), byte(code)}, 0x03, 0x00, 0x11, 0x13, 0x0F, 0x00)
			return c.request(ctx, message{kind: msgRPN, value: value}, func(reply []byte) error {
				if len(reply) >= 2 && reply[1] != byte(code) {
					return fmt.Errorf("cmux: the other side keeps rate code %d", reply[1])
				}
				return nil
			})
		}
	}
	return fmt.Errorf("cmux: RPN has no rate of %d bit/s", bitsPerSecond)
}

// ReportLineStatus tells the other side by RLS of an error on the line behind this
// channel.
func (c *Channel) ReportLineStatus(ctx context.Context, s LineStatus) error {
	return c.request(ctx, message{kind: msgRLS, value: []byte{aboutDLCI(c.dlci), byte(s)}}, nil)
}

// LineStatus returns what the other side reported last, zero if nothing.
func (c *Channel) LineStatus() LineStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

func (c *Channel) setLineStatus(s LineStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = s
}

// request is Mux.request for an open channel.
func (c *Channel) request(ctx context.Context, msg message, check func([]byte) error) error {
	select {
	case <-c.gone:
		return &ChannelError{c.dlci, "request", ErrClosed}
	default:
	}
	if err := c.mux.request(ctx, msg, c.dlci, check); err != nil {
		return &ChannelError{c.dlci, "request", err}
	}
	return nil
}
