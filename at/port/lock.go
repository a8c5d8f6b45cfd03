package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portLock is a lock file in the manner of UUCP: LCK..ttyUSB2 with the number
// of the process in ten columns (Filesystem Hierarchy Standard 3.0, 5.9).
type portLock struct{ path string }

// lockDir is where lock files are; a variable so that tests have their own.
var lockDir = "/var/lock"

// lockPort takes the lock of a device. Where no lock file can be made, because
// there is no such directory or we may not write there, it does without; one
// of a process that is gone is removed.
func lockPort(name string) (*portLock, error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		real = name
	}
	base, ok := strings.CutPrefix(filepath.ToSlash(real), "/dev/")
	if !ok {
		return &portLock{}, nil
	}
	path := filepath.Join(lockDir, "LCK.."+strings.ReplaceAll(base, "/", "_"))
	for range 2 {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			_, err = fmt.Fprintf(f, "%10d\n", os.Getpid())
			if err = errors.Join(err, f.Close()); err != nil {
				os.Remove(path)
				return &portLock{}, nil
			}
			return &portLock{path: path}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return &portLock{}, nil
		}
		pid := lockOwner(path)
		if pid > 0 && pid != os.Getpid() && processLives(pid) {
			return nil, &BusyError{Port: name, Holder: processName(pid), Err: fmt.Errorf("lock file %s", path)}
		}
		if pid == os.Getpid() {
			return nil, &BusyError{Port: name, Holder: "this program", Err: fmt.Errorf("lock file %s", path)}
		}
		os.Remove(path) // of a process that is gone
	}
	return &portLock{}, nil
}

// lockOwner reads the process in a lock file; 0 if there is none to read.
func lockOwner(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

func (l *portLock) release() {
	if l.path != "" && lockOwner(l.path) == os.Getpid() {
		os.Remove(l.path)
	}
	l.path = ""
}

// processName returns the name and number of a process.
func processName(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return fmt.Sprintf("pid %d", pid)
	}
	return fmt.Sprintf("%s (pid %d)", strings.TrimSpace(string(name)), pid)
}

// holder finds a process that has the device open, where the system shows
// that (/proc) and we may see it.
func holder(name string) string {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return ""
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || target != real {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
		if pid != os.Getpid() {
			return processName(pid)
		}
	}
	return ""
}
