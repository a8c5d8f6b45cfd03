//go:build linux

package umltest_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/internal/umltest"
)

// TestSerialAndConsole: both ways of talking to a guest, and a module that loads.
func TestSerialAndConsole(t *testing.T) {
	m := umltest.Boot(t, &umltest.Config{
		Modules: []string{"n_gsm"},
		Files:   map[string]umltest.File{"/etc/greeting": {Text: "hello\n"}},
		Init: `
exec 3<>/dev/ttyS0
stty -F /dev/ttyS0 raw -echo
echo "modules: $(lsmod | grep -c n_gsm)"
read word
echo "heard $word"
head -c 5 <&3 >/tmp/five
cat /etc/greeting /tmp/five >&3
sleep 1
`,
	})
	m.Expect(t, "modules: 1", 5*time.Second)
	m.Input(t, "ping")
	m.Expect(t, "heard ping", 5*time.Second)
	_, err := io.WriteString(m.Serial, "12345")
	require.NoError(t, err)
	in := bufio.NewReader(m.Serial)
	m.Serial.SetDeadline(time.Now().Add(10 * time.Second))
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "hello\n", line)
	five := make([]byte, 5)
	_, err = io.ReadFull(in, five)
	require.NoError(t, err)
	require.Equal(t, "12345", string(five), "the serial line must be transparent")
	select {
	case <-m.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the guest must stop at the end of its script")
	}
}

// TestProgramWithLibraries: a dynamic program of the host runs in the guest.
func TestProgramWithLibraries(t *testing.T) {
	const pppd = "/usr/sbin/pppd"
	m := umltest.Boot(t, &umltest.Config{
		Modules:  []string{"ppp_async"},
		Programs: []string{pppd},
		Init:     "ls -l /dev/ppp\n" + pppd + " --version\necho status $?\n",
	})
	m.Expect(t, "pppd version", 10*time.Second)
	m.Expect(t, "status 0", 10*time.Second)
}

// A guest whose kernel ends before its script begins is started again.
func TestBootTriesAgain(t *testing.T) {
	kernel, err := exec.LookPath("linux.uml")
	if err != nil {
		t.Skip("no linux.uml here (Debian package user-mode-linux)")
	}
	folder := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nmkdir %s/begun 2>/dev/null && exit 1\nexec %s \"$@\"\n", folder, kernel)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "linux.uml"), []byte(script), 0o700))
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	m := umltest.Boot(t, nil)
	m.Expect(t, "umltest: down", time.Minute)
}
