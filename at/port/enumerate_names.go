//go:build darwin && !cgo

package port

import "go.bug.st/serial"

// systemPorts lists the ports by name alone: on macOS the USB identity cannot
// be read without cgo.
func systemPorts() ([]Info, error) {
	names, err := serial.GetPortsList()
	if err != nil {
		return nil, err
	}
	ports := make([]Info, len(names))
	for i, name := range names {
		ports[i].Name = name
	}
	return ports, nil
}
