//go:build darwin && !cgo

package port

import (
	"context"
	"strings"

	"go.bug.st/serial"
)

// ioreg is a part of every macOS; without cgo there is no other way to its I/O
// registry.
const ioreg = "/usr/sbin/ioreg"

// systemPorts lists the call-out devices, cu.*, as the way by cgo does: their
// twins tty.* are for being called and wait for a carrier when they are opened.
func systemPorts(ctx context.Context) ([]Info, error) {
	names, err := serial.GetPortsList()
	if err != nil {
		return nil, err
	}
	archive, err := readRegistry(ctx, ioreg)
	if err != nil {
		return nil, err
	}
	known, err := usbPorts(archive)
	if err != nil {
		return nil, err
	}
	var ports []Info
	for _, name := range names {
		if strings.HasPrefix(name, "/dev/cu.") {
			ports = append(ports, Info{Name: name, USB: known[name]})
		}
	}
	return ports, nil
}
