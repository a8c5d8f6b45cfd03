// Package port opens the lines that modems are on: serial ports, TCP
// connections and unix sockets, by one address. It lists serial ports with
// their USB identity and finds one again after it has come back under another
// name.
//
//	/dev/ttyUSB2
//	COM5
//	serial:///dev/ttyS1?baud=460800&flow=rtscts
//	tcp://192.0.2.7:4001
//	unix:///run/modem.sock
//
// On every kind Close unblocks Read and Write, and a line that ended by itself,
// such as an unplugged device, gives errors that wrap [at.ErrLineGone]. Every
// kind has SetReadDeadline and SetWriteDeadline, serial ports on Linux alone;
// elsewhere it is the system that decides whether closing a serial port ends a
// Write that waits.
//
// A serial port is opened for us alone. Programs that respect the locks of
// others keep off it: it is locked by flock(2), by TIOCEXCL and, where
// /var/lock may be written to, by a lock file in the manner of UUCP.
package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/telemodem/telemodem/at"
)

// Open opens the line at an address. ctx bounds the connecting of the network
// kinds. A serial port's line has the abilities of [Serial]. A port that is in
// use is a *BusyError.
func Open(ctx context.Context, address string) (io.ReadWriteCloser, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	if a.Network == "serial" {
		return OpenSerial(a.Name, &a.Serial)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, a.Network, a.Name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", address, err)
	}
	return &stream{Conn: conn}, nil
}

// stream is a network connection as a line.
type stream struct{ net.Conn }

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	return n, gone(err)
}

func (s *stream) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	return n, gone(err)
}

// gone marks an error of a line that ended by itself. A line that was closed
// by its user, and a deadline that passed, are what they are.
func gone(err error) error {
	switch {
	case err == nil, errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", at.ErrLineGone, io.EOF)
	}
	return fmt.Errorf("%w: %w", at.ErrLineGone, err)
}

// BusyError says that another program has the port.
type BusyError struct {
	// Port is the device.
	Port string
	// Holder is who has it, as "ModemManager (pid 812)", or empty if that
	// could not be found out.
	Holder string
	// Err is what the system said.
	Err error
}

// Error tells who has the port and what to do.
func (e *BusyError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("%s is in use by another program (%v); stop that program, or keep it off this device", e.Port, e.Err)
	}
	return fmt.Sprintf("%s is in use by %s (%v); stop that program, or keep it off this device", e.Port, e.Holder, e.Err)
}

// Unwrap returns what the system said.
func (e *BusyError) Unwrap() error { return e.Err }
