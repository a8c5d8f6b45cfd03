package flow

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

var here, there = netip.MustParseAddr("10.64.0.2"), netip.MustParseAddr("10.64.0.1")

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

const simSegment = 1448 // payload octets of a full segment

// simTCP is what one segment of the simulation says.
type simTCP struct {
	fromUs      bool
	seq, ack    uint32
	flags       byte
	window      uint16
	value, echo uint32
	payload     int
	plain       bool // without timestamps
}

// packet makes the IPv4 packet of a segment, with a right checksum.
func (s simTCP) packet() []byte {
	options := []byte{1, 1, 8, 10}
	options = binary.BigEndian.AppendUint32(options, s.value)
	options = binary.BigEndian.AppendUint32(options, s.echo)
	if s.plain {
		options = nil
	}
	if s.flags&flagSYN != 0 {
		options = append(options, 2, 4, 5, 180, 1, 3, 3, 7) // MSS 1460, scale 7
	}
	p := make([]byte, 20+20+len(options)+s.payload)
	local, remote, fromPort, toPort := here, there, uint16(40000), uint16(80)
	if !s.fromUs {
		local, remote, fromPort, toPort = remote, local, toPort, fromPort
	}
	p[0], p[8], p[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], local.AsSlice())
	copy(p[16:], remote.AsSlice())
	tcp := p[20:]
	binary.BigEndian.PutUint16(tcp, fromPort)
	binary.BigEndian.PutUint16(tcp[2:], toPort)
	binary.BigEndian.PutUint32(tcp[4:], s.seq)
	binary.BigEndian.PutUint32(tcp[8:], s.ack)
	tcp[12], tcp[13] = byte(20+len(options))<<2, s.flags
	binary.BigEndian.PutUint16(tcp[tcpWindow:], s.window)
	copy(tcp[20:], options)
	binary.BigEndian.PutUint16(tcp[tcpChecksum:], ^tcpSum(p))
	return p
}

// tcpSum is the sum that the checksum of the TCP segment in p makes complete.
func tcpSum(p []byte) uint16 {
	pseudo := header.PseudoHeaderChecksum(header.TCPProtocolNumber,
		tcpip.AddrFrom4Slice(p[12:16]), tcpip.AddrFrom4Slice(p[16:20]), uint16(len(p)-20))
	return checksum.Checksum(p[20:], pseudo)
}

// simPath is a connection whose data crosses a bottleneck, with the governor on
// one side. The sender has data without end and no congestion control of its
// own; the receiver acknowledges each segment with a window of 4 MiB.
type simPath struct {
	t        *testing.T
	g        *Governor
	up       bool    // the data is ours
	rate     float64 // octets per second
	delay    time.Duration
	now      time.Time
	free     time.Time      // of the bottleneck
	flights  [2][]simFlight // data, acknowledgements
	next     uint32         // of the sender
	edge     uint32         // as the sender sees it
	lastEcho uint32
	arrived  uint32 // at the receiver
	carried  int
	worst    time.Duration // longest wait for the bottleneck
}

type simFlight struct {
	at     time.Time
	packet []byte
}

func (s *simPath) clock() uint32 { return uint32(s.now.UnixMilli()) }

// send puts a segment on its way. Data of a full segment waits for the bottleneck.
func (s *simPath) send(segment simTCP) {
	p := segment.packet()
	if segment.fromUs {
		s.g.Outgoing(p, s.now)
	}
	arrives := s.now.Add(s.delay)
	data := segment.fromUs == s.up
	if data {
		if s.free.Before(s.now) {
			s.free = s.now
		}
		s.worst = max(s.worst, s.free.Sub(s.now))
		s.free = s.free.Add(seconds(float64(len(p)) / s.rate))
		arrives = s.free.Add(s.delay)
	}
	s.flights[index(data)] = append(s.flights[index(data)], simFlight{arrives, p})
}

func index(data bool) int {
	if data {
		return 0
	}
	return 1
}

