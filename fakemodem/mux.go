package fakemodem

import (
	"context"
	"slices"
	"time"

	"github.com/telemodem/telemodem/at/cmux"
)

func init() {
	add(table{
		"+CMUX": {run: startMux, test: "(0,1),(0),(1-6),(1-1509),(1-255),(0-100),(2-255),(1-255),(1-7)"},
	})
}

// muxPort is a port while it runs the multiplexer (3GPP TS 27.010): its
// channels are ports of their own.
type muxPort struct {
	m      *Modem
	base   *port
	stream *stream
	cancel context.CancelFunc
	ready  bool // channel 1 was used, for F91
}

// startMux is AT+CMUX (3GPP TS 27.007 clause 5.7).
func startMux(c *Call) Result {
	if c.Op == Read {
		c.Info("+CMUX: 0,0,5,127,10,3,30,10,2")
		return OK
	}
	option, subset, n1 := c.between(0, 0, 1, 0), c.between(1, 0, 0, 0), c.between(3, 1, 1509, 0)
	if c.bad || c.Op != Set || subset != 0 {
		return CME(cmeInvalidParam)
	}
	if c.m.mux != nil || c.p.channel != 0 {
		return CME(cmeNotAllowed)
	}
	if n1 == 0 {
		n1 = c.m.kind.muxFrame(option)
	}
	config := &cmux.Config{
		Option: cmux.Option(option), N1: n1, MaxFrame: 2048,
		T2: 300 * time.Millisecond, MaxDamage: -1, CloseTimeout: 100 * time.Millisecond,
	}
	c.attach = func() { c.m.beginMux(c.p, config) }
	return Result{kind: kindConnect, text: "OK"}
}

// muxFrame is N1 where AT+CMUX leaves it out.
func (k *Personality) muxFrame(option int) int {
	if k.MuxFrame != 0 {
		return k.MuxFrame
	}
	if option == 1 {
		return 64
	}
	return 31
}

// beginMux gives a port to the multiplexer.
func (m *Modem) beginMux(p *port, config *cmux.Config) {
	s := p.carry(false)
	ctx, cancel := context.WithCancel(context.Background())
	x := &muxPort{m: m, base: p, stream: s, cancel: cancel}
	m.mux = x
	if f := m.faults.has("F83"); f != nil {
		config.N1 = or(f.Count, 2*config.N1)
	}
	channels := m.kind.muxChannels()
	config.Accept = func(dlci int) bool { return dlci <= channels && !m.refusesChannel(dlci) }
	s.onEnd = func(error) { cancel() }
	m.n.start(func() {
		defer cancel()
		mux := cmux.Serve(s, config)
		stop := context.AfterFunc(ctx, func() { mux.Close() })
		defer stop()
		for {
			ch, err := mux.Accept(ctx)
			if err != nil {
				break
			}
			m.n.start(func() { x.serve(ch) })
		}
		mux.Close()
		m.n.mu.Lock()
		defer m.n.mu.Unlock()
		x.end()
	})
}

// refusesChannel is the fault F87. It runs on the multiplexer's goroutine.
func (m *Modem) refusesChannel(dlci int) bool {
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	x := m.faults.has("F87")
	return x != nil && dlci >= or(x.Count, 2)
}

// serve runs one channel until it closes.
func (x *muxPort) serve(ch *cmux.Channel) {
	n := x.m.n
	n.mu.Lock()
	p := x.open(ch.DLCI())
	n.mu.Unlock()
	n.start(func() { p.watchSignals(ch, x.stream) })
	n.start(func() {
		buf := make([]byte, 4096)
		for {
			k, err := p.out.read(buf, noLimit)
			if err != nil {
				return
			}
			if _, err := ch.Write(buf[:k]); err != nil {
				return
			}
		}
	})
	buf := make([]byte, 4096)
	for {
		k, err := ch.Read(buf)
		if err != nil {
			break
		}
		p.takeAll(buf[:k])
	}
	n.mu.Lock()
	x.close(p)
	n.mu.Unlock()
	ch.Close()
}

func noLimit() (time.Time, <-chan struct{}) { return time.Time{}, nil }

// open makes the port of a channel.
func (x *muxPort) open(dlci int) *port {
	p := &port{m: x.m, name: "DLCI " + string(rune('0'+dlci%10)), set: x.m.stored, out: new(buffer), dtr: true, channel: dlci}
	x.m.muxed = append(x.m.muxed, p)
	slices.SortFunc(x.m.muxed, func(a, b *port) int { return a.channel - b.channel })
	if f := x.m.faults.has("F92"); f != nil {
		p.print([]string{or(f.Text, "+CREG: 1"), "+UMWI: 0,1", "+CMTI: \"SM\",1"}, false)
	}
	return p
}

// close takes the port of a channel away; a data call on it ends.
func (x *muxPort) close(p *port) {
	x.m.muxed = slices.DeleteFunc(x.m.muxed, func(q *port) bool { return p == q })
	p.reset()
	p.out.close(nil)
}

// takeAll hands octets to a port and waits where it must.
func (p *port) takeAll(b []byte) {
	for len(b) > 0 {
		p.m.n.mu.Lock()
		if f := p.m.faults.has("F91"); f != nil && p.m.mux != nil {
			if p.channel == 1 {
				p.m.mux.ready = true
			} else if !p.m.mux.ready {
				p.m.n.mu.Unlock()
				return
			}
		}
		k, busy := p.receive(b)
		p.m.n.mu.Unlock()
		b = b[k:]
		if busy != nil {
			<-busy
		}
	}
}

// watchSignals lets DTR of a channel do what the wire does, and raises DCD in
// data calls.
func (p *port) watchSignals(ch *cmux.Channel, s *stream) {
	up := false
	for {
		changed := ch.SignalsChanged()
		p.out.mu.Lock()
		ended := p.out.wait() // taken before the look, so that no end is missed
		p.out.mu.Unlock()
		on := ch.Signals().RTC
		if on {
			up = true
		}
		p.m.n.mu.Lock()
		gone := p.out.cause() != nil || s.in.cause() != nil
		if up {
			p.setDTR(on)
		}
		p.m.n.mu.Unlock()
		if gone {
			return
		}
		select {
		case <-changed:
		case <-ended:
		}
	}
}

// end gives the port back to plain commands. The caller holds the network's lock.
func (x *muxPort) end() {
	for _, p := range slices.Clone(x.m.muxed) {
		x.close(p)
	}
	if x.m.mux == x {
		x.m.mux = nil
	}
	x.stream.end(errHungUp)
	if x.base.data == x.stream {
		x.base.data, x.base.mode = nil, modeCommand
		x.base.ready()
	}
}

// endMux ends the multiplexer without a word, as a restart does.
func (m *Modem) endMux(cause error) {
	x := m.mux
	if x == nil {
		return
	}
	x.stream.end(cause)
	x.cancel()
	x.end()
}
