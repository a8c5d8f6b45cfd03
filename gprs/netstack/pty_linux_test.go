package netstack

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// BenchmarkPTY reports what TCP over PPP carries over a pseudo-terminal
// against plain copies over one, with writes of 32 KiB and with writes of the
// size of a frame: medians of five, and the ratio to the fastest of the plain
// copies, whatever its descriptors. Non-blocking descriptors are what os.Open
// makes of a terminal: the runtime's poller waits for all of them. A blocking
// one, which os.File.Fd leaves behind, keeps a thread, and two cores, which
// carry both ends here, pay for its hand-overs.
func BenchmarkPTY(b *testing.B) {
	for range b.N {
		fastest := 0.
		for _, blocking := range []bool{false, true} {
			for name, size := range map[string]int{"raw": 32 << 10, "raw-frames": 1503} {
				rate := middleOfFive(func() float64 { return copyOverPTY(b, blocking, size) })
				b.ReportMetric(rate/1e6, name+ptyKind(blocking)+"-MB/s")
				fastest = max(fastest, rate)
			}
		}
		for _, blocking := range []bool{false, true} {
			rate := middleOfFive(func() float64 {
				master, slave := openPTY(b, blocking)
				from, to := pppPair(b, master, slave, nil)
				rate := transfer(b, from, to, ptyOctets)
				endTogether(from, to)
				return rate
			})
			b.ReportMetric(rate/1e6, "ppp"+ptyKind(blocking)+"-MB/s")
			b.ReportMetric(rate/fastest, "ppp"+ptyKind(blocking)+"/raw")
		}
	}
}

const ptyOctets = bulkOctets / 2

func ptyKind(blocking bool) string {
	if blocking {
		return "-blocking"
	}
	return ""
}

func middleOfFive(measure func() float64) float64 {
	var all []float64
	for range 5 {
		all = append(all, measure())
	}
	return middle(all)
}

// endTogether ends both links in good order, so that no Read is left in
// progress: a blocking descriptor has no deadline that could end it.
func endTogether(a, b *Net) {
	ended := make(chan struct{})
	go func() { _ = a.link.Close(); close(ended) }()
	_ = b.link.Close()
	<-ended
}

// openPTY opens a pseudo-terminal that changes no octet. Of a blocking one the
// side that sends in this benchmark has a blocking descriptor.
func openPTY(b *testing.B, blocking bool) (master, slave *os.File) {
	b.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(b, err)
	b.Cleanup(func() { _ = master.Close() })
	var number int
	control(b, master, func(fd int) (err error) {
		if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		}
		return err
	})
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(b, err)
	b.Cleanup(func() { _ = slave.Close() })
	control(b, slave, func(fd int) error {
		mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		mode.Iflag, mode.Oflag, mode.Lflag = 0, 0, 0
		mode.Cflag = mode.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
		return unix.IoctlSetTermios(fd, unix.TCSETS, mode)
	})
	if blocking {
		_ = master.Fd()
	}
	return master, slave
}

// control calls do with the descriptor of f and leaves it non-blocking.
func control(b *testing.B, f *os.File, do func(fd int) error) {
	b.Helper()
	raw, err := f.SyscallConn()
	require.NoError(b, err)
	var failed error
	require.NoError(b, raw.Control(func(fd uintptr) { failed = do(int(fd)) }))
	require.NoError(b, failed)
}

// copyOverPTY is the octets per second of a plain copy with writes of a size.
func copyOverPTY(b *testing.B, blocking bool, size int) float64 {
	b.Helper()
	master, slave := openPTY(b, blocking)
	go func() {
		chunk := make([]byte, size)
		for sent := 0; sent < ptyOctets; {
			n, err := master.Write(chunk[:min(len(chunk), ptyOctets-sent)])
			if err != nil {
				return
			}
			sent += n
		}
	}()
	buffer := make([]byte, 32<<10)
	first, err := slave.Read(buffer)
	require.NoError(b, err)
	start := time.Now()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(struct{ io.Reader }{slave}, int64(ptyOctets-first)), buffer)
	require.NoError(b, err)
	return float64(n) / time.Since(start).Seconds()
}
