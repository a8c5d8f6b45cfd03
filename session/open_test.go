package session

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at/port"
)

// A stick that has come back under another name is found by what it is; its old
// name may be another one's by then (fault F95).
func TestF95PortIsFoundAgainByIdentity(t *testing.T) {
	ours := port.USB{Vendor: "2c7c", Product: "0125", Serial: "A", Interface: 3}
	other := port.USB{Vendor: "2c7c", Product: "0125", Serial: "B", Interface: 3}
	ports := []port.Info{{Name: "/dev/ttyUSB2", USB: ours}}
	var opened []string
	var baud int
	o := newOpener("serial:///dev/ttyUSB2?baud=460800")
	o.list = func() ([]port.Info, error) { return ports, nil }
	o.serial = func(name string, config *port.SerialConfig) (io.ReadWriteCloser, error) {
		opened, baud = append(opened, name), config.Baud
		return nil, nil
	}
	for _, step := range []struct {
		ports []port.Info
		err   error
	}{
		{[]port.Info{{Name: "/dev/ttyUSB2", USB: ours}, {Name: "/dev/ttyUSB6", USB: other}}, nil},
		{[]port.Info{{Name: "/dev/ttyUSB2", USB: other}, {Name: "/dev/ttyUSB6", USB: ours}}, nil},
		{[]port.Info{{Name: "/dev/ttyUSB2", USB: other}}, port.ErrNotFound},
		{[]port.Info{{Name: "/dev/ttyUSB7", USB: ours}}, nil},
	} {
		ports = step.ports
		_, err := o.open(t.Context())
		require.ErrorIs(t, err, step.err)
	}
	require.Equal(t, []string{"/dev/ttyUSB2", "/dev/ttyUSB6", "/dev/ttyUSB7"}, opened, "never another's")
	require.Equal(t, 460800, baud)
}
