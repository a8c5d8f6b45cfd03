package telemetry

import (
	"context"
	"errors"
	"fmt"

	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// smsMTU is the octets of 8-bit data in one short message behind a header with
// 16-bit application ports (3GPP TS 23.040 clause 9.2.3.24.4: 140 less seven).
const smsMTU = 133

// Sender is what SMS sends through: an *sms.Service.
type Sender interface {
	Send(ctx context.Context, m sms.Message) (sms.Receipt, error)
}

// SMS is a Bearer: each frame is one short message of 8-bit data, addressed to
// an application port of the peer's number. Frames come in by Take, for which
// the user's sms.Service.Receive handler calls it. Its Path is Costly.
type SMS struct {
	sender Sender
	to     string
	number tpdu.Address
	ports  tpdu.Ports
}

// NewSMS returns a Bearer to a number, which may be one that sms.Message takes
// and should be in international form, so that incoming messages can be
// recognised by it. Both sides use the same port, best one of 16,000 to 16,999
// (TS 23.040 clause 9.2.3.24.4: for applications).
func NewSMS(sender Sender, to string, port uint16) (*SMS, error) {
	number, err := tpdu.ParseAddress(to)
	if err != nil {
		return nil, fmt.Errorf("telemetry: the number of the peer: %w", err)
	}
	return &SMS{sender: sender, to: to, number: number,
		ports: tpdu.Ports{Destination: port, Source: port, Wide: true}}, nil
}

// MTU implements Bearer.
func (b *SMS) MTU() int { return smsMTU }

// SendFrame implements Bearer.
func (b *SMS) SendFrame(ctx context.Context, frame []byte) error {
	_, err := b.sender.Send(ctx, sms.Message{To: b.to, Data: frame, Ports: &b.ports})
	if errors.Is(err, sms.ErrInDoubt) {
		return fmt.Errorf("%w: %w", ErrInDoubt, err)
	}
	return err
}

// Take hands a message that came in from the peer's number to the endpoint, if
// it is addressed to the bearer's port, and tells whether it was; one that is
// no frame of the peer's is dropped there. An error says that the message is
// to be brought again, so the handler of Receive should return it.
func (b *SMS) Take(e *Endpoint, in sms.Incoming) (taken bool, err error) {
	if in.Err != nil || in.Ports == nil || in.Ports.Destination != b.ports.Destination || in.From != b.number.String() {
		return false, nil
	}
	err = e.Receive(b, in.Data)
	if errors.Is(err, ErrFrame) || errors.Is(err, ErrUnknownPeer) {
		return true, nil // it will never be one
	}
	return true, err
}
