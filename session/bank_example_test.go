package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

// A gateway with two simulated modems: it answers what comes in, and goes on when
// one of them is unplugged. With real ones there is one Config for each port.
func ExampleBank() {
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	upper, lower := network.NewModem(fakemodem.SIM800), network.NewModem(fakemodem.EC25)
	line := func(fake *fakemodem.Modem) func(context.Context) (io.ReadWriteCloser, error) {
		return func(context.Context) (io.ReadWriteCloser, error) { return fake.Line(), nil }
	}

	bank, err := session.OpenBank(nil,
		session.Config{Name: "upper", Open: line(upper)},
		session.Config{Name: "lower", Open: line(lower)},
	)
	if err != nil {
		log.Fatal(err) // a mistake in the list; modems that do not start are in Status
	}
	defer bank.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	answered := make(chan string, 1)
	go bank.Receive(ctx, func(ctx context.Context, modem string, in sms.Incoming) error {
		receipt, err := bank.Send(ctx, sms.Message{To: in.From, Text: "thank you for: " + in.Text})
		if errors.Is(err, sms.ErrNotSent) {
			return err // the message comes again
		}
		answered <- receipt.Modem
		return nil // sent, or in doubt: the message is deleted from the modem
	})

	phone := network.Phone("+15555550123")
	if err := phone.Send(lower.Number(), "level 3.2 m"); err != nil {
		log.Fatal(err)
	}
	answer, err := phone.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Text)
	fmt.Println("answered by:", <-answered)

	events := bank.Events(ctx)
	lower.Inject(fakemodem.Fault{ID: "F97"}) // unplugged
	for e := range events {
		if e.State == session.StateRecovering {
			break
		}
	}
	receipt, err := bank.Send(ctx, sms.Message{To: phone.Number(), Text: "good night"})
	if err != nil {
		log.Fatal(err) // sms.ErrNotSent, or sms.ErrInDoubt: then no other modem tries
	}
	fmt.Println("sent by:", receipt.Modem)
	for _, m := range bank.Status() {
		fmt.Printf("%s: %v, %d sent\n", m.Modem, m.State, m.Sent)
	}
	// Output:
	// thank you for: level 3.2 m
	// answered by: lower
	// sent by: upper
	// lower: recovering, 1 sent
	// upper: registered, 1 sent
}
