package netstack_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// An HTTP request over PPP. The line is a pipe, with the network at its other
// end; with a modem it is the data call.
func ExampleNew() {
	line, far := net.Pipe()
	go network(far)

	ctx := context.Background()
	link, err := ppp.Dial(ctx, line, &ppp.Config{CloseStream: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	device, err := netstack.New(link, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()

	transport := &http.Transport{DialContext: device.DialContext}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get("http://10.64.64.1/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, string(body))
	// Output: 200 hello over PPP
}

// network is the other end of the line: a host with an HTTP server.
func network(line io.ReadWriteCloser) {
	link, err := ppp.Serve(context.Background(), line, &ppp.Config{CloseStream: true})
	if err != nil {
		return
	}
	host, err := netstack.New(link, nil)
	if err != nil {
		return
	}
	defer host.Close()
	listener, err := host.Listen("tcp", ":80")
	if err != nil {
		return
	}
	_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello over PPP")
	}))
}
