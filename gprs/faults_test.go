package gprs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/ppp"
	"github.com/telemodem/telemodem/gprs/socket"
)

// inject lets a fault of the catalogue happen.
func (b *bench) inject(f fakemodem.Fault) (clear func()) {
	b.t.Helper()
	clear, err := b.fake.Inject(f)
	require.NoError(b.t, err)
	return clear
}

// faulty runs a test on a fresh bench in a bubble.
func faulty(t *testing.T, cfg *gprs.BearerConfig, fn func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) { fn(t, newBench(t, cfg)) })
}

// quickEcho finds a dead link within half a minute.
var quickEcho = &gprs.BearerConfig{PPP: &ppp.Config{EchoInterval: 10 * time.Second, EchoMisses: 3}}

func TestF57DeniedForEver(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		clear := b.inject(fakemodem.Fault{ID: "F57"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := b.radio.WaitRegistered(ctx)
		var why *gprs.RegistrationError
		require.ErrorAs(t, err, &why)
		require.Equal(t, gprs.StateDenied, why.Registration.State)
		require.Equal(t, gprs.SIMReady, why.SIM, "it is not the SIM's fault")
		time.AfterFunc(time.Minute, clear)
		_, err = b.radio.Register(t.Context())
		require.NoError(t, err)
	})
}

func TestF58RegisteredButNotAttached(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		clear := b.inject(fakemodem.Fault{ID: "F58"})
		reg, err := b.radio.Registration(t.Context())
		require.NoError(t, err)
		require.True(t, reg.State.Registered())
		require.False(t, reg.Packet)
		_, err = b.bearer.Connect(t.Context())
		var failed *gprs.ConnectError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, "attach", failed.Step, "that is what is missing")
		b.inCommandMode()
		clear()
		time.Sleep(10 * time.Second)
		b.connect()
	})
}

func TestF59CoverageFlaps(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		events := b.radio.Events(t.Context())
		b.inject(fakemodem.Fault{ID: "F59", Delay: 3 * time.Second, Times: 40})
		time.Sleep(3 * time.Minute)
		for len(events) > 0 {
			if e := <-events; e.Kind == gprs.EventRegistration {
				require.True(t, e.Registration.State.Registered(), "a flap is no loss")
			}
		}
		require.True(t, b.radio.Steady().State.Registered(), "the last state wins")
	})
}

func TestF60SIMGoes(t *testing.T) {
	for text, want := range map[string]gprs.SIMState{"removed": gprs.SIMAbsent, "pin": gprs.SIMPIN, "puk": gprs.SIMPUK} {
		faulty(t, nil, func(t *testing.T, b *bench) {
			events := b.radio.Events(t.Context())
			b.inject(fakemodem.Fault{ID: "F60", Text: text})
			for e := range events {
				if e.Kind == gprs.EventSIM {
					require.Equal(t, want.String(), e.SIM.String())
					break
				}
			}
			state, err := b.radio.SIM(t.Context())
			require.NoError(t, err)
			require.Equal(t, want.String(), state.String())
			pin, _ := b.fake.PINAttempts()
			_, err = b.radio.WaitRegistered(withTimeout(t, time.Minute))
			require.Error(t, err)
			left, _ := b.fake.PINAttempts()
			require.Equal(t, pin, left, "no PIN was tried")
		})
	}
}

func withTimeout(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestF61NoCredit(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		b.inject(fakemodem.Fault{ID: "F61"})
		_, err := b.radio.Signal(t.Context())
		require.NoError(t, err)
		_, err = b.radio.WaitRegistered(withTimeout(t, time.Minute))
		require.ErrorContains(t, err, "the network refuses this SIM", "not a matter of signal")
		number, err := b.radio.OwnNumber(t.Context())
		require.NoError(t, err)
		require.Empty(t, number)
	})
}

func TestF62SignalUnknownForEver(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		radio := gprs.NewRadio(b.modem, &gprs.RadioConfig{Quirks: &gprs.Quirks{SignalCommands: []string{"+CSQ"}, CSQ: gprs.CSQSIM800}})
		defer radio.Close()
		before, err := radio.Signal(t.Context())
		require.NoError(t, err)
		require.True(t, before.RSSI.Known)
		b.inject(fakemodem.Fault{ID: "F62"})
		time.Sleep(time.Hour)
		s, err := radio.Signal(t.Context())
		require.NoError(t, err)
		require.False(t, s.RSSI.Known, "99 is not 0 dBm")
		require.Equal(t, time.Hour, radio.LastSignal().Age(time.Now()).Truncate(time.Minute))
	})
}

func TestF63ClockIsWrong(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		b.inject(fakemodem.Fault{ID: "F63"})
		_, err := b.radio.Clock(t.Context())
		require.Error(t, err, "57 years off, zone 128")
	})
}

