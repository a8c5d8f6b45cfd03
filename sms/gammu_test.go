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

// gammuBench has a third-party program on a fake modem of the same network as ours.
func gammuBench(t *testing.T) (network *fakemodem.Network, theirs *fakemodem.Modem, gammu func(input string, args ...string) string) {
	program, err := exec.LookPath("gammu")
	if err != nil {
		t.Skip("gammu is not installed")
	}
	network = fakemodem.NewNetwork(nil)
	t.Cleanup(func() { network.Close() })
	theirs = network.NewModem(fakemodem.SIM800)
	path, err := theirs.PTY()
	if errors.Is(err, fakemodem.ErrNoPTY) {
		t.Skip("no pseudo-terminals here:", err)
	}
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "gammurc")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "[gammu]\ndevice = %s\nconnection = at115200\n", path), 0o600))
	return network, theirs, func(input string, args ...string) string {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, program, append([]string{"-c", config}, args...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
}

func TestInteropGammu(t *testing.T) {
	t.Parallel()
	network, theirs, gammu := gammuBench(t)
	ours := network.NewModem(fakemodem.SIM800)
	modem := at.New(ours.Line(), nil)
	defer modem.Close()
	service := sms.New(modem, nil)
	arrived := make(chan sms.Incoming, 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- service.Receive(ctx, func(_ context.Context, in sms.Incoming) error { arrived <- in; return nil })
	}()
	defer func() { cancel(); <-ended }()

	text := strings.Repeat("a [longer] text € ", 20)
	gammu(text, "sendsms", "TEXT", ours.Number(), "-autolen", "400")
	select {
	case in := <-arrived:
		require.NoError(t, in.Err)
		require.Equal(t, strings.TrimSpace(text), strings.TrimSpace(in.Text))
		require.Equal(t, theirs.Number(), in.From)
	case <-time.After(20 * time.Second):
		require.Fail(t, "gammu's message did not arrive")
	}

	_, err := service.Send(t.Context(), sms.Message{To: theirs.Number(), Text: "one from us"})
	require.NoError(t, err)
	long := strings.Repeat("two of ours, ", 30)
	_, err = service.Send(t.Context(), sms.Message{To: theirs.Number(), Text: long})
	require.NoError(t, err)
	out := gammu("", "geteachsms")
	require.Contains(t, out, "one from us")
	require.Contains(t, strings.ReplaceAll(out, "\n", ""), strings.TrimSpace(long))
}
