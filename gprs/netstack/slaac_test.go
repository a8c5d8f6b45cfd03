package netstack

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// A Router Advertisement of the network gives the host a global address, and
// what goes to the world carries it.
func TestGlobalAddressFromRouterAdvertisement(t *testing.T) {
	left, right := newMemoryLinks(64)
	a, err := New(left, nil)
	require.NoError(t, err)
	defer a.Close()
	right.out <- routerAdvertisement(netip.MustParsePrefix("2001:db8:1::/64"), nil)

	var global netip.Addr
	for deadline := time.Now().Add(10 * time.Second); !global.IsValid() && time.Now().Before(deadline); {
		for _, p := range a.stack.AllAddresses()[nicID] {
			ip, _ := netip.AddrFromSlice(p.AddressWithPrefix.Address.AsSlice())
			if netip.MustParsePrefix("2001:db8:1::/64").Contains(ip) {
				global = ip
			}
		}
	}
	require.True(t, global.IsValid(), "no address was formed")
	conn, err := a.DialContext(t.Context(), "udp", "[2001:db8:2::1]:53")
	require.NoError(t, err)
	defer conn.Close()
	require.Equal(t, global, netip.MustParseAddrPort(conn.LocalAddr().String()).Addr())
}

// routerAdvertisement makes the message of RFC 4861 section 4.2 with one
// prefix (section 4.6.2) and an option behind it.
func routerAdvertisement(prefix netip.Prefix, behind []byte) []byte {
	p := append(make([]byte, 40+16+32), behind...)
	p[0], p[6], p[7] = 0x60, 58, 255
	binary.BigEndian.PutUint16(p[4:], uint16(len(p)-40))
	all := netip.MustParseAddr("ff02::1")
	copy(p[8:], there6.AsSlice())
	copy(p[24:], all.AsSlice())
	message := p[40:]
	message[0] = 134
	binary.BigEndian.PutUint16(message[6:], 1800) // router lifetime, seconds
	option := message[16:]
	option[0], option[1], option[2], option[3] = 3, 4, 64, 0xc0 // on-link, autonomous
	binary.BigEndian.PutUint32(option[4:], 86400)               // valid, seconds
	binary.BigEndian.PutUint32(option[8:], 14400)               // preferred, seconds
	copy(option[16:], prefix.Addr().AsSlice())
	sum := header.ICMPv6Checksum(header.ICMPv6ChecksumParams{
		Header: header.ICMPv6(message), Src: tcpip.AddrFrom16(there6.As16()), Dst: tcpip.AddrFrom16(all.As16()),
	})
	binary.BigEndian.PutUint16(message[2:], sum)
	return p
}
