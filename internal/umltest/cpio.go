//go:build linux

package umltest

import (
	"bytes"
	"fmt"
)

// Modes of an archive entry (cpio(5), as in stat(2)).
const (
	modeDirectory = 0o040755
	modeProgram   = 0o100755
	modeDevice    = 0o020666 // a character device
	modeLink      = 0o120777
)

// archive is an initramfs in the "new ASCII" cpio format, header magic 070701
// (Linux Documentation/driver-api/early-userspace/buffer-format.rst).
type archive struct {
	buf    bytes.Buffer
	inode  int
	folder map[string]bool
}

// add appends one entry. Name has no leading slash.
func (a *archive) add(name string, mode int, major, minor int, body []byte) {
	a.inode++
	fmt.Fprintf(&a.buf, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		a.inode, mode, 0, 0, 1, 0, len(body), 0, 0, major, minor, len(name)+1, 0)
	a.buf.WriteString(name)
	a.buf.WriteByte(0)
	a.align()
	a.buf.Write(body)
	a.align()
}

// align pads to a multiple of four octets.
func (a *archive) align() {
	for a.buf.Len()%4 != 0 {
		a.buf.WriteByte(0)
	}
}

// directory adds a folder and the folders above it, once.
func (a *archive) directory(name string) {
	if name == "" || name == "." || a.folder[name] {
		return
	}
	for i := range name {
		if name[i] == '/' {
			a.directory(name[:i])
		}
	}
	if a.folder == nil {
		a.folder = map[string]bool{}
	}
	a.folder[name] = true
	a.add(name, modeDirectory, 0, 0, nil)
}

// bytes ends the archive and returns it.
func (a *archive) bytes() []byte {
	a.add("TRAILER!!!", 0, 0, 0, nil)
	return a.buf.Bytes()
}
