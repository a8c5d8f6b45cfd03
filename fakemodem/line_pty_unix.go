//go:build linux || darwin

package fakemodem

import (
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/telemodem/telemodem/internal/nonblock"
)

// openPTY makes a pseudo-terminal in raw mode: without echo and line editing,
// which are the modem's matter.
func openPTY() (master, slave *os.File, err error) {
	master, slave, err = pty.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("fakemodem: pseudo-terminal: %w", err)
	}
	fd := int(slave.Fd())
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err == nil {
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag &^= unix.CSIZE | unix.PARENB
		t.Cflag |= unix.CS8
		err = unix.IoctlSetTermios(fd, setTermios, t)
	}
	if err != nil {
		master.Close()
		slave.Close()
		return nil, nil, fmt.Errorf("fakemodem: pseudo-terminal in raw mode: %w", err)
	}
	nonblock.Restore(master) // both were asked for their number
	nonblock.Restore(slave)
	return master, slave, nil
}
