package ppp

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireEnd checks how a link ended.
func requireEnd(t *testing.T, err error, op string, phase Phase, cause error) {
	t.Helper()
	var e *Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, op, e.Op, err)
	require.Equal(t, phase, e.Phase, err)
	require.ErrorIs(t, err, cause)
}

func TestF72NobodyAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, wait := startDial(t, nil)
		at := time.Now()
		for range 10 {
			p.want("Max-Configure requests", protocolLCP, codeConfigureRequest)
		}
		p.wantIdle("and no more", time.Minute)
		_, err := wait()
		requireEnd(t, err, "dial", PhaseEstablish, ErrNoAnswer)
		require.Less(t, time.Since(at), 2*time.Minute)
	})
}

func TestF72StartTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, wait := startDial(t, &Config{StartTimeout: 5 * time.Second})
		at := time.Now()
		p.lcp()
		for {
			if proto, _, _ := p.next(time.Minute); proto == protocolLCP {
				break // Terminate-Request
			}
		}
		require.Equal(t, 5*time.Second, time.Since(at))
		p.send(protocolLCP, packet{codeTerminateAck, 1, nil})
		_, err := wait()
		requireEnd(t, err, "dial", PhaseNetwork, ErrStartTimeout)
	})
}

func TestF70NoCarrier(t *testing.T) {
	for _, c := range []struct {
		name  string
		play  func(*rawPeer)
		phase Phase
	}{
		{"at once", func(p *rawPeer) {}, PhaseEstablish},
		{"in IPCP, as SARA-R410 does", func(p *rawPeer) {
			p.lcp()
			p.want("its first request", protocolIPCP, codeConfigureRequest)
		}, PhaseNetwork},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p, wait := startDial(t, nil)
				c.play(p)
				p.text("\r\nNO CARRIER\r\nRING\r\n")
				_, err := wait()
				requireEnd(t, err, "dial", c.phase, ErrNoCarrier)
			})
		})
	}
	t.Run("on a link that is up", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p, c := dialled(t, nil)
			p.sendInfo(protocolIPv4, ipv4(60, 1))
			p.text("\r\nNO CARRIER\r\n+CPIN: READY\r\n")
			<-c.Done()
			requireEnd(t, c.Err(), "link", PhaseNetwork, ErrNoCarrier)
			require.Equal(t, "+CPIN: READY\r\n", string(c.Rest()), "what follows is left to the owner")
			n, err := c.ReadPacket(make([]byte, 1500))
			require.NoError(t, err, "what came before can still be read")
			require.Equal(t, 60, n)
			_, err = c.ReadPacket(make([]byte, 1500))
			require.ErrorIs(t, err, ErrNoCarrier)
			require.ErrorIs(t, c.WritePacket(ipv4(60, 1)), ErrNoCarrier)
		})
	})
	t.Run("as data", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p, c := dialled(t, nil)
			packet := append([]byte{0x45}, "\r\nNO CARRIER\r\n"...)
			p.sendInfo(protocolIPv4, packet)
			got := make([]byte, 100)
			n, err := c.ReadPacket(got)
			require.NoError(t, err)
			require.Equal(t, packet, got[:n])
			p.text("\xff\x03\x00\x21E") // a frame opens, the modem stops in the middle
			p.text("\r\nNO CARRIER\r\n")
			time.Sleep(time.Second)
			require.NoError(t, c.Err())
		})
	})
}

func TestF68HalfDeadLinkIsFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, &Config{EchoInterval: 10 * time.Second, EchoMisses: 3})
		up := time.Now()
		echo := p.want("keepalive", protocolLCP, codeEchoRequest)
		require.Equal(t, 10*time.Second, time.Since(up))
		p.send(protocolLCP, packet{codeEchoReply, echo.id, unhex(t, "aabbccdd")})
		for range 3 {
			p.want("keepalive", protocolLCP, codeEchoRequest)
			p.sendInfo(protocolIPv4, ipv4(60, 1)) // one way still works
		}
		for range 2 {
			p.want("the end, though nobody hears", protocolLCP, codeTerminateRequest)
		}
		<-c.Done()
		require.Equal(t, (10+3*10+10+2*3)*time.Second, time.Since(up))
		requireEnd(t, c.Err(), "link", PhaseNetwork, ErrEchoLost)
	})
}

func TestEchoOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, &Config{EchoInterval: -1})
		p.wantIdle("modems that sleep are left alone", 24*time.Hour)
		require.NoError(t, c.Err())
	})
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, nil)
		echo := p.want("keepalive", protocolLCP, codeEchoRequest)
		p.send(protocolLCP, packet{codeCodeReject, 9, echo.append(nil)})
		p.wantIdle("a peer without echo", 24*time.Hour)
		require.NoError(t, c.Err())
	})
}

func TestEchoIsAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, _ := dialled(t, nil)
		p.send(protocolLCP, packet{codeEchoRequest, 77, unhex(t, "aabbccdd010203")})
		reply := p.want("echo", protocolLCP, codeEchoReply)
		require.EqualValues(t, 77, reply.id)
		require.Equal(t, []byte{1, 2, 3}, reply.data[4:])
		require.NotEqual(t, unhex(t, "aabbccdd"), reply.data[:4], "our own magic number")
	})
}

// A modem that has fallen back to command mode gives back what it gets.
func TestF71EchoingModemIsALoop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		go io.Copy(b, b)
		_, err := Dial(t.Context(), a, nil)
		requireEnd(t, err, "dial", PhaseEstablish, ErrLoopback)
		a.Close()
	})
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, nil)
		echo := p.want("keepalive", protocolLCP, codeEchoRequest)
		p.send(protocolLCP, echo)
		<-c.Done()
		requireEnd(t, c.Err(), "link", PhaseNetwork, ErrLoopback)
	})
}

func TestF69NetworkNeverGivesAnAddress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, wait := startDial(t, nil)
		p.lcp()
		at, requests := time.Now(), 0
		for {
			proto, info, ok := p.next(time.Minute)
			require.True(t, ok)
			pkt, _ := parsePacket(info)
			if proto == protocolLCP {
				p.send(protocolLCP, packet{codeTerminateAck, pkt.id, nil})
				break
			}
			requests++
			p.send(protocolIPCP, packet{codeConfigureNak, pkt.id, unhex(t, "030600000000")})
		}
		require.Equal(t, 15, requests)
		require.Equal(t, 30*time.Second, time.Since(at))
		_, err := wait()
		requireEnd(t, err, "dial", PhaseNetwork, ErrNegotiation)
	})
}

// Some terminals have an address of their own and never ask for one: they are
// told once, and then left alone.
func TestTerminalThatAsksForNoAddress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, wait := startServe(t, nil)
		p.lcp()
		request := p.want("its request", protocolIPCP, codeConfigureRequest)
		p.send(protocolIPCP, packet{codeConfigureAck, request.id, request.data})
		p.send(protocolIPCP, packet{codeConfigureRequest, 1, nil})
		nak := p.want("the address we have for it", protocolIPCP, codeConfigureNak)
		require.Equal(t, unhex(t, "03060a404002"), nak.data)
		p.send(protocolIPCP, packet{codeConfigureRequest, 2, nil})
		p.want("as it likes", protocolIPCP, codeConfigureAck)
		c, err := wait()
		require.NoError(t, err)
		require.False(t, c.PeerAddr().IsValid())
	})
}

func TestPeerWithoutAddressForUs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, wait := startDial(t, nil)
		p.lcp()
		p.agree(protocolIPCP, "03060a404001") // takes our 0.0.0.0
		p.send(protocolLCP, packet{codeTerminateAck, p.want("no use", protocolLCP, codeTerminateRequest).id, nil})
		_, err := wait()
		requireEnd(t, err, "dial", PhaseNetwork, ErrNegotiation)
	})
}

func TestUnknownProtocolsAreRejected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, wait := startDial(t, nil)
		p.lcp()
		ccp := packet{codeConfigureRequest, 1, nil}.append(nil)
		request := p.want("its request", protocolIPCP, codeConfigureRequest)
		p.sendInfo(0x80fd, ccp) // as slirp does
		reject := p.want("we have no CCP", protocolLCP, codeProtocolReject)
		require.Equal(t, append([]byte{0x80, 0xfd}, ccp...), reject.data)
		p.sendInfo(protocolIPV6CP, ccp)
		reject = p.want("nor IPV6CP, unless asked for", protocolLCP, codeProtocolReject)
		require.Equal(t, append([]byte{0x80, 0x57}, ccp...), reject.data)
		p.sendInfo(protocolVJComp, make([]byte, 1480))
		p.want("nor VJ, which IPCP rejected", protocolLCP, codeProtocolReject)
		// And we take the peer's word for it.
		p.send(protocolLCP, packet{codeProtocolReject, 5, append([]byte{0x80, 0x21}, request.append(nil)...)})
		p.want("nothing is left", protocolLCP, codeTerminateRequest)
		p.send(protocolLCP, packet{codeTerminateAck, 1, nil})
		_, err := wait()
		requireEnd(t, err, "dial", PhaseNetwork, ErrNegotiation)
	})
}

