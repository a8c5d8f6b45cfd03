package fakemodem_test

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/telemodem/telemodem/fakemodem"
)

// A modem's line is an io.ReadWriteCloser, octet by octet what a serial port
// would carry.
func Example() {
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	modem := network.NewModem(fakemodem.SIM800)
	modem.OnCommand("+CSQ", fakemodem.Answer("+CSQ: 31,0"))

	line := modem.Line()
	defer line.Close()
	fmt.Fprint(line, "ATE0+CSQ\r")
	for scanner := bufio.NewScanner(line); scanner.Scan(); {
		text := strings.TrimSpace(scanner.Text())
		if text != "" {
			fmt.Println(text)
		}
		if text == "OK" {
			break
		}
	}
	// Output:
	// ATE0+CSQ
	// +CSQ: 31,0
	// OK
}

// A telephone in the test's hand sends and receives messages.
func ExampleNetwork_Phone() {
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	alice, bob := network.Phone("+15550101"), network.Phone("+15550102")
	if err := alice.Send(bob.Number(), "Is the pump running?"); err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	message, err := bob.Receive(ctx)
	fmt.Println(message.From, message.Text, err)
	// Output: +15550101 Is the pump running? <nil>
}

// Faults of the catalogue happen at their moment.
func ExampleModem_Inject() {
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	modem := network.NewModem(fakemodem.EC25)
	clear, err := modem.Inject(fakemodem.Fault{ID: "F22", On: "+CREG", After: 3, Delay: 5 * time.Second})
	fmt.Println(len(modem.ActiveFaults()), err)
	clear()
	fmt.Println(len(modem.ActiveFaults()))
	// Output:
	// 1 <nil>
	// 0
}
