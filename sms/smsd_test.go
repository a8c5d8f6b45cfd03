package sms_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

const smsdConfig = `[gammu]
device=%[1]s
connection=at115200
[smsd]
service=files
logfile=%[2]s/log
inboxformat=standard
transmitformat=auto
commtimeout=1
receivefrequency=1
sendtimeout=20
statusfrequency=1
multiparttimeout=5
inboxpath=%[2]s/in/
outboxpath=%[2]s/out/
sentsmspath=%[2]s/sent/
errorsmspath=%[2]s/error/
`

// smsdFolder is a spool folder and the daemon's settings in it.
func smsdFolder(t *testing.T, device string) (folder, config string) {
	folder = t.TempDir()
	for _, name := range []string{"in", "out", "sent", "error"} {
		require.NoError(t, os.Mkdir(filepath.Join(folder, name), 0o755))
	}
	config = filepath.Join(folder, "smsdrc")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, smsdConfig, device, folder), 0o600))
	return folder, config
}

// A daemon and this library exchange messages over the fake network.
func TestInteropGammuSMSD(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"gammu-smsd", "gammu-smsd-inject"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program, "is not installed")
		}
	}
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	theirs, ours := network.NewModem(fakemodem.EC25), network.NewModem(fakemodem.SIM800)
	device, err := theirs.PTY()
	if errors.Is(err, fakemodem.ErrNoPTY) {
		t.Skip("no pseudo-terminals here:", err)
	}
	require.NoError(t, err)
	folder, config := smsdFolder(t, device)
	modem := at.New(ours.Line(), nil)
	defer modem.Close()
	b := &bench{network, ours, modem, sms.New(modem, nil), nil}
	arrived := b.receive(t, nil)

	long := strings.Repeat("a [longer] text € ", 20) + "end"
	out, err := exec.CommandContext(t.Context(), "gammu-smsd-inject", "-c", config, "TEXT", ours.Number(), "-textutf8", long, "-len", "400").CombinedOutput()
	require.NoError(t, err, "%s", out)
	ctx, cancel := context.WithCancel(t.Context())
	daemon := exec.CommandContext(ctx, "gammu-smsd", "-c", config)
	require.NoError(t, daemon.Start())
	defer func() {
		cancel()
		_ = daemon.Wait() // it was killed
	}()
	select {
	case in := <-arrived:
		require.NoError(t, in.Err)
		require.Equal(t, long, in.Text)
		require.Equal(t, theirs.Number(), in.From)
	case <-time.After(40 * time.Second):
		require.Fail(t, "the daemon's message did not arrive")
	}

	ourLong := strings.Repeat("two of ours, ", 30) + "end"
	_, err = b.service.Send(t.Context(), sms.Message{To: theirs.Number(), Text: ourLong})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		names, _ := filepath.Glob(filepath.Join(folder, "in", "*")) // sorted; the pattern is sound
		var text strings.Builder
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				return false
			}
			text.Write(b)
		}
		return text.String() == ourLong
	}, 40*time.Second, 100*time.Millisecond, "our message is in the daemon's inbox")
}
