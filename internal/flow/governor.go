package flow

import (
	"sync"
	"time"
)

// The governor keeps what is in flight on each TCP connection near what the
// path carries. TCP itself does not: it sends until a buffer overflows, and
// the buffers of modems and cellular networks hold seconds to minutes. So the
// windows that pass are made smaller, both those that the peer advertises
// (which bound what we send) and those that we advertise (which bound what
// the peer sends), down to
//
//	rate × (least round trip + allowance) + 1 segment
//
// where rate is the highest that was delivered lately while the window was
// the bound, and the round trips come from the timestamps of RFC 7323. It is
// the model of BBR (Cardwell et al., 2016) applied to windows, which makes it
// work in both directions whatever congestion control the peer has.
// Connections without timestamps are left alone. A window is never taken back
// once it was given (RFC 9293 section 3.8.6.2.1).
const (
	// A queue of allowance is let stand, so that jitter and late
	// acknowledgements do not let the line run dry: a quarter of the round
	// trip, or where that is less, the jitter of an LTE scheduler.
	allowanceShare = 4
	leastAllowance = 50 * time.Millisecond

	leastWindow = 4       // segments: enough for 40 kbit/s at a round trip of 1 s
	mostWindow  = 1 << 20 // octets: three times what 50 Mbit/s hold in 50 ms

	// The least round trip is believed for this long after it was seen last.
	// Then no queue is let stand until so many segments that were sent from
	// then on have shown the path again: it may be another one by now.
	roundTripAge = 20 * time.Second
	probeSamples = 3

	// A rate is forgotten after twice so many of the least round trips, or
	// twice so long.
	rateRounds = 5
	rateAge    = time.Second

	governedFlows = 512             // connections watched at a time
	flowIdle      = 2 * time.Minute // of silence after which a connection may be forgotten
	sendMarks     = 64              // segments in flight that are timed, per connection
)

// Governor watches the TCP connections of one link. Two goroutines use it: one
// for each direction.
type Governor struct {
	mu    sync.Mutex
	flows map[Key]*governedFlow // by the key of outgoing packets
}

// governedFlow is one connection.
type governedFlow struct {
	seen     time.Time // when the last packet passed
	ours     segment   // our SYN
	governed bool      // both SYNs were seen, with timestamps
	mss      int       // payload octets of a full segment
	fins     byte      // flagOut and flagIn

	up, down half // what we send, what the peer sends

	marks     []sendMark // segments sent, oldest first
	least     time.Duration
	leastSeen time.Time
	latest    time.Duration
	probing   time.Time     // since when the queue is let drain; zero when it is not
	probes    int           // round trips measured since then
	probed    time.Duration // the least of them
	starting  bool          // no queue was seen yet: the window doubles
}

const (
	finOut = 1 << iota
	finIn
)

// sendMark is the state of the connection when the first segment with a
// timestamp left.
type sendMark struct {
	value    uint32
	at       time.Time
	up, down uint64 // octets delivered until then
	edge     uint32 // of what the peer might send
}

// half is one direction of a connection.
type half struct {
	scale     uint8  // shift of the windows that bound this direction
	edge      uint32 // first sequence number that is not granted yet
	edgeKnown bool
	next      uint32 // first sequence number that has not been delivered
	nextKnown bool
	delivered uint64     // octets
	bound     bool       // the window was the bound in this epoch
	rate      [2]float64 // highest rates, octets per second, of this epoch and the one before
	epoch     time.Time
}

// NewGovernor makes a governor for one link.
func NewGovernor() *Governor {
	return &Governor{flows: make(map[Key]*governedFlow)}
}

// Outgoing watches, and may change, a packet that is about to be sent.
func (g *Governor) Outgoing(p []byte, now time.Time) {
	key, transport, ok := Dissect(p)
	if !ok || key.Protocol != protocolTCP {
		return
	}
	s, ok := parseSegment(transport)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.flow(key, &s, now); f != nil {
		f.sent(&s, now)
		g.forget(key, f, &s, finOut)
	}
}

