package netstack

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/buffer"
)

// udpPacket makes a packet of a flow, with a number to know it by.
func udpPacket(port uint16, number byte, octets int) *buffer.View {
	p := make([]byte, octets)
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(octets))
	binary.BigEndian.PutUint16(p[20:], port)
	p[28] = number
	return buffer.NewViewWithData(p)
}

func portAndNumber(v *buffer.View) (uint16, byte) {
	defer v.Release()
	return binary.BigEndian.Uint16(v.AsSlice()[20:]), v.AsSlice()[28]
}

// otherQueue is a port whose flow has another queue than that of port 1.
func otherQueue(o *outbox) uint16 {
	queue := func(port uint16) *outQueue {
		v := udpPacket(port, 0, 100)
		defer v.Release()
		return o.queueOf(v.AsSlice())
	}
	for port := uint16(2); ; port++ {
		if queue(port) != queue(1) {
			return port
		}
	}
}

func TestOutboxKeepsOrderWithinFlow(t *testing.T) {
	o := newOutbox(1500)
	for i := range byte(100) {
		o.put(udpPacket(1, i, 1000))
	}
	for i := range byte(100) {
		_, number := portAndNumber(o.next())
		require.Equal(t, i, number)
	}
}

// An echo or a new connection does not wait behind what a transfer has queued.
func TestOutboxLetsTheSparsePass(t *testing.T) {
	o := newOutbox(1500)
	sparse := otherQueue(o)
	for i := range byte(50) {
		o.put(udpPacket(1, i, 1500))
	}
	portAndNumber(o.next())
	portAndNumber(o.next())
	o.put(udpPacket(sparse, 200, 84))
	var waited int
	for {
		port, _ := portAndNumber(o.next())
		if port == sparse {
			break
		}
		waited++
	}
	require.LessOrEqual(t, waited, 1, "packets sent before it")
}

// Two transfers share the line by octets, not by packets.
func TestOutboxSharesByOctets(t *testing.T) {
	o := newOutbox(1500)
	other := otherQueue(o)
	for i := range byte(40) {
		o.put(udpPacket(1, i, 1500))
		for range 5 {
			o.put(udpPacket(other, i, 300))
		}
	}
	octets := map[uint16]int{}
	for range 100 {
		v := o.next()
		size := v.Size()
		port, _ := portAndNumber(v)
		octets[port] += size
	}
	require.InDelta(t, 1, float64(octets[1])/float64(octets[other]), 0.15)
}

// When it is full, the greedy flow loses its oldest packets, the other none.
func TestOutboxIsBounded(t *testing.T) {
	o := newOutbox(1500)
	sparse := otherQueue(o)
	o.put(udpPacket(sparse, 7, 84))
	for range 2 * outboxPackets {
		o.put(udpPacket(1, 1, 1500))
	}
	require.Equal(t, outboxPackets, o.packets)
	require.EqualValues(t, outboxPackets+1, o.lost)
	var found bool
	for range outboxPackets {
		port, _ := portAndNumber(o.next())
		found = found || port == sparse
	}
	require.True(t, found)
}

func TestOutboxFlushedAndClose(t *testing.T) {
	o := newOutbox(1500)
	<-o.flushed() // nothing waits
	o.put(udpPacket(1, 1, 100))
	flushed := o.flushed()
	portAndNumber(o.next())
	select {
	case <-flushed:
		t.Fatal("the packet is not with the line yet")
	default:
	}
	ended := make(chan *buffer.View)
	go func() { ended <- o.next() }()
	select {
	case <-flushed:
	case <-time.After(5 * time.Second):
		t.Fatal("not told")
	}
	o.close()
	require.Nil(t, <-ended)
	o.put(udpPacket(1, 1, 100)) // is dropped
	require.Nil(t, o.next())
	<-o.flushed()
}
