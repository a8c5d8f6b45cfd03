package cmux_test

import (
	"context"
	"fmt"
	"net"

	"github.com/telemodem/telemodem/at/cmux"
)

// The host opens two channels on one line; the modem's side answers on each.
func Example() {
	hostLine, modemLine := net.Pipe() // after AT+CMUX=0 and OK
	ctx := context.Background()

	modem := cmux.Serve(modemLine, nil)
	go func() {
		for {
			channel, err := modem.Accept(ctx)
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 100)
				n, _ := channel.Read(buf)
				fmt.Fprintf(channel, "DLCI %d heard %q", channel.DLCI(), buf[:n])
			}()
		}
	}()

	host := cmux.New(hostLine, nil)
	for dlci := 1; dlci <= 2; dlci++ {
		channel, err := host.Open(ctx, dlci)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprint(channel, "AT\r")
		buf := make([]byte, 100)
		n, _ := channel.Read(buf)
		fmt.Printf("%s\n", buf[:n])
	}
	fmt.Println("closed:", host.Close(), modem.Close())
	hostLine.Close()
	// Output:
	// DLCI 1 heard "AT\r"
	// DLCI 2 heard "AT\r"
	// closed: <nil> <nil>
}

// The command text is made from what the modem offers.
func ExampleParameters_Within() {
	offered, err := cmux.ParseRanges("+CMUX: (0),(0),(1-6),(16-1510),(1-255),(0-100),(2-255),(1-255),(1-7)")
	if err != nil {
		fmt.Println(err)
		return
	}
	command, err := cmux.Parameters{N1: 2048, Speed: 115200}.Within(offered).Command()
	fmt.Println(command, err)
	// Output:
	// AT+CMUX=0,0,5,1510 <nil>
}
