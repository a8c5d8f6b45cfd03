package main

import (
	"runtime"
	"time"
)

// readProcess is the portable fall-back: what the Go runtime knows of this
// process, on a system whose own values we cannot read.
func readProcess() []quantity {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return []quantity{
		{"process-memory", "By", float64(memory.Sys)},
		{"process-uptime", "s", time.Since(started).Round(time.Millisecond).Seconds()},
		{"goroutines", "/", float64(runtime.NumGoroutine())},
	}
}
