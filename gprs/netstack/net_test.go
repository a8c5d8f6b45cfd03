package netstack

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"
)

// connPair makes the two ends of one TCP connection over a pair of stacks.
func connPair(network, at string) nettest.MakePipe {
	return func() (c1, c2 net.Conn, stop func(), err error) {
		left, right := newMemoryLinks(64)
		a, err := New(left, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		b, err := New(right, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		l, err := b.Listen(network, at)
		if err != nil {
			return nil, nil, nil, err
		}
		c1, err = a.DialContext(context.Background(), network, l.Addr().String())
		if err != nil {
			return nil, nil, nil, err
		}
		c2, err = l.Accept()
		return c1, c2, func() { _ = a.Close(); _ = b.Close() }, err
	}
}

func TestConnSemanticsTCP4(t *testing.T) { nettest.TestConn(t, connPair("tcp", "10.64.0.1:0")) }
func TestConnSemanticsTCP6(t *testing.T) { nettest.TestConn(t, connPair("tcp6", "[fe80::1]:0")) }

func TestEveryNetwork(t *testing.T) {
	a, b := newPair(t, nil)
	for _, c := range []struct{ network, listen, host string }{
		{"tcp", ":7", "10.64.0.1"},
		{"tcp", ":8", "fe80::1"}, // the listener of "tcp" takes both families
		{"tcp4", "10.64.0.1:9", "10.64.0.1"},
		{"tcp6", "[fe80::1]:10", "fe80::1"},
	} {
		t.Run(c.network+c.listen, func(t *testing.T) {
			l, err := b.Listen(c.network, c.listen)
			require.NoError(t, err)
			defer l.Close()
			go func() {
				conn, err := l.Accept()
				if err == nil {
					_, _ = io.Copy(conn, conn)
					_ = conn.Close()
				}
			}()
			_, port, err := net.SplitHostPort(l.Addr().String())
			require.NoError(t, err)
			conn, err := a.DialContext(t.Context(), c.network, net.JoinHostPort(c.host, port))
			require.NoError(t, err)
			defer conn.Close()
			requireEcho(t, conn)
		})
	}
	for _, c := range []struct{ network, listen, host string }{
		{"udp", ":7", "10.64.0.1"},
		{"udp", ":8", "fe80::1"},
		{"udp4", "10.64.0.1:9", "10.64.0.1"},
		{"udp6", "[fe80::1]:10", "fe80::1"},
	} {
		t.Run(c.network+c.listen, func(t *testing.T) {
			p, err := b.ListenPacket(c.network, c.listen)
			require.NoError(t, err)
			defer p.Close()
			go echoPackets(p)
			_, port, err := net.SplitHostPort(p.LocalAddr().String())
			require.NoError(t, err)
			conn, err := a.DialContext(t.Context(), c.network, net.JoinHostPort(c.host, port))
			require.NoError(t, err)
			defer conn.Close()
			requireEcho(t, conn)
		})
	}
}

func echoPackets(p net.PacketConn) {
	buffer := make([]byte, 2000)
	for {
		n, from, err := p.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = p.WriteTo(buffer[:n], from)
	}
}

func requireEcho(t *testing.T, conn net.Conn) {
	t.Helper()
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err := conn.Write([]byte("reading 42"))
	require.NoError(t, err)
	got := make([]byte, 10)
	_, err = io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, "reading 42", string(got))
}

func TestErrorsAreThoseOfPackageNet(t *testing.T) {
	a, b := newPair(t, nil)
	_, err := a.DialContext(t.Context(), "tcp", "10.64.0.1:81")
	require.ErrorIs(t, err, syscall.ECONNREFUSED, "nobody listens")

	_, err = a.DialContext(t.Context(), "unix", "/tmp/x")
	var unknown net.UnknownNetworkError
	require.ErrorAs(t, err, &unknown)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = a.DialContext(ctx, "tcp", "192.0.2.1:81")
	require.ErrorIs(t, err, context.DeadlineExceeded, "nobody answers")
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())

	l, err := b.Listen("tcp", ":80")
	require.NoError(t, err)
	_, err = b.Listen("tcp", ":80")
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	_, err = b.Listen("tcp", "192.0.2.7:80")
	require.ErrorIs(t, err, syscall.EADDRNOTAVAIL)
	accepted := make(chan error)
	go func() { _, err := l.Accept(); accepted <- err }()
	require.NoError(t, l.Close())
	require.ErrorIs(t, <-accepted, net.ErrClosed, "Close ends Accept")
	require.ErrorIs(t, l.Close(), net.ErrClosed)
}

