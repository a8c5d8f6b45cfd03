package netstack

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/telemodem/telemodem/gprs/ppp"
	"github.com/telemodem/telemodem/internal/flow"
)

// nic joins the stack to the link. The stack puts packets into out and never
// waits; write carries them to the link, read brings those of the link in.
type nic struct {
	link       ppp.Link
	anyAddress bool
	out        *flow.Queue[*buffer.View]
	governor   *flow.Governor // nil: nothing is bounded
	dispatcher atomic.Pointer[stack.NetworkDispatcher]
}

func newNIC(link ppp.Link, config *Config) *nic {
	e := &nic{link: link, anyAddress: config.AnyAddress, out: flow.NewQueue[*buffer.View](link.MTU())}
	if !config.ungoverned {
		e.governor = flow.NewGovernor()
	}
	return e
}

// read hands the link's packets to the stack until the link ends.
func (e *nic) read() {
	p := make([]byte, max(e.link.MTU(), header.IPv6MinimumMTU))
	for {
		n, err := e.link.ReadPacket(p)
		if errors.Is(err, io.ErrShortBuffer) {
			continue // longer than the MTU agreed on: lost, as RFC 1661 section 6.1 allows
		}
		if err != nil {
			return // Done and Err of the link tell why
		}
		e.deliver(p[:n])
	}
}

// deliver copies one packet into the stack. What is neither IPv4 nor IPv6 is
// dropped.
func (e *nic) deliver(p []byte) {
	if len(p) == 0 {
		return
	}
	if e.anyAddress && echoReply(p) {
		e.out.Put(buffer.NewViewWithData(p))
		return
	}
	if e.governor != nil {
		e.governor.Incoming(p, time.Now())
	}
	var protocol tcpip.NetworkProtocolNumber
	switch p[0] >> 4 {
	case header.IPv4Version:
		protocol = header.IPv4ProtocolNumber
	case header.IPv6Version:
		protocol = header.IPv6ProtocolNumber
	default:
		return
	}
	dispatcher := e.dispatcher.Load()
	if dispatcher == nil {
		return
	}
	packet := stack.NewPacketBuffer(stack.PacketBufferOptions{
		Payload: buffer.MakeWithView(buffer.NewViewWithData(p)),
	})
	(*dispatcher).DeliverNetworkPacket(protocol, packet)
	packet.DecRef()
}

// write carries what the stack sends to the link until the link or the queue
// ends.
func (e *nic) write() {
	for {
		v, ok := e.out.Next()
		if !ok {
			return
		}
		if e.governor != nil {
			e.governor.Outgoing(v.AsSlice(), time.Now())
		}
		err := e.link.WritePacket(v.AsSlice())
		v.Release()
		if err != nil && isDone(e.link) {
			return
		}
	}
}

func isDone(link ppp.Link) bool {
	select {
	case <-link.Done():
		return true
	default:
		return false
	}
}

// WritePackets implements stack.LinkWriter. It never waits: the caller may
// hold the lock of a connection.
func (e *nic) WritePackets(packets stack.PacketBufferList) (int, tcpip.Error) {
	for _, p := range packets.AsSlice() {
		e.out.Put(p.ToView())
	}
	return packets.Len(), nil
}

// Attach implements stack.NetworkLinkEndpoint.
func (e *nic) Attach(d stack.NetworkDispatcher) {
	if d == nil {
		e.dispatcher.Store(nil)
		return
	}
	e.dispatcher.Store(&d)
}

// IsAttached implements stack.NetworkLinkEndpoint.
func (e *nic) IsAttached() bool { return e.dispatcher.Load() != nil }

// MTU implements stack.NetworkLinkEndpoint.
func (e *nic) MTU() uint32 { return uint32(e.link.MTU()) }

// The rest of stack.LinkEndpoint: a link of two hosts has no addresses, no
// header and nothing to be told.

func (e *nic) SetMTU(uint32)                                {}
func (e *nic) MaxHeaderLength() uint16                      { return 0 }
func (e *nic) LinkAddress() tcpip.LinkAddress               { return "" }
func (e *nic) SetLinkAddress(tcpip.LinkAddress)             {}
func (e *nic) Capabilities() stack.LinkEndpointCapabilities { return stack.CapabilityNone }
func (e *nic) Wait()                                        {}
func (e *nic) Close()                                       {}
func (e *nic) SetOnCloseAction(func())                      {}
func (e *nic) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareNone }
func (e *nic) AddHeader(*stack.PacketBuffer)                {}
func (e *nic) ParseHeader(*stack.PacketBuffer) bool         { return true }
