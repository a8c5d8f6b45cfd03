package port

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Address is a parsed address of a line.
type Address struct {
	// Network is "serial", "tcp" or "unix".
	Network string
	// Name is the device, the host and port, or the path.
	Name string
	// Serial is how a serial port is to be set.
	Serial SerialConfig
}

// ParseAddress reads an address. Parameters of a serial port are baud (bits
// per second), flow (none or rtscts) and dtr (on or off). An unknown one, and
// one that is given twice, is an error that names it.
func ParseAddress(address string) (Address, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		if address == "" {
			return Address{}, fmt.Errorf("port: the address is empty; give a device such as /dev/ttyUSB2")
		}
		return Address{Network: "serial", Name: address}, nil
	}
	name, query, _ := strings.Cut(rest, "?")
	params, err := url.ParseQuery(query)
	if err != nil {
		return Address{}, fmt.Errorf("port: address %q: %w", address, err)
	}
	a := Address{Network: scheme, Name: name}
	switch {
	case name == "":
		return Address{}, fmt.Errorf("port: address %q names nothing behind %s://", address, scheme)
	case scheme == "serial":
		err = a.Serial.parse(params)
	case (scheme == "tcp" || scheme == "unix") && len(params) > 0:
		err = fmt.Errorf("%s takes no parameters", scheme)
	case scheme == "tcp":
		_, _, err = net.SplitHostPort(name)
	case scheme == "unix":
	default:
		err = fmt.Errorf("unknown kind %q; there are serial, tcp and unix", scheme)
	}
	if err != nil {
		return Address{}, fmt.Errorf("port: address %q: %w", address, err)
	}
	return a, nil
}

func (c *SerialConfig) parse(params url.Values) error {
	for key, values := range params {
		value := values[0]
		switch {
		case len(values) > 1:
			return fmt.Errorf("%s is given %d times", key, len(values))
		case key == "baud":
			n, err := strconv.Atoi(value)
			if err != nil || n <= 0 || n > maxBaud {
				return fmt.Errorf("baud %q is not a rate in bits per second", value)
			}
			c.Baud = n
		case key == "flow" && value == "rtscts":
			c.Flow = FlowRTSCTS
		case key == "flow" && value == "none":
			c.Flow = FlowNone
		case key == "dtr" && (value == "on" || value == "off"):
			c.DTROff = value == "off"
		default:
			return fmt.Errorf("unknown parameter %s=%s; there are baud=<rate>, flow=none|rtscts, dtr=on|off", key, value)
		}
	}
	return nil
}
