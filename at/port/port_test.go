package port

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/telemodem/telemodem/at"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]Address{
		"/dev/ttyUSB2": {Network: "serial", Name: "/dev/ttyUSB2"},
		"COM5":         {Network: "serial", Name: "COM5"},
		"serial:///dev/ttyS1?baud=460800&flow=rtscts": {Network: "serial", Name: "/dev/ttyS1", Serial: SerialConfig{Baud: 460800, Flow: FlowRTSCTS}},
		"serial://COM5?flow=none&dtr=off":             {Network: "serial", Name: "COM5", Serial: SerialConfig{DTROff: true}},
		"tcp://192.0.2.7:4001":                        {Network: "tcp", Name: "192.0.2.7:4001"},
		"unix:///run/modem.sock":                      {Network: "unix", Name: "/run/modem.sock"},
	} {
		got, err := ParseAddress(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "tcp://", "udp://192.0.2.7:1", "serial:///dev/x?baud=fast", "serial:///dev/x?baud=-1",
		"serial:///dev/x?flow=xonxoff", "serial:///dev/x?speed=9600", "tcp://h:1?baud=1", "serial:///dev/x?baud=%zz",
		"serial:///dev/x?baud=0", "serial:///dev/x?baud=", "serial:///dev/x?baud=4294967296", "serial:///dev/x?baud=99999999999999999999",
		"serial:///dev/x?baud=9600&baud=115200", "serial:///dev/x?flow", "serial:///dev/x?dtr=1", "serial://?baud=9600", "unix://", "unix:///s?x=1",
		"tcp://192.0.2.7", "tcp://::1:4001", "://x",
	} {
		_, err := ParseAddress(text)
		require.Error(t, err, text)
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("serial:///dev/ttyS1?baud=460800&flow=rtscts")
	f.Add("tcp://[::1]:4001")
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := ParseAddress(text); err == nil && a.Name == "" {
			t.Errorf("%q has no name", text)
		}
	})
}

// Each network kind: bytes both ways, Close unblocks Read, the far end's end
// is at.ErrLineGone.
func TestNetworkLines(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			where := "127.0.0.1:0"
			if network == "unix" {
				where = filepath.Join(t.TempDir(), "s")
			}
			l, err := net.Listen(network, where)
			require.NoError(t, err)
			defer l.Close()
			address := network + "://" + l.Addr().String()
			open := func() (io.ReadWriteCloser, net.Conn) {
				line, err := Open(t.Context(), address)
				require.NoError(t, err)
				far, err := l.Accept()
				require.NoError(t, err)
				return line, far
			}
			line, far := open()
			requireCarries(t, line, far)
			requireCloseUnblocks(t, line)
			far.Close()

			line, far = open()
			far.Close()
			_, err = line.Read(make([]byte, 1))
			require.ErrorIs(t, err, at.ErrLineGone)
			require.ErrorIs(t, err, io.EOF)
			requireWriteGone(t, line)
			line.Close()
		})
	}
}

func requireCarries(t *testing.T, line io.ReadWriter, far io.ReadWriter) {
	t.Helper()
	buf := make([]byte, 5)
	_, err := line.Write([]byte("AT\r\x00\xff"))
	require.NoError(t, err)
	_, err = io.ReadFull(far, buf)
	require.NoError(t, err)
	require.Equal(t, "AT\r\x00\xff", string(buf))
	_, err = far.Write([]byte("\r\nOK\r"))
	require.NoError(t, err)
	_, err = io.ReadFull(line, buf)
	require.NoError(t, err)
	require.Equal(t, "\r\nOK\r", string(buf))
}

// requireWriteGone writes until the system notices that nobody is there.
func requireWriteGone(t *testing.T, line io.Writer) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := line.Write([]byte("AT\r"))
		return errors.Is(err, at.ErrLineGone)
	}, 10*time.Second, time.Millisecond)
}

