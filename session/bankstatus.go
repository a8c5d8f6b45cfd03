package session

import "context"

// BankStatus is what is known of one modem of a bank at one moment.
type BankStatus struct {
	// Modem is its name.
	Modem string
	// Status is that of its session. Err tells what stands in the way of a
	// modem that does not start.
	Status
	// Unfit says why messages are not given to it now; empty if they are.
	Unfit string
	// Outstanding is how many messages it is sending.
	Outstanding int
	// Sent, NotSent and InDoubt count what became of messages that Bank.Send
	// gave it. Received counts those that the handler of Receive took.
	Sent, NotSent, InDoubt, Received int
	// ReceiveErr is why nothing is received from it, such as a store that
	// failed; nil if all is well.
	ReceiveErr error
}

// Status returns what is known now of each modem, by name. It asks no modem
// anything.
func (b *Bank) Status() []BankStatus {
	members := b.list()
	all := make([]BankStatus, len(members))
	for i, m := range members {
		status := m.session.Status()
		b.mu.Lock()
		all[i] = BankStatus{
			Modem: m.name, Status: status, Unfit: m.unfit(&status), Outstanding: m.outstanding,
			Sent: m.counts.sent, NotSent: m.counts.notSent, InDoubt: m.counts.inDoubt, Received: m.counts.received,
			ReceiveErr: m.receiveErr,
		}
		b.mu.Unlock()
	}
	return all
}

// BankEvent is something that happened to a modem of a bank.
type BankEvent struct {
	// Modem is its name.
	Modem string
	// Event is what happened. Its Lost counts those of the whole bank.
	Event
}

// String describes the event in a line.
func (e BankEvent) String() string { return e.Modem + ": " + e.Event.String() }

// Events returns a channel of what happens to all modems from now on. It is
// closed when ctx ends or the bank is closed. A listener that does not keep up
// loses events, which Event.Lost tells, and delays nobody.
func (b *Bank) Events(ctx context.Context) <-chan BankEvent { return b.events.Listen(ctx) }

func (b *Bank) publish(modem string, e Event) {
	b.events.Publish(func(lost int) BankEvent {
		e.Lost = lost
		return BankEvent{modem, e}
	})
}
