package netstack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/waiter"
)

const (
	pingPayload = 16               // octets after the ICMP header
	pingLimit   = 30 * time.Second // where the caller's context has no deadline
)

// Ping sends one ICMP echo request (RFC 792, RFC 4443 section 4.1) of 16 octets
// and waits for its reply: the round trip. ctx bounds it; without a deadline
// 30 s do. Nothing is sent again. Any number of goroutines may ping at a time.
func (n *Net) Ping(ctx context.Context, to netip.Addr) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	addr := &net.IPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	if to = to.Unmap(); !to.IsValid() {
		return 0, n.opError("ping", "ip", nil, addr, errors.New("not an IP address"))
	}
	rtt, err := n.ping(ctx, to)
	if err != nil {
		return 0, n.opError("ping", "ip", nil, addr, err)
	}
	return rtt, nil
}

func (n *Net) ping(ctx context.Context, to netip.Addr) (time.Duration, error) {
	if n.isEnded() {
		return 0, net.ErrClosed
	}
	var queue waiter.Queue
	transport, request := icmp.ProtocolNumber4, byte(header.ICMPv4Echo)
	if to.Is6() {
		transport, request = icmp.ProtocolNumber6, byte(header.ICMPv6EchoRequest)
	}
	endpoint, err := n.stack.NewEndpoint(transport, protocolOf(to), &queue)
	if err != nil {
		return 0, causeOf(err)
	}
	defer endpoint.Close()
	if err := endpoint.Connect(toFull(netip.AddrPortFrom(to, 0))); err != nil {
		return 0, causeOf(err)
	}
	entry, readable := waiter.NewChannelEntry(waiter.ReadableEvents)
	queue.EventRegister(&entry)
	defer queue.EventUnregister(&entry)

	// Type, code, checksum and identifier; the stack fills in the last two,
	// the identifier being this endpoint's alone.
	message := make([]byte, header.ICMPv4MinimumSize+pingPayload)
	message[0] = request
	sent := time.Now()
	binary.BigEndian.PutUint64(message[header.ICMPv4MinimumSize:], uint64(sent.UnixNano()))
	if _, err := endpoint.Write(bytes.NewReader(message), tcpip.WriteOptions{}); err != nil {
		return 0, causeOf(err)
	}
	for {
		var reply bytes.Buffer
		_, err := endpoint.Read(&reply, tcpip.ReadOptions{})
		switch err.(type) {
		case nil:
			if bytes.HasSuffix(reply.Bytes(), message[header.ICMPv4MinimumSize:]) {
				return time.Since(sent), nil
			}
		case *tcpip.ErrWouldBlock:
			select {
			case <-readable:
			case <-n.ended:
				return 0, net.ErrClosed
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		default:
			return 0, causeOf(err)
		}
	}
}
