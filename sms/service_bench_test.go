package sms_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// BenchmarkSend compares sending through the service with the AT dialogue that
// it takes, on an in-memory line. Both hold the 20 ms that the fake network needs
// for a message, so the difference of the two is the figure, not their ratio.
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
	network.SMSC().Configure(fakemodem.SMSCConfig{Loss: 1}) // nobody has to read them
	m := sms.Message{To: "+15555550123", Text: "Level 3.2 m, pump on"}
	tpdus := submits(b, m.To, m.Text)
	pdu := tpdu.AppendHex(nil, tpdu.Address{}, tpdus[0])
	command := at.Command{Text: fmt.Sprintf("+CMGS=%d", len(tpdus[0])), Prompt: &at.Prompt{Data: pdu, End: []byte{0x1A}}}
	b.Run("dialogue", func(b *testing.B) {
		for b.Loop() {
			if _, err := modem.Command(ctx, command); err != nil {
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
