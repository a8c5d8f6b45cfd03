package gprs_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// bench is a modem on a simulated network, with an engine on its line.
type bench struct {
	t      *testing.T
	n      *fakemodem.Network
	fake   *fakemodem.Modem
	line   *fakemodem.Line
	modem  *at.Modem
	radio  *gprs.Radio
	bearer *gprs.Bearer
}

// newBench puts a SIM800 that has registered behind a Bearer.
func newBench(t *testing.T, cfg *gprs.BearerConfig, options ...fakemodem.Option) *bench {
	b := &bench{t: t, n: fakemodem.NewNetwork(nil)}
	b.fake = b.n.NewModem(fakemodem.SIM800, options...)
	b.line = b.fake.Line()
	b.modem = at.New(b.line, nil)
	b.radio = gprs.NewRadio(b.modem, nil)
	b.bearer = gprs.NewBearer(b.modem, cfg)
	t.Cleanup(func() {
		b.bearer.Close()
		require.NoError(t, b.radio.Close())
		b.modem.Close()
		require.NoError(t, b.n.Close())
	})
	_, err := at.Exec(t.Context(), b.modem, "E0")
	require.NoError(t, err)
	require.NoError(t, b.radio.Init(t.Context()))
	_, err = b.radio.WaitRegistered(t.Context())
	require.NoError(t, err)
	return b
}

// inCommandMode asks for something whose answer names itself.
func (b *bench) inCommandMode() {
	b.t.Helper()
	res, err := at.Exec(b.t.Context(), b.modem, "+CMEE?")
	require.NoError(b.t, err)
	require.Equal(b.t, "+CMEE: 1", res.Info[0].Text)
}

func (b *bench) connect() *gprs.Connection {
	b.t.Helper()
	c, err := b.bearer.Connect(b.t.Context())
	require.NoError(b.t, err)
	return c
}

// Promise 6: connect, packets, disconnect, command mode, and again.
func TestConnectAndDisconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		for range 3 {
			c := b.connect()
			require.Equal(t, netip.MustParseAddr("10.64.0.1"), c.Link().PeerAddr())
			require.Equal(t, []netip.Addr{b.n.GatewayAddr()}, c.Link().DNS())
			same := b.connect()
			require.Same(t, c, same, "a connection that is up is not made again")
			_, err := at.Exec(t.Context(), b.modem, "+CSQ")
			require.ErrorIs(t, err, at.ErrDataMode)
			_, err = b.bearer.DialContext(t.Context(), "tcp", "10.64.0.1:7")
			require.ErrorIs(t, err, gprs.ErrNoStack)

			require.NoError(t, b.bearer.Disconnect(t.Context()))
			require.ErrorIs(t, c.Err(), gprs.ErrClosed)
			require.True(t, c.Report().CommandMode)
			b.inCommandMode()
			_, err = b.bearer.DialContext(t.Context(), "tcp", "10.64.0.1:7")
			require.ErrorIs(t, err, gprs.ErrDown)
		}
		require.NoError(t, b.bearer.Disconnect(t.Context()), "nothing to end is no error")
		require.NoError(t, b.bearer.Close())
		require.NoError(t, b.bearer.Close())
		_, err := b.bearer.Connect(t.Context())
		require.ErrorIs(t, err, gprs.ErrClosed)
	})
}

func TestConnectAuthenticates(t *testing.T) {
	for _, pap := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cfg := &gprs.BearerConfig{
				Context: gprs.Context{APN: "meters", User: "u1", Password: "secret", Auth: gprs.AuthCHAP},
				Quirks:  &gprs.Quirks{NoAuth: true},
			}
			b := newBench(t, cfg)
			b.n.AddAPN(fakemodem.APN{Name: "meters", User: "u1", Password: "secret", PAPOnly: pap})
			b.connect()
			require.NoError(t, b.bearer.Disconnect(t.Context()))

			b.n.AddAPN(fakemodem.APN{Name: "meters", User: "u1", Password: "other", PAPOnly: pap})
			_, err := b.bearer.Connect(t.Context())
			require.ErrorIs(t, err, ppp.ErrRefused)
			require.NotContains(t, err.Error(), "secret", "promise 10")
			var connect *gprs.ConnectError
			require.ErrorAs(t, err, &connect)
			require.Equal(t, "ppp", connect.Step)
			b.inCommandMode()
		})
	}
}

func TestConnectCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		b.fake.OnCommand("D", func(*fakemodem.Call) fakemodem.Result {
			cancel()
			time.Sleep(time.Minute)
			return fakemodem.Final("NO CARRIER")
		})
		_, err := b.bearer.Connect(ctx)
		require.ErrorIs(t, err, context.Canceled)
		b.fake.OnCommand("D", nil)
		time.Sleep(2 * time.Minute)
		b.inCommandMode()
		b.connect()
	})
}

// F58: registered, but the attachment was lost: it is renewed before dialling.
func TestF58AttachIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		_, err := at.Exec(t.Context(), b.modem, "+CGATT=0")
		require.NoError(t, err)
		b.connect()
	})
}

// F66: the network takes the context away.
func TestF66ContextLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		c := b.connect()
		b.fake.Deactivate(1)
		<-c.Done()
		require.Error(t, c.Err())
		require.NotErrorIs(t, c.Err(), gprs.ErrClosed)
		require.True(t, c.Report().CommandMode)
		b.inCommandMode()
		b.connect()
	})
}

// F67 and F68: the link is up and LCP echo is not answered any more.
func TestF68BlackHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hole := &holed{}
		b := newHoledBench(t, hole, &gprs.BearerConfig{PPP: &ppp.Config{EchoInterval: 10 * time.Second, EchoMisses: 3}})
		c := b.connect()
		for name, set := range map[string]*atomic.Bool{"both ways": nil, "towards us only": &hole.deaf, "towards the modem only": &hole.mute} {
			t.Log(name)
			if set == nil {
				hole.deaf.Store(true)
				hole.mute.Store(true)
			} else {
				set.Store(true)
			}
			start := time.Now()
			time.AfterFunc(50*time.Second, func() { // the line is whole again while the ladder is climbed
				hole.deaf.Store(false)
				hole.mute.Store(false)
			})
			<-c.Done()
			require.ErrorIs(t, c.Err(), ppp.ErrEchoLost)
			require.True(t, c.Report().CommandMode, "%v", c.Report())
			require.Less(t, time.Since(start), 3*time.Minute)
			b.inCommandMode()
			c = b.connect()
		}
	})
}

// F68: LCP echo is answered by the modem itself, but no packet passes: only a
// probe finds out, and the next connection renews the attachment.
func TestF68ProbeFindsADeadLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dead atomic.Bool
		b := newBench(t, &gprs.BearerConfig{
			Stack:         packetsOnly,
			ProbeInterval: time.Minute,
			Probe: func(ctx context.Context, n gprs.Network) error {
				if dead.Load() {
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			},
		})
		var detached atomic.Int32
		b.fake.OnCommand("+CGATT", func(c *fakemodem.Call) fakemodem.Result {
			if c.Text == "0" {
				detached.Add(1)
			}
			return fakemodem.Default
		})
		c := b.connect()
		time.Sleep(time.Hour)
		require.NoError(t, c.Err())
		dead.Store(true)
		start := time.Now()
		<-c.Done()
		require.ErrorIs(t, c.Err(), gprs.ErrProbeFailed)
		require.Less(t, time.Since(start), 4*time.Minute)
		b.inCommandMode()
		dead.Store(false)
		b.connect()
		require.EqualValues(t, 1, detached.Load())
	})
}

// F70: NO CARRIER inside the stream.
func TestF70NoCarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		c := b.connect()
		b.fake.SetCoverage(fakemodem.NoCoverage)
		<-c.Done()
		require.Error(t, c.Err())
		require.True(t, c.Report().CommandMode)
		b.inCommandMode()
		b.fake.SetCoverage(fakemodem.FullCoverage)
		_, err := b.radio.WaitRegistered(t.Context())
		require.NoError(t, err)
		b.connect()
	})
}

