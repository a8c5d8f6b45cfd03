//go:build !linux && (!darwin || cgo)

package port

import (
	"context"
	"strings"

	"go.bug.st/serial/enumerator"
)

// systemPorts lists the ports with their USB identity.
func systemPorts(context.Context) ([]Info, error) {
	details, err := enumerator.GetDetailedPortsList()
	if err != nil {
		return nil, err
	}
	var ports []Info
	for _, d := range details {
		if d.Name == "" {
			continue
		}
		p := Info{Name: d.Name}
		if d.IsUSB {
			p.USB = USB{Vendor: strings.ToLower(d.VID), Product: strings.ToLower(d.PID), Serial: d.SerialNumber}
		}
		ports = append(ports, p)
	}
	return ports, nil
}
