package fakemodem

import (
	"context"
	"net/netip"
	"time"

	"github.com/telemodem/telemodem/gprs/ppp"
)

// gateway is the packet gateway (GGSN, 3GPP TS 23.060): it gives modems
// addresses and carries packets between them and the hosts of the network.
type gateway struct {
	n      *Network
	apns   map[string]*APN
	open   bool // access point names that nobody has added are accepted
	pools  map[netip.Prefix]*pool
	leased map[netip.Addr]*Modem    // by address, or for IPv6 by the prefix
	links  map[netip.Addr]*dataLink // likewise
	hosts  map[netip.Addr]*host
	names  map[string][]netip.Addr
	path   Path
	stats  GatewayStats
}

// APN is an access point of the packet gateway.
type APN struct {
	// Name is what +CGDCONT must say.
	Name string
	// User and Password are what the modem must prove, by PAP or CHAP or, for
	// contexts that end in the modem, by +CGAUTH. An empty User asks for nothing.
	User, Password string
	// PAPOnly asks for PAP; otherwise CHAP is asked for first.
	PAPOnly bool
	// DNS are the name servers that modems are told, of IPv4. Nil is
	// GatewayAddr. By IPv6 it is always GatewayAddr6.
	DNS []netip.Addr
	// Pool and Pool6 are where addresses come from. A context gets one address
	// of Pool and 64 bits of Pool6, which is therefore a /64 or shorter. The
	// zero Prefix is the network's own, 10.64.0.0/16 and 2001:db8:64::/48.
	Pool, Pool6 netip.Prefix
	// Only is "IP" or "IPV6" where the access point has one version of IP
	// alone: contexts of both get that one, those of the other are refused.
	// Empty means both.
	Only string
	// MRU is the longest packet in octets. Zero means 1500.
	MRU int
	// Refused lets every activation fail.
	Refused bool
}

// GatewayStats count what the gateway has done.
type GatewayStats struct {
	Calls   int // data calls begun
	Packets int // packets carried
	Dropped int // packets that found no way, no room or no coverage
}

func (g *gateway) init(n *Network) {
	*g = gateway{
		n: n, open: true,
		pools:  make(map[netip.Prefix]*pool),
		apns:   make(map[string]*APN),
		leased: make(map[netip.Addr]*Modem),
		links:  make(map[netip.Addr]*dataLink),
		hosts:  make(map[netip.Addr]*host),
	}
}

// AddAPN adds an access point. As long as none was added, every name is taken
// and nothing has to be proven; from then on unknown names are refused.
func (n *Network) AddAPN(apn APN) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gateway.open = false
	n.gateway.apns[apn.Name] = &apn
}

// GatewayStats tells what the packet gateway has done so far.
func (n *Network) GatewayStats() GatewayStats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.gateway.stats
}

// access finds the access point that a context asks for.
func (g *gateway) access(name string) (*APN, bool) {
	if a, ok := g.apns[name]; ok {
		return a, !a.Refused
	}
	return &APN{Name: name}, g.open
}

// call runs a data call on a port: PPP in the server's role until one side
// ends it. The caller holds the network's lock.
func (g *gateway) call(p *port, c *packetContext) {
	s := p.carry(true)
	c.call = s
	g.stats.Calls++
	ctx, cancel := context.WithCancel(context.Background())
	s.onEnd = func(cause error) {
		cancel()
		if c.call == s {
			c.call = nil
			p.m.contexts.deactivate(c, cause)
		}
	}
	config := g.pppConfig(p.m, c)
	link := newDataLink(g, p.m, s, c)
	for _, key := range link.keys() {
		g.links[key] = link // packets for it wait until PPP is up on this side too
	}
	g.n.start(func() {
		defer cancel()
		conn, err := ppp.Serve(ctx, s, config)
		if err == nil {
			link.start(conn)
			link.run(ctx, conn)
		}
		g.n.mu.Lock()
		defer g.n.mu.Unlock()
		for _, key := range link.keys() {
			if g.links[key] == link {
				delete(g.links, key)
			}
		}
		s.drop("NO CARRIER", errHungUp)
		if conn != nil && p.mode == modeCommand {
			p.feed(conn.Rest())
		}
	})
}

// pppConfig is the network's side of a data call.
func (g *gateway) pppConfig(m *Modem, c *packetContext) *ppp.Config {
	apn, _ := g.access(c.apn)
	config := &ppp.Config{
		LocalAddr: gatewayAddr, PeerAddr: c.addr, DNS: apn.DNS, MRU: apn.MRU,
		EchoInterval: -1, // modems do not ask the host whether it is there
		StartTimeout: 60 * time.Second,
	}
	if c.addr6.IsValid() {
		config.Families |= ppp.IPv6
		if config.MRU != 0 {
			config.MRU = max(config.MRU, 1280) // RFC 8200 section 5
		}
	}
	if c.addr.IsValid() {
		config.Families |= ppp.IPv4
	}
	if config.DNS == nil {
		config.DNS = []netip.Addr{gatewayAddr}
	}
	if apn.User != "" {
		config.Require = ppp.AuthPAP | ppp.AuthCHAP
		if apn.PAPOnly {
			config.Require = ppp.AuthPAP
		}
		config.Secret = func(name string) (string, bool) { return apn.Password, name == apn.User }
	}
	return config
}

