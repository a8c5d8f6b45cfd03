package port

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/telemodem/telemodem/at"
)

// openPTY returns both ends of a terminal pair: the program's as a device name.
func openPTY(t *testing.T) (far *os.File, name string) {
	far, tty, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo terminal here: ", err)
	}
	t.Cleanup(func() { far.Close() })
	defer tty.Close()
	_, err = unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	require.NoError(t, err)
	return far, tty.Name()
}

func TestSerialPort(t *testing.T) {
	far, name := openPTY(t)
	line, err := Open(t.Context(), "serial://"+name+"?baud=460800")
	require.NoError(t, err)
	requireCarries(t, line, far)
	requireCloseUnblocks(t, line)
	require.NoError(t, line.Close(), "a second time")
}

// Known failure of the serial package: it turns hardware flow control off.
func TestSerialFlowControl(t *testing.T) {
	for flow, want := range map[Flow]bool{FlowNone: false, FlowRTSCTS: true} {
		_, name := openPTY(t)
		s, err := OpenSerial(name, &SerialConfig{Baud: 115200, Flow: flow})
		require.NoError(t, err)
		check := func(why string) {
			mode, err := unix.IoctlGetTermios(s.io.(*descriptor).fd, unix.TCGETS)
			require.NoError(t, err)
			require.Equal(t, want, mode.Cflag&unix.CRTSCTS != 0, why)
		}
		check("after opening")
		require.NoError(t, s.SetBaud(9600))
		check("and after a change of rate")
		require.Error(t, s.SetBaud(0))
		require.NoError(t, s.Close())
	}
}

// A modem that takes nothing must not keep us from closing the port.
func TestCloseUnblocksWrite(t *testing.T) {
	_, name := openPTY(t)
	s, err := OpenSerial(name, nil)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := s.Write(make([]byte, 1<<20))
		ended <- err
	}()
	time.Sleep(10 * time.Millisecond)
	require.NoError(t, s.Close())
	select {
	case err := <-ended:
		require.Error(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("Close has not unblocked Write")
	}
}

// A Write that waits is ended by its deadline and tells what was taken; what is
// left goes out behind it, so that the far end gets every octet once.
func TestWriteDeadlineEndsAWaitingWrite(t *testing.T) {
	far, name := openPTY(t)
	s, err := OpenSerial(name, nil)
	require.NoError(t, err)
	defer s.Close()
	data := make([]byte, 1<<18)
	for i := range data {
		data[i] = byte(i) ^ byte(i>>8)
	}
	type result struct {
		n   int
		err error
	}
	ended := make(chan result, 1)
	go func() {
		n, err := s.Write(data)
		ended <- result{n, err}
	}()
	select {
	case r := <-ended:
		t.Fatalf("nobody reads, and yet Write has ended: %+v", r)
	case <-time.After(50 * time.Millisecond):
	}
	require.NoError(t, s.SetWriteDeadline(time.Unix(1, 0)))
	var r result
	select {
	case r = <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the deadline has not ended Write")
	}
	require.ErrorIs(t, r.err, os.ErrDeadlineExceeded)
	require.NotErrorIs(t, r.err, at.ErrLineGone)
	require.Less(t, r.n, len(data))
	_, err = s.Write([]byte("x"))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "until it is taken away")

	require.NoError(t, s.SetWriteDeadline(time.Time{}))
	go func() {
		n, err := s.Write(data[r.n:])
		ended <- result{n, err}
	}()
	got := make([]byte, len(data))
	_, err = io.ReadFull(far, got)
	require.NoError(t, err)
	require.Equal(t, result{len(data) - r.n, nil}, <-ended)
	require.True(t, bytes.Equal(data, got), "every octet once and in order")
}

func TestReadDeadlineEndsAWaitingRead(t *testing.T) {
	far, name := openPTY(t)
	s, err := OpenSerial(name, nil)
	require.NoError(t, err)
	defer s.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Read(make([]byte, 1))
		ended <- err
	}()
	time.Sleep(10 * time.Millisecond) // let it block; the test holds without, too
	require.NoError(t, s.SetReadDeadline(time.Unix(1, 0)))
	select {
	case err = <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the deadline has not ended Read")
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NotErrorIs(t, err, at.ErrLineGone)
	require.NoError(t, s.SetReadDeadline(time.Time{}))
	requireCarries(t, s, far)
	require.NoError(t, s.Close())
	require.Error(t, s.SetWriteDeadline(time.Time{}))
}

// F97: a device that is unplugged is a line that is gone.
func TestF97Unplugged(t *testing.T) {
	far, name := openPTY(t)
	s, err := OpenSerial(name, nil)
	require.NoError(t, err)
	defer s.Close()
	m := at.New(s, nil)
	far.Close()
	select {
	case <-m.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the engine has not noticed")
	}
	require.ErrorIs(t, m.Err(), at.ErrLineGone)
	_, err = s.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestF97UnpluggedUnderReadAndWrite(t *testing.T) {
	far, name := openPTY(t)
	s, err := OpenSerial(name, nil)
	require.NoError(t, err)
	defer s.Close()
	read, written := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.Read(make([]byte, 1))
		read <- err
	}()
	go func() {
		_, err := s.Write(make([]byte, 1<<20)) // nobody reads it
		written <- err
	}()
	time.Sleep(10 * time.Millisecond) // let both block; the test holds without, too
	require.NoError(t, far.Close())
	for what, ended := range map[string]chan error{"Read": read, "Write": written} {
		select {
		case err := <-ended:
			require.ErrorIs(t, err, at.ErrLineGone, what)
		case <-time.After(10 * time.Second):
			t.Fatal(what, " has not noticed")
		}
	}
	require.NoError(t, s.Close())
}

