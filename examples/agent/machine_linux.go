package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// readSystem reads /proc (proc(5)), the root file system and /sys.
func readSystem() []quantity {
	var quantities []quantity
	add := func(name, unit string, value float64, ok bool) {
		if ok {
			quantities = append(quantities, quantity{name, unit, value})
		}
	}
	load, ok := firstField("/proc/loadavg")
	add("load", "", load, ok)
	memory, ok := memoryInUse("/proc/meminfo")
	add("mem", "By", memory, ok)
	disk, ok := diskInUse("/")
	add("disk", "%", disk, ok)
	uptime, ok := firstField("/proc/uptime")
	add("up", "s", uptime, ok)
	temperature, ok := cpuTemperature("/sys/class/thermal")
	add("cpu", "Cel", temperature, ok)
	return quantities
}

// firstField returns the first number of a file.
func firstField(path string) (float64, bool) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(content)), " ")
	value, err := strconv.ParseFloat(first, 64)
	return value, err == nil
}

// memoryInUse returns the octets of memory that are neither free nor quickly
// freed: MemTotal less MemAvailable, both of which the file gives in KiB.
func memoryInUse(path string) (float64, bool) {
	file, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer file.Close()
	values := map[string]float64{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if value, err := strconv.ParseFloat(number, 64); err == nil {
			values[name] = value * 1024
		}
	}
	total, hasTotal := values["MemTotal"]
	available, hasAvailable := values["MemAvailable"]
	return total - available, hasTotal && hasAvailable
}

// diskInUse returns the used share of a file system in percent, as df does.
func diskInUse(path string) (float64, bool) {
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil || stat.Blocks == 0 {
		return 0, false
	}
	used := float64(stat.Blocks - stat.Bfree)
	return 100 * used / (used + float64(stat.Bavail)), true
}

// cpuTemperature returns the first thermal zone's temperature in degrees
// Celsius; many machines, virtual ones above all, have none.
func cpuTemperature(dir string) (float64, bool) {
	zones, _ := filepath.Glob(filepath.Join(dir, "thermal_zone*", "temp"))
	for _, zone := range zones {
		if milli, ok := firstField(zone); ok {
			return milli / 1000, true
		}
	}
	return 0, false
}
