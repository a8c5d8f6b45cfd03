package ppp

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fuzzLoop is the state of a link without its goroutines.
func fuzzLoop(t testing.TB, r role) *loop {
	cfg := &Config{Families: IPv4 | IPv6, User: "meter", Password: "s3cret", Require: AuthCHAP,
		Secret: func(string) (string, bool) { return "s3cret", true }}
	if r == roleDial {
		cfg.Require = 0
	}
	s, err := cfg.settings(r)
	require.NoError(t, err)
	l := &newConn(nil, s).loop
	l.lcp.handle(time.Unix(0, 0), eventOpen)
	l.lcp.handle(time.Unix(0, 0), eventUp)
	return l
}

// openLCP brings LCP up as a peer without wishes would.
func openLCP(l *loop) {
	now := time.Unix(0, 0)
	l.receive(now, frame{protocolLCP, packet{codeConfigureRequest, 1, nil}.append(nil)})
	l.receive(now, frame{protocolLCP, packet{codeConfigureAck, l.lcp.requestID, l.lcp.asked}.append(nil)})
}

// feed gives l the packets in b, each with its length in front, and lets time
// pass between them.
func feed(t testing.TB, l *loop, p protocol, b []byte) {
	now := time.Unix(0, 0)
	for len(b) > 1 && !l.ended {
		n := min(int(b[0]), len(b)-1)
		info := b[1 : 1+n]
		b = b[1+n:]
		if n > 1 && info[0]&0xf0 == 0xf0 { // another protocol
			p = []protocol{protocolLCP, protocolIPCP, protocolIPV6CP, protocolPAP, protocolCHAP, 0x80fd}[info[0]%6]
			info = info[1:]
		}
		l.receive(now, frame{p, info})
		l.announce(now)
		now = now.Add(time.Second)
		l.tick(now)
		l.announce(now)
		for _, a := range []*automaton{&l.lcp, &l.ipcp, &l.ipv6cp} {
			require.True(t, a.state >= stateInitial && a.state < numStates)
			require.False(t, a.timed() && a.deadline.IsZero(), "a timed state without its timer would wait for ever")
		}
		require.Less(t, len(l.conn.out.frames), controlBacklog+8000, "what waits is bounded")
	}
	if l.ended {
		require.Error(t, l.cause)
	}
}

// dialogue is packets in the layout that feed takes.
func dialogue(packets ...packet) (b []byte) {
	for _, p := range packets {
		info := p.append(nil)
		b = append(append(b, byte(len(info))), info...)
	}
	return b
}

func FuzzLCP(f *testing.F) {
	f.Add(false, dialogue(packet{codeConfigureRequest, 1, unhex(f, "0206000a0000 0506aabbccdd 0702 0802")},
		packet{codeConfigureNak, 1, unhex(f, "01040040 0305c22305")}, packet{codeConfigureReject, 2, unhex(f, "0702")},
		packet{codeTerminateRequest, 3, nil}, packet{codeTerminateAck, 3, nil}))
	f.Add(true, dialogue(packet{codeProtocolReject, 1, unhex(f, "802101")}, packet{codeEchoRequest, 1, unhex(f, "aabbccdd")},
		packet{codeEchoReply, 1, unhex(f, "aabbccdd")}, packet{codeCodeReject, 1, unhex(f, "09")}, packet{77, 1, nil}))
	f.Add(true, []byte("\x06\xf4\x01\x01\x00\x05\x01\x05\xf3\x01\x01\x00\x04\x03\xf5\x01\x02"))
	f.Fuzz(func(t *testing.T, serve bool, b []byte) {
		for _, opened := range []bool{false, true} {
			l := fuzzLoop(t, map[bool]role{false: roleDial, true: roleServe}[serve])
			if opened {
				openLCP(l)
			}
			feed(t, l, protocolLCP, b)
		}
	})
}

func FuzzIPCP(f *testing.F) {
	f.Add(dialogue(packet{codeConfigureRequest, 1, unhex(f, "0206002d0f01 03060a404001")}, packet{codeConfigureNak, 1, unhex(f, "03060a000007 810601010101")},
		packet{codeConfigureReject, 2, unhex(f, "830600000000")}, packet{codeTerminateRequest, 9, nil}))
	f.Add([]byte("\x0f\xf2\x01\x01\x00\x0e\x01\x0a\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := fuzzLoop(t, roleDial)
		openLCP(l)
		require.Equal(t, PhaseNetwork, l.phase)
		feed(t, l, protocolIPCP, b)
	})
}
