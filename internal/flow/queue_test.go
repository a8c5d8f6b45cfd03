package flow

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// packet is a packet that needs no release.
type packet []byte

func (p packet) AsSlice() []byte { return p }
func (p packet) Release()        {}

// udpPacket makes a packet of a flow, with a number to know it by.
func udpPacket(port uint16, number byte, octets int) packet {
	p := make([]byte, octets)
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(octets))
	binary.BigEndian.PutUint16(p[20:], port)
	p[28] = number
	return packet(p)
}

// portAndNumber is those of the next packet.
func portAndNumber(q *Queue[packet]) (uint16, byte) {
	p, _ := q.Next()
	return binary.BigEndian.Uint16(p[20:]), p[28]
}

// otherQueue is a port whose flow has another queue than that of port 1.
func otherQueue(q *Queue[packet]) uint16 {
	queue := func(port uint16) *lane[packet] {
		return q.laneOf(udpPacket(port, 0, 100))
	}
	for port := uint16(2); ; port++ {
		if queue(port) != queue(1) {
			return port
		}
	}
}

func TestQueueKeepsOrderWithinFlow(t *testing.T) {
	q := NewQueue[packet](1500)
	for i := range byte(100) {
		q.Put(udpPacket(1, i, 1000))
	}
	for i := range byte(100) {
		_, number := portAndNumber(q)
		require.Equal(t, i, number)
	}
}

// An echo or a new connection does not wait behind what a transfer has queued.
func TestQueueLetsTheSparsePass(t *testing.T) {
	q := NewQueue[packet](1500)
	sparse := otherQueue(q)
	for i := range byte(50) {
		q.Put(udpPacket(1, i, 1500))
	}
	portAndNumber(q)
	portAndNumber(q)
	q.Put(udpPacket(sparse, 200, 84))
	var waited int
	for {
		port, _ := portAndNumber(q)
		if port == sparse {
			break
		}
		waited++
	}
	require.LessOrEqual(t, waited, 1, "packets sent before it")
}

// Two transfers share the line by octets, not by packets.
func TestQueueSharesByOctets(t *testing.T) {
	q := NewQueue[packet](1500)
	other := otherQueue(q)
	for i := range byte(40) {
		q.Put(udpPacket(1, i, 1500))
		for range 5 {
			q.Put(udpPacket(other, i, 300))
		}
	}
	octets := map[uint16]int{}
	for range 100 {
		p, _ := q.Next()
		octets[binary.BigEndian.Uint16(p[20:])] += len(p)
	}
	require.InDelta(t, 1, float64(octets[1])/float64(octets[other]), 0.15)
}

// When it is full, the greedy flow loses its oldest packets, the other none.
func TestQueueIsBounded(t *testing.T) {
	q := NewQueue[packet](1500)
	sparse := otherQueue(q)
	q.Put(udpPacket(sparse, 7, 84))
	for range 2 * queuePackets {
		q.Put(udpPacket(1, 1, 1500))
	}
	require.Equal(t, queuePackets, q.packets)
	require.EqualValues(t, queuePackets+1, q.lost)
	var found bool
	for range queuePackets {
		port, _ := portAndNumber(q)
		found = found || port == sparse
	}
	require.True(t, found)
}

func TestQueueFlushedAndClose(t *testing.T) {
	q := NewQueue[packet](1500)
	<-q.Flushed() // nothing waits
	q.Put(udpPacket(1, 1, 100))
	flushed := q.Flushed()
	portAndNumber(q)
	select {
	case <-flushed:
		t.Fatal("the packet is not with the line yet")
	default:
	}
	ended := make(chan bool)
	go func() { _, ok := q.Next(); ended <- ok }()
	select {
	case <-flushed:
	case <-time.After(5 * time.Second):
		t.Fatal("not told")
	}
	q.Close()
	require.False(t, <-ended)
	q.Put(udpPacket(1, 1, 100)) // is dropped
	_, ok := q.Next()
	require.False(t, ok)
	<-q.Flushed()
}

// A lane holds what the line takes in a time, not a number of packets: a
// sender that heeds losses is told after an interval of a standing queue, one
// that does not finds its packets dropped by their age.
func TestQueueIsBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue[packet](1500)
		sparse := otherQueue(q)
		worst := make(map[uint16]time.Duration)
		sent := make(map[byte]time.Time)
		for number := range 400 { // three a time, when the line takes one
			sent[byte(number)] = time.Now()
			for range 3 {
				q.Put(udpPacket(1, byte(number), 1500))
			}
			q.Put(udpPacket(sparse, byte(number), 84))
			for range 2 {
				port, n := portAndNumber(q)
				worst[port] = max(worst[port], time.Since(sent[n]))
			}
			time.Sleep(300 * time.Millisecond) // 40 kbit/s
		}
		require.LessOrEqual(t, worst[1], longestWait)
		require.LessOrEqual(t, worst[sparse], 300*time.Millisecond, "what is sparse does not wait with it")
		require.Greater(t, q.lost, uint64(700), "two of three cannot pass")
	})
}

// A burst, a stall of the line and a few packets on the slowest line lose
// nothing: only a standing queue does.
func TestQueueKeepsWhatDoesNotStand(t *testing.T) {
	for _, c := range []struct {
		name      string
		packets   int
		stall     time.Duration
		perPacket time.Duration
	}{
		{"a burst", 60, 0, 20 * time.Millisecond},
		{"a stall", 60, 5 * time.Second, 20 * time.Millisecond},
		{"four packets at 9,600 bit/s", 4, 0, 1250 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := NewQueue[packet](1500)
				for i := range c.packets {
					q.Put(udpPacket(1, byte(i), 1500))
				}
				time.Sleep(c.stall)
				for i := range c.packets {
					_, number := portAndNumber(q)
					require.Equal(t, byte(i), number)
					time.Sleep(c.perPacket)
				}
				require.Zero(t, q.lost)
			})
		})
	}
}

// When everything that waits is too old, Next waits for more.
func TestQueueDropsAllThatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue[packet](1500)
		q.Put(udpPacket(1, 1, 1500))
		q.Put(udpPacket(2, 2, 1500))
		flushed := q.Flushed()
		time.Sleep(longestWait + time.Second)
		time.AfterFunc(time.Second, func() { q.Put(udpPacket(1, 3, 1500)) })
		_, number := portAndNumber(q)
		require.EqualValues(t, 3, number)
		require.EqualValues(t, 2, q.lost)
		<-flushed
	})
}
