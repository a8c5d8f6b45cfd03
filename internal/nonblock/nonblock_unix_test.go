//go:build linux || darwin

package nonblock

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

func TestRestore(t *testing.T) {
	master, slave, err := pty.Open() // it calls Fd of the master
	require.NoError(t, err)
	defer slave.Close()
	Restore(master)
	require.NoError(t, master.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err = master.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "a deadline ends Read")
	require.NoError(t, master.SetReadDeadline(time.Time{}))
	ended := make(chan error, 1)
	go func() { _, err := master.Read(make([]byte, 1)); ended <- err }()
	require.NoError(t, master.Close())
	select {
	case err := <-ended:
		require.ErrorIs(t, err, os.ErrClosed, "so does Close")
	case <-time.After(10 * time.Second):
		t.Fatal("Read does not end with Close")
	}
}

func TestRestoreLeavesOthersAlone(t *testing.T) {
	Restore(nil)
	Restore(new(bytes.Buffer))
	plain, err := os.Open(os.DevNull) // not for the poller
	require.NoError(t, err)
	Restore(plain)
	require.NoError(t, plain.Close())
	Restore(plain)
}
