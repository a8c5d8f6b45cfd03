package port

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.bug.st/serial"

	"github.com/telemodem/telemodem/at"
)

// SerialConfig is how a serial port is set. A nil *SerialConfig is 115,200
// bits per second, 8 data bits, no parity, 1 stop bit, no flow control.
type SerialConfig struct {
	// Baud is the rate in bits per second. Zero and negative mean 115,200.
	Baud int
	// Flow is how the two sides slow each other down. Zero means not at all.
	Flow Flow
	// DTROff opens the port with the DTR line off. Systems turn it on for
	// some milliseconds even so.
	DTROff bool
}

// Flow is a kind of flow control.
type Flow uint8

// Kinds of flow control.
const (
	FlowNone Flow = iota
	// FlowRTSCTS is by the lines RTS and CTS, as AT+IFC=2,2 sets on the
	// modem's side. It is supported on Linux.
	FlowRTSCTS
)

const (
	defaultBaud = 115200
	maxBaud     = 100_000_000 // beyond any UART; systems take 32 bits and cut off the rest
)

// Serial is an open serial port. One goroutine may read while another writes
// and further ones use the lines. On Linux it has SetReadDeadline and
// SetWriteDeadline as well.
type Serial struct {
	name string
	ctl  serial.Port // modes and modem lines
	io   transport   // bytes
	lock *portLock
	cfg  SerialConfig

	once     sync.Once
	closeErr error
}

// transport moves the bytes of a port; Close unblocks Read and Write.
type transport interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	Close() error
}

// OpenSerial opens a serial port for us alone. It fails with a *BusyError if
// another program has it.
func OpenSerial(name string, config *SerialConfig) (*Serial, error) {
	var cfg SerialConfig
	if config != nil {
		cfg = *config
	}
	if cfg.Baud <= 0 {
		cfg.Baud = defaultBaud
	}
	if cfg.Baud > maxBaud || cfg.Flow > FlowRTSCTS {
		return nil, fmt.Errorf("opening %s: %w: %d bits per second, flow control %d", name, at.ErrInvalid, cfg.Baud, cfg.Flow)
	}
	lock, err := lockPort(name)
	if err != nil {
		return nil, err
	}
	s := &Serial{name: name, lock: lock, cfg: cfg}
	if err := s.open(); err != nil {
		lock.release()
		var pe *serial.PortError
		if errors.As(err, &pe) && pe.Code() == serial.PortBusy {
			return nil, &BusyError{Port: name, Holder: holder(name), Err: err}
		}
		return nil, fmt.Errorf("opening %s: %w", name, err)
	}
	return s, nil
}

func (c *SerialConfig) mode() *serial.Mode {
	m := &serial.Mode{BaudRate: c.Baud, DataBits: 8}
	if c.DTROff {
		m.InitialStatusBits = &serial.ModemOutputBits{RTS: true}
	}
	return m
}

// Name returns the device's name.
func (s *Serial) Name() string { return s.name }

// Read reads what has arrived, waiting for at least one octet.
func (s *Serial) Read(p []byte) (int, error) {
	n, err := s.io.Read(p)
	return n, gone(err)
}

// Write writes all of p; with flow control it may wait for the modem.
func (s *Serial) Write(p []byte) (int, error) {
	n, err := s.io.Write(p)
	return n, gone(err)
}

// Close closes the port and unblocks Read and Write. What the modem has not
// taken is thrown away. It may be called again.
func (s *Serial) Close() error {
	s.once.Do(func() {
		s.closeErr = errors.Join(s.io.Close(), s.ctl.Close())
		s.lock.release()
	})
	return s.closeErr
}

// SetDTR sets the line Data Terminal Ready, by which a modem can be told to
// end data mode (AT&D).
func (s *Serial) SetDTR(on bool) error { return s.ctl.SetDTR(on) }

// SetRTS sets the line Request To Send. With FlowRTSCTS the system does that.
func (s *Serial) SetRTS(on bool) error { return s.ctl.SetRTS(on) }

// DCD returns the line Data Carrier Detect, by which a modem tells that a data
// call goes on (AT&C1).
func (s *Serial) DCD() (bool, error) {
	bits, err := s.ctl.GetModemStatusBits()
	if err != nil {
		return false, err
	}
	return bits.DCD, nil
}

// CTS returns the line Clear To Send, by which a modem stops us (FlowRTSCTS).
func (s *Serial) CTS() (bool, error) {
	bits, err := s.ctl.GetModemStatusBits()
	if err != nil {
		return false, err
	}
	return bits.CTS, nil
}

// RI returns the line Ring Indicator, by which some modems wake their host.
func (s *Serial) RI() (bool, error) {
	bits, err := s.ctl.GetModemStatusBits()
	if err != nil {
		return false, err
	}
	return bits.RI, nil
}

// Baud is the rate in bits per second.
func (s *Serial) Baud() int {
	return s.cfg.Baud
}

// SetBaud changes the rate in bits per second, after the modem was told to
// (AT+IPR).
func (s *Serial) SetBaud(rate int) error {
	if rate <= 0 || rate > maxBaud {
		return fmt.Errorf("%s: %w: %d bits per second", s.name, at.ErrInvalid, rate)
	}
	s.cfg.Baud = rate
	mode := s.cfg.mode()
	mode.InitialStatusBits = nil
	if err := s.ctl.SetMode(mode); err != nil {
		return fmt.Errorf("%s: setting %d bits per second: %w", s.name, rate, err)
	}
	return s.setFlow()
}

// Break holds the line in the break state for the time.
func (s *Serial) Break(d time.Duration) error { return s.ctl.Break(d) }