// Incoming watches, and may change, a packet that has arrived.
func (g *Governor) Incoming(p []byte, now time.Time) {
	key, transport, ok := Dissect(p)
	if !ok || key.Protocol != protocolTCP {
		return
	}
	s, ok := parseSegment(transport)
	if !ok {
		return
	}
	key = key.reverse()
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.flow(key, &s, now); f != nil {
		f.received(&s, now)
		g.forget(key, f, &s, finIn)
	}
}

// flow finds the connection of a segment. A SYN starts a new one.
func (g *Governor) flow(key Key, s *segment, now time.Time) *governedFlow {
	f := g.flows[key]
	if s.has(flagSYN) && !s.has(flagACK) {
		if f == nil && len(g.flows) >= governedFlows && !g.evict(now) {
			return nil
		}
		f = &governedFlow{starting: true}
		g.flows[key] = f
	}
	if f != nil {
		f.seen = now
	}
	return f
}

// evict forgets a connection that has long been silent.
func (g *Governor) evict(now time.Time) bool {
	for key, f := range g.flows {
		if now.Sub(f.seen) > flowIdle {
			delete(g.flows, key)
			return true
		}
	}
	return false
}

// forget ends the watch over a connection that has ended.
func (g *Governor) forget(key Key, f *governedFlow, s *segment, fin byte) {
	if s.has(flagFIN) {
		f.fins |= fin
	}
	if s.has(flagRST) || f.fins == finOut|finIn {
		delete(g.flows, key)
	}
}

// sent sees a segment on its way out: its data counts against what the peer
// has granted, its window is what we grant.
func (f *governedFlow) sent(s *segment, now time.Time) {
	if s.has(flagSYN) {
		f.handshake(s, &f.down)
	} else if !f.governed {
		return
	}
	if s.payload > 0 && f.up.edgeKnown {
		f.up.use(s.end(), f.up.edge, f.mss)
	}
	if s.has(flagACK) {
		f.limit(s, &f.down)
	}
	if s.timestamped && len(f.marks) < sendMarks && (len(f.marks) == 0 || f.marks[len(f.marks)-1].value != s.value) {
		f.marks = append(f.marks, sendMark{
			value: s.value, at: now, up: f.up.delivered, down: f.down.delivered, edge: f.down.edge,
		})
	}
}

// received sees a segment that has arrived: its acknowledgement and its data
// are deliveries, its window is what the peer grants.
func (f *governedFlow) received(s *segment, now time.Time) {
	if s.has(flagSYN) {
		f.handshake(s, &f.up)
	} else if !f.governed {
		return
	}
	if s.has(flagACK) {
		f.up.deliver(s.ack)
	}
	if s.payload > 0 || s.has(flagSYN) {
		end := s.end()
		if s.has(flagSYN) {
			end++
		}
		f.down.deliver(end)
	}
	if s.timestamped && s.has(flagACK) {
		f.measure(s, now)
	}
	if s.has(flagACK) {
		f.limit(s, &f.up)
	}
}

// handshake reads a SYN. Its scale is that of the windows its sender grants,
// which bound the other direction: granted.
func (f *governedFlow) handshake(s *segment, granted *half) {
	granted.scale = s.scale
	if s.mss > 0 && (f.mss == 0 || s.mss-timestampRoom < f.mss) {
		f.mss = max(s.mss-timestampRoom, 1)
	}
	if !s.has(flagACK) {
		f.ours = *s
		return
	}
	f.ours.header = nil
	f.governed = s.timestamped && f.ours.timestamped && f.mss > 0
	if !s.scaled || !f.ours.scaled { // RFC 7323 section 2.2: both or none
		f.up.scale, f.down.scale = 0, 0
	}
}

const timestampRoom = 12 // octets of the timestamps option in each segment, RFC 7323 appendix A

// use notes that data up to end was sent when the sender might send up to edge.
func (h *half) use(end, edge uint32, mss int) {
	if after(end+uint32(mss), edge) {
		h.bound = true
	}
}

// deliver notes that everything before next has arrived.
func (h *half) deliver(next uint32) {
	if !h.nextKnown {
		h.next, h.nextKnown = next, true
	}
	if after(next, h.next) {
		h.delivered += uint64(next - h.next)
		h.next = next
	}
}

