package netstack

import (
	"context"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// recursiveServers makes the option of RFC 8106 section 5.1.
func recursiveServers(lifetime uint32, servers ...netip.Addr) []byte {
	p := []byte{25, byte(1 + 2*len(servers)), 0, 0}
	p = binary.BigEndian.AppendUint32(p, lifetime)
	for _, s := range servers {
		p = append(p, s.AsSlice()...)
	}
	return p
}

// A context of IPv6 alone has its prefix and its name server from Router
// Advertisements, which come when the question has long been asked.
func TestNamesByRouterAdvertisement(t *testing.T) {
	left, right := newMemoryLinks(64)
	left.local, left.peer = netip.Addr{}, netip.Addr{}
	device, err := New(left, nil)
	require.NoError(t, err)
	defer device.Close()
	network, err := New(right, &Config{AnyAddress: true})
	require.NoError(t, err)
	defer network.Close()
	names := &nameServer{v6: netip.MustParseAddr("2001:db8:9::80")}
	names.serve(t, network, "2001:db8:5::53")
	l, err := network.Listen("tcp6", "[::]:80")
	require.NoError(t, err)
	defer l.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	advertised := time.AfterFunc(20*time.Millisecond, func() {
		right.out <- routerAdvertisement(netip.MustParsePrefix("2001:db8:1::/64"),
			recursiveServers(1800, netip.MustParseAddr("2001:db8:5::53")))
	})
	defer advertised.Stop()
	conn, err := device.DialContext(ctx, "tcp", "meter.example:80")
	require.NoError(t, err)
	defer conn.Close()
	require.Equal(t, "[2001:db8:9::80]:80", conn.RemoteAddr().String())
	from := netip.MustParseAddrPort(conn.LocalAddr().String()).Addr()
	require.True(t, netip.MustParsePrefix("2001:db8:1::/64").Contains(from), "from the network's prefix: %v", from)
}

// A global address waits for a prefix no longer than the context, and not at
// all for what needs none.
func TestWaitForPrefixIsBounded(t *testing.T) {
	device, network := newPair(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := device.DialContext(ctx, "tcp", "[2001:db8:9::80]:80")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	l, err := network.Listen("tcp6", "[::]:80")
	require.NoError(t, err)
	defer l.Close()
	conn, err := device.DialContext(t.Context(), "tcp", "[fe80::1]:80")
	require.NoError(t, err)
	require.NoError(t, conn.Close())

	waiting := make(chan error)
	go func() {
		_, err := device.DialContext(t.Context(), "tcp", "[2001:db8:9::80]:80")
		waiting <- err
	}()
	time.AfterFunc(10*time.Millisecond, func() { _ = device.Close() })
	require.Error(t, <-waiting, "nor longer than the stack lives")
}

func TestServersOfRouters(t *testing.T) {
	a, b, c := netip.MustParseAddr("2001:db8::a"), netip.MustParseAddr("2001:db8::b"), netip.MustParseAddr("fe80::c")
	start := time.Unix(1000, 0)
	type told struct {
		after    time.Duration
		lifetime time.Duration
		servers  []netip.Addr
	}
	for _, test := range []struct {
		name string
		told []told
		at   time.Duration
		want []netip.Addr
	}{
		{"none", nil, 0, nil},
		{"two, in their order", []told{{0, time.Hour, []netip.Addr{b, a}}}, 0, []netip.Addr{b, a}},
		{"a link-local one", []told{{0, time.Hour, []netip.Addr{c}}}, 0, []netip.Addr{c}},
		{"one whose time is over", []told{{0, time.Minute, []netip.Addr{a}}, {0, time.Hour, []netip.Addr{b}}}, time.Minute, []netip.Addr{b}},
		{"a longer time", []told{{0, time.Minute, []netip.Addr{a}}, {time.Second, time.Hour, []netip.Addr{a}}}, 2 * time.Minute, []netip.Addr{a}},
		{"for ever", []told{{0, header.NDPInfiniteLifetime, []netip.Addr{a}}}, 200 * 365 * 24 * time.Hour, []netip.Addr{a}},
		{"taken back", []told{{0, time.Hour, []netip.Addr{a, b}}, {time.Second, 0, []netip.Addr{a}}}, time.Second, []netip.Addr{b}},
		{"unknown, and taken back", []told{{0, 0, []netip.Addr{a}}}, 0, nil},
	} {
		r := newRouter(start)
		for _, s := range test.told {
			var addrs []tcpip.Address
			for _, a := range s.servers {
				addrs = append(addrs, tcpip.AddrFrom16(a.As16()))
			}
			r.learn(addrs, s.lifetime, start.Add(s.after))
		}
		require.Equal(t, test.want, r.nameServers(start.Add(test.at)), test.name)
	}
}

// Promise 8: a router that names servers without end fills no memory.
func TestServersOfRoutersAreBounded(t *testing.T) {
	r, now := newRouter(time.Unix(1000, 0)), time.Unix(1000, 0)
	for i := range 1000 {
		r.learn([]tcpip.Address{tcpip.AddrFrom16([16]byte{0x20, 1, 14: byte(i >> 8), 15: byte(i)})}, time.Minute, now)
	}
	require.Len(t, r.nameServers(now), mostServers)
	now = now.Add(time.Minute)
	r.learn([]tcpip.Address{tcpip.AddrFrom16(there6.As16())}, time.Minute, now)
	require.Equal(t, []netip.Addr{there6}, r.nameServers(now), "their time over, there is room")
}
