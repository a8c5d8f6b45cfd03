package telemetry

import "time"

// order is one frame to be made and handed to a path.
type order struct {
	path   *path
	acks   []*ackChunk
	ping   uint64 // zero: none
	pongs  []uint64
	ask    *dataChunk // an empty chunk: please answer
	flight *flight    // segments

	frame []byte // made by dispatch
}

func (o *order) empty() bool {
	return len(o.acks) == 0 && o.ping == 0 && len(o.pongs) == 0 && o.ask == nil && o.flight == nil
}

// size bounds the octets of the body without its segments.
func (o *order) size() int {
	n := len(o.pongs) * 10
	if o.ping != 0 {
		n += 10
	}
	for _, a := range o.acks {
		n += ackSize(a)
	}
	return n
}

// ackSize bounds the octets of an acknowledgement.
func ackSize(a *ackChunk) int { return len(a.append(nil)) }

// agenda collects when plan wants to be called next.
type agenda struct{ at time.Time }

func (a *agenda) add(t time.Time) {
	if !t.IsZero() && (a.at.IsZero() || t.Before(a.at)) {
		a.at = t
	}
}

// plan decides what is to be done now: the frames to send, the bearers to
// reset, and when to ask again (zero: when something happens). It waits for
// nothing. The caller holds the lock.
func (p *Peer) plan(now time.Time) (orders []*order, resets []Resetter, next time.Time) {
	var todo agenda
	p.expire(now)
	p.revive(now, &todo)
	p.choose(now)
	for _, path := range p.paths {
		if path.busy {
			continue // its end wakes us
		}
		o := &order{path: path}
		if at := path.allowed(now); at.After(now) {
			todo.add(at)
			continue
		}
		p.fill(o, now, &todo)
		if !o.empty() {
			path.busy = true
			path.used = now
			path.spend()
			orders = append(orders, o)
		}
	}
	for _, f := range p.out.flights {
		if f.sent {
			todo.add(f.deadline)
		}
	}
	resets, p.resets = p.resets, nil
	return orders, resets, todo.at
}

// fill puts together what goes over o.path now.
func (p *Peer) fill(o *order, now time.Time, todo *agenda) {
	path := o.path
	if path.ping != 0 && !path.pingSent {
		o.ping = path.ping
	}
	o.pongs, path.pongs = path.pongs, nil
	if path == p.ackPath() && !p.in.dueAt.IsZero() {
		if p.in.dueAt.After(now) {
			todo.add(p.in.dueAt)
		} else {
			p.fillAcks(o)
		}
	}
	if path != p.active {
		return
	}
	p.fillSegments(o, now, todo)
	if o.flight == nil {
		p.fillAsk(o, now, todo)
	} else if len(o.acks) == 0 && !p.in.dueAt.IsZero() {
		p.fillAcks(o) // there is a frame anyway
	}
}

// ackPath is where acknowledgements go: whence the last frame came, if that
// works, or the path in use.
func (p *Peer) ackPath() *path {
	if p.in.path != nil && p.in.path.state == PathUp {
		return p.in.path
	}
	return p.active
}

// fillAcks takes what is due and fits, with what it says at this moment.
func (p *Peer) fillAcks(o *order) {
	budget := o.path.mtu - overhead - o.size() - p.flightSize(o)
	for s := range p.in.due {
		a := *p.in.acks[s]
		for ackSize(&a) > budget && len(a.ranges) > 0 {
			a.ranges = a.ranges[:len(a.ranges)/2]
		}
		if ackSize(&a) > budget {
			return // the rest goes with the next frame
		}
		budget -= ackSize(&a)
		o.acks = append(o.acks, &a)
		delete(p.in.due, s)
	}
	p.in.dueAt = time.Time{}
}

// flightSize returns the octets that the segments of o take, no less.
func (p *Peer) flightSize(o *order) int {
	if o.flight == nil {
		return 0
	}
	var c chunker
	for _, s := range o.flight.segments {
		c.add(s)
	}
	return c.size
}

