package fakemodem

import (
	"io"
	"net"
	"sync"
)

// Forward lets modems reach a real TCP server of this machine: connections to
// an address of the simulated network ("10.1.2.3:80") go on to another one
// ("127.0.0.1:8080"), as by a NAT. It ends with the network. Like Listen it
// does not run inside a testing/synctest bubble.
func (n *Network) Forward(inside, outside string) error {
	listener, err := n.Listen("tcp", inside)
	if err != nil {
		return err
	}
	n.start(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			n.start(func() { n.forward(conn, outside) })
		}
	})
	return nil
}

// forward joins a connection with one to outside until both ways have ended.
func (n *Network) forward(conn net.Conn, outside string) {
	defer conn.Close()
	out, err := net.Dial("tcp", outside)
	if err != nil {
		return
	}
	defer out.Close()
	ended := make(chan struct{})
	defer close(ended)
	n.start(func() { // the real connection must not outlive the network
		select {
		case <-n.done:
			out.Close()
		case <-ended:
		}
	})
	var both sync.WaitGroup
	both.Go(func() { copyOneWay(out, conn) })
	both.Go(func() { copyOneWay(conn, out) })
	both.Wait()
}

// copyOneWay copies and passes the end on.
func copyOneWay(to, from net.Conn) {
	io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}
