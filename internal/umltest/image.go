//go:build linux

package umltest

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// modulesFolder holds one folder for each packaged guest kernel.
const modulesFolder = "/usr/lib/uml/modules"

// preamble makes a usable user land; the modules and the test's script follow.
const preamble = `#!/bin/busybox sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/ TERM=dumb
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir -p /dev/pts && mount -t devpts pts /dev/pts
ip link set lo up
`

// image builds the guest's initramfs.
func image(cfg *Config) ([]byte, error) {
	var a archive
	for _, folder := range []string{"bin", "sbin", "usr/bin", "usr/sbin", "dev", "proc", "sys", "tmp", "run", "etc", "root", "modules", "var/run", "var/log"} {
		a.directory(folder)
	}
	a.add("dev/console", modeDevice, 5, 1, nil)
	files := map[string]File{"/bin/busybox": {Host: "/usr/bin/busybox"}}
	load, err := addModules(files, cfg.Modules)
	if err != nil {
		return nil, err
	}
	for _, program := range cfg.Programs {
		if err := addProgram(files, program); err != nil {
			return nil, err
		}
	}
	for name, file := range cfg.Files {
		files[name] = file
	}
	script := preamble + load + "echo " + upMark + "\nsh /script </dev/console\necho " + downMark + "\npoweroff -f\n"
	files["/init"] = File{Text: script}
	files["/script"] = File{Text: cfg.Init}
	for name, file := range files {
		body := []byte(file.Text)
		if file.Host != "" {
			if body, err = os.ReadFile(file.Host); err != nil {
				return nil, err
			}
		}
		name = strings.TrimPrefix(path.Clean(name), "/")
		a.directory(path.Dir(name))
		a.add(name, modeProgram, 0, 0, body)
	}
	return a.bytes(), nil
}

// addModules copies the named modules and what they need, and returns the shell
// lines that load them in order.
func addModules(files map[string]File, names []string) (string, error) {
	if len(names) == 0 {
		return "", nil
	}
	tables, _ := filepath.Glob(filepath.Join(modulesFolder, "*", "modules.dep"))
	if len(tables) == 0 {
		return "", fmt.Errorf("no modules.dep below %s", modulesFolder)
	}
	table, err := os.ReadFile(tables[len(tables)-1])
	if err != nil {
		return "", err
	}
	needs := map[string][]string{} // by file
	byName := map[string]string{}  // module name to file
	for line := range strings.Lines(string(table)) {
		file, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		if ok {
			needs[file] = strings.Fields(rest)
			byName[strings.TrimSuffix(path.Base(file), ".ko")] = file
		}
	}
	var order []string
	for _, name := range names {
		file, ok := byName[name]
		if !ok {
			return "", fmt.Errorf("the guest kernel has no module %q", name)
		}
		// modules.dep lists what is needed with the last to load first.
		chain := slices.Clone(needs[file])
		slices.Reverse(chain)
		for _, f := range append(chain, file) {
			if !slices.Contains(order, f) {
				order = append(order, f)
			}
		}
	}
	var load strings.Builder
	for _, file := range order {
		guest := "/modules/" + path.Base(file)
		files[guest] = File{Host: filepath.Join(filepath.Dir(tables[len(tables)-1]), file)}
		fmt.Fprintf(&load, "insmod %s\n", guest)
	}
	return load.String(), nil
}

// addProgram copies a program of the host and the shared libraries it names.
func addProgram(files map[string]File, program string) error {
	files[program] = File{Host: program}
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		return nil // a static program or a script: it needs nothing
	}
	for line := range strings.Lines(string(out)) {
		for _, word := range strings.Fields(line) {
			if strings.HasPrefix(word, "/") {
				files[word] = File{Host: word}
			}
		}
	}
	return nil
}
