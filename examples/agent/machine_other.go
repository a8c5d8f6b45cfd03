//go:build !linux

package main

// readSystem has nothing to read here; readMachine falls back to the process.
func readSystem() []quantity { return nil }
