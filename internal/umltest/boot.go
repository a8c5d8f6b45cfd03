//go:build linux

package umltest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Lines of the console that say where the guest is.
const (
	upMark   = "umltest: up"
	downMark = "umltest: down"
)

// bootLimit bounds the wait for a guest to come up; it takes 2 s on an idle machine.
const bootLimit = 60 * time.Second

// bootTries is how often a guest is started that ends before its script begins: on
// a busy machine its kernel fails at times to start the first process.
const bootTries = 3

// A File goes into the guest: the text itself, or a copy of a file of the host.
type File struct {
	Text string // the content, if Host is empty
	Host string // path of a file of the host
}

// Config says what the guest has and does. A nil *Config boots to an empty script.
type Config struct {
	// Files by their absolute path in the guest. All are executable.
	Files map[string]File
	// Programs of the host, by absolute path, copied to the same path with the
	// shared libraries they are linked to.
	Programs []string
	// Modules of the packaged kernel, without ".ko", in the order to load them.
	// What they depend on is loaded before.
	Modules []string
	// Init is the shell script to run. Its standard input is the console.
	Init string
	// Memory of the guest in MiB. Zero means 96.
	Memory int
}

// Boot starts a guest and returns when its script begins. It skips the test if the
// programs are not installed. The guest is stopped when the test ends.
func Boot(t testing.TB, cfg *Config) *Machine {
	t.Helper()
	if cfg == nil {
		cfg = &Config{}
	}
	kernel, err := exec.LookPath("linux.uml")
	if err != nil {
		t.Skip("no linux.uml here (Debian package user-mode-linux)")
	}
	if _, err := os.Stat("/usr/bin/busybox"); err != nil {
		t.Skip("no /usr/bin/busybox here (Debian package busybox-static)")
	}
	for _, program := range cfg.Programs {
		if _, err := os.Stat(program); err != nil {
			t.Skipf("not installed here: %v", err)
		}
	}
	disk, err := image(cfg)
	if err != nil {
		t.Fatalf("umltest: initramfs: %v", err)
	}
	// Not t.TempDir: the kernel's control socket needs a path below 108 octets.
	folder, err := os.MkdirTemp("", "uml")
	if err != nil {
		t.Fatalf("umltest: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	initrd := filepath.Join(folder, "initrd")
	if err := os.WriteFile(initrd, disk, 0o600); err != nil {
		t.Fatalf("umltest: %v", err)
	}
	for try := 1; ; try++ {
		m, err := start(t, kernel, folder, fmt.Sprintf("guest%d", try), initrd, cfg)
		if err == nil {
			_, err = m.await(upMark, bootLimit)
		}
		switch {
		case err == nil:
			return m
		case try == bootTries || !errors.Is(err, errEnded):
			t.Fatalf("umltest: %v", err)
		}
		t.Logf("umltest: %v; again", err)
	}
}
