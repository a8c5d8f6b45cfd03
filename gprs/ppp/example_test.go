package ppp_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/telemodem/telemodem/gprs/ppp"
)

// Both ends of a link on one line: the network gives the terminal its address
// and a name server, a packet goes across, and the terminal hangs up.
func Example() {
	terminalLine, networkLine := net.Pipe() // in earnest: the data mode of a modem
	ctx := context.Background()

	served := make(chan *ppp.Conn)
	go func() {
		network, err := ppp.Serve(ctx, networkLine, &ppp.Config{
			LocalAddr: netip.MustParseAddr("192.0.2.1"),
			PeerAddr:  netip.MustParseAddr("192.0.2.77"),
			DNS:       []netip.Addr{netip.MustParseAddr("192.0.2.53")},
		})
		if err != nil {
			fmt.Println(err)
		}
		served <- network
	}()
	terminal, err := ppp.Dial(ctx, terminalLine, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	network := <-served
	fmt.Println(terminal.LocalAddr(), "to", terminal.PeerAddr(), "with", terminal.DNS())

	packet := make([]byte, 20)
	packet[0] = 0x45 // IPv4, as a stack such as package netstack would write it
	if err := terminal.WritePacket(packet); err != nil {
		fmt.Println(err)
	}
	n, err := network.ReadPacket(make([]byte, network.MTU()))
	fmt.Println(n, "octets", err)

	fmt.Println(terminal.Close())
	fmt.Println(network.Close())
	// Output:
	// 192.0.2.77 to 192.0.2.1 with [192.0.2.53]
	// 20 octets <nil>
	// <nil>
	// ppp: link: the peer ended the link (phase Network)
}
