//go:build linux

package fakemodem_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/telemodem/telemodem/fakemodem"
)

// programLimit bounds every wait for a program: generous, for loaded machines.
const programLimit = 120 * time.Second

// Texts for both directions: one message of the 7-bit alphabet, one of UCS-2,
// and longText of three parts.
const (
	plainText   = "Level 3.7 m, pump on @ 12:00"
	unicodeText = "Grüße, Жук, ψ"
)

var allTexts = []string{plainText, unicodeText, longText}

// honesty is a test of the modem with a program: the modem on a
// pseudo-terminal, a phone on the network and a record of what is said.
type honesty struct {
	*testing.T
	n      *fakemodem.Network
	m      *fakemodem.Modem
	phone  *fakemodem.Phone
	path   string // of the modem's pseudo-terminal
	folder string // for the program's files
	rec    *recorder
	ctx    context.Context
}

// newHonesty skips the test if one of the programs is not installed. version
// is for the record.
func newHonesty(t *testing.T, kind *fakemodem.Personality, version string, programs ...string) *honesty {
	t.Helper()
	for _, program := range programs {
		if _, err := findProgram(program); err != nil {
			t.Skipf("%s is not installed: %v", program, err)
		}
	}
	t.Parallel()
	n := fakemodem.NewNetwork(nil)
	t.Cleanup(func() { n.Close() })
	h := &honesty{T: t, n: n, m: n.NewModem(kind), phone: n.Phone(peerNumber), folder: t.TempDir()}
	path, err := h.m.PTY()
	if err != nil {
		t.Skip(err)
	}
	h.path = path
	ctx, cancel := context.WithTimeout(context.Background(), programLimit)
	t.Cleanup(cancel)
	h.ctx = ctx
	waitRegistered(t, ctx, h.m)
	rec, stop := record(version, h.m)
	h.rec = rec
	t.Cleanup(stop)
	return h
}

// findProgram looks where Debian puts programs, the administrator's too.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		if path, err2 := exec.LookPath("/usr/sbin/" + name); err2 == nil {
			return path, nil
		}
	}
	return path, err
}

// send lets the phone send texts to the modem and waits until it has them.
func (h *honesty) send(texts ...string) {
	h.Helper()
	for _, text := range texts {
		h.rec.phone(text)
		require.NoError(h, h.phone.Send(h.m.Number(), text))
	}
	h.poll("the messages are in the modem", func() bool { return h.n.SMSC().Stats().Waiting == 0 })
}

// received waits for as many messages at the phone and returns their texts.
func (h *honesty) received(k int) (texts []string) {
	h.Helper()
	for len(texts) < k {
		msg, err := h.phone.Receive(h.ctx)
		require.NoError(h, err, "after %q", texts)
		require.Equal(h, h.m.Number(), msg.From)
		h.rec.arrived(msg.Text)
		texts = append(texts, msg.Text)
	}
	return texts
}

// poll waits until something is so.
func (h *honesty) poll(what string, isSo func() bool) {
	h.Helper()
	for !isSo() {
		select {
		case <-h.ctx.Done():
			h.Fatalf("in %v not: %s", programLimit, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// write makes a file in the folder of the program and returns its path.
func (h *honesty) write(name, text string) string {
	h.Helper()
	path := filepath.Join(h.folder, name)
	require.NoError(h, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(h, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// files are the contents of a folder's files, in the order of their names.
func (h *honesty) files(folder string) (texts []string) {
	h.Helper()
	entries, err := os.ReadDir(filepath.Join(h.folder, folder))
	require.NoError(h, err)
	sort.Slice(entries, func(i, k int) bool { return entries[i].Name() < entries[k].Name() })
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(h.folder, folder, e.Name()))
		if err == nil { // the program may move it away meanwhile
			texts = append(texts, string(b))
		}
	}
	return texts
}

// command makes a program ready to run in a group of its own, in the folder,
// speaking UTF-8.
func (h *honesty) command(name string, args ...string) *exec.Cmd {
	h.Helper()
	path, err := findProgram(name)
	require.NoError(h, err)
	cmd := exec.CommandContext(h.ctx, path, args...)
	cmd.Dir = h.folder
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "HOME="+h.folder, "XDG_CONFIG_HOME="+h.folder, "TERM=vt100")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// run runs a program to its end and returns what it printed.
func (h *honesty) run(input, name string, args ...string) string {
	h.Helper()
	cmd := h.command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	require.NoError(h, err, "%s %q printed:\n%s", name, args, out)
	return string(out)
}

// daemon runs a program in the background. stop ends it and all its children;
// a test that fails shows what it printed.
func (h *honesty) daemon(name string, args ...string) (stop func()) {
	h.Helper()
	var out lockedBuffer
	cmd := h.command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(h, cmd.Start())
	stop = sync.OnceFunc(func() { endGroup(cmd) })
	h.Cleanup(func() {
		stop()
		if h.Failed() {
			h.Logf("%s printed:\n%s", name, out.String())
		}
	})
	return stop
}

// graceTime is how long a program may take to end by itself.
const graceTime = 5 * time.Second

// endGroup asks a program and its children to end, and makes sure that they do.
func endGroup(cmd *exec.Cmd) {
	syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	kill := time.AfterFunc(graceTime, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	cmd.Wait()
	kill.Stop()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // children that outlive it
}

// lockedBuffer collects what a program prints while a test looks at it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// terminalPair makes a second pseudo-terminal that carries a line, in raw
// mode, and returns the path for the program.
func (h *honesty) terminalPair(line io.ReadWriteCloser) (path string) {
	h.Helper()
	master, slave, err := pty.Open()
	require.NoError(h, err)
	fd := int(slave.Fd())
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	require.NoError(h, err)
	settings.Iflag, settings.Oflag, settings.Lflag = 0, 0, 0
	require.NoError(h, unix.IoctlSetTermios(fd, unix.TCSETS, settings))
	var both sync.WaitGroup
	both.Go(func() { io.Copy(master, line) })
	both.Go(func() { io.Copy(line, master) })
	h.Cleanup(func() {
		line.Close()
		slave.Close()
		master.Close()
		both.Wait()
	})
	return slave.Name()
}

// finish ends the record and keeps it.
func (h *honesty) finish(name string) {
	h.Helper()
	h.rec.end().keep(h.T, name)
}
