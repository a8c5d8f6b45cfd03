package fakemodem

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
)

// bridge carries octets between a line and something outside until one of
// them ends, and closes both.
func (m *Modem) bridge(line *Line, out io.ReadWriteCloser) (wait func()) {
	var both sync.WaitGroup
	both.Add(2)
	end := sync.OnceFunc(func() {
		line.Close()
		out.Close()
	})
	m.n.start(func() {
		defer both.Done()
		io.Copy(line, out)
		end()
	})
	m.n.start(func() {
		defer both.Done()
		io.Copy(out, line)
		end()
	})
	return both.Wait
}

// onClose lets fn run when the modem is closed; if it is already, at once.
func (m *Modem) onClose(fn func()) {
	m.n.mu.Lock()
	closed := m.closed
	if !closed {
		m.closers = append(m.closers, fn)
	}
	m.n.mu.Unlock()
	if closed {
		fn()
	}
}

// ListenTCP puts the modem's AT port on TCP, one connection at a time: a new
// one takes the port from the one before. The address "127.0.0.1:0" takes a
// free port, which the result tells. The listener ends with the modem.
func (m *Modem) ListenTCP(address string) (net.Addr, error) {
	return m.listen("tcp", address)
}

// ListenUnix puts the modem's AT port on a unix socket with this path, as
// ListenTCP does on TCP.
func (m *Modem) ListenUnix(path string) error {
	_, err := m.listen("unix", path)
	return err
}

func (m *Modem) listen(network, address string) (net.Addr, error) {
	listener, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var last net.Conn
	m.n.start(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			last = conn
			mu.Unlock()
			m.bridge(m.Line(), conn)
		}
	})
	m.onClose(func() {
		listener.Close()
		mu.Lock()
		defer mu.Unlock()
		if last != nil {
			last.Close()
		}
	})
	return listener.Addr(), nil
}

// ErrNoPTY says that there are no pseudo-terminals on this system.
var ErrNoPTY = errors.New("fakemodem: no pseudo-terminals on this system: use ListenTCP")

// PTY puts the modem's AT port on a pseudo-terminal and returns its path, which
// any program can open as a serial port. A pseudo-terminal has no DTR and no
// DCD wires. It is there until the modem is closed; asking again makes a new
// one, and the one before then hangs in the air, like a USB port that was
// given another number.
func (m *Modem) PTY() (path string, err error) {
	master, slave, err := openPTY()
	if err != nil {
		return "", err
	}
	// The slave stays open here: otherwise the master would end each time
	// that a program closes the port.
	m.bridge(m.Line(), &ptyMaster{File: master, slave: slave})
	m.onClose(func() {
		master.Close()
		slave.Close()
	})
	return slave.Name(), nil
}

// ptyMaster is the modem's end of a pseudo-terminal.
type ptyMaster struct {
	*os.File
	slave *os.File
}

func (p *ptyMaster) Close() error {
	p.slave.Close()
	return p.File.Close()
}
