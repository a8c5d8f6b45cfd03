package netstack

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const (
	routerSolicitations = 3               // RFC 4861 section 10, MAX_RTR_SOLICITATIONS
	solicitInterval     = 4 * time.Second // the same, RTR_SOLICITATION_INTERVAL

	// routerPatience is how long after the start of the stack something that
	// only a Router Advertisement can give is waited for: two solicitations,
	// and the round trip of GPRS.
	routerPatience = solicitInterval + 2*time.Second

	mostServers = 8 // of which RFC 8106 section 5.3.1 wants at least three
)

// router is what the Router Advertisements of the network have told: whether
// there is a global address (RFC 4862), and the name servers (RFC 8106). IPV6CP
// gives neither, so on a context of IPv6 alone there is no other source.
// DHCPv6, which 3GPP TS 29.061 clause 11.2.1.3.4 lets networks use besides for
// name servers, is not asked.
type router struct {
	patience time.Time // when nothing is waited for any more

	mu        sync.Mutex
	addressed bool
	servers   []routerServer
	told      chan struct{} // closed and renewed with each news
}

// routerServer is a name server and how long it may be used.
type routerServer struct {
	addr  netip.Addr
	until time.Time // zero: for ever
}

var _ ipv6.NDPDispatcher = (*router)(nil)

func newRouter(now time.Time) *router {
	return &router{patience: now.Add(routerPatience), told: make(chan struct{})}
}

// hear makes a change and wakes those that wait for one. It never waits: the
// stack calls it under its locks.
func (r *router) hear(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	close(r.told)
	r.told = make(chan struct{})
}

// wait waits until enough holds, which is asked under mu, or until the
// patience or ctx ends. The caller then finds out for itself.
func (r *router) wait(ctx context.Context, enough func() bool) {
	limit := time.NewTimer(time.Until(r.patience))
	defer limit.Stop()
	for {
		r.mu.Lock()
		told, ok := r.told, enough()
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-told:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// waitAddress waits for a global address.
func (r *router) waitAddress(ctx context.Context) {
	r.wait(ctx, func() bool { return r.addressed })
}

// waitServer waits for a name server.
func (r *router) waitServer(ctx context.Context) {
	r.wait(ctx, func() bool { return len(r.servers) > 0 })
}

// nameServers lists those that may be used now.
func (r *router) nameServers(now time.Time) []netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now)
	var all []netip.Addr
	for _, s := range r.servers {
		all = append(all, s.addr)
	}
	return all
}

// forget drops the servers whose time is over. The caller holds mu.
func (r *router) forget(now time.Time) {
	r.servers = slices.DeleteFunc(r.servers, func(s routerServer) bool {
		return !s.until.IsZero() && !now.Before(s.until)
	})
}

// OnRecursiveDNSServerOption takes the option of RFC 8106 section 5.1. A
// lifetime of zero takes the server back, and a new server finds room only
// where an older one's time is over.
func (r *router) OnRecursiveDNSServerOption(_ tcpip.NICID, addrs []tcpip.Address, lifetime time.Duration) {
	r.learn(addrs, lifetime, time.Now())
}

func (r *router) learn(addrs []tcpip.Address, lifetime time.Duration, now time.Time) {
	until := now.Add(lifetime)
	if lifetime >= header.NDPInfiniteLifetime {
		until = time.Time{}
	}
	r.hear(func() {
		r.forget(now)
		for _, a := range addrs {
			addr, ok := netip.AddrFromSlice(a.AsSlice())
			if !ok {
				continue
			}
			known := slices.IndexFunc(r.servers, func(s routerServer) bool { return s.addr == addr })
			switch {
			case known >= 0:
				r.servers[known].until = until
			case len(r.servers) < mostServers:
				r.servers = append(r.servers, routerServer{addr, until})
			}
		}
	})
}

// OnAutoGenAddress notes that the stack has formed an address from a prefix.
func (r *router) OnAutoGenAddress(_ tcpip.NICID, a tcpip.AddressWithPrefix) stack.AddressDispatcher {
	if !header.IsV6LinkLocalUnicastAddress(a.Address) {
		r.hear(func() { r.addressed = true })
	}
	return nil
}

// The rest of ipv6.NDPDispatcher is of no interest on a link of two hosts.

func (r *router) OnDuplicateAddressDetectionResult(tcpip.NICID, tcpip.Address, stack.DADResult) {}
func (r *router) OnOffLinkRouteUpdated(tcpip.NICID, tcpip.Subnet, tcpip.Address, header.NDPRoutePreference) {
}
func (r *router) OnOffLinkRouteInvalidated(tcpip.NICID, tcpip.Subnet, tcpip.Address)   {}
func (r *router) OnOnLinkPrefixDiscovered(tcpip.NICID, tcpip.Subnet)                   {}
func (r *router) OnOnLinkPrefixInvalidated(tcpip.NICID, tcpip.Subnet)                  {}
func (r *router) OnAutoGenAddressDeprecated(tcpip.NICID, tcpip.AddressWithPrefix)      {}
func (r *router) OnAutoGenAddressInvalidated(tcpip.NICID, tcpip.AddressWithPrefix)     {}
func (r *router) OnDNSSearchListOption(tcpip.NICID, []string, time.Duration)           {}
func (r *router) OnDHCPv6Configuration(tcpip.NICID, ipv6.DHCPv6ConfigurationFromNDPRA) {}