// dataLink is a modem's data call as the gateway sees it.
type dataLink struct {
	g      *gateway
	m      *Modem
	s      *stream
	addr   netip.Addr
	addr6  netip.Addr
	router netip.Addr  // the network's link-local address
	out    chan []byte // towards the modem
	up     pathState
	down   pathState
}

// linkQueue bounds the packets that wait for a modem's line.
const linkQueue = 256

func newDataLink(g *gateway, m *Modem, s *stream, c *packetContext) *dataLink {
	return &dataLink{g: g, m: m, s: s, addr: c.addr, addr6: c.addr6, out: make(chan []byte, linkQueue)}
}

// keys are what packets for the link are found by.
func (l *dataLink) keys() []netip.Addr {
	var keys []netip.Addr
	for _, addr := range []netip.Addr{l.addr, prefix6(l.addr6)} {
		if addr.IsValid() {
			keys = append(keys, addr)
		}
	}
	return keys
}

// start begins IPv6 if PPP has brought it up.
func (l *dataLink) start(conn *ppp.Conn) {
	if l.addr6.IsValid() && conn.LocalAddr6().IsValid() {
		l.g.n.mu.Lock()
		defer l.g.n.mu.Unlock()
		l.router = conn.LocalAddr6().WithZone("")
		l.advertise()
	}
}

// run carries packets until the link ends.
func (l *dataLink) run(ctx context.Context, conn *ppp.Conn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	l.g.n.start(func() { l.write(conn) })
	p := make([]byte, 2048)
	for {
		k, err := conn.ReadPacket(p)
		if err != nil {
			break
		}
		l.g.n.mu.Lock()
		l.g.fromModem(l, append([]byte(nil), p[:k]...))
		l.g.n.mu.Unlock()
	}
	stop()
	conn.Close()
}

// write hands packets to the modem's line.
func (l *dataLink) write(conn *ppp.Conn) {
	for {
		select {
		case p := <-l.out:
			if conn.WritePacket(p) != nil {
				return
			}
		case <-conn.Done():
			return
		}
	}
}

// send queues a packet towards the modem; what finds no room is dropped.
func (l *dataLink) send(p []byte) bool {
	select {
	case l.out <- p:
		return true
	default:
		return false
	}
}

// fromModem takes a packet that a modem has sent.
func (g *gateway) fromModem(l *dataLink, p []byte) {
	if !l.alive() || l.m.faults.dropsPacket(true, len(p)) {
		g.stats.Dropped++
		return
	}
	g.path.carry(g.n, &l.up, len(p), true, func() { g.fromLink(l, p) }, &g.stats.Dropped)
}

// fromLink takes a packet that has come over the air. What is for the link
// itself goes no further (RFC 4291 section 2.5.6).
func (g *gateway) fromLink(l *dataLink, p []byte) {
	from := l.addr
	if to, ok := destination(p); ok && to.Is6() {
		if to.IsLinkLocalUnicast() || to.IsMulticast() {
			if l.router.IsValid() {
				l.onLink(p)
			}
			return
		}
		from = l.addr6
	}
	g.route(from, p)
}

// alive tells whether packets pass between the modem and the network.
func (l *dataLink) alive() bool {
	return !l.s.dead && l.m.on && isRegistered(l.m.radio.packet) && !l.m.suspended()
}

// route carries a packet to where it wants to go.
func (g *gateway) route(from netip.Addr, p []byte) {
	to, ok := destination(p)
	if !ok || g.n.closed {
		g.stats.Dropped++
		return
	}
	g.stats.Packets++
	if to == gatewayAddr || to == gatewayAddr6 {
		if answer := g.answer(p); answer != nil {
			g.n.after(g.nameDelay(from), func() { g.route(to, answer) })
		}
		return
	}
	if l := g.links[prefix6(to)]; l != nil {
		g.toModem(l, p)
		return
	}
	if m := g.leased[to]; m != nil && m.sockets.takePacket(p) {
		return
	}
	if h := g.hosts[to]; h != nil && h.receive(p) {
		return
	}
	g.stats.Dropped++
}

// toModem takes a packet over the air to a modem.
func (g *gateway) toModem(l *dataLink, p []byte) {
	if !l.alive() || l.m.faults.dropsPacket(false, len(p)) {
		g.stats.Dropped++
		return
	}
	g.path.carry(g.n, &l.down, len(p), false, func() {
		if !l.alive() || !l.send(p) {
			g.stats.Dropped++
		}
	}, &g.stats.Dropped)
}

// destination is the address that an IP packet goes to.
func destination(p []byte) (netip.Addr, bool) {
	switch {
	case len(p) >= 20 && p[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(p[16:20])), true
	case len(p) >= 40 && p[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(p[24:40])), true
	}
	return netip.Addr{}, false
}

// close ends the hosts of the network.
func (g *gateway) close() {
	g.n.mu.Lock()
	var hosts []*host
	for _, h := range g.hosts {
		hosts = append(hosts, h)
	}
	g.n.mu.Unlock()
	for _, h := range hosts {
		h.close()
	}
}
