package cmux

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/internal/umltest"
)

// kernelMux boots a guest whose kernel is the other side.
func kernelMux(t *testing.T, role, option string, n1 int) *umltest.Machine {
	t.Helper()
	if testing.Short() {
		t.Skip("a guest takes seconds to boot")
	}
	if _, err := exec.LookPath("linux.uml"); err != nil {
		t.Skip("no linux.uml here (Debian package user-mode-linux)")
	}
	program := filepath.Join(t.TempDir(), "ngsm")
	build := exec.Command("go", "build", "-o", program, "../../internal/umltest/ngsm")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	m := umltest.Boot(t, &umltest.Config{
		Modules: []string{"n_gsm"},
		Files:   map[string]umltest.File{"/bin/ngsm": {Host: program}},
		Init:    fmt.Sprintf("exec 3<>/dev/ttyS0\nstty -F /dev/ttyS0 raw -echo\nngsm %s %s %d\n", role, option, n1),
	})
	m.Expect(t, "ready", 10*time.Second)
	return m
}

// echoes sends bulk on every channel at once and wants it back, byte for byte.
func echoes(t *testing.T, channels []*Channel) {
	t.Helper()
	var all sync.WaitGroup
	for i, c := range channels {
		data := noise(int64(i), 6_000)
		c.SetDeadline(time.Now().Add(20 * time.Second))
		all.Go(func() {
			if n, err := c.Write(data); err != nil {
				t.Errorf("write on DLCI %d: %d, %v", c.DLCI(), n, err)
			}
		})
		all.Go(func() {
			got := make([]byte, len(data))
			if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, data) {
				t.Errorf("echo on DLCI %d: %d octets, %v", c.DLCI(), n, err)
			}
		})
	}
	all.Wait()
}

// TestKernelAsModem: n_gsm as the responder, we are the host.
func TestKernelAsModem(t *testing.T) {
	t.Parallel()
	for option, cfg := range map[string]Config{"basic": {N1: 64, CloseTimeout: time.Second}, "advanced": {Option: Advanced, N1: 64, CloseTimeout: time.Second}} {
		t.Run(option, func(t *testing.T) {
			t.Parallel()
			guest := kernelMux(t, "responder", option, 64)
			m := New(guest.Serial, &cfg)
			defer m.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var channels []*Channel
			for dlci := 1; dlci <= 3; dlci++ {
				c, err := m.Open(ctx, dlci)
				require.NoError(t, err)
				openInGuest(t, guest, dlci)
				channels = append(channels, c)
			}
			require.NoError(t, m.Test(ctx, []byte("are you there")))
			echoes(t, channels)
			require.NoError(t, channels[2].Close())
			guest.Expect(t, "channel 3 has ended", 10*time.Second)
			echoes(t, channels[:2])
			require.Zero(t, m.Stats().Damaged)
			t.Logf("close: %v, %+v", m.Close(), m.Stats())
		})
	}
}

// TestKernelAsHost: n_gsm as the initiator, we are the modem.
func TestKernelAsHost(t *testing.T) {
	t.Parallel()
	for option, cfg := range map[string]Config{"basic": {N1: 64, CloseTimeout: time.Second}, "advanced": {Option: Advanced, N1: 64, CloseTimeout: time.Second}} {
		t.Run(option, func(t *testing.T) {
			t.Parallel()
			guest := kernelMux(t, "initiator", option, 64)
			m := Serve(guest.Serial, &cfg)
			defer m.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var channels []*Channel
			for dlci := 1; dlci <= 3; dlci++ {
				openInGuest(t, guest, dlci)
				c, err := m.Accept(ctx)
				require.NoError(t, err)
				require.Equal(t, dlci, c.DLCI())
				channels = append(channels, c)
				// The kernel is deaf for a while behind UA: its answer says that it is back.
				require.NoError(t, m.Test(ctx, []byte("back")))
			}
			echoes(t, channels)
			require.Zero(t, m.Stats().Damaged)
			guest.Input(t, "close 3")
			guest.Expect(t, "channel 3 will close", 10*time.Second)
			_, err := channels[2].Write([]byte("."))
			require.NoError(t, err)
			_, err = channels[2].Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF, "the kernel sends DISC")
			echoes(t, channels[:2])
			t.Logf("close: %v, %+v", m.Close(), m.Stats())
		})
	}
}

// openInGuest opens the guest's end of a channel.
func openInGuest(t *testing.T, guest *umltest.Machine, dlci int) {
	t.Helper()
	guest.Input(t, fmt.Sprint("open ", dlci))
	guest.Expect(t, fmt.Sprintf("channel %d is open", dlci), 10*time.Second)
}
