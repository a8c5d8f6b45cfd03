package port

import (
	"os"
	"path/filepath"
	"strings"
)

// sysfsPorts lists the terminals that Linux describes in sys and that are a
// device of this machine with a name in dev: not the consoles, nor the pseudo
// terminals. It opens none of them. One that goes away meanwhile is left out.
func sysfsPorts(sys, dev string) ([]Info, error) {
	entries, err := os.ReadDir(sys)
	if err != nil {
		return nil, err
	}
	var ports []Info
	for _, entry := range entries {
		about := filepath.Join(sys, entry.Name())
		device, err := filepath.EvalSymlinks(filepath.Join(about, "device"))
		if err != nil || attribute(about, "type") == uartUnknown {
			continue
		}
		name := filepath.Join(dev, entry.Name())
		if _, err := os.Stat(name); err != nil {
			continue
		}
		ports = append(ports, Info{Name: name, USB: usbAbove(device)})
	}
	return ports, nil
}

// uartUnknown is the type of a port that the kernel keeps a place for and has
// found no UART at (PORT_UNKNOWN of include/uapi/linux/serial.h).
const uartUnknown = "0"

// usbAbove returns the identity of the USB device that a device belongs to:
// the first above it that has a vendor and a product. Its interfaces have none.
func usbAbove(device string) USB {
	for {
		vendor, product := attribute(device, "idVendor"), attribute(device, "idProduct")
		if vendor != "" && product != "" {
			return USB{Vendor: strings.ToLower(vendor), Product: strings.ToLower(product), Serial: attribute(device, "serial")}
		}
		above := filepath.Dir(device)
		if above == device {
			return USB{}
		}
		device = above
	}
}

// attribute reads a line of sysfs; none if it is not there.
func attribute(device, name string) string {
	text, err := os.ReadFile(filepath.Join(device, name))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(text), "\n")
}
