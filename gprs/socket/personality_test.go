package socket_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// Each maker's modem has its dialect without being told, and works at the
// times that real modems take.
func TestMakersOwnDialect(t *testing.T) {
	for kind, dialect := range map[*fakemodem.Personality]socket.Dialect{
		fakemodem.SIM800: socket.SIM800, fakemodem.SIM7600: socket.SIM7600, fakemodem.EC25: socket.Quectel,
		fakemodem.BG96: socket.Quectel, fakemodem.SARAR410: socket.UBlox, fakemodem.SARAR510: socket.UBlox,
		fakemodem.Telit: socket.Telit,
	} {
		t.Run(kind.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
				defer n.Close()
				var far net.Conn
				fake := n.NewModem(kind, fakemodem.WithSocketDialer(func(context.Context, string, string) (net.Conn, error) {
					near, other := net.Pipe()
					far = other
					return near, nil
				}))
				modem := at.New(fake.Line(), nil)
				defer modem.Close()
				_, err := at.Exec(t.Context(), modem, "E0")
				require.NoError(t, err)
				time.Sleep(time.Minute)
				stack, err := socket.Open(t.Context(), modem, dialect, &socket.Config{APN: "internet", User: "u", Password: "p"})
				require.NoError(t, err)
				defer stack.Close()
				c, err := stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
				require.NoError(t, err)
				defer far.Close()
				go io.Copy(far, far)
				_, err = c.Write([]byte("reading 17"))
				require.NoError(t, err)
				got := make([]byte, 10)
				_, err = io.ReadFull(c, got)
				require.NoError(t, err)
				require.Equal(t, "reading 17", string(got))
				require.NoError(t, c.Close())
			})
		})
	}
}