// arrive takes the next packet from the path, with the governor's change, and
// tells its direction.
func (s *simPath) arrive() (tcp segment, data bool) {
	data = len(s.flights[1]) == 0 || len(s.flights[0]) > 0 && s.flights[0][0].at.Before(s.flights[1][0].at)
	flights := &s.flights[index(data)]
	f := (*flights)[0]
	*flights = (*flights)[1:]
	s.now = f.at
	if data != s.up {
		s.g.Incoming(f.packet, s.now)
	}
	require.EqualValues(s.t, 0xffff, tcpSum(f.packet), "the checksum is right")
	_, transport, ok := Dissect(f.packet)
	require.True(s.t, ok)
	tcp, ok = parseSegment(transport)
	require.True(s.t, ok)
	return tcp, data
}

// run opens the connection and transfers for so long.
func (s *simPath) run(length time.Duration) {
	start := s.now
	s.send(simTCP{fromUs: true, flags: flagSYN, window: 65535, value: s.clock()})
	s.now = s.now.Add(2 * s.delay)
	answer := simTCP{ack: 1, flags: flagSYN | flagACK, window: 65535, value: s.clock(), echo: uint32(start.UnixMilli())}.packet()
	s.g.Incoming(answer, s.now)
	s.flights = [2][]simFlight{}
	s.next, s.arrived, s.lastEcho = 1, 1, s.clock()
	s.send(simTCP{fromUs: !s.up, seq: 1, ack: 1, flags: flagACK, window: 4 << 20 >> 7, value: s.clock(), echo: s.clock()})
	s.resume(length)
}

// resume transfers for so long.
func (s *simPath) resume(length time.Duration) {
	for start := s.now; s.now.Sub(start) < length; {
		tcp, data := s.arrive()
		if data {
			s.arrived = tcp.end()
			s.carried += tcp.payload
			s.send(simTCP{fromUs: !s.up, seq: 1, ack: s.arrived, flags: flagACK, window: 4 << 20 >> 7, value: s.clock(), echo: tcp.value})
			continue
		}
		edge := tcp.ack + uint32(tcp.window)<<7
		require.False(s.t, after(s.edge, edge), "a window is never taken back")
		s.edge, s.lastEcho = edge, tcp.value
		for !after(s.next+simSegment, s.edge) {
			s.send(simTCP{fromUs: s.up, seq: s.next, ack: 1, flags: flagACK, window: 512, value: s.clock(), echo: s.lastEcho, payload: simSegment})
			s.next += simSegment
		}
	}
}

func newSimPath(t *testing.T, up bool, bits float64, roundTrip time.Duration) *simPath {
	return &simPath{t: t, g: NewGovernor(), up: up, rate: bits / 8, delay: roundTrip / 2, now: time.Unix(1000, 0)}
}

// The line never runs dry, and hardly anything waits for it, whichever side
// sends and whatever the path.
func TestGovernorHoldsWhatThePathCarries(t *testing.T) {
	for _, c := range []struct {
		name      string
		bits      float64
		roundTrip time.Duration
	}{
		{"GPRS", 40_000, 800 * time.Millisecond},
		{"GPRS, longer", 40_000, 2 * time.Second},
		{"GPRS, one slot", 9_600, 1500 * time.Millisecond},
		{"EDGE", 200_000, 500 * time.Millisecond},
		{"HSPA", 5_000_000, 120 * time.Millisecond},
		{"LTE", 50_000_000, 50 * time.Millisecond},
		{"Cat-M1", 300_000, 150 * time.Millisecond},
	} {
		for _, up := range []bool{true, false} {
			name := c.name + "/download"
			if up {
				name = c.name + "/upload"
			}
			t.Run(name, func(t *testing.T) {
				s := newSimPath(t, up, c.bits, c.roundTrip)
				s.run(10 * c.roundTrip) // finds the rate
				s.carried, s.worst = 0, 0
				began := s.now
				s.resume(80 * c.roundTrip)
				share := float64(s.carried) / s.now.Sub(began).Seconds() / (s.rate * simSegment / 1500)
				require.Greater(t, share, 0.95, "the line runs dry")
				oneSegment := seconds(1500 / s.rate)
				require.LessOrEqual(t, s.worst, max(c.roundTrip/allowanceShare, leastAllowance)+3*oneSegment,
					"a queue stands before the line")
			})
		}
	}
}

