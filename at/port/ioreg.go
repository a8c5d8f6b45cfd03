package port

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// ioregArguments ask for an archive (-a) of every USB device with all that is
// below it (-r -c) and its properties (-l): ioreg(8).
var ioregArguments = []string{"-a", "-l", "-r", "-c", "IOUSBHostDevice"}

const (
	ioregTimeout = 10 * time.Second
	ioregMost    = 32 << 20 // octets of an archive; a desk full of devices has 2 MiB
)

var errRegistryTooLong = errors.New("it does not end")

// readRegistry runs ioreg and returns its archive, within limits of time and
// size.
func readRegistry(ctx context.Context, program string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, ioregTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, ioregArguments...)
	cmd.WaitDelay = time.Second // for a child of it that holds the pipe
	archive := &boundedBuffer{room: ioregMost}
	cmd.Stdout = archive
	err := cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if archive.full {
		err = errRegistryTooLong
	}
	if err != nil {
		return nil, fmt.Errorf("reading the USB identities with %s: %w", program, err)
	}
	return archive.held.Bytes(), nil
}

// boundedBuffer refuses what goes beyond its room. The buffer is not embedded:
// its ReadFrom would go round Write.
type boundedBuffer struct {
	held bytes.Buffer
	room int
	full bool
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.held.Len()+len(p) > b.room {
		b.full = true
		return 0, errRegistryTooLong
	}
	return b.held.Write(p)
}
