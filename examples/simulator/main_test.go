package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is what the simulator prints.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// find waits until the output has what the pattern's group describes.
func (o *output) find(t *testing.T, pattern string) (found string) {
	t.Helper()
	find := regexp.MustCompile(pattern)
	require.Eventually(t, func() bool {
		if match := find.FindStringSubmatch(o.String()); match != nil {
			found = match[1]
		}
		return found != ""
	}, 10*time.Second, 2*time.Millisecond, "%s is not in the output", pattern)
	return found
}

// start runs the simulator with flags until the test or stop ends.
func start(t *testing.T, in io.Reader, flags ...string) (out *output, stop func()) {
	o, err := parse(flags, io.Discard)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	out = new(output)
	ended := make(chan error, 1)
	go func() { ended <- simulate(ctx, o, in, out) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(10 * time.Second):
			require.Fail(t, "the simulator does not end")
		}
		http.DefaultClient.CloseIdleConnections()
	})
	t.Cleanup(stop)
	return out, stop
}

// talk writes to a port until it hears what it waits for.
func talk(t *testing.T, port io.ReadWriter, say, hear string) {
	t.Helper()
	_, err := io.WriteString(port, say)
	require.NoError(t, err)
	var heard strings.Builder
	b := make([]byte, 256)
	for !strings.Contains(heard.String(), hear) {
		n, err := port.Read(b)
		require.NoError(t, err, "after %q", heard.String())
		heard.Write(b[:n])
	}
}

// TestSimulate: the modem is where it should be, the faults are on it, what is
// typed reaches it and what it sends is printed.
func TestSimulate(t *testing.T) {
	out, stop := start(t, strings.NewReader("\nopen the valve\n"), "-listen", "tcp://127.0.0.1:0", "-modem", "plain", "-pin", "4711", "-fault", "F62:text=7,7")
	conn, err := net.Dial("tcp", out.find(t, `tcp://(\S+)\n`))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	talk(t, conn, "ATI\r", "Plain 27.007") // which has no busy SIM after its start
	talk(t, conn, "AT+CSQ\r", "+CSQ: 7,7")
	talk(t, conn, "AT+CNMI=2,1\r", "OK")
	talk(t, conn, "AT+CPIN=4711\r", "+CMTI") // the message waits for the card
	talk(t, conn, "AT+CMGF=1\r", "OK")
	talk(t, conn, "AT+CMGS=\""+phoneNumber+"\"\r", ">")
	talk(t, conn, "4.2 m\x1a", "+CMGS:")
	require.Equal(t, "4.2 m", out.find(t, `SMS from \S+: (.*)\n`))

	page := out.find(t, `control page: (http://127\.0\.0\.1:\d+/)\n`)
	stream, err := http.Get(page + "events")
	require.NoError(t, err)
	defer stream.Body.Close()
	stop()
	all, err := io.ReadAll(stream.Body)
	require.NoError(t, err, "the stream ends in order")
	require.Contains(t, string(all), "AT+CPIN=****")
	require.NotContains(t, string(all), "4711")
	require.Contains(t, string(all), `"text":"4.2 m"`)
	_, err = http.Get(page)
	require.Error(t, err, "nobody is there any more")
}

func TestSimulateOnUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "modem")
	out, stop := start(t, strings.NewReader(""), "-listen", "unix://"+path, "-http", "none")
	out.find(t, `(end with Ctrl-C)`)
	conn, err := net.Dial("unix", path)
	require.NoError(t, err)
	defer conn.Close()
	talk(t, conn, "AT\r", "OK")
	stop()
	require.NotContains(t, out.String(), "control page")
}

// TestSimulateUnplugged (F95): the modem comes back under another name.
func TestSimulateUnplugged(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("no pseudo-terminals on " + runtime.GOOS)
	}
	out, _ := start(t, strings.NewReader(""))
	path, page := out.find(t, `^(/dev/\S+)\n`), out.find(t, `control page: (\S+)\n`)
	hear(t, path)
	answer, err := http.Post(page+"faults", "application/json", strings.NewReader(`{"fault":"F95:delay=300ms"}`))
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	hear(t, out.find(t, `plugged in again: (\S+)\n`))
}

// hear opens a pseudo-terminal and has AT answered.
func hear(t *testing.T, path string) {
	t.Helper()
	port, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer port.Close()
	talk(t, port, "AT\r", "OK")
}

func TestSimulateErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for flag, says := range map[string]string{"-listen=tcp://": "address already in use", "-http=": "-http 127.0.0.1:0 takes a free port"} {
		o, err := parse([]string{"-listen", "tcp://127.0.0.1:0", flag + taken.Addr().String()}, io.Discard)
		require.NoError(t, err)
		err = simulate(t.Context(), o, strings.NewReader(""), io.Discard)
		require.ErrorContains(t, err, "in use")
		require.ErrorContains(t, err, says)
	}
}