// When the modem falls back from LTE to GPRS, and when it returns, the
// governor finds the new path.
func TestGovernorFollowsThePath(t *testing.T) {
	for _, up := range []bool{true, false} {
		s := newSimPath(t, up, 10_000_000, 60*time.Millisecond)
		s.run(5 * time.Second)
		s.rate, s.delay = 80_000/8, 450*time.Millisecond
		s.resume(3 * roundTripAge)
		s.carried, s.worst = 0, 0
		began := s.now
		s.resume(time.Minute)
		require.Greater(t, float64(s.carried)/s.now.Sub(began).Seconds()/(s.rate*simSegment/1500), 0.9, "on the slow path")
		require.Less(t, s.worst, time.Second)

		s.rate, s.delay = 10_000_000/8, 30*time.Millisecond
		s.resume(5 * time.Second)
		s.carried = 0
		began = s.now
		s.resume(10 * time.Second)
		require.Greater(t, float64(s.carried)/s.now.Sub(began).Seconds()/(s.rate*simSegment/1500), 0.9, "back on the fast path")
	}
}

func TestGovernorLeavesAlone(t *testing.T) {
	now := time.Unix(1000, 0)
	syn := simTCP{fromUs: true, flags: flagSYN, window: 65535, value: 1}
	answer := simTCP{ack: 1, flags: flagSYN | flagACK, window: 65535, value: 1, echo: 1}
	ack := simTCP{fromUs: true, seq: 1, ack: 1, flags: flagACK, window: 30000, value: 2, echo: 1}
	for _, c := range []struct {
		name   string
		before func(g *Governor)
	}{
		{"a connection whose start was not seen", func(*Governor) {}},
		{"a peer without timestamps", func(g *Governor) {
			plain := answer
			plain.plain = true
			g.Outgoing(syn.packet(), now)
			g.Incoming(plain.packet(), now)
		}},
		{"a connection that was reset", func(g *Governor) {
			g.Outgoing(syn.packet(), now)
			g.Incoming(answer.packet(), now)
			g.Incoming(simTCP{flags: flagRST, plain: true}.packet(), now)
			require.Empty(t, g.flows)
		}},
	} {
		g := NewGovernor()
		c.before(g)
		p := ack.packet()
		before := append([]byte(nil), p...)
		g.Outgoing(p, now)
		require.Equal(t, before, p, c.name)
	}
	g := NewGovernor()
	g.Outgoing(syn.packet(), now)
	g.Incoming(answer.packet(), now)
	p := ack.packet()
	g.Outgoing(p, now)
	_, transport, _ := Dissect(p)
	s, _ := parseSegment(transport)
	require.Less(t, s.window, uint16(30000), "but not one that it knows")
}

// The connections watched are bounded, and old ones make room.
func TestGovernorIsBounded(t *testing.T) {
	g, now := NewGovernor(), time.Unix(1000, 0)
	open := func(port uint16) {
		p := simTCP{fromUs: true, flags: flagSYN, value: 1}.packet()
		binary.BigEndian.PutUint16(p[20:], port)
		g.Outgoing(p, now)
	}
	for port := range uint16(2 * governedFlows) {
		open(port)
	}
	require.Len(t, g.flows, governedFlows)
	now = now.Add(2 * flowIdle)
	open(60000)
	require.Len(t, g.flows, governedFlows)
	_, known := g.flows[Key{Protocol: 6, Source: here, Dest: there, FromPort: 60000, ToPort: 80}]
	require.True(t, known)
}

// Whatever arrives, the governor and its parsers stand it.
func FuzzGovernor(f *testing.F) {
	f.Add(simTCP{fromUs: true, flags: flagSYN, value: 1}.packet(), simTCP{ack: 1, flags: flagSYN | flagACK, value: 1, echo: 1}.packet(), simTCP{fromUs: true, seq: 1, ack: 1, flags: flagACK, value: 2, echo: 1, payload: 5}.packet())
	f.Add([]byte{0x45}, []byte{0x60}, []byte{})
	f.Add(append([]byte{0x60, 0, 0, 0, 0, 24, 6, 64}, make([]byte, 56)...), []byte{0x4f}, []byte{0x45, 0, 0, 20})
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		g, now := NewGovernor(), time.Unix(1000, 0)
		for range 3 {
			for _, p := range [][]byte{a, b, c} {
				length := len(p)
				g.Outgoing(append([]byte(nil), p...), now)
				g.Incoming(append([]byte(nil), p...), now)
				require.Len(t, p, length)
				now = now.Add(time.Second)
			}
		}
		require.LessOrEqual(t, len(g.flows), 6)
	})
}
