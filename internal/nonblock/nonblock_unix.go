//go:build unix

package nonblock

import "syscall"

func setNonblock(fd uintptr) { _ = syscall.SetNonblock(int(fd), true) }
