package main

import "time"

// quantity is one value read from the machine the agent runs on, named and in
// a unit of the SenML registry (RFC 8428 section 12.1); a load has none there.
type quantity struct {
	name  string
	unit  string
	value float64
}

// started stands in for the machine's start where that cannot be had.
var started = time.Now()

// readMachine reads what there is to read: a machine without a sensor gives
// fewer quantities, never an invented one.
func readMachine() []quantity {
	quantities := readSystem()
	if len(quantities) == 0 {
		quantities = readProcess()
	}
	return quantities
}
