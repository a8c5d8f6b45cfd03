//go:build !linux

package port

import (
	"errors"
	"fmt"

	"go.bug.st/serial"
)

// open opens the device through the serial package, which makes it ours alone.
func (s *Serial) open() error {
	if s.cfg.Flow != FlowNone {
		return s.setFlow()
	}
	var err error
	s.ctl, err = serial.Open(s.name, s.cfg.mode())
	s.io = closing{s.ctl}
	return err
}

// setFlow refuses what can be done on Linux only.
func (s *Serial) setFlow() error {
	if s.cfg.Flow == FlowNone {
		return nil
	}
	return fmt.Errorf("hardware flow control: %w on this system", errors.ErrUnsupported)
}

// closing is a port whose control side closes it.
type closing struct{ serial.Port }

func (closing) Close() error { return nil }
