package fakemodem_test

import (
	"context"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// bothFamilies is a data call on a context of both versions of IP.
func (u *terminal) bothFamilies(ctx context.Context) (conn *ppp.Conn, prefix netip.Prefix) {
	u.t.Helper()
	require.Contains(u.t, u.ask(`ATX0+CGDCONT=1,"IPV4V6","internet"`), "OK")
	conn = u.dial(ctx, &ppp.Config{Families: ppp.IPv4 | ppp.IPv6})
	require.True(u.t, conn.LocalAddr().IsValid())
	p := make([]byte, 1500)
	k, err := conn.ReadPacket(p)
	require.NoError(u.t, err)
	require.Equal(u.t, []byte{58, 255}, p[6:8], "a Router Advertisement")
	require.Equal(u.t, byte(134), p[40])
	require.Equal(u.t, uint16(0xffff), sum16(p[8:k], uint32(k-40)+58), "its checksum holds")
	require.Equal(u.t, []byte{25, 3}, p[88:90], "the name server: RFC 8106 section 5.1")
	option := p[56:]
	require.Equal(u.t, []byte{3, 4, 64, 0x40}, option[:4])
	return conn, netip.PrefixFrom(netip.AddrFrom16([16]byte(option[16:32])), 64)
}

// sum16 adds as RFC 1071 does; with the pseudo-header's sum it is all ones.
func sum16(b []byte, sum uint32) uint16 {
	for i, c := range b {
		if i%2 == 0 {
			sum += uint32(c) << 8
		} else {
			sum += uint32(c)
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

// ipv6 makes a packet of a protocol.
func ipv6(from, to netip.Addr, protocol byte, body string) []byte {
	p := make([]byte, 40, 40+len(body))
	p[0], p[5], p[6], p[7] = 0x60, byte(len(body)), protocol, 64
	copy(p[8:], from.AsSlice())
	copy(p[24:], to.AsSlice())
	return append(p, body...)
}

func TestIPv6BetweenModems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
		defer n.Close()
		m := n.NewModem(fakemodem.EC25)
		a, b := newTerminal(t, m), newTerminal(t, n.NewModem(fakemodem.EC25))
		time.Sleep(30 * time.Second)
		p, first := a.bothFamilies(t.Context())
		q, second := b.bothFamilies(t.Context())
		require.NotEqual(t, first, second, "each context has a prefix of its own")
		require.True(t, first.Contains(m.Addr6()))
		here, there := first.Addr().Next().Next(), second.Addr().Next() // any address of the prefix is the modem's
		packet := ipv6(here, there, 253, "hello")
		require.NoError(t, p.WritePacket(packet))
		got := make([]byte, 1500)
		k, err := q.ReadPacket(got)
		require.NoError(t, err)
		require.Equal(t, packet, got[:k])

		require.NoError(t, p.WritePacket(ipv6(here, n.GatewayAddr6(), 58, "\x80\x00\x00\x00\x00\x07\x00\x01")))
		k, err = p.ReadPacket(got)
		require.NoError(t, err)
		require.Equal(t, "\x81\x00", string(got[40:42]), "an echo reply")
		require.Equal(t, uint16(0xffff), sum16(got[8:k], uint32(k-40)+58))

		all := netip.IPv6LinkLocalAllRouters()
		require.NoError(t, p.WritePacket(ipv6(p.LocalAddr6(), all, 58, "\x85\x00\x00\x00\x00\x00\x00\x00")))
		_, err = p.ReadPacket(got)
		require.NoError(t, err)
		require.Equal(t, byte(134), got[40], "who asks for a router gets one")
		time.Sleep(5 * time.Hour)
		_, err = p.ReadPacket(got)
		require.NoError(t, err)
		require.Equal(t, byte(134), got[40], "and sees it again now and then")
		require.NoError(t, p.Close())
		require.NoError(t, q.Close())
		time.Sleep(10 * time.Second)
		require.False(t, m.Addr6().IsValid())
		a.line.Close()
		b.line.Close()
	})
}

func TestContextAddresses(t *testing.T) {
	inBubble(t, fakemodem.EC25, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		n.AddAPN(fakemodem.APN{Name: "both", Pool: netip.MustParsePrefix("100.64.8.0/24"), Pool6: netip.MustParsePrefix("2001:db8:aa00::/40")})
		n.AddAPN(fakemodem.APN{Name: "old", Only: "IP"})
		n.AddAPN(fakemodem.APN{Name: "small", Pool: netip.MustParsePrefix("192.0.2.0/30"), Only: "IP"})
		u.ask("ATE0")
		u.ask(`AT+CGDCONT=1,"IPV4V6","both";+CGDCONT=2,"IPV6","both";+CGDCONT=3,"IPV4V6","old";+CGDCONT=4,"IPV6","old"`)
		for _, c := range []struct{ why, send, want string }{
			{"inactive", "AT+CGPADDR=2", `+CGPADDR: 2,"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"`},
			{"both versions", "AT+CGACT=1,1;+CGPADDR=1", `+CGPADDR: 1,"100.64.8.1","32.1.13.184.170.0.0.0.0.0.0.0.0.0.0.1"`},
			{"IPv6 alone", "AT+CGACT=1,2;+CGPADDR=2", `+CGPADDR: 2,"32.1.13.184.170.0.0.1.0.0.0.0.0.0.0.1"`},
			{"with colons", "AT+CGPIAF=1,1,1,0;+CGPADDR=2", `+CGPADDR: 2,"2001:db8:aa00:1::1"`},
			{"an access point of IPv4", "AT+CGACT=1,3;+CGPADDR=3", `+CGPADDR: 3,"10.64.0.2"`},
			{"which refuses IPv6", "AT+CGACT=1,4", "+CME ERROR: 133"},
			{"parameters of IPv4", "AT+CGCONTRDP=1", `+CGCONTRDP: 1,5,"both","100.64.8.1.255.255.255.255","10.64.0.1","10.64.0.1",""`},
			{"parameters of IPv6", "AT+CGCONTRDP=2", `+CGCONTRDP: 2,6,"both","32.1.13.184.170.0.0.1.0.0.0.0.0.0.0.1.255.255.255.255.255.255.255.255.0.0.0.0.0.0.0.0","32.1.13.184.0.100.0.0.0.0.0.0.0.0.0.1","32.1.13.184.0.100.0.0.0.0.0.0.0.0.0.1",""`},
			{"which contexts have them", "AT+CGCONTRDP=?", "+CGCONTRDP: (1,2,3)"},
			{"the definition shows the address", "AT+CGDCONT?", `+CGDCONT: 2,"IPV6","both","32.1.13.184.170.0.0.1.0.0.0.0.0.0.0.1",0,0`},
		} {
			require.Contains(t, u.ask(c.send), "\r\n"+c.want+"\r\n", c.why)
		}
		u.ask(`AT+CGDCONT=5,"IP","small";+CGDCONT=6,"IP","small";+CGDCONT=7,"IP","small";+CGDCONT=8,"IP","small";+CGDCONT=9,"IP","small"`)
		u.ask("AT+CGACT=1,5;+CGACT=1,6;+CGACT=1,7;+CGACT=1,8")
		require.Equal(t, "\r\n+CME ERROR: 133\r\n", u.ask("AT+CGACT=1,9"), "an empty pool")
		u.ask("AT+CGACT=0,6")
		require.Equal(t, "\r\nOK\r\n", u.ask("AT+CGACT=1,9"), "what was given back is given out again")
	})
}

