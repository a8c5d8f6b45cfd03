package ppp

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Bounds of what waits to be written, in octets on the line.
const (
	// Of data, so much waits as the line takes in drainTime: enough to keep a
	// fast line busy with large writes, little enough not to add seconds to
	// the round trip of a slow one.
	startBacklog = 4 << 10
	leastBacklog = 1 // one packet waits while another is written
	mostBacklog  = 64 << 10
	drainTime    = 20 * time.Millisecond

	// Control packets come on top of that. Beyond this they are dropped, as
	// if the line had lost them.
	controlBacklog = mostBacklog + 32<<10
)

// outbox turns packets into frames and holds them until the line takes them.
type outbox struct {
	mu      sync.Mutex
	ready   sync.Cond // for the writer: there are frames, or the end
	room    sync.Cond // for WritePacket
	frames  []byte
	spare   []byte
	backlog int // how much data may wait
	header  [4]byte

	escape accm // what the peer needs escaped
	form   headerForm
	mtu    int
	open   Families // whose packets can be sent
	known  Families // those that could be: meanwhile packets are dropped, not refused
	ended  error    // of the link
	last   bool     // the writer shall end when nothing waits

	capture *capture
	stats   SentCounts
}

// SentCounts tells what was sent.
type SentCounts struct {
	Octets       uint64 // octets on the line, with flags and escapes
	Frames       uint64 // all frames
	Packets      uint64 // IP packets among them
	PacketOctets uint64 // octets of those packets
	Dropped      uint64 // IP packets dropped since the link was renegotiating, and control packets that found no room
}

func (o *outbox) init(c *capture) {
	o.ready.L, o.room.L = &o.mu, &o.mu
	o.backlog, o.capture = startBacklog, c
	o.escape = allControls
}

// put appends one frame. The caller holds mu.
func (o *outbox) put(escape accm, p protocol, info []byte) {
	header := o.form.append(o.header[:0], p)
	if len(o.frames) == 0 {
		o.frames = append(o.frames, flagOctet)
		o.stats.Octets++
		o.ready.Signal()
	}
	before := len(o.frames)
	o.frames = appendFrame(o.frames, escape, header, info)
	o.stats.Octets += uint64(len(o.frames) - before)
	o.stats.Frames++
	if o.capture != nil {
		o.capture.add(outbound, p, info)
	}
}

// control sends a packet that is not IP. It never waits.
func (o *outbox) control(p protocol, info []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.frames) > controlBacklog || o.last {
		o.stats.Dropped++
		return
	}
	escape := o.escape
	if p == protocolLCP && len(info) > 0 && code(info[0]) <= codeCodeReject {
		escape = allControls // RFC 1662 section 7.1: so are they always understood
	}
	o.put(escape, p, info)
}

// packet sends an IP packet and waits until there is room for it.
func (o *outbox) packet(b []byte) error {
	p, family := protocolIPv4, IPv4
	switch {
	case len(b) > 0 && b[0]>>4 == 4:
	case len(b) > 0 && b[0]>>4 == 6:
		p, family = protocolIPv6, IPv6
	default:
		return fmt.Errorf("ppp: %w: not an IP packet", ErrPacket)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.frames) >= o.backlog && o.ended == nil {
		o.room.Wait()
	}
	switch {
	case o.ended != nil:
		return o.ended
	case o.known&family == 0:
		return fmt.Errorf("ppp: %w: the link carries no %v", ErrPacket, p)
	case len(b) > o.mtu:
		return fmt.Errorf("ppp: %w: %d octets are more than the MTU of %d", ErrPacket, len(b), o.mtu)
	}
	if o.open&family == 0 {
		o.stats.Dropped++
		return nil
	}
	o.put(o.escape, p, b)
	o.stats.Packets++
	o.stats.PacketOctets += uint64(len(b))
	return nil
}

// change sets how and whose packets are sent.
func (o *outbox) change(set func(*outbox)) {
	o.mu.Lock()
	set(o)
	o.room.Broadcast()
	o.mu.Unlock()
}

// end makes packet return err from now on.
func (o *outbox) end(err error) {
	o.change(func(o *outbox) {
		if o.ended == nil {
			o.ended = err
		}
	})
}

// finish lets the writer write what waits, and end.
func (o *outbox) finish() {
	o.mu.Lock()
	o.last = true
	o.ready.Broadcast()
	o.mu.Unlock()
}

// writeTo writes frames to w until finish or an error of w.
func (o *outbox) writeTo(w io.Writer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for len(o.frames) == 0 && !o.last {
			o.ready.Wait()
		}
		if len(o.frames) == 0 {
			return nil
		}
		batch := o.frames
		o.frames, o.spare = o.spare[:0], nil
		o.room.Broadcast()
		o.mu.Unlock()
		start := time.Now()
		_, err := w.Write(batch)
		took := time.Since(start)
		o.mu.Lock()
		if err != nil {
			o.frames = nil
			return err
		}
		o.spare = batch
		o.adapt(len(batch), took)
	}
}

// adapt sets backlog to what the line takes in drainTime.
func (o *outbox) adapt(n int, took time.Duration) {
	switch {
	case took <= drainTime/2 && n >= o.backlog/2:
		o.backlog = min(max(2*o.backlog, startBacklog), mostBacklog)
	case took > 2*drainTime:
		o.backlog = max(int(int64(n)*int64(drainTime)/int64(took)), leastBacklog)
	}
}
