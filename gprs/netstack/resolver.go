package netstack

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	dnsPort = 53

	// dnsPatience is how long a name server may be silent before the next one
	// is asked as well: the round trip of GPRS is up to two seconds.
	dnsPatience = 2500 * time.Millisecond

	// dnsLimit bounds one question where the caller has set no deadline.
	dnsLimit = 15 * time.Second

	dnsLongest = 4096 // octets of an answer by UDP that are read
	dnsHeader  = 12   // octets: RFC 1035 section 4.1.1
)

// errNoServer says that neither the link nor Config.DNS names a server.
var errNoServer = errors.New("netstack: no name server: the link gave none and Config.DNS is empty")

// Resolver asks the name servers of the link, and those of Config.DNS when they
// stay silent or fail. It never asks those of the machine it runs on.
func (n *Net) Resolver() *net.Resolver { return n.resolver }

func (n *Net) newResolver() *net.Resolver {
	dns := &nameServers{net: n}
	for _, a := range n.link.DNS() {
		if !a.IsValid() || a.IsUnspecified() {
			continue // 0.0.0.0 is how some networks say none
		}
		dns.servers = append(dns.servers, netip.AddrPortFrom(a.Unmap(), dnsPort))
	}
	for _, a := range n.config.DNS {
		if !slices.Contains(dns.servers, a) {
			dns.servers = append(dns.servers, a)
		}
	}
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if len(dns.servers) == 0 {
				return nil, errNoServer
			}
			ctx, cancel := context.WithTimeout(ctx, dnsLimit)
			return &dnsConn{ctx: ctx, cancel: cancel, servers: dns}, nil
		},
	}
}

// lookup finds the addresses of a host. Names are taken as complete: the
// search list of this machine is for another network.
func (n *Net) lookup(ctx context.Context, family, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	if n.isEnded() {
		return nil, net.ErrClosed
	}
	switch { // ask for no family that cannot be used
	case family == "ip" && !n.has6:
		family = "ip4"
	case family == "ip" && !n.has4:
		family = "ip6"
	}
	return n.resolver.LookupNetIP(ctx, family, strings.TrimSuffix(host, ".")+".")
}

// nameServers asks several servers one question.
type nameServers struct {
	net     *Net
	servers []netip.AddrPort

	mu    sync.Mutex
	first int // the server that answered last
}

// answer is what came of asking one server.
type answer struct {
	server  int
	message []byte
	err     error
}

// usable tells whether the server knew, even that there is no such name.
func (a answer) usable() bool {
	if a.err != nil {
		return false
	}
	code := a.message[3] & 0xf    // RFC 1035 section 4.1.1, RCODE
	return code == 0 || code == 3 // no error, no such name
}

// exchange asks the server that answered last, then the others in their
// order, each when the ones before have failed or were silent for dnsPatience.
// The first usable answer wins.
func (d *nameServers) exchange(ctx context.Context, query []byte) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	answers := make(chan answer, len(d.servers))
	order := d.order()
	asked, open := 0, 0
	ask := func() {
		server := order[asked]
		asked, open = asked+1, open+1
		asking.Go(func() {
			message, err := d.ask(ctx, "udp", d.servers[server], query)
			answers <- answer{server, message, err}
		})
	}
	ask()
	silence := time.NewTicker(dnsPatience)
	defer silence.Stop()
	var last answer
	for {
		select {
		case a := <-answers:
			open--
			if a.usable() {
				d.prefer(a.server)
				return a.message, nil
			}
			if a.err == nil || last.message == nil {
				last = a
			}
			if open == 0 && asked == len(order) {
				return last.message, last.err
			}
		case <-silence.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if asked < len(order) {
			ask()
		}
	}
}

// order lists the servers to ask, the one that answered last first.
func (d *nameServers) order() []int {
	d.mu.Lock()
	defer d.mu.Unlock()
	order := []int{d.first}
	for i := range d.servers {
		if i != d.first {
			order = append(order, i)
		}
	}
	return order
}

func (d *nameServers) prefer(server int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.first = server
}

// ask puts the question to one server, by TCP if the answer does not fit into
// a datagram.
func (d *nameServers) ask(ctx context.Context, network string, server netip.AddrPort, query []byte) ([]byte, error) {
	conn, err := d.net.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if network == "tcp" {
		if _, err := conn.Write(framed(query)); err != nil {
			return nil, err
		}
		return readFramed(conn)
	}
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	p := make([]byte, dnsLongest)
	for {
		n, err := conn.Read(p)
		if err != nil {
			return nil, err
		}
		if n < dnsHeader || p[0] != query[0] || p[1] != query[1] || p[2]&0x80 == 0 {
			continue // not an answer to this question
		}
		if p[2]&0x02 != 0 { // RFC 1035 section 4.1.1, TC: cut short
			return d.ask(ctx, "tcp", server, query)
		}
		return p[:n], nil
	}
}

// framed puts the length before a message: RFC 1035 section 4.2.2.
func framed(message []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
}

// readFramed reads a message with its length.
func readFramed(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, err
	}
	if len(message) < dnsHeader {
		return nil, io.ErrUnexpectedEOF
	}
	return message, nil
}

// dnsConn is what the resolver of package net takes for a TCP connection to a
// name server: it writes a question with its length and reads the answer with
// its. Behind it are all servers. One goroutine uses it.
type dnsConn struct {
	ctx     context.Context // ends with the question
	cancel  context.CancelFunc
	servers *nameServers
	query   []byte
	answer  []byte // not read yet
}

// Write takes the question.
func (c *dnsConn) Write(p []byte) (int, error) {
	c.query = append(c.query, p...)
	return len(p), nil
}

// Read asks the question and gives its answer.
func (c *dnsConn) Read(p []byte) (int, error) {
	if len(c.query) > 2+dnsHeader {
		message, err := c.servers.exchange(c.ctx, c.query[2:])
		c.query = nil
		if err != nil {
			return 0, timeoutOf(err)
		}
		c.answer = framed(message)
	}
	if len(c.answer) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.answer)
	c.answer = c.answer[n:]
	return n, nil
}

// timeoutOf is err as the resolver expects a time-out.
func timeoutOf(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return os.ErrDeadlineExceeded
	}
	return err
}

// SetDeadline bounds the question.
func (c *dnsConn) SetDeadline(t time.Time) error {
	if !t.IsZero() {
		ctx, cancel := context.WithDeadline(c.ctx, t)
		outer := c.cancel
		c.ctx, c.cancel = ctx, func() { cancel(); outer() }
	}
	return nil
}

func (c *dnsConn) SetReadDeadline(t time.Time) error  { return c.SetDeadline(t) }
func (c *dnsConn) SetWriteDeadline(t time.Time) error { return nil }

// Close ends the question.
func (c *dnsConn) Close() error {
	c.cancel()
	return nil
}

func (c *dnsConn) LocalAddr() net.Addr  { return netAddr("tcp", netip.AddrPort{}) }
func (c *dnsConn) RemoteAddr() net.Addr { return netAddr("tcp", c.servers.servers[0]) }
