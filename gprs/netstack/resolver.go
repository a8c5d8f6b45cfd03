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

// errNoServer says that neither the network nor Config.DNS names a server.
var errNoServer = errors.New("netstack: no name server: neither the link nor a Router Advertisement gave one, and Config.DNS is empty")

// Resolver asks the name servers of the link (RFC 1877), those that the
// network's Router Advertisements give (RFC 8106), and those of Config.DNS when
// the ones before stay silent or fail. It never asks those of the machine it
// runs on. On a link of IPv6 without any, a question in the first 6 s waits
// for the first advertisement.
func (n *Net) Resolver() *net.Resolver { return n.resolver }

func (n *Net) newResolver() *net.Resolver {
	dns := &nameServers{net: n}
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			servers := dns.list()
			if len(servers) == 0 && n.router != nil {
				alive, cancel := n.whileUp(ctx)
				n.router.waitServer(alive)
				cancel()
				servers = dns.list()
			}
			if len(servers) == 0 {
				return nil, errNoServer
			}
			ctx, cancel := context.WithTimeout(ctx, dnsLimit)
			return &dnsConn{ctx: ctx, cancel: cancel, dns: dns, servers: servers}, nil
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
	net *Net

	mu    sync.Mutex
	first netip.AddrPort // the server that answered last
}

// list gives the servers to ask, the one that answered last first.
func (d *nameServers) list() []netip.AddrPort {
	var all []netip.AddrPort
	add := func(server netip.AddrPort) {
		if !slices.Contains(all, server) {
			all = append(all, server)
		}
	}
	given := d.net.link.DNS()
	if d.net.router != nil {
		given = append(slices.Clip(given), d.net.router.nameServers(time.Now())...)
	}
	for _, a := range given {
		if a.IsValid() && !a.IsUnspecified() { // 0.0.0.0 is how some networks say none
			add(netip.AddrPortFrom(a.Unmap(), dnsPort))
		}
	}
	for _, server := range d.net.config.DNS {
		add(server)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(all, d.first); i > 0 {
		all = slices.Insert(slices.Delete(all, i, i+1), 0, d.first)
	}
	return all
}

// answer is what came of asking one server.
type answer struct {
	server  netip.AddrPort
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

// exchange asks the servers in their order, each when the ones before have
// failed or were silent for dnsPatience. The first usable answer wins.
func (d *nameServers) exchange(ctx context.Context, order []netip.AddrPort, query []byte) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	answers := make(chan answer, len(order))
	asked, open := 0, 0
	ask := func() {
		server := order[asked]
		asked, open = asked+1, open+1
		asking.Go(func() {
			message, err := d.ask(ctx, "udp", server, query)
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

func (d *nameServers) prefer(server netip.AddrPort) {
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
	dns     *nameServers
	servers []netip.AddrPort
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
		message, err := c.dns.exchange(c.ctx, c.servers, c.query[2:])
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
func (c *dnsConn) RemoteAddr() net.Addr { return netAddr("tcp", c.servers[0]) }
