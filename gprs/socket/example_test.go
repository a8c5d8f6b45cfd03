package socket_test

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
)

// TCP by the sockets inside the modem: commands and messages go on beside it.
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
	modem := at.New(network.NewModem(fakemodem.BG96).Line(), nil)
	defer modem.Close()
	at.Exec(ctx, modem, "E0")
	radio := gprs.NewRadio(modem, nil)
	defer radio.Close()
	radio.Init(ctx) // notifications on, so that the wait is short
	if _, err := radio.WaitRegistered(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := gprs.NewContexts(modem, nil).Attach(ctx); err != nil {
		fmt.Println(err)
		return
	}

	stack, err := socket.Open(ctx, modem, socket.Quectel, &socket.Config{APN: "internet"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stack.Close()
	conn, err := stack.DialContext(ctx, "tcp", "10.64.1.1:7000")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	fmt.Printf("%s %v\n", text, err)
	// Output: hello meter <nil>
}
