//go:build linux

// Command ngsm runs in a guest: it puts the kernel's multiplexer n_gsm on /dev/ttyS0 and
// echoes what comes on its channels.
//
//	ngsm initiator|responder basic|advanced N1
//
// It says "ready" when the line discipline is set. A line "open N" on its standard input
// opens a channel, answered by "channel N is open"; "close N" closes it at the next octet
// that comes there. "channel N has ended" tells of either side's close.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From linux/gsmmux.h and linux/tty.h.
const (
	getConf   = 0x804C4700 // GSMIOC_GETCONF
	setConf   = 0x404C4701 // GSMIOC_SETCONF
	gsm0710   = 21         // N_GSM0710
	confWords = 19         // of struct gsm_config
)

// Places in struct gsm_config.
const (
	confEncapsulation = 1
	confInitiator     = 2
	confMRU           = 7
	confMTU           = 8
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("ngsm:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("want role, option and N1, got %q", args)
	}
	n1, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	line, err := openRaw("/dev/ttyS0")
	if err != nil {
		return err
	}
	if err := unix.IoctlSetPointerInt(line, unix.TIOCSETD, gsm0710); err != nil {
		return fmt.Errorf("line discipline: %w", err)
	}
	var conf [confWords * 4]byte
	if err := ioctl(line, getConf, conf[:]); err != nil {
		return fmt.Errorf("GSMIOC_GETCONF: %w", err)
	}
	put := func(at, n int) { binary.NativeEndian.PutUint32(conf[at*4:], uint32(n)) }
	put(confEncapsulation, map[string]int{"basic": 0, "advanced": 1}[args[1]])
	put(confInitiator, map[string]int{"initiator": 1, "responder": 0}[args[0]])
	put(confMRU, n1)
	put(confMTU, n1)
	if err := ioctl(line, setConf, conf[:]); err != nil {
		return fmt.Errorf("GSMIOC_SETCONF: %w", err)
	}
	fmt.Println("ready")
	var closing [64]atomic.Bool
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		verb, number, _ := strings.Cut(in.Text(), " ")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n >= len(closing) {
			return fmt.Errorf("no channel number in %q", in.Text())
		}
		switch verb {
		case "open":
			go echo(n, &closing[n])
		case "close":
			closing[n].Store(true)
			fmt.Println("channel", n, "will close")
		}
	}
	return nil
}

func ioctl(fd int, request uintptr, p []byte) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&p[0]))); errno != 0 {
		return errno
	}
	return nil
}

// openRaw opens a tty and takes all its cooking away.
func openRaw(name string) (int, error) {
	// A blocking open of a multiplexer's tty waits for a carrier that this kernel is
	// not woken for if it comes later.
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		return 0, err
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return 0, err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return fd, unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// echo sends back what comes on one channel until it ends.
func echo(n int, closing *atomic.Bool) {
	fd, err := openRaw(fmt.Sprintf("/dev/gsmtty%d", n))
	if err != nil {
		fmt.Println("channel", n, "failed:", err)
		return
	}
	defer fmt.Println("channel", n, "has ended")
	defer unix.Close(fd)
	fmt.Println("channel", n, "is open")
	buf := make([]byte, 4096)
	for {
		k, err := unix.Read(fd, buf)
		if k <= 0 || err != nil || closing.Load() {
			return
		}
		for out := buf[:k]; len(out) > 0; {
			k, err := unix.Write(fd, out)
			if err != nil {
				return
			}
			out = out[k:]
		}
	}
}