// F72: CONNECT, but the modem has left data mode at once: nothing speaks PPP.
func TestF72PPPNeverStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.fake.OnCommand("D", func(*fakemodem.Call) fakemodem.Result { return fakemodem.Final("CONNECT") })
		start := time.Now()
		_, err := b.bearer.Connect(t.Context())
		require.ErrorIs(t, err, ppp.ErrNoAnswer)
		require.Less(t, time.Since(start), 2*time.Minute)
		b.inCommandMode()
		b.fake.OnCommand("D", nil)
		b.connect()
	})
}

// F73: NO CARRIER when dialled too early: the dial is repeated with a pause,
// and not for ever.
func TestF73DialledTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		dials := 0
		b.fake.OnCommand("D", func(*fakemodem.Call) fakemodem.Result {
			if dials++; dials < 3 {
				return fakemodem.Final("NO CARRIER")
			}
			return fakemodem.Default
		})
		b.connect()
		require.Equal(t, 3, dials)
		require.NoError(t, b.bearer.Disconnect(t.Context()))
		b.fake.OnCommand("D", func(*fakemodem.Call) fakemodem.Result {
			dials++
			return fakemodem.Final("NO CARRIER")
		})
		_, err := b.bearer.Connect(t.Context())
		var result at.ResultError
		require.ErrorAs(t, err, &result)
		require.Equal(t, "NO CARRIER", result.Result)
		require.Equal(t, 6, dials)
	})
}

// F76: the first definition fails on a cold boot, the second one works.
func TestF76DefinitionFailsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, &gprs.BearerConfig{Context: gprs.Context{APN: "cold"}})
		sets := 0
		b.fake.OnCommand("+CGDCONT", func(c *fakemodem.Call) fakemodem.Result {
			if c.Op == fakemodem.Set {
				if sets++; sets == 1 {
					return fakemodem.ERROR
				}
			}
			return fakemodem.Default
		})
		b.connect()
		require.Equal(t, 2, sets)
	})
}

// A modem that restarts under the call: nothing of the old call is left.
func TestRebootUnderTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, &gprs.BearerConfig{PPP: &ppp.Config{EchoInterval: 10 * time.Second, EchoMisses: 3}})
		c := b.connect()
		b.fake.Reset()
		<-c.Done()
		require.Error(t, c.Err())
		require.True(t, c.Report().CommandMode, "%+v", c.Report())
		_, err := at.Exec(t.Context(), b.modem, "E0")
		require.NoError(t, err)
		require.NoError(t, b.radio.Init(t.Context()))
		_, err = b.radio.WaitRegistered(t.Context())
		require.NoError(t, err)
		b.connect()
	})
}

// F71: +++ is ignored for good, and the line has no DTR. The ladder's rungs
// come in order, each followed by a proof, and what was tried is told.
func TestF71LadderIsClimbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hole := &holed{}
		var climbed []string
		rung := func(name string, fn func()) gprs.Rung {
			return gprs.Rung{Name: name, Do: func(context.Context) error {
				climbed = append(climbed, name)
				fn()
				return nil
			}}
		}
		b := newHoledBench(t, hole, &gprs.BearerConfig{Ladder: []gprs.Rung{
			rung("close the channel", func() {}),
			rung("close the multiplexer", func() {
				hole.mute.Store(false)
				hole.deaf.Store(false)
			}),
			rung("reset", func() { t.Error("higher than needed") }),
		}})
		c := b.connect()
		hole.mute.Store(true)
		hole.deaf.Store(true)
		require.NoError(t, b.bearer.Disconnect(t.Context()))
		require.Equal(t, []string{"close the channel", "close the multiplexer"}, climbed)
		require.True(t, c.Report().CommandMode)
		b.inCommandMode()
	})
}

