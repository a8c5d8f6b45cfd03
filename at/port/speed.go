package port

import (
	"os"
	"path/filepath"
	"slices"
)

// Speed is the rate in bits per second at which octets really leave on the
// wire: that of Baud, or zero where Baud is but a number, as on the ports of a
// modem that is on USB itself, and where it is not known which of the two it
// is (everywhere but on Linux). A multiplexer paces itself by it
// (cmux.Config.Speed).
func (s *Serial) Speed() int {
	if !onWire(sysTTY, s.name) {
		return 0
	}
	return s.Baud()
}

// sysTTY is where Linux describes its terminals.
const sysTTY = "/sys/class/tty"

// bridges are the drivers of Linux for USB devices with a UART behind them
// (drivers/usb/serial); those of modems (option, qcserial, sierra, cdc_acm)
// take any rate and keep none.
var bridges = []string{"ftdi_sio", "cp210x", "pl2303", "ch341-uart", "ch341", "mos7720", "mos7840", "ti_usb_3410_5052_1", "ark3116", "f81232", "mxuport"}

// onWire tells whether a device has a UART: one of the machine's own has the
// attribute uartclk, one on USB a driver that says so.
func onWire(sys, name string) bool {
	if real, err := filepath.EvalSymlinks(name); err == nil { // /dev/serial/by-id
		name = real
	}
	about := filepath.Join(sys, filepath.Base(name))
	if _, err := os.Stat(filepath.Join(about, "uartclk")); err == nil {
		return true
	}
	driver, err := os.Readlink(filepath.Join(about, "device", "driver"))
	return err == nil && slices.Contains(bridges, filepath.Base(driver))
}
