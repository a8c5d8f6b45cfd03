//go:build !linux && !darwin

package fakemodem

import "os"

func openPTY() (master, slave *os.File, err error) { return nil, nil, ErrNoPTY }