// A peer that resets the connection: what a terminal server does that starts anew.
func TestF97TCPReset(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	line, err := Open(t.Context(), "tcp://"+l.Addr().String())
	require.NoError(t, err)
	defer line.Close()
	far, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, far.(*net.TCPConn).SetLinger(0))
	require.NoError(t, far.Close())
	_, err = line.Read(make([]byte, 1))
	require.ErrorIs(t, err, at.ErrLineGone)
	require.NotErrorIs(t, err, io.EOF, "no orderly end")
	requireWriteGone(t, line)
}

func requireCloseUnblocks(t *testing.T, line io.ReadWriteCloser) {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := line.Read(make([]byte, 1))
		ended <- err
	}()
	time.Sleep(10 * time.Millisecond) // let it block; the test holds without, too
	require.NoError(t, line.Close())
	select {
	case err := <-ended:
		require.Error(t, err)
		require.NotErrorIs(t, err, at.ErrLineGone, "its user closed it")
	case <-time.After(10 * time.Second):
		t.Fatal("Close has not unblocked Read")
	}
}

func TestOpenFailures(t *testing.T) {
	for _, address := range []string{"/dev/no-such-device", "unix:///no/such/socket", "bad://x"} {
		_, err := Open(t.Context(), address)
		require.Error(t, err, address)
		require.Contains(t, err.Error(), address)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, "tcp://127.0.0.1:1")
	require.ErrorIs(t, err, context.Canceled)
}

func withPorts(t *testing.T, ports ...Info) {
	old := enumerate
	enumerate = func(context.Context) ([]Info, error) { return append([]Info(nil), ports...), nil }
	t.Cleanup(func() { enumerate = old })
}

// F95: the tty comes back under another name and is found by its identity.
func TestF95FindAfterReenumeration(t *testing.T) {
	modem := USB{Vendor: "2c7c", Product: "0125", Serial: "A1"}
	other := USB{Vendor: "2c7c", Product: "0125", Serial: "B2"}
	id := modem
	id.Interface = 2
	withPorts(t, Info{Name: "/dev/ttyS0"}, Info{"/dev/ttyUSB10", modem}, Info{"/dev/ttyUSB9", modem}, Info{"/dev/ttyUSB1", other})
	p, err := Find(id)
	require.NoError(t, err)
	require.Equal(t, "/dev/ttyUSB10", p.Name, "9 comes before 10")

	withPorts(t, Info{"/dev/ttyUSB0", other})
	_, err = Find(id)
	require.ErrorIs(t, err, ErrNotFound)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = Await(ctx, id)
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	withPorts(t, Info{"/dev/ttyUSB0", other}, Info{"/dev/ttyUSB3", modem}, Info{"/dev/ttyUSB4", modem})
	p, err = Await(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "/dev/ttyUSB4", p.Name)
	_, err = Find(USB{})
	require.ErrorIs(t, err, ErrNotFound, "an empty identity is everybody's")
}

// F95: the device comes back after some time, and lists fail while it does.
func TestF95AwaitComesBackLater(t *testing.T) {
	old := enumerate
	defer func() { enumerate = old }()
	synctest.Test(t, func(t *testing.T) {
		modem := USB{Vendor: "1546", Product: "1341", Serial: "1"}
		begin := time.Now()
		enumerate = func(context.Context) ([]Info, error) {
			switch since := time.Since(begin); {
			case since < 3*time.Second:
				return []Info{{Name: "/dev/ttyS0"}}, nil
			case since < 7*time.Second:
				return nil, errors.New("the device is no more")
			}
			return []Info{{"/dev/ttyACM7", modem}}, nil
		}
		p, err := Await(t.Context(), modem)
		require.NoError(t, err)
		require.Equal(t, "/dev/ttyACM7", p.Name)
		require.LessOrEqual(t, time.Since(begin), 7*time.Second+findInterval)

		enumerate = func(context.Context) ([]Info, error) { return nil, errors.New("no bus") }
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = Await(ctx, modem)
		require.ErrorContains(t, err, "no bus")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestListOfThisMachine(t *testing.T) {
	_, err := List()
	require.NoError(t, err)
	old := enumerate
	defer func() { enumerate = old }()
	enumerate = func(context.Context) ([]Info, error) { return nil, errors.New("no bus") }
	_, err = List()
	require.ErrorContains(t, err, "no bus")
}
