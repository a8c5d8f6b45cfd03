package port

import "context"

// systemPorts lists the ports with their USB identity. The list of the serial
// package is not used: it opens every ttyS, sets it to 9,600 bits per second
// and takes its flow control away, even while it is in use if the program may
// do that (TIOCEXCL does not hold root back).
func systemPorts(context.Context) ([]Info, error) { return sysfsPorts(sysTTY, "/dev") }
