// Package netstack gives a Go program TCP/IP over a packet link without root,
// pppd or a kernel interface: the stack is gVisor's and lives in the process.
//
// [New] takes a [ppp.Link] and returns a [Net], whose DialContext, Listen and
// ListenPacket have the shapes of package net, so that they fit
// http.Transport, MQTT and gRPC dialers, tls.Client and everything else that
// takes a dial function. [Net.Resolver] asks the name servers of the link,
// [Net.Ping] measures a round trip by ICMP echo.
//
// # Slow, long links
//
// A cellular link has from 40 kbit/s and one or two seconds of round trip
// (GPRS) to 50 Mbit/s and 50 ms (LTE), and behind it buffers that hold minutes
// of data. What is in flight on a TCP connection is therefore held near what
// the path was seen to carry, in both directions and whatever the peer's stack
// is. What waits here for the line waits in a queue for each flow, served in
// turn, so that an echo or a new connection does not wait behind a bulk
// transfer, and what waits too long is dropped (RFC 8289, RFC 8290).
//
// # Cancellation and limits
//
// Every call that may wait takes a context or a deadline. When the link ends,
// each open connection fails with an [*EndedError] that tells the cause. The
// queue towards the line, the buffers of a connection and the connections
// waiting to be accepted are bounded.
//
// gVisor's goroutines park in a way that a testing/synctest bubble does not
// see: a Net cannot be used inside one.
package netstack