func TestF65PINAfterSilentRestart(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		b.inject(fakemodem.Fault{ID: "F65", Text: "4321"})
		time.Sleep(10 * time.Second)
		require.ErrorIs(t, b.radio.Unlock(t.Context(), "1234"), gprs.ErrWrongPIN)
		require.NoError(t, b.radio.Unlock(t.Context(), "4321"))
		require.NoError(t, b.radio.Init(t.Context()))
		_, err := b.radio.WaitRegistered(withTimeout(t, time.Minute))
		require.NoError(t, err)
	})
}

// dies has a call die of a fault: it ends with a cause, in command mode, and the
// next one works.
func dies(t *testing.T, fault fakemodem.Fault, strike func(b *bench)) {
	faulty(t, quickEcho, func(t *testing.T, b *bench) {
		c := b.connect()
		clear := b.inject(fault)
		strike(b)
		select {
		case <-c.Done():
		case <-time.After(10 * time.Minute):
			t.Fatal("nobody noticed")
		}
		require.Error(t, c.Err())
		require.True(t, c.Report().CommandMode, "%+v", c.Report())
		clear()
		b.inCommandMode()
		b.connect()
	})
}

func TestF66ContextTakenAway(t *testing.T) {
	dies(t, fakemodem.Fault{ID: "F66"}, func(*bench) {})
}

func TestF67ContextGoneWithoutAWord(t *testing.T) {
	dies(t, fakemodem.Fault{ID: "F67"}, func(*bench) {})
}

func TestF80MessageEndsTheCall(t *testing.T) {
	dies(t, fakemodem.Fault{ID: "F80"}, func(b *bench) {
		require.NoError(b.t, b.n.Phone("+15550000009").Send(b.fake.Number(), "hello"))
	})
}

// F68: packets do not pass, or one way only. LCP echo may still be answered by the modem,
// so a probe of the other end must find it.
func TestF68OneWay(t *testing.T) {
	for _, way := range []string{"both", "up", "down"} {
		cfg := &gprs.BearerConfig{Stack: packetsOnly, ProbeInterval: time.Minute, ProbeTimeout: 5 * time.Second, Probe: pingGateway}
		faulty(t, cfg, func(t *testing.T, b *bench) {
			c := b.connect()
			time.Sleep(10 * time.Minute)
			require.NoError(t, c.Err())
			clear := b.inject(fakemodem.Fault{ID: "F68", Text: way})
			start := time.Now()
			<-c.Done()
			require.ErrorIs(t, c.Err(), gprs.ErrProbeFailed)
			require.Less(t, time.Since(start), 3*time.Minute)
			require.True(t, c.Report().CommandMode)
			clear()
			b.connect()
		})
	}
}

// pingGateway sends an ICMP echo over the bare link and waits for any packet.
func pingGateway(ctx context.Context, n gprs.Network) error {
	link := n.(bareNetwork)
	got := make(chan error, 1)
	go func() {
		_, err := link.ReadPacket(make([]byte, 1500))
		got <- err
	}()
	if err := link.WritePacket(echoRequest(link.LocalAddr().As4(), link.PeerAddr().As4())); err != nil {
		return err
	}
	select {
	case err := <-got:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// echoRequest is an IPv4 packet with an ICMP echo in it (RFC 791, RFC 792).
func echoRequest(from, to [4]byte) []byte {
	p := make([]byte, 28)
	p[0], p[3], p[8], p[9] = 0x45, 28, 64, 1
	copy(p[12:], from[:])
	copy(p[16:], to[:])
	checksum(p[:20], p[10:12])
	p[20] = 8
	checksum(p[20:], p[22:24])
	return p
}

func checksum(p, into []byte) {
	sum := uint32(0)
	for i := 0; i+1 < len(p); i += 2 {
		sum += uint32(p[i])<<8 | uint32(p[i+1])
	}
	for sum > 0xFFFF {
		sum = sum>>16 + sum&0xFFFF
	}
	into[0], into[1] = byte(^sum>>8), byte(^sum)
}

// F69: PPP dies while addresses are negotiated. The attachment is renewed and
// the call made once more, not for ever.
func TestF69PPPDiesInIPCP(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		detached := 0
		b.fake.OnCommand("+CGATT", func(c *fakemodem.Call) fakemodem.Result {
			if c.Text == "0" {
				detached++
			}
			return fakemodem.Default
		})
		b.inject(fakemodem.Fault{ID: "F69"})
		b.connect()
		require.Equal(t, 1, detached)
		require.NoError(t, b.bearer.Disconnect(t.Context()))

		b.inject(fakemodem.Fault{ID: "F69", Times: -1})
		_, err := b.bearer.Connect(t.Context())
		require.Error(t, err)
		require.Equal(t, 2, detached)
		b.inCommandMode()
	})
}