// Promise 6: if command mode cannot be proven, the error says what was tried,
// and the next Connect begins by getting there.
func TestUnprovenEndIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hole := &holed{}
		b := newHoledBench(t, hole, nil)
		c := b.connect()
		hole.mute.Store(true)
		err := b.bearer.Disconnect(t.Context())
		var end *gprs.EndError
		require.ErrorAs(t, err, &end)
		require.ErrorIs(t, err, at.ErrDataMode)
		require.Contains(t, err.Error(), "leave data mode")
		require.False(t, c.Report().CommandMode)
		_, err = b.bearer.Connect(t.Context())
		require.ErrorAs(t, err, &end)
		hole.mute.Store(false)
		_, err = b.bearer.Connect(t.Context())
		require.NoError(t, err)
	})
}

// The line goes away under the call: the connection ends with that, and is not
// said to be in command mode.
func TestLineGoneUnderTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		c := b.connect()
		require.NoError(t, b.line.Close())
		<-c.Done()
		require.Error(t, c.Err())
		require.False(t, c.Report().CommandMode)
		var end *gprs.EndError
		require.ErrorAs(t, b.bearer.Disconnect(t.Context()), &end)
	})
}

// 1,000 connects and disconnects leave nothing behind.
func TestThousandConnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		round := func() {
			b.connect()
			require.NoError(t, b.bearer.Disconnect(t.Context()))
			synctest.Wait()
		}
		for range 20 {
			round()
		}
		goroutines, heap := runtime.NumGoroutine(), heapInUse()
		for range 1000 {
			round()
		}
		require.LessOrEqual(t, runtime.NumGoroutine(), goroutines)
		require.Less(t, int64(heapInUse()-heap), int64(1<<20), "octets left after 1,000 connections")
	})
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// packetsOnly is a stack that does nothing but end with its link.
func packetsOnly(link ppp.Link) (gprs.Network, error) { return bareNetwork{link}, nil }

type bareNetwork struct{ ppp.Link }

func (bareNetwork) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("packets only")
}

// holed is a line that swallows what is sent in one direction or both.
type holed struct {
	*fakemodem.Line
	deaf atomic.Bool // what the modem sends is lost
	mute atomic.Bool // what we send is lost
}

func newHoledBench(t *testing.T, h *holed, cfg *gprs.BearerConfig) *bench {
	return newBenchOn(t, cfg, func(l *fakemodem.Line) io.ReadWriteCloser {
		h.Line = l
		return noDTR{h}
	})
}

// newBenchOn is newBench with what is made of the line.
func newBenchOn(t *testing.T, cfg *gprs.BearerConfig, line func(*fakemodem.Line) io.ReadWriteCloser) *bench {
	b := &bench{t: t, n: fakemodem.NewNetwork(nil)}
	b.fake = b.n.NewModem(fakemodem.SIM800)
	b.modem = at.New(line(b.fake.Line()), nil)
	b.radio = gprs.NewRadio(b.modem, nil)
	b.bearer = gprs.NewBearer(b.modem, cfg)
	t.Cleanup(func() {
		b.bearer.Close()
		b.radio.Close()
		b.modem.Close()
		b.n.Close()
	})
	_, err := at.Exec(t.Context(), b.modem, "E0")
	require.NoError(t, err)
	require.NoError(t, b.radio.Init(t.Context()))
	_, err = b.radio.WaitRegistered(t.Context())
	require.NoError(t, err)
	return b
}

// noDTR is a line with three wires.
type noDTR struct{ h *holed }

func (l noDTR) Close() error { return l.h.Line.Close() }

func (l noDTR) Read(p []byte) (int, error) {
	for {
		n, err := l.h.Line.Read(p)
		if err != nil || !l.h.deaf.Load() {
			return n, err
		}
	}
}

func (l noDTR) Write(p []byte) (int, error) {
	if l.h.mute.Load() {
		return len(p), nil
	}
	return l.h.Line.Write(p)
}