func TestLCPPacketsAreFullyEscaped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		a.keep = true
		client, _ := mustBring(t, a, b, nil, nil)
		require.NoError(t, client.Close())
		for _, f := range splitAtFlags(a.wrote) {
			if len(f) > 5 && f[0] == 0xff {
				require.Equal(t, byte(escapeOctet), f[1], "the control field 03 of LCP: %x", f)
			}
		}
	})
}

func TestPeerEndsTheLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, nil)
		p.send(protocolLCP, packet{codeTerminateRequest, 9, []byte("bye")})
		at := time.Now()
		require.EqualValues(t, 9, p.want("Ack", protocolLCP, codeTerminateAck).id)
		_, err := c.ReadPacket(make([]byte, 1500))
		require.ErrorIs(t, err, ErrTerminated, "at once")
		p.send(protocolLCP, packet{codeTerminateRequest, 10, nil})
		p.want("the Ack was lost", protocolLCP, codeTerminateAck)
		<-c.Done()
		require.Equal(t, 3*time.Second, time.Since(at), "RFC 1661 section 4.4: zrc waits one period")
		requireEnd(t, c.Err(), "link", PhaseNetwork, ErrTerminated)
	})
}

func TestPeerEndsIPCP(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, nil)
		p.send(protocolIPCP, packet{codeTerminateRequest, 9, nil})
		p.want("Ack", protocolIPCP, codeTerminateAck)
		p.send(protocolLCP, packet{codeTerminateAck, p.want("no use", protocolLCP, codeTerminateRequest).id, nil})
		<-c.Done()
		require.ErrorIs(t, c.Err(), ErrTerminated)
	})
}

func TestTerminateAckLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, nil)
		at := time.Now()
		require.NoError(t, c.Close())
		require.Equal(t, 6*time.Second, time.Since(at), "Max-Terminate periods")
		for range 2 {
			p.want("the end", protocolLCP, codeTerminateRequest)
		}
		p.wantIdle("no more", time.Minute)
		requireEnd(t, c.Err(), "link", PhaseNetwork, net.ErrClosed)
		require.NoError(t, c.Close(), "twice")
	})
}

func TestLineEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, nil)
		p.line.Close()
		<-c.Done()
		requireEnd(t, c.Err(), "link", PhaseNetwork, io.ErrUnexpectedEOF)
		require.ErrorIs(t, c.Close(), io.ErrUnexpectedEOF, "Close tells of an earlier end")
	})
}

func TestContextEndsDial(t *testing.T) {
	cause := errors.New("enough")
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		ctx, cancel := context.WithTimeoutCause(t.Context(), 4*time.Second, cause)
		defer cancel()
		at := time.Now()
		_, err := Dial(ctx, a, nil)
		require.Equal(t, 4*time.Second, time.Since(at), "at once")
		requireEnd(t, err, "dial", PhaseEstablish, cause)
		_, err = Dial(ctx, a, nil)
		requireEnd(t, err, "dial", PhaseEstablish, cause)
		b.buf = nil
		client, server := mustBring(t, a, b, nil, nil)
		require.NoError(t, client.Close(), "the stream is still good")
		<-server.Done()
	})
}

// bare hides what a stream can do beyond io.ReadWriteCloser.
type bare struct{ io.ReadWriteCloser }

func TestStreamWithoutDeadlines(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		for range 20 {
			client, server, err1, err2 := bring(t, bare{a}, b, nil, nil)
			require.NoError(t, errors.Join(err1, err2))
			require.NoError(t, client.Close())
			<-server.Done()
		}
		_, err := a.Write([]byte("x"))
		require.NoError(t, err, "the Ack leaves no Read behind")
	})
	bubble(t, func(t *testing.T) {
		a, _ := newLine()
		_, err := Dial(t.Context(), bare{a}, nil)
		require.ErrorIs(t, err, ErrNoAnswer)
		_, err = a.Write([]byte("x"))
		require.ErrorIs(t, err, net.ErrClosed, "nothing else ends the Read")
	})
}

func TestCloseStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		client, server := mustBring(t, a, b, &Config{CloseStream: true}, nil)
		require.NoError(t, client.Close())
		<-server.Done()
		_, err := b.Write([]byte("x"))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

// stuck is a line whose writes end only by a deadline or by Close.
type stuck struct {
	*lineEnd
	from  chan struct{} // closed when writes get stuck
	freed chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	select {
	case <-s.from:
		<-s.freed
		return 0, os.ErrDeadlineExceeded
	default:
		return s.lineEnd.Write(p)
	}
}

