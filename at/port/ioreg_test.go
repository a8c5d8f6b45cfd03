//go:build unix

package port

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program makes a shell script that stands for ioreg, which is on macOS alone.
func program(t *testing.T, script string) string {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no shell here: ", err)
	}
	path := filepath.Join(t.TempDir(), "ioreg")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	return path
}

func TestReadRegistry(t *testing.T) {
	archive, err := filepath.Abs("testdata/ioreg.plist")
	require.NoError(t, err)
	got, err := readRegistry(t.Context(), program(t, `[ "$*" = "-a -l -r -c IOUSBHostDevice" ] && cat '`+archive+`'`))
	require.NoError(t, err)
	require.Equal(t, ioregArchive, got)
	ports, err := usbPorts(got)
	require.NoError(t, err)
	require.Len(t, ports, 5)
}

func TestReadRegistryFailures(t *testing.T) {
	_, err := readRegistry(t.Context(), "/no/such/ioreg")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "/no/such/ioreg")
	_, err = readRegistry(t.Context(), program(t, "exit 3"))
	require.ErrorContains(t, err, "exit status 3")
	_, err = readRegistry(t.Context(), program(t, "exec yes 0123456789012345678901234567890123456789012345678901234567890"))
	require.ErrorIs(t, err, errRegistryTooLong)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err = readRegistry(ctx, program(t, "exec sleep 60"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(began), ioregTimeout, "the program is ended")
}
