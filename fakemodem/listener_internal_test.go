package fakemodem

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDialInside: a socket inside a modem and a listener of the network, in a
// bubble.
func TestDialInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(nil)
		defer n.Close()
		n.SetPath(Path{Latency: time.Second})
		m := n.NewModem(EC25)
		time.Sleep(time.Minute)
		l, err := n.Listen("tcp", "10.1.2.3:0")
		require.NoError(t, err)
		to := l.Addr().(*net.TCPAddr).AddrPort()
		dial := func(to netip.AddrPort) (net.Conn, error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.gateway.dialInside(m.contexts.get(1), netip.AddrPortFrom(m.contexts.get(1).addr, 1024), to)
		}
		_, err = dial(to)
		require.ErrorIs(t, err, errUnreachable, "no context")
		n.mu.Lock()
		require.Equal(t, OK, m.contexts.activate(m.contexts.get(1)))
		n.mu.Unlock()
		_, err = dial(netip.AddrPortFrom(to.Addr(), 1))
		require.ErrorIs(t, err, errRefused)
		near, err := dial(to)
		require.NoError(t, err)
		far, err := l.Accept()
		require.NoError(t, err)
		require.Equal(t, m.Addr().String()+":1024", far.RemoteAddr().String())
		start := time.Now()
		_, err = near.Write([]byte("there"))
		require.NoError(t, err)
		near.(*insideConn).CloseWrite()
		got, err := io.ReadAll(far)
		require.NoError(t, err)
		require.Equal(t, "there", string(got))
		require.Equal(t, time.Second, time.Since(start), "the latency of the path")
		require.NoError(t, far.Close())
		_, err = near.Write([]byte("x"))
		require.Error(t, err)
		require.NoError(t, l.Close())
		_, err = dial(to)
		require.ErrorIs(t, err, errRefused)
		_, err = l.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	})
}