func TestIPv4AloneOnGSM(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0")
		require.NotContains(t, u.ask("AT+CGDCONT=?"), "IPV6")
		require.Equal(t, "\r\nERROR\r\n", u.ask(`AT+CGDCONT=1,"IPV6","x"`))
		require.Equal(t, "\r\nERROR\r\n", u.ask("AT+CGCONTRDP"))
	})
}

// TestBearerOnBothFamilies reaches a listener by IPv6 and one by IPv4 through
// one bearer: the addresses by IPCP and by Router Advertisement, the names by
// A and AAAA. It runs in real time, as gVisor must.
func TestBearerOnBothFamilies(t *testing.T) {
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	fake := n.NewModem(fakemodem.EC25)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	waitRegistered(t, ctx, fake)
	n.AddName("six.example", netip.MustParseAddr("2001:db8:1::7"))
	n.AddName("four.example", netip.MustParseAddr("10.1.2.3"))
	for _, where := range []struct{ network, address string }{{"tcp6", "[2001:db8:1::7]:7000"}, {"tcp", "10.1.2.3:7000"}} {
		l, err := n.Listen(where.network, where.address)
		require.NoError(t, err)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				io.WriteString(conn, "from "+hostOf(conn.RemoteAddr()))
				conn.Close()
			}
		}()
	}
	modem := at.New(fake.Line(), nil)
	defer modem.Close()
	bearer := gprs.NewBearer(modem, &gprs.BearerConfig{
		Context: gprs.Context{Type: gprs.IPv4v6, APN: "internet"},
		Stack:   func(link ppp.Link) (gprs.Network, error) { return netstack.New(link, nil) },
	})
	defer bearer.Close()
	_, err := bearer.Connect(ctx)
	require.NoError(t, err)
	for name, prefix := range map[string]netip.Prefix{
		"six.example:7000": netip.PrefixFrom(fake.Addr6(), 64), "four.example:7000": netip.PrefixFrom(fake.Addr(), 32),
	} {
		conn, err := bearer.DialContext(ctx, "tcp", name)
		require.NoError(t, err, name)
		got, err := io.ReadAll(conn)
		require.NoError(t, err)
		from, err := netip.ParseAddr(string(got[len("from "):]))
		require.NoError(t, err)
		require.True(t, prefix.Contains(from), "%v is the modem's: %v", from, prefix)
		conn.Close()
	}
}
