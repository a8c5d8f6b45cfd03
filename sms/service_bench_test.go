package sms_test

import (
	"context"
	"testing"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

// BenchmarkSend compares sending through the service with the AT dialogue that
// it takes, on an in-memory line to an instant network.
func BenchmarkSend(b *testing.B) {
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	modem := at.New(network.NewModem(fakemodem.SIM800).Line(), nil)
	defer modem.Close()
	ctx := context.Background()
	service := sms.New(modem, nil)
	if err := service.Setup(ctx); err != nil {
		b.Fatal(err)
	}
	network.Phone("+15555550123").SetOff(true)
	m := sms.Message{To: "+15555550123", Text: "Level 3.2 m, pump on"}
	pdu := []byte("0001000B915155550521F3000014CCB27B8D4EE1D1F6C8C1C3C3A9EE7B81")
	b.Run("dialogue", func(b *testing.B) {
		for b.Loop() {
			_, err := modem.Command(ctx, at.Command{Text: "+CMGS=31", Prompt: &at.Prompt{Data: pdu[:2+2*31], End: []byte{0x1A}}})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("service", func(b *testing.B) {
		for b.Loop() {
			if _, err := service.Send(ctx, m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
