package session_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

// A session on a simulated modem: registered, a message sent, and a TCP
// connection while messages go on. On a real one, Config.Port names the line.
func Example() {
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	server, err := network.Listen("tcp", ":7000")
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	go func() { // a server that greets
		conn, err := server.Accept()
		if err == nil {
			fmt.Fprintln(conn, "hello")
			conn.Close()
		}
	}()
	modem := network.NewModem(fakemodem.SIM800)

	ctx := context.Background()
	s, err := session.Open(ctx, session.Config{
		Open: func(context.Context) (io.ReadWriteCloser, error) { return modem.Line(), nil },
	})
	if err != nil {
		log.Fatal(err) // says what to do
	}
	defer s.Close()
	registration, err := s.Radio().WaitRegistered(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("registered:", registration.State)

	phone := network.Phone("+15555550123")
	if _, err := s.SMS().Send(ctx, sms.Message{To: phone.Number(), Text: "Level 3.2 m"}); err != nil {
		log.Fatal(err)
	}
	message, err := phone.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the phone reads:", message.Text)

	conn, err := s.DialContext(ctx, "tcp", server.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	greeting, err := io.ReadAll(conn)
	if err != nil {
		log.Fatal(err)
	}
	conn.Close()
	fmt.Printf("the server says: %s", greeting)
	// Output:
	// registered: home
	// the phone reads: Level 3.2 m
	// the server says: hello
}