// measure takes what the echo of a timestamp in s tells: the round trip, the
// rate in both directions during it, and what the peer knew of our window.
func (f *governedFlow) measure(s *segment, now time.Time) {
	found := -1
	for i := range f.marks {
		if after(f.marks[i].value, s.echo) {
			break
		}
		found = i
	}
	if found < 0 {
		return
	}
	mark := f.marks[found]
	f.marks = append(f.marks[:0], f.marks[found+1:]...)
	if s.payload > 0 {
		f.down.use(s.end(), mark.edge, f.mss)
	}
	f.latest = max(now.Sub(mark.at), time.Microsecond)
	f.roundTrip(mark.at, now)
	age := max(rateRounds*f.least, rateAge)
	f.up.sample(float64(f.up.delivered-mark.up)/f.latest.Seconds(), age, now)
	f.down.sample(float64(f.down.delivered-mark.down)/f.latest.Seconds(), age, now)
}

// roundTrip takes the latest round trip, of a segment sent at a time, into
// account.
func (f *governedFlow) roundTrip(sent, now time.Time) {
	switch {
	case f.least == 0 || f.latest <= f.least+f.least/8+f.segmentTime(): // no queue
		if f.least == 0 || f.latest < f.least {
			f.least = f.latest
		}
		f.leastSeen, f.probing = now, time.Time{}
	case f.probing.IsZero() && now.Sub(f.leastSeen) > roundTripAge:
		f.probing, f.probes, f.probed = now, 0, f.latest
	case !f.probing.IsZero() && sent.After(f.probing):
		f.probed = min(f.probed, f.latest)
		if f.probes++; f.probes == probeSamples { // another path
			f.least, f.leastSeen, f.probing = f.probed, now, time.Time{}
		}
	}
	if f.latest > f.least+f.allowance() {
		f.starting = false
	}
}

// segmentTime is how long the path takes for one full segment.
func (f *governedFlow) segmentTime() time.Duration {
	rate := max(f.up.rate[0], f.up.rate[1], f.down.rate[0], f.down.rate[1])
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(f.mss) / rate * float64(time.Second))
}

// allowance is how long the queue may be that is let stand.
func (f *governedFlow) allowance() time.Duration {
	return max(f.least/allowanceShare, leastAllowance)
}

// sample notes a rate. Rates fall only when the window was the bound: an
// application that pauses says nothing about the path.
func (h *half) sample(rate float64, age time.Duration, now time.Time) {
	if now.Sub(h.epoch) > age && (h.bound || h.epoch.IsZero()) {
		h.rate[1], h.rate[0] = h.rate[0], 0
		h.epoch, h.bound = now, false
	}
	h.rate[0] = max(h.rate[0], rate)
}

// limit makes the window that s advertises no larger than the direction h
// should have in flight.
func (f *governedFlow) limit(s *segment, h *half) {
	if !f.governed {
		return
	}
	scale := h.scale
	if s.has(flagSYN) {
		scale = 0 // RFC 7323 section 2.2
	}
	edge := s.ack + uint32(f.window(h))
	if h.edgeKnown && after(h.edge, edge) {
		edge = h.edge // never taken back
	}
	fair := uint64(edge-s.ack) + 1<<scale - 1
	if fair>>scale < uint64(s.window) {
		s.setWindow(uint16(fair >> scale))
	}
	granted := s.ack + uint32(s.window)<<scale
	if !h.edgeKnown || after(granted, h.edge) {
		h.edge, h.edgeKnown = granted, true
	}
}

// window is how many octets direction h should have in flight: whole segments.
func (f *governedFlow) window(h *half) int {
	rate := max(h.rate[0], h.rate[1])
	if !f.probing.IsZero() {
		return max(int(rate*f.least.Seconds())/f.mss, leastWindow/2) * f.mss
	}
	stay := f.least + f.allowance()
	if f.starting {
		stay = max(stay, 2*f.least)
	}
	segments := int(rate*stay.Seconds())/f.mss + 1
	return min(max(segments, leastWindow)*f.mss, mostWindow)
}
