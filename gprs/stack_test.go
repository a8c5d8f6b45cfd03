package gprs_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// withStack is the configuration that a program has: TCP/IP on PPP.
func withStack(link ppp.Link) (gprs.Network, error) { return netstack.New(link, nil) }

// TCP through the one function on top, and no connection of it outlives the
// call. gVisor needs the real clock.
func TestDialContextThroughTheStack(t *testing.T) {
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
