package netstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/telemodem/telemodem/gprs/ppp"
)

// flushLimit bounds how long Close waits for the line to take the resets of
// the connections that it ends.
const flushLimit = time.Second

// Net is a TCP/IP host on one link. Any number of goroutines may use it.
type Net struct {
	link     ppp.Link
	config   Config
	stack    *stack.Stack
	nic      *nic
	resolver *net.Resolver
	router   *router // nil without IPv6

	has4, has6 bool // families for which this host has an address
	global6    bool // by the link or Config, without the network's prefix

	closing   chan struct{} // closed by the first Close
	closeOnce sync.Once
	ended     chan struct{}   // closed once err is set and nothing can be sent any more
	alive     context.Context // done with ended
	expire    context.CancelFunc
	done      chan struct{} // closed when every goroutine has ended
	err       error         // first cause; set before ended is closed
	linkErr   error         // what closing the link returned; set before done is closed

	mu        sync.Mutex
	listeners map[*listener]struct{} // to be woken at the end; nil after it
}

// New puts a stack on link and starts it. A nil config is a sound choice. The
// Net owns the link from then on: the end of either is the end of both. If New
// fails, the link stays the caller's.
func New(link ppp.Link, config *Config) (*Net, error) {
	n := &Net{
		link:      link,
		closing:   make(chan struct{}),
		ended:     make(chan struct{}),
		done:      make(chan struct{}),
		listeners: make(map[*listener]struct{}),
	}
	if config != nil {
		n.config = *config
	}
	n.alive, n.expire = context.WithCancel(context.Background())
	if link.MTU() < minMTU {
		return nil, fmt.Errorf("netstack: a link of MTU %d cannot carry IP: at least %d octets are needed", link.MTU(), minMTU)
	}
	addresses, err := n.addresses()
	if err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, errors.New("netstack: the link has no address: neither IPCP nor IPV6CP came up and Config.Addresses is empty")
	}
	n.nic = newNIC(link, &n.config)
	if n.has6 {
		n.router = newRouter(time.Now())
	}
	n.stack = newStack(&n.config, n.router)
	if err := n.attach(addresses); err != nil {
		n.stack.Destroy()
		return nil, err
	}
	n.resolver = n.newResolver()
	go n.run()
	return n, nil
}

// addresses lists the addresses of this host, each once, and notes their
// families.
func (n *Net) addresses() ([]netip.Prefix, error) {
	var all []netip.Prefix
	if a := n.link.LocalAddr(); a.IsValid() {
		all = append(all, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
	}
	if a := n.link.LocalAddr6(); a.IsValid() {
		all = append(all, netip.PrefixFrom(a.WithZone(""), 64)) // RFC 4291 section 2.5.6
	}
	for _, p := range n.config.Addresses {
		if !p.IsValid() || p.Addr().Is4In6() {
			return nil, fmt.Errorf("netstack: Config.Addresses: %v is not an IPv4 or IPv6 prefix", p)
		}
		same := func(other netip.Prefix) bool { return other.Addr() == p.Addr() }
		if !slices.ContainsFunc(all, same) {
			all = append(all, p)
		}
	}
	for _, p := range all {
		if p.Addr().Is4() {
			n.has4 = true
		} else {
			n.has6 = true
			n.global6 = n.global6 || !p.Addr().IsLinkLocalUnicast()
		}
	}
	return all, nil
}

// run owns the goroutines of n and is the last of them to end.
func (n *Net) run() {
	defer close(n.done)
	var helpers sync.WaitGroup
	helpers.Go(n.nic.read)
	helpers.Go(n.nic.write)
	select {
	case <-n.link.Done():
		n.err = n.link.Err()
		if n.err == nil {
			n.err = errLinkEnded
		}
	case <-n.closing:
		n.err = net.ErrClosed
	}
	close(n.ended)
	n.expire()
	n.wakeListeners()
	n.stack.Close() // resets every connection
	select {
	case <-n.nic.out.Flushed(): // the resets are with the line
	case <-n.link.Done():
	case <-time.After(flushLimit):
	}
	n.linkErr = n.link.Close() // ends read, and a write in progress
	n.nic.out.Close()
	helpers.Wait()
	n.stack.Wait()
}

// Close resets the connections, closes the link in good order and waits until
// every goroutine has ended. It may be called more than once.
func (n *Net) Close() error {
	n.closeOnce.Do(func() { close(n.closing) })
	<-n.done
	if errors.Is(n.err, net.ErrClosed) {
		return n.linkErr
	}
	return nil // the link had ended before; Err tells why
}

// Done is closed when the link has ended or Close was called, and everything
// of n has ended with it.
func (n *Net) Done() <-chan struct{} { return n.done }

// Err tells, once Done is closed, why n has ended: the cause that the link
// gave, or net.ErrClosed after Close. Before that it is nil.
func (n *Net) Err() error {
	select {
	case <-n.done:
		return n.err
	default:
		return nil
	}
}

// MTU is the longest IP packet, in octets, that the link takes.
func (n *Net) MTU() int { return n.link.MTU() }

// LocalAddr is the IPv4 address of this host; the zero Addr if the link has no
// IPv4.
func (n *Net) LocalAddr() netip.Addr { return n.link.LocalAddr() }

// LocalAddr6 is the link-local IPv6 address of this host; the zero Addr if the
// link has no IPv6.
func (n *Net) LocalAddr6() netip.Addr { return n.link.LocalAddr6() }

// wakeListeners ends every Accept and refuses further listeners.
func (n *Net) wakeListeners() {
	n.mu.Lock()
	listeners := n.listeners
	n.listeners = nil
	n.mu.Unlock()
	for l := range listeners {
		l.gonet.Shutdown()
	}
}
