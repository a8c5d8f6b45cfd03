package at_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"log"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
)

// newModem starts an engine on a modem of a simulated network that has
// registered, as the examples need it.
func newModem() (*at.Modem, *fakemodem.Modem, func()) {
	network := fakemodem.NewNetwork(nil)
	fake := network.NewModem(fakemodem.SIM800)
	for {
		if circuit, packet := fake.Registered(); circuit && packet {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	modem := at.New(fake.Line(), nil)
	return modem, fake, func() {
		modem.Close()
		network.Close()
	}
}

func ExampleModem_Command() {
	modem, fake, done := newModem()
	defer done()
	fake.OnCommand("+CSQ", fakemodem.Answer("+CSQ: 17,0"))

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	resp, err := modem.Exec(ctx, "+CSQ")
	if err != nil {
		log.Fatal(err)
	}
	d := resp.Args("+CSQ") // 3GPP TS 27.007 clause 8.5
	rssi, ber := d.Int(), d.Int()
	fmt.Println(rssi, ber, d.Err())
	// Output: 17 0 <nil>
}

func ExampleModem_Handle() {
	modem, fake, done := newModem()
	defer done()

	heard := make(chan at.Notification)
	stop := modem.Handle("+CMTI", func(n at.Notification) { heard <- n })
	defer stop()
	fake.Emit(`+CMTI: "SM",3`)

	d := (<-heard).Args("+CMTI") // 3GPP TS 27.005 clause 3.4.1
	fmt.Println(d.String(), d.Int(), d.Err())
	// Output: SM 3 <nil>
}

func ExamplePrompt() {
	modem, _, done := newModem()
	defer done()

	// A TPDU to +15555550123 that says "hello", behind an empty address of
	// the service centre; package sms makes these.
	pdu := "0001000B915155550521F3000005E8329BFD06"
	resp, err := modem.Command(context.Background(), at.Command{
		Text:    "+CMGF=0",
		Timeout: time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	resp, err = modem.Command(context.Background(), at.Command{
		Text:    fmt.Sprintf("+CMGS=%d", hex.DecodedLen(len(pdu))-1),
		Prompt:  &at.Prompt{Data: []byte(pdu), End: []byte{0x1A}},
		Timeout: time.Minute,
	})
	if err != nil {
		log.Fatal(err)
	}
	_, ok := resp.Line("+CMGS")
	fmt.Println("sent:", ok)
	// Output: sent: true
}

func ExampleBody() {
	modem, fake, done := newModem()
	defer done()
	fake.OnCommand("+QIRD", fakemodem.Answer("+QIRD: 12\r\nOK\r\nmeter 42"))

	resp, err := modem.Command(context.Background(), at.Command{
		Text: "+QIRD=0,1500",
		Body: func(line string) at.Body { // the line tells how many octets follow
			d := at.ParseArgs("+QIRD", line)
			return at.Body{Octets: d.Int()}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", resp.Info[0].Body)
	// Output: "OK\r\nmeter 42"
}

func ExampleModem_Dial() {
	modem, _, done := newModem()
	defer done()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	call, err := modem.Dial(ctx, at.Command{Text: "D*99#", Timeout: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	// The stream carries PPP from here on; package gprs/ppp speaks it.
	_, err = modem.Exec(ctx, "+CSQ")
	fmt.Println(err)
	if err := call.Close(); err != nil {
		log.Fatal(err)
	}
	_, err = modem.Exec(ctx, "+CREG?")
	fmt.Println(err)
	// Output:
	// AT+CSQ: the line is in data mode
	// <nil>
}
