package fakemodem_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/warthog618/modem/at"
	"github.com/warthog618/modem/gsm"
	"go.bug.st/serial"

	"github.com/telemodem/telemodem/fakemodem"
)

// TestHonestyPTY is TestHonestyWarthog over a pseudo-terminal that a serial
// port library opens: everything on the host's side is somebody else's.
func TestHonestyPTY(t *testing.T) {
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	m := n.NewModem(fakemodem.SIM800)
	path, err := m.PTY()
	if err != nil {
		t.Skip(err)
	}
	port, err := serial.Open(path, &serial.Mode{BaudRate: 115200})
	require.NoError(t, err)
	defer port.Close()
	driver := gsm.New(at.New(port, at.WithTimeout(5*time.Second)))
	driveWarthog(t, n, m, driver)
	require.NoError(t, port.Close())
	again, err := serial.Open(path, &serial.Mode{BaudRate: 9600})
	require.NoError(t, err, "the port is still there for the next program")
	require.NoError(t, again.Close())
}

func TestSocketLines(t *testing.T) {
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	m := n.NewModem(fakemodem.SIM800)
	addr, err := m.ListenTCP("127.0.0.1:0")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "modem")
	require.NoError(t, m.ListenUnix(path))
	for _, to := range []net.Addr{addr, &net.UnixAddr{Name: path, Net: "unix"}, addr} {
		conn, err := net.Dial(to.Network(), to.String())
		require.NoError(t, err)
		_, err = conn.Write([]byte("ATE1\r"))
		require.NoError(t, err)
		got := make([]byte, 11)
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, err = io.ReadFull(conn, got)
		require.NoError(t, err)
		require.Equal(t, "ATE1\r\r\nOK\r\n", string(got))
		defer conn.Close()
	}
	require.NoError(t, m.Close())
	_, err = net.Dial("tcp", addr.String())
	require.Error(t, err, "the listener ends with the modem")
}

func TestLineEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := fakemodem.NewNetwork(nil)
		defer n.Close()
		m := n.NewModem(fakemodem.SIM800)
		line := m.Line()
		ended := make(chan error, 1)
		go func() {
			_, err := line.Read(make([]byte, 1))
			ended <- err
		}()
		synctest.Wait()
		require.NoError(t, line.Close())
		require.ErrorIs(t, <-ended, os.ErrClosed, "Close unblocks Read")
		require.NoError(t, line.Close(), "twice")
		_, err := line.Write([]byte("AT\r"))
		require.ErrorIs(t, err, os.ErrClosed)

		first := m.Line()
		second := m.Line()
		_, err = first.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "the port went to another line")
		require.NoError(t, m.Close())
		left, err := io.ReadAll(second)
		require.Empty(t, string(left))
		require.Error(t, err)
		require.NotErrorIs(t, err, os.ErrClosed)
		_, err = second.Write([]byte("AT\r"))
		require.Error(t, err)
	})
}

func TestLineSpeed(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0")
		start := time.Now()
		u.send("ATI\r")
		u.want("the answer", "\r\nSIM800 R14.18\r\n\r\nOK\r\n")
		require.Equal(t, 27*10*time.Second/9600, time.Since(start).Round(time.Microsecond).Truncate(time.Microsecond), "4 octets there and 23 back at ten bits each")
	}, fakemodem.WithBaud(9600))
}
