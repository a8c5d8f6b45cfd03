//go:build !unix

package nonblock

// setNonblock has nothing to do: Fd changes no mode here.
func setNonblock(uintptr) {}
