package ppp

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rawPeer is the other end of a line, played by the test packet by packet.
type rawPeer struct {
	t    *testing.T
	line *lineEnd
	dec  decoder
	left []byte
}

// start runs Dial or Serve on a line and gives the test the other end.
func start(t *testing.T, establish func(context.Context, *lineEnd) (*Conn, error)) (*rawPeer, func() (*Conn, error)) {
	a, b := newLine()
	p := &rawPeer{t: t, line: b, dec: decoder{maxFrame: 4000}}
	type result struct {
		c   *Conn
		err error
	}
	done := make(chan result, 1)
	go func() {
		c, err := establish(t.Context(), a)
		done <- result{c, err}
	}()
	t.Cleanup(func() { a.Close() })
	return p, func() (*Conn, error) { r := <-done; return r.c, r.err }
}

func startDial(t *testing.T, cfg *Config) (*rawPeer, func() (*Conn, error)) {
	return start(t, func(ctx context.Context, l *lineEnd) (*Conn, error) { return Dial(ctx, l, cfg) })
}

func startServe(t *testing.T, cfg *Config) (*rawPeer, func() (*Conn, error)) {
	return start(t, func(ctx context.Context, l *lineEnd) (*Conn, error) { return Serve(ctx, l, cfg) })
}

// next waits for a frame; ok is false if none comes within limit.
func (p *rawPeer) next(limit time.Duration) (proto protocol, info []byte, ok bool) {
	p.line.SetReadDeadline(time.Now().Add(limit))
	buf := make([]byte, 4096)
	for {
		for len(p.left) > 0 {
			n, f := p.dec.next(p.left)
			p.left = p.left[n:]
			if f == nil {
				continue
			}
			proto, info, ok := splitFrame(f)
			require.True(p.t, ok)
			return proto, append([]byte(nil), info...), true
		}
		n, err := p.line.Read(buf)
		if err != nil {
			return 0, nil, false
		}
		p.left = append([]byte(nil), buf[:n]...)
	}
}

// want waits for a control packet, which must be this one.
func (p *rawPeer) want(why string, proto protocol, c code) packet {
	p.t.Helper()
	gotProto, info, ok := p.next(time.Minute)
	require.True(p.t, ok, "%s: nothing came", why)
	pkt, sound := parsePacket(info)
	require.True(p.t, sound, why)
	require.Equal(p.t, fmt.Sprint(proto, " code ", c), fmt.Sprint(gotProto, " code ", pkt.code), why)
	return pkt
}

// wantIdle fails if anything comes within limit.
func (p *rawPeer) wantIdle(why string, limit time.Duration) {
	p.t.Helper()
	proto, info, ok := p.next(limit)
	require.False(p.t, ok, "%s: %v %x", why, proto, info)
}

func (p *rawPeer) send(proto protocol, pkt packet) {
	p.sendInfo(proto, pkt.append(nil))
}

func (p *rawPeer) sendInfo(proto protocol, info []byte) {
	header := headerForm{}.append(nil, proto)
	p.line.Write(appendFrame([]byte{flagOctet}, allControls, header, info))
}

func (p *rawPeer) text(s string) { p.line.Write([]byte(s)) }

// agree takes the other side's request and has ours taken.
func (p *rawPeer) agree(proto protocol, options string) {
	p.t.Helper()
	request := p.want("its request", proto, codeConfigureRequest)
	p.send(proto, packet{codeConfigureAck, request.id, request.data})
	p.send(proto, packet{codeConfigureRequest, 0x42, unhex(p.t, options)})
	p.want("its Ack", proto, codeConfigureAck)
}

// lcp opens LCP with a magic number of our own.
func (p *rawPeer) lcp() { p.t.Helper(); p.agree(protocolLCP, "0506aabbccdd") }

// ipcp gives the terminal an address.
func (p *rawPeer) ipcp(address string) {
	p.t.Helper()
	request := p.want("its request", protocolIPCP, codeConfigureRequest)
	p.send(protocolIPCP, packet{codeConfigureNak, request.id, unhex(p.t, "0306"+address)})
	request = p.want("with the address", protocolIPCP, codeConfigureRequest)
	p.send(protocolIPCP, packet{codeConfigureReject, request.id, unhex(p.t, "810600000000830600000000")})
	p.agree(protocolIPCP, "03060a404001")
}

// dialled brings a link up with a raw network.
func dialled(t *testing.T, cfg *Config) (*rawPeer, *Conn) {
	t.Helper()
	p, wait := startDial(t, cfg)
	p.lcp()
	p.ipcp("0a000007")
	c, err := wait()
	require.NoError(t, err)
	return p, c
}
