package port

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// sysfs builds a tree as Linux has it under /sys: terminals of the class tty
// point to devices, and those of USB are some levels below the USB device.
type sysfs struct {
	t               *testing.T
	root, tty, name string // name is /dev
}

func newSysfs(t *testing.T) *sysfs {
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	s := &sysfs{t, root, filepath.Join(root, "class", "tty"), filepath.Join(root, "dev")}
	require.NoError(t, os.MkdirAll(s.tty, 0o755))
	require.NoError(t, os.MkdirAll(s.name, 0o755))
	return s
}

func (s *sysfs) write(path string, attributes ...string) {
	dir := filepath.Join(s.root, path)
	require.NoError(s.t, os.MkdirAll(dir, 0o755))
	for i := 0; i < len(attributes); i += 2 {
		require.NoError(s.t, os.WriteFile(filepath.Join(dir, attributes[i]), []byte(attributes[i+1]+"\n"), 0o644))
	}
}

// terminal adds one that belongs to a device, with its name in /dev.
func (s *sysfs) terminal(name, device string, attributes ...string) {
	s.write(filepath.Join("class", "tty", name), attributes...)
	if device != "" {
		s.write(device)
		if err := os.Symlink(filepath.Join(s.root, device), filepath.Join(s.tty, name, "device")); err != nil {
			s.t.Skip("no symbolic links here: ", err)
		}
	}
	require.NoError(s.t, os.WriteFile(filepath.Join(s.name, name), nil, 0o000))
}

func TestSysfsPorts(t *testing.T) {
	s := newSysfs(t)
	const bus = "devices/pci0000:00/0000:00:14.0/usb1"
	s.write(bus, "idVendor", "1d6b", "idProduct", "0002", "serial", "0000:00:14.0")
	s.write(bus+"/1-4", "idVendor", "05e3", "idProduct", "0610") // a hub
	s.write(bus+"/1-4/1-4.1", "idVendor", "2C7C", "idProduct", "0125", "serial", "A 1 ")
	s.write(bus+"/1-4/1-4.2", "idVendor", "1546", "idProduct", "1341") // no serial number
	s.terminal("ttyUSB0", bus+"/1-4/1-4.1/1-4.1:1.0/ttyUSB0")          // a driver of usb-serial
	s.terminal("ttyUSB1", bus+"/1-4/1-4.1/1-4.1:1.1/ttyUSB1")
	s.terminal("ttyACM0", bus+"/1-4/1-4.2/1-4.2:1.0") // cdc_acm
	s.terminal("ttyS0", "devices/pnp0/00:04", "type", "4")
	s.terminal("ttyS1", "devices/platform/serial8250", "type", "0") // a place without a UART
	s.terminal("ttymxc2", "devices/platform/soc/30890000.serial", "type", "62")
	s.terminal("tty7", "")
	s.terminal("ttyUSB9", bus+"/1-4/1-4.1/1-4.1:1.4/ttyUSB9")
	require.NoError(t, os.Remove(filepath.Join(s.name, "ttyUSB9"))) // a container without it
	require.NoError(t, os.Symlink("/no/such/device", filepath.Join(s.tty, "ttyUSB8")))

	modem, other := USB{Vendor: "2c7c", Product: "0125", Serial: "A 1 "}, USB{Vendor: "1546", Product: "1341"}
	ports, err := sysfsPorts(s.tty, s.name)
	require.NoError(t, err)
	sortByName(ports)
	in := func(name string) string { return filepath.Join(s.name, name) }
	require.Equal(t, []Info{{in("ttyACM0"), other}, {in("ttyS0"), USB{}}, {in("ttyUSB0"), modem}, {in("ttyUSB1"), modem}, {in("ttymxc2"), USB{}}}, ports)

	_, err = sysfsPorts(filepath.Join(s.root, "none"), s.name)
	require.ErrorIs(t, err, os.ErrNotExist)
}
