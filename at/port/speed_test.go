package port

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A UART keeps its rate; a modem's own port on USB does not, nor does a
// terminal that nobody knows.
func TestWhichPortsHaveASpeed(t *testing.T) {
	sys := t.TempDir()
	device := func(name string) string {
		dir := filepath.Join(sys, name, "device")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		return dir
	}
	device("ttyAMA0")
	require.NoError(t, os.WriteFile(filepath.Join(sys, "ttyAMA0", "uartclk"), []byte("48000000\n"), 0o644))
	for name, driver := range map[string]string{"ttyUSB0": "ftdi_sio", "ttyUSB1": "option1", "ttyACM0": "cdc_acm"} {
		if err := os.Symlink("../../../bus/usb-serial/drivers/"+driver, filepath.Join(device(name), "driver")); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	for name, want := range map[string]bool{
		"/dev/ttyAMA0": true, "/dev/ttyUSB0": true,
		"/dev/ttyUSB1": false, "/dev/ttyACM0": false, "/dev/pts/3": false, "COM5": false,
	} {
		require.Equal(t, want, onWire(sys, name), name)
	}
	alias := filepath.Join(t.TempDir(), "by-id")
	target := filepath.Join(t.TempDir(), "ttyUSB0")
	require.NoError(t, os.WriteFile(target, nil, 0o644))
	require.NoError(t, os.Symlink(target, alias))
	require.True(t, onWire(sys, alias), "by another name")
}