// chunker adds up what segments take in a frame.
type chunker struct {
	size int
	next uint64
}

// cost returns what s would add, never too little.
func (c *chunker) cost(s *outSegment) int {
	n := 2 + s.size
	if c.size == 0 || s.id.number != c.next {
		n += dataOverhead - 2
	}
	return n
}

func (c *chunker) add(s *outSegment) {
	c.size += c.cost(s)
	c.next = s.id.number + 1
}

// fillSegments puts segments that are neither stored nor under way on a flight.
func (p *Peer) fillSegments(o *order, now time.Time, todo *agenda) {
	if o.path.room() <= 0 {
		return // an acknowledgement or its absence will wake us
	}
	if p.pausedTill.After(now) {
		todo.add(p.pausedTill)
		return
	}
	budget := o.path.mtu - overhead - o.size()
	w := p.out.window()
	f := &flight{path: o.path}
	var c chunker
	full := false
	for _, s := range w {
		if s.stored || s.flight != nil {
			continue
		}
		if o.path.Costly && s.costlyTill.After(now) {
			todo.add(s.costlyTill)
			continue
		}
		if full = c.size+c.cost(s) > budget; full {
			break
		}
		c.add(s)
		f.segments = append(f.segments, s)
	}
	if len(f.segments) == 0 {
		return
	}
	if ready := f.segments[0].since.Add(o.path.Gather); !full && ready.After(now) {
		todo.add(ready)
		return
	}
	for _, s := range f.segments {
		s.flight = f
	}
	f.floor = w[0].id.number
	f.waiting = len(f.segments)
	f.path.inFlight++
	p.out.flights = append(p.out.flights, f)
	o.flight = f
}

// maxAskPause bounds the pause between two questions.
const maxAskPause = time.Hour

// fillAsk asks for an acknowledgement when everything under way is stored by
// the peer and its handler takes long: the word that it is done may be lost.
func (p *Peer) fillAsk(o *order, now time.Time, todo *agenda) {
	w := p.out.window()
	for _, s := range w {
		if !s.stored {
			return // it will be sent, or is under way: either brings an answer
		}
	}
	if len(w) == 0 {
		return
	}
	if p.out.askAt.IsZero() {
		pause := min(3*o.path.AckWait<<min(p.out.asks, 12), maxAskPause)
		p.out.askAt = now.Add(jitter(pause))
	}
	if p.out.askAt.After(now) {
		todo.add(p.out.askAt)
		return
	}
	o.ask = &dataChunk{stream: w[0].id.stream, first: w[0].id.number, floor: w[0].id.number}
	p.out.askAt = time.Time{}
	p.out.asks++
}

// build writes the body of o. load returns the payload of a segment, false if
// it is acknowledged meanwhile.
func (o *order) build(frame epoch, load func(ID) (segment, bool)) []byte {
	var b []byte
	for _, a := range o.acks {
		b = a.append(b)
	}
	for _, token := range o.pongs {
		b = appendPing(b, chunkPong, token)
	}
	if o.ping != 0 {
		b = appendPing(b, chunkPing, o.ping)
	}
	if o.ask != nil {
		b = o.ask.append(b, frame)
	}
	if o.flight == nil {
		return b
	}
	var c *dataChunk
	flush := func() {
		if c != nil {
			b = c.append(b, frame)
		}
		c = nil
	}
	for _, s := range o.flight.segments {
		seg, ok := load(s.id)
		if !ok {
			continue
		}
		if c != nil && c.first+uint64(len(c.segments)) != s.id.number {
			flush()
		}
		if c == nil {
			c = &dataChunk{stream: s.id.stream, first: s.id.number, floor: o.flight.floor}
		}
		c.segments = append(c.segments, seg)
	}
	flush()
	return b
}
