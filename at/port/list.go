package port

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Info is a serial port of this machine and, if it is on USB, its identity
// there.
type Info struct {
	// Name is what Open takes: /dev/ttyUSB2, COM5.
	Name string
	// USB is the identity of the device that the port belongs to; zero if it
	// is not on USB. Several ports of one modem have the same.
	USB USB
}

// USB is what identifies a device on USB. An empty field is unknown, or
// matches anything in Find.
type USB struct {
	// Vendor and Product are four hexadecimal digits each: "2c7c", "0125".
	Vendor, Product string
	// Serial is the device's serial number.
	Serial string
	// Interface tells the ports of one device apart: its place among them,
	// counted from 1 in the order of their names; 0 is unknown or any.
	Interface int
}

// ErrNotFound says that no port has the identity that was asked for.
var ErrNotFound = errors.New("no such serial port")

// enumerate is the system's list; tests put their own in its place.
var enumerate = systemPorts

// List lists the serial ports of this machine in the order of their names. On
// macOS those are the call-out devices, /dev/cu.*; a program built without cgo
// asks ioreg(8) for their identities, for at most 10 s.
func List() ([]Info, error) { return list(context.Background()) }

func list(ctx context.Context) ([]Info, error) {
	ports, err := enumerate(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing serial ports: %w", err)
	}
	sortByName(ports)
	places := make(map[USB]int)
	for i := range ports {
		if id := ports[i].USB; id != (USB{}) {
			places[id]++
			ports[i].USB.Interface = places[id]
		}
	}
	return ports, nil
}

// matches tells whether a port has the identity.
func (u USB) matches(p USB) bool {
	return (u.Vendor == "" || strings.EqualFold(u.Vendor, p.Vendor)) &&
		(u.Product == "" || strings.EqualFold(u.Product, p.Product)) &&
		(u.Serial == "" || u.Serial == p.Serial) &&
		(u.Interface == 0 || u.Interface == p.Interface)
}

// Find returns the first port of that identity, whatever it is called now, or
// ErrNotFound.
func Find(id USB) (Info, error) { return find(context.Background(), id) }

func find(ctx context.Context, id USB) (Info, error) {
	if id == (USB{}) {
		return Info{}, fmt.Errorf("%w: the identity is empty", ErrNotFound)
	}
	ports, err := list(ctx)
	if err != nil {
		return Info{}, err
	}
	for _, p := range ports {
		if p.USB != (USB{}) && id.matches(p.USB) {
			return p, nil
		}
	}
	return Info{}, fmt.Errorf("%w: USB %s:%s serial %q port %d", ErrNotFound, id.Vendor, id.Product, id.Serial, id.Interface)
}

// findInterval is the time between looks for a port that is yet to come.
const findInterval = 500 * time.Millisecond

// Await waits for a port of that identity, such as one that comes back after
// a reset of its modem under another name, until ctx ends. A list that fails
// meanwhile, as lists do while devices come and go, is tried again; the error
// has the last cause.
func Await(ctx context.Context, id USB) (Info, error) {
	tick := time.NewTicker(findInterval)
	defer tick.Stop()
	for {
		p, err := find(ctx, id)
		if err == nil || id == (USB{}) {
			return p, err
		}
		select {
		case <-ctx.Done():
			return Info{}, fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-tick.C:
		}
	}
}