func TestSerialConfigIsChecked(t *testing.T) {
	for _, c := range []*SerialConfig{{Baud: maxBaud + 1}, {Flow: FlowRTSCTS + 1}} {
		_, err := OpenSerial("/dev/no-such-device", c)
		require.ErrorIs(t, err, at.ErrInvalid, "before anything is opened")
	}
}

// The list leaves a port alone that is open: its rate and its flow control.
func TestListOpensNothing(t *testing.T) {
	_, name := openPTY(t)
	s, err := OpenSerial(name, &SerialConfig{Baud: 460800, Flow: FlowRTSCTS})
	require.NoError(t, err)
	defer s.Close()
	tree := newSysfs(t)
	tree.terminal("ttyS3", "devices/pnp0/00:04", "type", "4")
	require.NoError(t, os.Remove(filepath.Join(tree.name, "ttyS3")))
	require.NoError(t, os.Symlink(name, filepath.Join(tree.name, "ttyS3")))
	before, err := unix.IoctlGetTermios(s.io.(*descriptor).fd, unix.TCGETS)
	require.NoError(t, err)
	ports, err := sysfsPorts(tree.tty, tree.name)
	require.NoError(t, err)
	require.Len(t, ports, 1)
	after, err := unix.IoctlGetTermios(s.io.(*descriptor).fd, unix.TCGETS)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// F96: another program holds the port; the error tells which.
func TestF96Busy(t *testing.T) {
	_, name := openPTY(t)
	s, err := OpenSerial(name, nil)
	require.NoError(t, err)
	defer s.Close()
	_, err = OpenSerial(name, nil)
	var busy *BusyError
	require.ErrorAs(t, err, &busy)
	require.Equal(t, name, busy.Port)
	require.Contains(t, err.Error(), "stop that program")
}

func TestF96HolderIsNamed(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("no program that could hold the port")
	}
	_, name := openPTY(t)
	tty, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	defer tty.Close()
	require.NoError(t, unix.Flock(int(tty.Fd()), unix.LOCK_EX))
	other := exec.Command(sleep, "60")
	other.ExtraFiles = []*os.File{tty}
	require.NoError(t, other.Start())
	defer other.Wait()
	defer other.Process.Kill()
	var busy *BusyError
	require.Eventually(t, func() bool {
		_, err = OpenSerial(name, nil)
		return holder(name) != "" && strings.HasPrefix(holder(name), "sleep")
	}, 10*time.Second, 10*time.Millisecond)
	require.ErrorAs(t, err, &busy)
	require.Contains(t, err.Error(), fmt.Sprintf("sleep (pid %d)", other.Process.Pid))
}

func TestLockFile(t *testing.T) {
	old := lockDir
	lockDir = t.TempDir()
	defer func() { lockDir = old }()
	_, name := openPTY(t)
	path := filepath.Join(lockDir, "LCK.."+strings.ReplaceAll(strings.TrimPrefix(name, "/dev/"), "/", "_"))

	require.NoError(t, os.WriteFile(path, []byte(fmt.Sprintf("%10d\n", os.Getppid())), 0o644))
	_, err := OpenSerial(name, nil)
	var busy *BusyError
	require.ErrorAs(t, err, &busy, "its owner lives")
	require.Contains(t, busy.Holder, fmt.Sprint(os.Getppid()))

	require.NoError(t, os.WriteFile(path, []byte("4194399\n"), 0o644))
	s, err := OpenSerial(name, nil)
	require.NoError(t, err, "its owner is gone")
	require.Equal(t, os.Getpid(), lockOwner(path))
	require.NoError(t, s.Close())
	_, err = os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist)

	lockDir = filepath.Join(lockDir, "missing")
	s, err = OpenSerial(name, nil)
	require.NoError(t, err, "no place for lock files")
	s.Close()
}

// The engine on a real terminal: echo off, raw, both ways.
func TestEngineOnPTY(t *testing.T) {
	far, name := openPTY(t)
	s, err := OpenSerial(name, nil)
	require.NoError(t, err)
	m := at.New(s, nil)
	defer m.Close()
	go func() {
		buf := make([]byte, len("AT+CSQ\r"))
		if _, err := io.ReadFull(far, buf); err == nil {
			io.WriteString(far, "\r\n+CSQ: 17,0\r\n\r\nOK\r\n")
		}
	}()
	resp, err := m.Exec(t.Context(), "+CSQ")
	require.NoError(t, err)
	require.Equal(t, "+CSQ: 17,0", resp.Info[0].Text)
}

// A pseudo terminal takes octets as fast as they come, whatever rate is set.
func TestPseudoTerminalHasNoSpeed(t *testing.T) {
	_, name := openPTY(t)
	s, err := OpenSerial(name, &SerialConfig{Baud: 9600})
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, 9600, s.Baud())
	require.Zero(t, s.Speed())
}
