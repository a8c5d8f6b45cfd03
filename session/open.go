package session

import (
	"context"
	"fmt"
	"io"

	"github.com/telemodem/telemodem/at/port"
)

// openError is a line that could not be opened.
type openError struct{ err error }

func (e *openError) Error() string { return e.err.Error() }
func (e *openError) Unwrap() error { return e.err }

// opener opens the line of Config.Port, and finds a port on USB again after it
// has come back under another name (fault F95).
type opener struct {
	address string
	id      port.USB // of the port that was opened; zero where it has none

	// What tests replace: the list of the serial ports, and how one is opened.
	list   func() ([]port.Info, error)
	serial func(name string, config *port.SerialConfig) (io.ReadWriteCloser, error)
}

func newOpener(address string) *opener {
	return &opener{address: address, list: port.List, serial: func(name string, config *port.SerialConfig) (io.ReadWriteCloser, error) {
		line, err := port.OpenSerial(name, config)
		if err != nil {
			return nil, err
		}
		return line, nil
	}}
}

func (o *opener) open(ctx context.Context) (io.ReadWriteCloser, error) {
	address, err := port.ParseAddress(o.address)
	if err != nil || address.Network != "serial" {
		return port.Open(ctx, o.address)
	}
	if o.id != (port.USB{}) {
		if address.Name, err = o.found(address.Name); err != nil {
			return nil, err
		}
	}
	line, err := o.serial(address.Name, &address.Serial)
	if err == nil && o.id == (port.USB{}) {
		o.remember(address.Name)
	}
	return line, err
}

// found returns the name that the port has now. Its old one may belong to
// another modem meanwhile, so identity comes before name.
func (o *opener) found(name string) (string, error) {
	ports, err := o.list()
	if err != nil {
		return name, nil // its own name is the best guess
	}
	now := ""
	for _, p := range ports {
		switch {
		case p.USB != o.id:
		case p.Name == name:
			return name, nil
		case now == "":
			now = p.Name
		}
	}
	if now == "" {
		return "", fmt.Errorf("%w: what was %s (USB %s:%s) has not come back", port.ErrNotFound, name, o.id.Vendor, o.id.Product)
	}
	return now, nil
}

// remember notes which port it is that has this name.
func (o *opener) remember(name string) {
	ports, err := o.list()
	if err != nil {
		return
	}
	for _, p := range ports {
		if p.Name == name {
			o.id = p.USB
		}
	}
}