func (s *stuck) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() {
		close(s.freed)
	}
	return nil
}

func TestStuckWriteDoesNotHoldClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		s := &stuck{a, make(chan struct{}), make(chan struct{})}
		client, server := mustBring(t, s, b, nil, nil)
		close(s.from)
		writes := make(chan error, 1)
		go func() {
			for {
				if err := client.WritePacket(ipv4(1500, 0)); err != nil {
					writes <- err
					return
				}
			}
		}()
		at := time.Now()
		require.NoError(t, client.Close())
		require.LessOrEqual(t, time.Since(at), 7*time.Second)
		require.ErrorIs(t, <-writes, net.ErrClosed)
		b.Close()
		<-server.Done()
	})
}

func TestSlowReaderDoesNotHoldLCP(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, &Config{ReceiveQueue: 4})
		for i := range 10 {
			p.sendInfo(protocolIPv4, ipv4(40, byte(i)))
		}
		p.send(protocolLCP, packet{codeEchoRequest, 1, unhex(t, "aabbccdd")})
		p.want("LCP goes on", protocolLCP, codeEchoReply)
		time.Sleep(time.Millisecond)
		s := c.Stats().Received
		require.EqualValues(t, 4, s.Packets)
		require.EqualValues(t, 6, s.Overflowed, "dropped and counted")
		got := make([]byte, 40)
		for i := range 4 {
			_, err := c.ReadPacket(got)
			require.NoError(t, err)
			require.Equal(t, ipv4(40, byte(i)), got, "the oldest are kept, in order")
		}
		p.sendInfo(protocolIPv4, ipv4(40, 0))
		_, err := c.ReadPacket(got[:39])
		require.ErrorIs(t, err, io.ErrShortBuffer)
	})
}

func TestRenegotiation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, nil)
		require.Equal(t, "10.0.0.7", c.LocalAddr().String())
		p.send(protocolLCP, packet{codeConfigureRequest, 1, unhex(t, "050611223344")})
		request := p.want("it begins anew", protocolLCP, codeConfigureRequest)
		p.want("and agrees", protocolLCP, codeConfigureAck)
		require.NoError(t, c.WritePacket(ipv4(40, 0)), "dropped, as by a router")
		p.send(protocolLCP, packet{codeConfigureAck, request.id, request.data})
		p.agree(protocolIPCP, "03060a404001")
		require.NoError(t, c.WritePacket(ipv4(40, 0)))
		proto, _, ok := p.next(time.Second)
		require.True(t, ok)
		require.Equal(t, protocolIPv4, proto)
		require.EqualValues(t, 1, c.Stats().Sent.Dropped)

		p.send(protocolIPCP, packet{codeConfigureRequest, 2, unhex(t, "03060a404002")})
		request = p.want("anew", protocolIPCP, codeConfigureRequest)
		p.want("and agrees", protocolIPCP, codeConfigureAck)
		p.send(protocolIPCP, packet{codeConfigureNak, request.id, unhex(t, "03060a000008")})
		request = p.want("another address", protocolIPCP, codeConfigureRequest)
		p.send(protocolIPCP, packet{codeConfigureAck, request.id, request.data})
		p.send(protocolLCP, packet{codeTerminateAck, p.want("what was open is dead", protocolLCP, codeTerminateRequest).id, nil})
		<-c.Done()
		require.ErrorIs(t, c.Err(), ErrAddressChanged)
	})
}

func TestRenegotiationThatNeverEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, c := dialled(t, &Config{StartTimeout: 20 * time.Second})
		p.send(protocolLCP, packet{codeConfigureRequest, 1, unhex(t, "050611223344")})
		at := time.Now()
		<-c.Done()
		require.LessOrEqual(t, time.Since(at), 30*time.Second)
		require.ErrorIs(t, c.Err(), ErrStartTimeout)
	})
}

func TestWritePacketRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, c := dialled(t, nil)
		for _, b := range [][]byte{nil, {0x15}, {0x60, 1, 2}, ipv4(1501, 0)} {
			require.ErrorIs(t, c.WritePacket(b), ErrPacket)
		}
		require.NoError(t, c.Err(), "the link goes on")
	})
}

func TestBadConfig(t *testing.T) {
	for _, cfg := range []Config{
		{MRU: 100}, {MRU: 20000}, {MRU: 500, Families: IPv6}, {Families: 8}, {Require: AuthPAP},
		{Allow: 64}, {MaxConfigure: -1}, {User: string(make([]byte, 256))},
	} {
		_, err := Dial(t.Context(), nil, &cfg)
		require.Error(t, err)
	}
}