func TestPing(t *testing.T) {
	a, _ := newPair(t, nil)
	for _, to := range []netip.Addr{there, there6} {
		rtt, err := a.Ping(t.Context(), to)
		require.NoError(t, err)
		require.Positive(t, rtt)
		require.Less(t, rtt, 5*time.Second)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := a.Ping(ctx, netip.MustParseAddr("192.0.2.1"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = a.Ping(t.Context(), netip.Addr{})
	require.Error(t, err)
}

// Everything open learns of the end of the link and of its cause.
func TestEndOfLinkReachesEveryCall(t *testing.T) {
	left, right := newMemoryLinks(64)
	a, b := joined(t, left, right, nil)
	l, err := b.Listen("tcp", ":80")
	require.NoError(t, err)
	conn, err := a.DialContext(t.Context(), "tcp", "10.64.0.1:80")
	require.NoError(t, err)
	listening, err := a.Listen("tcp", ":81")
	require.NoError(t, err)
	packets, err := a.ListenPacket("udp", ":82")
	require.NoError(t, err)
	_, err = l.Accept()
	require.NoError(t, err)

	failed := make(chan error, 4)
	go func() { _, err := conn.Read(make([]byte, 1)); failed <- err }()
	go func() { _, err := listening.Accept(); failed <- err }()
	go func() { _, _, err := packets.ReadFrom(make([]byte, 1)); failed <- err }()
	go func() { _, err := a.Ping(context.Background(), netip.MustParseAddr("192.0.2.1")); failed <- err }()
	time.Sleep(20 * time.Millisecond) // most of them wait by now; the others must fail at once

	carrier := errors.New("NO CARRIER")
	left.end(carrier)
	for range 4 {
		err := <-failed
		var ended *EndedError
		require.ErrorAs(t, err, &ended)
		require.ErrorIs(t, err, carrier)
	}
	<-a.Done()
	require.ErrorIs(t, a.Err(), carrier)
	require.NoError(t, a.Close())
	_, err = a.DialContext(t.Context(), "tcp", "10.64.0.1:80")
	require.ErrorIs(t, err, carrier)
	_, err = a.Listen("tcp", ":80")
	require.ErrorIs(t, err, carrier)
	_, err = a.ListenPacket("udp", ":80")
	require.ErrorIs(t, err, carrier)
	_, err = conn.Write([]byte("x"))
	require.ErrorIs(t, err, carrier)
}

func TestCloseTwiceAndErr(t *testing.T) {
	left, right := newMemoryLinks(64)
	a, _ := joined(t, left, right, nil)
	require.NoError(t, a.Err())
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())
	require.ErrorIs(t, a.Err(), net.ErrClosed)
	<-left.Done()
}

// A peer whose connection ends with our Close is told by a reset.
func TestCloseResetsConnections(t *testing.T) {
	a, b := newPair(t, nil)
	l, err := b.Listen("tcp", ":80")
	require.NoError(t, err)
	_, err = a.DialContext(t.Context(), "tcp", "10.64.0.1:80")
	require.NoError(t, err)
	peer, err := l.Accept()
	require.NoError(t, err)
	b.link.(*memoryLink).other.other = &memoryLink{done: make(chan struct{})} // keep the peer's link up
	require.NoError(t, a.Close())
	require.NoError(t, peer.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = peer.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

// The host of a simulated network answers for every address.
func TestAnyAddress(t *testing.T) {
	left, right := newMemoryLinks(64)
	a, err := New(left, &Config{Addresses: []netip.Prefix{netip.MustParsePrefix("2001:db8:2::2/64")}})
	require.NoError(t, err)
	defer a.Close()
	b, err := New(right, &Config{AnyAddress: true, Addresses: []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32")}})
	require.NoError(t, err)
	defer b.Close()
	l, err := b.Listen("tcp", ":80")
	require.NoError(t, err)
	for _, host := range []string{"198.51.100.7", "203.0.113.9", "2001:db8::1"} {
		c, err := a.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "80"))
		require.NoError(t, err, host)
		peer, err := l.Accept()
		require.NoError(t, err)
		require.Equal(t, net.JoinHostPort(host, "80"), peer.LocalAddr().String(), "the address that was called")
		_ = c.Close()
		_ = peer.Close()
	}
	p, err := b.ListenPacket("udp", "192.0.2.53:80")
	require.NoError(t, err)
	go echoPackets(p)
	c, err := a.DialContext(t.Context(), "udp", "192.0.2.53:80")
	require.NoError(t, err)
	requireEcho(t, c)
}

func TestNewRefuses(t *testing.T) {
	left, _ := newMemoryLinks(1)
	left.mtu = 60
	_, err := New(left, nil)
	require.ErrorContains(t, err, "MTU 60")
	left.mtu, left.local, left.local6 = 1500, netip.Addr{}, netip.Addr{}
	_, err = New(left, nil)
	require.ErrorContains(t, err, "no address")
	_, err = New(left, &Config{Addresses: []netip.Prefix{{}}})
	require.ErrorContains(t, err, "Config.Addresses")
}

// The address that AT+CGPADDR tells may be the one that IPCP gave.
func TestAddressTwice(t *testing.T) {
	left, _ := newMemoryLinks(64)
	a, err := New(left, &Config{Addresses: []netip.Prefix{netip.PrefixFrom(here, 32), netip.PrefixFrom(here, 24)}})
	require.NoError(t, err)
	defer a.Close()
	require.Equal(t, here, a.LocalAddr())
}