// F70: the text NO CARRIER among the octets of a call that goes on does not
// end it for good: either it lives, or it is ended in order.
func TestF70TextInTheStream(t *testing.T) {
	faulty(t, quickEcho, func(t *testing.T, b *bench) {
		c := b.connect()
		b.inject(fakemodem.Fault{ID: "F70"})
		time.Sleep(5 * time.Minute)
		if c.Err() != nil {
			require.True(t, c.Report().CommandMode, "%+v", c.Report())
			b.inCommandMode()
			b.connect()
			return
		}
		require.NoError(t, b.bearer.Disconnect(t.Context()))
	})
}

// F71: +++ is ignored twice; the third one is answered.
func TestF71EscapeIgnored(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		b.connect()
		b.inject(fakemodem.Fault{ID: "F71"})
		require.NoError(t, b.bearer.Disconnect(t.Context()))
		b.inCommandMode()
		b.connect()
	})
}

// F71 after a crash: the modem is still in the data call of a program that
// died. The next run gets it out.
func TestF71CallOfADeadProgram(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		b.connect()
		again := at.New(b.fake.Line(), nil) // the old line is cut off, the call goes on
		defer again.Close()
		bearer := gprs.NewBearer(again, nil)
		require.NoError(t, again.LeaveDataMode(t.Context()))
		_, err := bearer.Connect(t.Context())
		require.NoError(t, err)
		require.NoError(t, bearer.Close())
	})
}

// F72: the modem leaves data mode by itself behind CONNECT.
func TestF72LeavesDataModeByItself(t *testing.T) {
	faulty(t, quickEcho, func(t *testing.T, b *bench) {
		b.inject(fakemodem.Fault{ID: "F72", Delay: time.Millisecond})
		c, err := b.bearer.Connect(t.Context())
		if err == nil { // PPP was faster than the fault
			<-c.Done()
			require.True(t, c.Report().CommandMode, "%+v", c.Report())
		}
		b.inCommandMode()
		b.connect()
	})
}

func TestF73NoCarrierWhenDialled(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		b.inject(fakemodem.Fault{ID: "F73", Times: 2})
		b.connect()
	})
}

// F76: an activation that fails is tried again behind a deactivation.
func TestF76ActivationFails(t *testing.T) {
	faulty(t, nil, func(t *testing.T, b *bench) {
		contexts := gprs.NewContexts(b.modem, nil)
		require.NoError(t, contexts.Define(t.Context(), gprs.Context{APN: "internet"}))
		require.NoError(t, contexts.Attach(t.Context()))
		b.inject(fakemodem.Fault{ID: "F76"})
		require.NoError(t, contexts.Activate(t.Context(), 1))
		active, err := contexts.Active(t.Context(), 1)
		require.NoError(t, err)
		require.True(t, active)
		addresses, err := contexts.Addresses(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, b.fake.Addr(), addresses.Local[0])
		require.NoError(t, contexts.Deactivate(t.Context(), 1))
		active, err = contexts.Active(t.Context(), 1)
		require.NoError(t, err)
		require.False(t, active)
	})
}

// The bearer's one function, by the sockets inside the modem.
func TestDialContextThroughSockets(t *testing.T) {
	t.Parallel()
	cfg := &gprs.BearerConfig{
		Context: gprs.Context{APN: "internet"},
		Sockets: func(ctx context.Context, c at.Commander, d gprs.Context) (gprs.Network, error) {
			return socket.Open(ctx, c, socket.SIM800, &socket.Config{APN: d.APN, User: d.User, Password: d.Password})
		},
	}
	b := newBench(t, cfg)
	listener, err := b.n.Listen("tcp", "10.64.1.1:7")
	require.NoError(t, err)
	for range 2 {
		c := b.connect()
		require.Nil(t, c.Link(), "no data call is made")
		conn, err := b.bearer.DialContext(t.Context(), "tcp", "10.64.1.1:7")
		require.NoError(t, err)
		far, err := listener.Accept()
		require.NoError(t, err)
		_, err = conn.Write([]byte("reading 17"))
		require.NoError(t, err)
		got := make([]byte, 10)
		_, err = far.Read(got)
		require.NoError(t, err)
		require.Equal(t, "reading 17", string(got))
		b.inCommandMode() // commands go on beside the sockets
		require.NoError(t, b.bearer.Disconnect(t.Context()))
		_, err = conn.Read(got)
		require.Error(t, err)
		require.NoError(t, far.Close())
		b.inCommandMode()
	}
	// F66 by the modem's word: the connection ends with it.
	c := b.connect()
	b.fake.Deactivate(1)
	<-c.Done()
	require.Error(t, c.Err())
	b.connect()
	require.NoError(t, listener.Close())
}
