//go:build linux

package fakemodem_test

import (
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// typist types into a terminal program, which runs on a pseudo-terminal of its
// own, and looks at its screen.
type typist struct {
	*honesty
	screen lockedBuffer
	seen   int // octets of the screen that have been looked at
	master io.Writer
}

// sitDown starts the terminal program.
func (h *honesty) sitDown(name string, args ...string) *typist {
	h.Helper()
	y := &typist{honesty: h}
	cmd := h.command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGTERM}
	master, err := pty.StartWithAttrs(cmd, &pty.Winsize{Rows: 50, Cols: 200}, cmd.SysProcAttr)
	require.NoError(h, err)
	y.master = master
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		io.Copy(&y.screen, master) // ends with EIO when the program does
	}()
	h.Cleanup(func() {
		endGroup(cmd)
		master.Close()
		<-ended
		if h.Failed() {
			h.Logf("the screen of %s:\n%q", name, y.screen.String())
		}
	})
	return y
}

// see waits until a text is on the screen, behind what was seen before.
func (y *typist) see(text string) {
	y.Helper()
	y.poll(fmt.Sprintf("%q on the screen", text), func() bool {
		all := y.screen.String()
		i := strings.Index(all[y.seen:], text)
		if i >= 0 {
			y.seen += i + len(text)
		}
		return i >= 0
	})
}

// enter types a text.
func (y *typist) enter(keys string) {
	y.Helper()
	_, err := io.WriteString(y.master, keys)
	require.NoError(y, err)
}

// converse is what a person does with a new modem: who are you, a message, a
// message from outside.
func (y *typist) converse() {
	y.Helper()
	y.enter("AT+CGMI\r")
	y.see("Quectel")
	y.see("OK")
	y.enter("AT+CMGF=1\r")
	y.see("OK")
	y.enter("AT+CMGS=\"" + peerNumber + "\"\r")
	y.see("> ")
	y.enter("Level 3.7 m\x1a") // Ctrl-Z
	y.see("+CMGS: 1")
	y.see("OK")
	require.Equal(y, []string{"Level 3.7 m"}, y.received(1))
	y.enter("AT+CNMI=2,2,0,0,0\r")
	y.see("OK")
	y.send("and back")
	y.see("+CMT: ")
	y.see("and back")
}

// TestHonestyPicocom: a person at a terminal program.
func TestHonestyPicocom(t *testing.T) {
	h := newHonesty(t, fakemodem.BG96, "picocom 3.1", "picocom")
	y := h.sitDown("picocom", "-b", "115200", h.path)
	y.see("Terminal ready")
	y.converse()
	y.enter("\x01\x18") // Ctrl-A Ctrl-X
	y.see("Thanks for using picocom")
	h.finish("picocom")
}

// TestHonestyMinicom: the same at a program that sets the modem up first.
func TestHonestyMinicom(t *testing.T) {
	h := newHonesty(t, fakemodem.M95, "minicom 2.8", "minicom")
	h.write(".minirc.dfl", "pu minit            ~^M~AT S7=45 S0=0 L1 V1 X4 &c1 E1 Q0^M\n")
	y := h.sitDown("minicom", "-D", h.path, "-b", "115200")
	y.see("Press CTRL-A Z for help")
	y.see("Q0")
	y.see("OK")
	y.converse()
	y.enter("\x01x") // Ctrl-A X
	y.see("Leave Minicom?")
	y.enter("\r")
	h.finish("minicom")
}
