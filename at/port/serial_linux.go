package port

import (
	"errors"
	"fmt"
	"os"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// open opens the device twice: bytes go through a descriptor of our own, since
// the serial package's Write cannot be unblocked, and hardware flow control is
// set on it, since that package always turns it off. Ours comes first, because
// the other one is exclusive.
func (s *Serial) open() error {
	fd, err := unix.Open(s.name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		if errors.Is(err, unix.EBUSY) {
			return &BusyError{Port: s.name, Holder: holder(s.name), Err: err}
		}
		return &os.PathError{Op: "open", Path: s.name, Err: err}
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return &BusyError{Port: s.name, Holder: holder(s.name), Err: err}
	}
	s.ctl, err = serial.Open(s.name, s.cfg.mode())
	if err != nil {
		unix.Close(fd)
		return err
	}
	s.io = &descriptor{fd: fd, file: os.NewFile(uintptr(fd), s.name)}
	if err := s.setFlow(); err != nil {
		s.io.Close()
		s.ctl.Close()
		return err
	}
	return nil
}

// setFlow sets or clears CRTSCTS, which a change of mode leaves to us.
func (s *Serial) setFlow() error {
	d := s.io.(*descriptor)
	t, err := unix.IoctlGetTermios(d.fd, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("flow control: %w", err)
	}
	t.Cflag &^= unix.CRTSCTS
	if s.cfg.Flow == FlowRTSCTS {
		t.Cflag |= unix.CRTSCTS
	}
	if err := unix.IoctlSetTermios(d.fd, unix.TCSETS, t); err != nil {
		return fmt.Errorf("flow control: %w", err)
	}
	return nil
}

// SetReadDeadline sets the time at which Read gives up with
// os.ErrDeadlineExceeded, also one that waits; a zero time takes it away. There
// are deadlines on Linux alone.
func (s *Serial) SetReadDeadline(t time.Time) error {
	return s.io.(*descriptor).file.SetReadDeadline(t)
}

// SetWriteDeadline sets the time at which Write gives up with
// os.ErrDeadlineExceeded, also one that waits for a modem that has stopped us;
// a zero time takes it away. Such a Write tells how many octets the system has
// taken: those still leave, and Write may go on behind them.
func (s *Serial) SetWriteDeadline(t time.Time) error {
	return s.io.(*descriptor).file.SetWriteDeadline(t)
}

// descriptor is our descriptor of the port, served by Go's poller.
type descriptor struct {
	fd   int
	file *os.File
}

func (d *descriptor) Read(p []byte) (int, error)  { return d.file.Read(p) }
func (d *descriptor) Write(p []byte) (int, error) { return d.file.Write(p) }

// Limits of the wait for octets that the modem still takes at Close.
const (
	drainStep  = 5 * time.Millisecond
	drainSteps = 40
)

// Close gives what was written a moment to leave and throws the rest away:
// else the system would wait for a modem that has stopped us, up to 30 s.
func (d *descriptor) Close() error {
	for range drainSteps {
		left, err := unix.IoctlGetInt(d.fd, unix.TIOCOUTQ)
		if err != nil || left == 0 {
			break
		}
		time.Sleep(drainStep)
	}
	unix.IoctlSetInt(d.fd, unix.TCFLSH, unix.TCOFLUSH)
	return d.file.Close()
}
