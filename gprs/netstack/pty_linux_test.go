package netstack

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// BenchmarkPTY reports what TCP over PPP carries over a pseudo-terminal
// against plain copies over one: with writes of 32 KiB, and with writes of the
// size of a frame. Medians of five.
func BenchmarkPTY(b *testing.B) {
	for range b.N {
		var raw, frames, overPPP []float64
		for range 5 {
			raw = append(raw, copyOverPTY(b, bulkOctets/4, 32<<10))
			frames = append(frames, copyOverPTY(b, bulkOctets/4, 1503))
			master, slave := openPTY(b)
			from, to := pppPair(b, master, slave, nil)
			overPPP = append(overPPP, transfer(b, from, to, bulkOctets/4))
		}
		b.ReportMetric(middle(overPPP)/middle(raw), "ppp/raw")
		b.ReportMetric(middle(overPPP)/middle(frames), "ppp/raw-frames")
		b.ReportMetric(middle(raw)/1e6, "raw-MB/s")
		b.ReportMetric(middle(frames)/1e6, "raw-frames-MB/s")
		b.ReportMetric(middle(overPPP)/1e6, "ppp-MB/s")
	}
}

// openPTY opens a pseudo-terminal that changes no octet.
func openPTY(b *testing.B) (master, slave *os.File) {
	b.Helper()
	master, slave, err := pty.Open()
	require.NoError(b, err)
	raw, err := slave.SyscallConn()
	require.NoError(b, err)
	require.NoError(b, raw.Control(func(fd uintptr) {
		var mode *unix.Termios
		if mode, err = unix.IoctlGetTermios(int(fd), unix.TCGETS); err != nil {
			return
		}
		mode.Iflag, mode.Oflag, mode.Lflag = 0, 0, 0
		mode.Cflag = mode.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
		err = unix.IoctlSetTermios(int(fd), unix.TCSETS, mode)
	}))
	require.NoError(b, err)
	b.Cleanup(func() {
		_ = master.Close()
		_ = slave.Close()
	})
	return master, slave
}

// copyOverPTY is the octets per second of a plain copy with writes of a size.
func copyOverPTY(b *testing.B, octets, size int) float64 {
	b.Helper()
	master, slave := openPTY(b)
	go func() {
		chunk := make([]byte, size)
		for sent := 0; sent < octets; {
			n, err := master.Write(chunk[:min(len(chunk), octets-sent)])
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
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(struct{ io.Reader }{slave}, int64(octets-first)), buffer)
	require.NoError(b, err)
	return float64(n) / time.Since(start).Seconds()
}
