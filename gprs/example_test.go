package gprs_test

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// A modem from its PIN to a TCP connection and back to command mode.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	server, _ := network.Listen("tcp", "10.64.1.1:7000")
	defer server.Close()
	go func() {
		conn, err := server.Accept()
		if err == nil {
			fmt.Fprint(conn, "hello meter")
			conn.Close()
		}
	}()

	// With a real modem this is port.Open("/dev/ttyUSB0").
	line := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("2468")).Line()

	modem := at.New(line, nil)
	defer modem.Close()
	quirks := &gprs.Quirks{CSQ: gprs.CSQSIM800}
	radio := gprs.NewRadio(modem, &gprs.RadioConfig{Quirks: quirks})
	defer radio.Close()
	if err := radio.Init(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := radio.Unlock(ctx, "2468"); err != nil {
		fmt.Println(err) // with the number of tries left; the last one is never spent
		return
	}
	registration, err := radio.WaitRegistered(ctx)
	if err != nil {
		fmt.Println(err) // with the reason: no SIM, no signal, denied and why
		return
	}
	fmt.Println("registered:", registration.State)

	bearer := gprs.NewBearer(modem, &gprs.BearerConfig{
		Context: gprs.Context{APN: "internet"},
		Quirks:  quirks,
		Stack:   func(link ppp.Link) (gprs.Network, error) { return netstack.New(link, nil) },
	})
	defer bearer.Close()
	if _, err := bearer.Connect(ctx); err != nil {
		fmt.Println(err)
		return
	}
	conn, err := bearer.DialContext(ctx, "tcp", "10.64.1.1:7000")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, _ := io.ReadAll(conn)
	fmt.Printf("received: %s\n", text)
	fmt.Println("back in command mode:", bearer.Disconnect(ctx) == nil)
	// Output:
	// registered: home
	// received: hello meter
	// back in command mode: true
}
