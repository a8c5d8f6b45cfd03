package netstack

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnyAddressAnswersEcho(t *testing.T) {
	left, right := newMemoryLinks(64)
	a, err := New(left, nil)
	require.NoError(t, err)
	defer a.Close()
	b, err := New(right, &Config{AnyAddress: true})
	require.NoError(t, err)
	defer b.Close()
	for _, to := range []string{"10.64.0.1", "203.0.113.9", "fe80::1", "2001:db8::1"} {
		_, err := a.Ping(t.Context(), netip.MustParseAddr(to)) // the stack checks the checksum
		require.NoError(t, err, to)
	}
}

func TestEchoReplyLeavesOthersAlone(t *testing.T) {
	for _, p := range [][]byte{
		nil,
		{0x45},
		make([]byte, 100),
		append([]byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0}, make([]byte, 16)...),   // UDP
		append([]byte{0x45, 0, 0, 28, 0, 0, 0x20, 0, 64, 1, 0, 0}, make([]byte, 16)...), // a fragment
		append([]byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0}, make([]byte, 16)...),    // a reply
		append([]byte{0x4f, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0}, make([]byte, 16)...),    // header longer than the packet
		append([]byte{0x60, 0, 0, 0, 0, 200, 58, 64}, make([]byte, 40)...),              // payload longer than the packet
	} {
		before := append([]byte(nil), p...)
		require.False(t, echoReply(p))
		require.Equal(t, before, p)
	}
}
