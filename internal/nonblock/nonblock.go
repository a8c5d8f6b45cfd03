// Package nonblock keeps the descriptors of files in the mode in which their
// deadlines and their Close end a Read.
package nonblock

import (
	"syscall"
	"time"
)

// Restore makes the descriptor of a stream non-blocking again, if it is one
// that the runtime's poller waits for, such as an *os.File of a terminal.
// os.File.Fd turns it to blocking, and so do all who call it: then deadlines
// can be set and have no effect, Close leaves a Read where it is, and each
// Read and Write keeps a thread. Other streams are left alone, and so are
// files that the poller does not know: os.NewFile was given a blocking
// descriptor.
//
// The mode belongs to the open file, so that other processes that share it
// see it too.
func Restore(stream any) {
	file, ok := stream.(interface {
		syscall.Conn
		SetReadDeadline(time.Time) error
	})
	if !ok || file.SetReadDeadline(time.Time{}) != nil {
		return
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(setNonblock) // a closed file says so at its first Read
}
