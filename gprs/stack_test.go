package gprs_test

import (
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// withStack is the configuration that a program has: TCP/IP on PPP.
func withStack(link ppp.Link) (gprs.Network, error) { return netstack.New(link, nil) }

// TCP through the one function on top, and no connection of it outlives the
// call. gVisor needs the real clock.
func TestDialContextThroughTheStack(t *testing.T) {
	t.Parallel()
	b := newBench(t, &gprs.BearerConfig{Stack: withStack, Probe: gprs.ProbeTCP("10.64.1.1:7"), ProbeInterval: 50 * time.Millisecond})
	echo, err := b.n.Listen("tcp", "10.64.1.1:7")
	require.NoError(t, err)
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 2 {
		c, err := b.bearer.Connect(ctx)
		require.NoError(t, err)
		conn, err := b.bearer.DialContext(ctx, "tcp", "10.64.1.1:7")
		require.NoError(t, err)
		_, err = conn.Write([]byte("reading 17"))
		require.NoError(t, err)
		got := make([]byte, 10)
		_, err = io.ReadFull(conn, got)
		require.NoError(t, err)
		require.Equal(t, "reading 17", string(got))
		require.NoError(t, b.bearer.Disconnect(ctx))
		require.ErrorIs(t, c.Err(), gprs.ErrClosed)
		_, err = conn.Read(got)
		require.Error(t, err, "promise 6: nothing stays open on a call that has ended")
		b.inCommandMode()
	}
	require.NoError(t, echo.Close())
}

// 1,000 connections with a TCP exchange on each leave no goroutine and no
// memory behind: 30 of them by default, all with TELEMODEM_LONG=1. Without
// guard times around +++, which the modem is told of by S12.
func TestManyConnectsThroughTheStack(t *testing.T) {
	rounds := 30
	if os.Getenv("TELEMODEM_LONG") == "1" {
		rounds = 1000
	}
	n := fakemodem.NewNetwork(nil)
	fake := n.NewModem(fakemodem.SIM800)
	modem := at.New(fake.Line(), &at.Config{EscapeGuard: -1, Quiet: time.Millisecond})
	bearer := gprs.NewBearer(modem, &gprs.BearerConfig{Stack: withStack})
	defer func() {
		require.NoError(t, bearer.Close())
		require.NoError(t, modem.Close())
		require.NoError(t, n.Close())
	}()
	_, err := at.Exec(t.Context(), modem, "E0S12=0")
	require.NoError(t, err)
	listener, err := n.Listen("tcp", "10.64.1.1:7")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.Copy(conn, conn)
			conn.Close()
		}
	}()
	round := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err := bearer.Connect(ctx)
		require.NoError(t, err)
		conn, err := bearer.DialContext(ctx, "tcp", "10.64.1.1:7")
		require.NoError(t, err)
		_, err = conn.Write([]byte{17})
		require.NoError(t, err)
		_, err = io.ReadFull(conn, make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.NoError(t, bearer.Disconnect(ctx))
	}
	for range 10 {
		round()
	}
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	for range rounds {
		round()
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+5 }, 5*time.Second, 10*time.Millisecond)
	left := int64(heapInUse()-heap) / int64(rounds)
	t.Logf("%d octets for each connection", left)
	require.Less(t, left, int64(16<<10), "octets left for each connection")
}

// A context of IPv6 alone resolves names: IPV6CP tells no name server, the
// network's Router Advertisement does.
func TestNamesOnIPv6Alone(t *testing.T) {
	t.Parallel()
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	n.AddName("six.example", netip.MustParseAddr("2001:db8:1::7"))
	listener, err := n.Listen("tcp6", "[2001:db8:1::7]:7000")
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			io.WriteString(conn, "read")
			conn.Close()
		}
	}()
	fake := n.NewModem(fakemodem.EC25)
	modem := at.New(fake.Line(), nil)
	defer modem.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	radio := gprs.NewRadio(modem, nil)
	defer radio.Close()
	_, err = radio.WaitRegistered(ctx)
	require.NoError(t, err)
	bearer := gprs.NewBearer(modem, &gprs.BearerConfig{Context: gprs.Context{Type: gprs.IPv6, APN: "internet"}, Stack: withStack})
	defer bearer.Close()
	_, err = bearer.Connect(ctx)
	require.NoError(t, err)
	conn, err := bearer.DialContext(ctx, "tcp", "six.example:7000")
	require.NoError(t, err)
	defer conn.Close()
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "read", string(got))
}

// 100 MB through the modem's data call arrive as they were, compared by hash;
// with the race detector, which is ten times as slow, 10 MB.
func TestBulkByHash(t *testing.T) {
	t.Parallel()
	octets := int64(100_000_000)
	if raceEnabled {
		octets /= 10
	}
	b := newBench(t, &gprs.BearerConfig{Stack: withStack})
	listener, err := b.n.Listen("tcp", "10.64.1.1:9")
	require.NoError(t, err)
	defer listener.Close()
	arrived := make(chan []byte, 1)
	go func() {
		sum := sha256.New()
		if conn, err := listener.Accept(); err == nil {
			io.Copy(sum, conn)
			conn.Close()
		}
		arrived <- sum.Sum(nil)
	}()
	c := b.connect()
	conn, err := b.bearer.DialContext(t.Context(), "tcp", "10.64.1.1:9")
	require.NoError(t, err)
	sent := sha256.New()
	n, err := io.Copy(conn, io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{7}), octets), sent))
	require.NoError(t, err)
	require.Equal(t, octets, n)
	require.NoError(t, conn.Close())
	require.Equal(t, sent.Sum(nil), <-arrived)
	stats := c.Link().Stats()
	require.Greater(t, stats.Sent.PacketOctets, uint64(octets))
	require.Zero(t, stats.Received.FCSErrors)
	require.NoError(t, b.bearer.Disconnect(t.Context()))
}
