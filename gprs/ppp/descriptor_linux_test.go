package ppp

import (
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestDialEndsABlockingDescriptor has nobody at the other end of a
// pseudo-terminal whose descriptor is as pty.Open leaves it: blocking.
func TestDialEndsABlockingDescriptor(t *testing.T) {
	master, slave, err := pty.Open()
	require.NoError(t, err)
	defer slave.Close()
	defer master.Close()
	mode, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	mode.Iflag, mode.Oflag, mode.Lflag = 0, 0, 0 // no echo: it would be a loop
	require.NoError(t, unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, mode))
	failed := make(chan error, 1)
	go func() {
		_, err := Dial(t.Context(), master, &Config{RestartInterval: time.Millisecond, MaxConfigure: 2})
		failed <- err
	}()
	select {
	case err := <-failed:
		require.ErrorIs(t, err, ErrNoAnswer)
	case <-time.After(5 * time.Second):
		_, _ = slave.Write([]byte{flagOctet})
		t.Fatal("Dial does not end: nothing ends its Read")
	}
}
