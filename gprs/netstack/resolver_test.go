package netstack

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers questions on the network's side of the link.
type nameServer struct {
	asked atomic.Int32
	code  dnsmessage.RCode
	short bool // answers by UDP are cut short
	mute  bool
	v6    netip.Addr
}

// reply answers one question: every name is 203.0.113.9, and v6 if there is one.
func (s *nameServer) reply(t *testing.T, query []byte, network string) []byte {
	s.asked.Add(1)
	if s.mute {
		return nil
	}
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		t.Error(err)
		return nil
	}
	m.Response, m.RCode, m.Additionals = true, s.code, nil
	m.Truncated = s.short && network == "udp"
	q := m.Questions[0]
	if q.Type == dnsmessage.TypeAAAA && s.v6.IsValid() {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AAAAResource{AAAA: s.v6.As16()},
		}}
	}
	if q.Type == dnsmessage.TypeA && s.code == 0 && !m.Truncated {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{203, 0, 113, 9}},
		}}
	}
	packed, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return packed
}

// serve starts the server at an address of n, on UDP and TCP.
func (s *nameServer) serve(t *testing.T, n *Net, addr string) {
	t.Helper()
	p, err := n.ListenPacket("udp", net.JoinHostPort(addr, "53"))
	require.NoError(t, err)
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := p.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer := s.reply(t, buffer[:n], "udp"); answer != nil {
				_, _ = p.WriteTo(answer, from)
			}
		}
	}()
	l, err := n.Listen("tcp", net.JoinHostPort(addr, "53"))
	require.NoError(t, err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if query, err := readFramed(c); err == nil {
				_, _ = c.Write(framed(s.reply(t, query, "tcp")))
			}
			_ = c.Close()
		}
	}()
}

func TestResolver(t *testing.T) {
	const first, second, third = "10.11.12.13", "10.11.12.14", "198.51.100.53"
	none := &nameServer{}
	for _, c := range []struct {
		name               string
		one, two, fallback *nameServer
		host               string
		want               string // error text; empty: 203.0.113.9
		asked              [3]bool
	}{
		{"the link's first server", &nameServer{}, &nameServer{}, &nameServer{}, "meter.example", "", [3]bool{true, false, false}},
		{"the first fails, the second knows", &nameServer{code: dnsmessage.RCodeServerFailure}, &nameServer{}, &nameServer{}, "meter.example", "", [3]bool{true, true, false}},
		{"both refuse, the fall-back knows", &nameServer{code: dnsmessage.RCodeRefused}, &nameServer{code: dnsmessage.RCodeServerFailure}, &nameServer{}, "meter.example", "", [3]bool{true, true, true}},
		{"no such name is an answer", &nameServer{code: dnsmessage.RCodeNameError}, &nameServer{}, &nameServer{}, "meter.example", "no such host", [3]bool{true, false, false}},
		{"an answer too long for UDP", &nameServer{short: true}, none, none, "meter.example", "", [3]bool{true, false, false}},
		{"nobody knows", &nameServer{code: dnsmessage.RCodeServerFailure}, &nameServer{code: dnsmessage.RCodeServerFailure}, &nameServer{code: dnsmessage.RCodeServerFailure}, "meter.example", "server misbehaving", [3]bool{true, true, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			left, right := newMemoryLinks(64)
			left.dns = []netip.Addr{netip.MustParseAddr(first), netip.MustParseAddr(second)}
			left.local6 = netip.Addr{}
			device, err := New(left, &Config{DNS: []netip.AddrPort{netip.MustParseAddrPort(third + ":53")}})
			require.NoError(t, err)
			defer device.Close()
			network, err := New(right, &Config{AnyAddress: true})
			require.NoError(t, err)
			defer network.Close()
			servers := [3]*nameServer{c.one, c.two, c.fallback}
			for i, at := range []string{first, second, third} {
				servers[i].serve(t, network, at)
			}
			ips, err := device.Resolver().LookupNetIP(t.Context(), "ip4", c.host+".")
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, []netip.Addr{netip.MustParseAddr("203.0.113.9")}, ips)
			} else {
				require.ErrorContains(t, err, c.want)
			}
			for i, s := range servers {
				require.Equal(t, c.asked[i], s.asked.Load() > 0, "server %d", i)
			}
			if c.want == "" {
				l, err := network.Listen("tcp", ":80")
				require.NoError(t, err)
				conn, err := device.DialContext(t.Context(), "tcp", c.host+":80")
				require.NoError(t, err)
				require.Equal(t, "203.0.113.9:80", conn.RemoteAddr().String())
				_ = conn.Close()
				_ = l.Close()
			}
		})
	}
}

// A silent server costs the patience once: then the one that answered is asked
// first.
func TestResolverLeavesSilentServer(t *testing.T) {
	left, right := newMemoryLinks(64)
	left.dns = []netip.Addr{netip.MustParseAddr("10.11.12.13")}
	left.local6 = netip.Addr{}
	device, err := New(left, &Config{DNS: []netip.AddrPort{netip.MustParseAddrPort("198.51.100.53:53")}})
	require.NoError(t, err)
	defer device.Close()
	network, err := New(right, &Config{AnyAddress: true})
	require.NoError(t, err)
	defer network.Close()
	silent, answers := &nameServer{mute: true}, &nameServer{}
	silent.serve(t, network, "10.11.12.13")
	answers.serve(t, network, "198.51.100.53")
	start := time.Now()
	_, err = device.Resolver().LookupNetIP(t.Context(), "ip4", "a.example.")
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(start), dnsPatience)
	asked := silent.asked.Load()
	_, err = device.Resolver().LookupNetIP(t.Context(), "ip4", "b.example.")
	require.NoError(t, err)
	require.Equal(t, asked, silent.asked.Load(), "the silent server is not asked again")
}

func TestResolverWithoutServers(t *testing.T) {
	left, right := newMemoryLinks(64)
	left.local6 = netip.Addr{} // nor a router that could name one
	device, _ := joined(t, left, right, nil)
	_, err := device.DialContext(t.Context(), "tcp", "meter.example:80")
	require.ErrorContains(t, err, "no name server")
	var dns *net.DNSError
	require.ErrorAs(t, err, &dns)
}

func TestResolverEndsWithContext(t *testing.T) {
	left, right := newMemoryLinks(64)
	left.dns = []netip.Addr{netip.MustParseAddr("10.11.12.13")}
	device, _ := joined(t, left, right, nil) // nobody answers, not even by ICMP
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := device.DialContext(ctx, "tcp", "meter.example:80")
	require.Error(t, err)
	require.Less(t, time.Since(start), 5*time.Second)
}

func TestReadFramedRefusesShort(t *testing.T) {
	short := binary.BigEndian.AppendUint16(nil, 3)
	_, err := readFramed(bytes.NewReader(append(short, 1, 2, 3)))
	require.Error(t, err)
	_, err = readFramed(bytes.NewReader([]byte{0}))
	require.Error(t, err)
}
