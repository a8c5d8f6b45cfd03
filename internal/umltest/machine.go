//go:build linux

package umltest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// maxLines bounds the console that is kept; a longer one fails the test that waits.
const maxLines = 20000

// A Machine is a running guest. Its methods may be used by several goroutines.
type Machine struct {
	// Serial is the other end of the guest's /dev/ttyS0: bytes as they are, with no
	// rate and no hardware lines. It has deadlines. Close looks like a lost line.
	Serial net.Conn

	console io.WriteCloser
	ended   chan struct{} // closed when the guest has stopped

	mu      sync.Mutex
	lines   []string      // of the console, guarded by mu
	seen    int           // lines that Expect has passed, guarded by mu
	arrived chan struct{} // closed and renewed at each line, guarded by mu
}

// start runs the kernel with its second serial end in Machine.Serial, and arranges
// for its end.
func start(t testing.TB, kernel, folder, name, initrd string, cfg *Config) (*Machine, error) {
	line, guest, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer guest.Close()
	memory := cfg.Memory
	if memory == 0 {
		memory = 96
	}
	cmd := exec.Command(kernel, fmt.Sprintf("mem=%dM", memory), "initrd="+initrd, "uml_dir="+folder, "umid="+name,
		"con0=fd:0,fd:1", "con=null", "ssl0=fd:3", "ssl=null", "quiet", "panic=-1")
	cmd.ExtraFiles = []*os.File{guest} // descriptor 3
	cmd.Env = append(os.Environ(), "TMPDIR="+folder)
	// A group of its own, because a guest is several processes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	console, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	m := &Machine{Serial: line, console: console, ended: make(chan struct{}), arrived: make(chan struct{})}
	go m.watch(output, cmd)
	t.Cleanup(func() {
		line.Close()
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-m.ended
		if t.Failed() {
			t.Logf("console of the guest:\n%s", m.Console())
		}
	})
	return m, nil
}

// socketPair returns the host's end as a net.Conn and the guest's as a file.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	host, guest := os.NewFile(uintptr(fds[0]), "host"), os.NewFile(uintptr(fds[1]), "guest")
	defer host.Close()
	line, err := net.FileConn(host)
	if err != nil {
		guest.Close()
	}
	return line, guest, err
}

// watch keeps the lines of the console until the guest stops.
func (m *Machine) watch(output io.Reader, cmd *exec.Cmd) {
	defer close(m.ended)
	scan := bufio.NewScanner(output)
	for scan.Scan() {
		m.mu.Lock()
		if len(m.lines) < maxLines {
			m.lines = append(m.lines, strings.TrimRight(scan.Text(), "\r"))
		}
		close(m.arrived)
		m.arrived = make(chan struct{})
		m.mu.Unlock()
	}
	io.Copy(io.Discard, output) // after a line too long to scan
	cmd.Wait()
}

// Expect waits for the next line of the console that contains text and returns it.
// Lines before it are passed over: a later Expect does not find them. It fails the
// test if the line does not come within the limit.
func (m *Machine) Expect(t testing.TB, text string, limit time.Duration) string {
	t.Helper()
	line, err := m.await(text, limit)
	if err != nil {
		t.Fatalf("umltest: %v", err)
	}
	return line
}

var errEnded = errors.New("the guest ended")

// await is Expect without a test.
func (m *Machine) await(text string, limit time.Duration) (string, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		m.mu.Lock()
		for m.seen < len(m.lines) {
			line := m.lines[m.seen]
			m.seen++
			if strings.Contains(line, text) {
				m.mu.Unlock()
				return line, nil
			}
		}
		arrived := m.arrived
		m.mu.Unlock()
		select {
		case <-arrived:
		case <-m.ended:
			return "", fmt.Errorf("%w without %q", errEnded, text)
		case <-timer.C:
			return "", fmt.Errorf("no %q on the console in %v", text, limit)
		}
	}
}

// Input types one line on the console, where the script reads it from its standard
// input. The console echoes it.
func (m *Machine) Input(t testing.TB, line string) {
	t.Helper()
	if _, err := io.WriteString(m.console, line+"\n"); err != nil {
		t.Fatalf("umltest: console: %v", err)
	}
}

// Console returns what the console has shown so far.
func (m *Machine) Console() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.lines, "\n")
}

// Done is closed when the guest has stopped.
func (m *Machine) Done() <-chan struct{} { return m.ended }
