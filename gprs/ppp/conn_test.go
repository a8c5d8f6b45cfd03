package ppp

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// ipv4 makes an IPv4 packet of n octets, as far as PPP looks at it.
func ipv4(n int, fill byte) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = fill + byte(i)
	}
	p[0] = 0x45
	return p
}

func TestLinkCarriesPackets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newLine()
		dns := []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("192.0.2.54")}
		client, server := mustBring(t, a, b, nil, &Config{DNS: dns})
		require.Equal(t, "10.64.64.2", client.LocalAddr().String())
		require.Equal(t, "10.64.64.1", client.PeerAddr().String())
		require.Equal(t, "10.64.64.1", server.LocalAddr().String())
		require.Equal(t, dns, client.DNS())
		for _, pair := range [][2]*Conn{{client, server}, {server, client}} {
			p := ipv4(1500, 7)
			require.NoError(t, pair[0].WritePacket(p))
			got := make([]byte, 1500)
			n, err := pair[1].ReadPacket(got)
			require.NoError(t, err)
			require.Equal(t, p, got[:n])
		}
		require.NoError(t, client.Close())
		<-server.Done()
		require.ErrorIs(t, server.Err(), ErrTerminated)
		require.ErrorIs(t, server.Close(), ErrTerminated)
		client, server = mustBring(t, a, b, nil, &Config{DNS: dns})
		require.NoError(t, server.Close())
		<-client.Done()
	})
}
