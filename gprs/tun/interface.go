package tun

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"time"

	"golang.zx2c4.com/wireguard/tun"

	"github.com/telemodem/telemodem/gprs/ppp"
	"github.com/telemodem/telemodem/internal/flow"
)

// headroom is what the device wants before each packet, for the header that
// the kernel's offloads need.
const headroom = 16

// Interface is a link as a network interface. Its methods may be called from
// any goroutine.
type Interface struct {
	link   ppp.Link
	device tun.Device
	name   string

	out      *flow.Queue[*packet] // from the kernel to the link
	governor *flow.Governor       // nil: nothing is bounded

	closing   chan struct{} // closed by the first Close
	closeOnce sync.Once
	done      chan struct{} // closed when every goroutine has ended
	failed    chan error    // the first failure of the device, if any
	err       error         // set before done is closed
	linkErr   error         // what closing the link returned; the same
}

// New makes an interface of link and carries packets from then on. A nil
// config is a sound choice. The Interface owns the link: the end of either is
// the end of both. If New fails, nothing is left and the link stays the
// caller's. Errors are *Error.
func New(link ppp.Link, config *Config) (*Interface, error) {
	if config == nil {
		config = new(Config)
	}
	name := config.Name
	if name == "" {
		name = defaultName()
	}
	if !config.Bare && !canConfigure {
		return nil, &Error{Op: "set addresses and routes", Interface: name, Err: errors.ErrUnsupported}
	}
	device, err := createDevice(name, link.MTU())
	if err != nil {
		return nil, &Error{Op: "create", Interface: name, Err: err}
	}
	if got, err := device.Name(); err == nil {
		name = got
	}
	if !config.Bare {
		if err := configure(name, link, config); err != nil {
			_ = device.Close()
			return nil, err
		}
	}
	i := &Interface{
		link: link, device: device, name: name, out: flow.NewQueue[*packet](link.MTU()),
		closing: make(chan struct{}), done: make(chan struct{}), failed: make(chan error, 2),
	}
	if !config.ungoverned {
		i.governor = flow.NewGovernor()
	}
	go i.run()
	return i, nil
}

func defaultName() string {
	switch runtime.GOOS {
	case "linux":
		return "cell%d"
	case "darwin":
		return "utun"
	}
	return "cell"
}

// run owns the goroutines of i and is the last of them to end.
func (i *Interface) run() {
	defer close(i.done)
	var helpers sync.WaitGroup
	helpers.Go(i.fromKernel)
	helpers.Go(i.write)
	helpers.Go(i.toKernel)
	helpers.Go(func() {
		for range i.device.Events() { // up, down, new MTU: nothing to do
		}
	})
	select {
	case <-i.link.Done():
		if i.err = i.link.Err(); i.err == nil {
			i.err = errLinkEnded
		}
	case err := <-i.failed:
		i.err = &Error{Op: "carry packets", Interface: i.name, Err: err}
	case <-i.closing:
		i.err = net.ErrClosed
	}
	i.linkErr = i.link.Close() // ends toKernel, and a write in progress
	i.out.Close()              // ends write
	_ = i.device.Close()       // ends fromKernel
	helpers.Wait()
}

// fromKernel takes what the machine sends. It never waits for the line: what
// waits, and for how long, is for the queue to say, since the kernel's would
// hold so many packets, which at 40 kbit/s is minutes.
func (i *Interface) fromKernel() {
	longest := max(i.link.MTU(), 1500)
	packets := make([][]byte, i.device.BatchSize())
	for n := range packets {
		packets[n] = make([]byte, headroom+longest)
	}
	sizes := make([]int, len(packets))
	for {
		n, err := i.device.Read(packets, sizes, headroom)
		for p := range n {
			if size := sizes[p]; size <= i.link.MTU() && i.carries(packets[p][headroom:headroom+size]) {
				i.out.Put(newPacket(packets[p][headroom : headroom+size]))
			}
		}
		if err != nil && !errors.Is(err, tun.ErrTooManySegments) {
			i.fail(err)
			return
		}
	}
}

// write carries what waits to the link.
func (i *Interface) write() {
	for {
		p, ok := i.out.Next()
		if !ok {
			return
		}
		if i.governor != nil {
			i.governor.Outgoing(p.octets, time.Now())
		}
		_ = i.link.WritePacket(p.octets) // the end of the link ends run
		p.Release()
	}
}

// carries tells whether the link has the packet's version of IP: the kernel
// sends router solicitations and the like whether it has or not.
func (i *Interface) carries(p []byte) bool {
	if len(p) == 0 {
		return false
	}
	switch p[0] >> 4 {
	case 4:
		return i.link.LocalAddr().IsValid()
	case 6:
		return i.link.LocalAddr6().IsValid()
	}
	return false
}

// toKernel carries what the link receives to the machine.
func (i *Interface) toKernel() {
	p := make([]byte, headroom+max(i.link.MTU(), 1500))
	for {
		n, err := i.link.ReadPacket(p[headroom:])
		if errors.Is(err, io.ErrShortBuffer) {
			continue // longer than the MTU agreed on: lost, as RFC 1661 section 6.1 allows
		}
		if err != nil {
			return // Done and Err of the link tell why
		}
		if n == 0 {
			continue
		}
		if i.governor != nil {
			i.governor.Incoming(p[headroom:headroom+n], time.Now())
		}
		// An interface that is down refuses packets; only the read side tells
		// whether it is gone.
		_, _ = i.device.Write([][]byte{p[:headroom+n]}, headroom)
	}
}

// fail reports that the device has ended; only the first report counts.
func (i *Interface) fail(err error) {
	select {
	case i.failed <- err:
	default:
	}
}

// Name is that of the interface, such as "cell0".
func (i *Interface) Name() string { return i.name }

// Close removes the interface, closes the link in good order and waits until
// every goroutine has ended. It may be called more than once.
func (i *Interface) Close() error {
	i.closeOnce.Do(func() { close(i.closing) })
	<-i.done
	if errors.Is(i.err, net.ErrClosed) {
		return i.linkErr
	}
	return nil // it had ended before; Err tells why
}

// Done is closed when the link or the interface has ended, or Close was
// called, and everything of i has ended with it.
func (i *Interface) Done() <-chan struct{} { return i.done }

// Err tells, once Done is closed, why i has ended: the cause that the link
// gave, an *Error if the interface was removed, or net.ErrClosed after Close.
// Before that it is nil.
func (i *Interface) Err() error {
	select {
	case <-i.done:
		return i.err
	default:
		return nil
	}
}
