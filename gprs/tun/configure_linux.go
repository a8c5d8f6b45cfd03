package tun

import (
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.zx2c4.com/wireguard/tun"

	"github.com/telemodem/telemodem/gprs/ppp"
)

const canConfigure = true

// createDevice makes the interface.
func createDevice(name string, mtu int) (tun.Device, error) {
	if _, err := os.Stat("/dev/net/tun"); os.IsNotExist(err) {
		return nil, errNoDevice
	}
	return tun.CreateTUN(name, mtu)
}

// configure gives the interface its addresses and routes and brings it up.
func configure(name string, link ppp.Link, config *Config) error {
	fail := func(op string, err error) error {
		return &Error{Op: op, Interface: name, Err: err}
	}
	routes, err := routesOf(link, config)
	if err != nil {
		return fail("choose routes", err)
	}
	addresses, err := addressesOf(link, config)
	if err != nil {
		return fail("choose addresses", err)
	}
	device, err := netlink.LinkByName(name)
	if err != nil {
		return fail("find", err)
	}
	for _, address := range addresses {
		if err := netlink.AddrAdd(device, address); err != nil {
			return fail("add address "+address.IPNet.String(), err)
		}
	}
	if err := netlink.LinkSetUp(device); err != nil {
		return fail("bring up", err)
	}
	for _, r := range routes {
		r.LinkIndex = device.Attrs().Index
		if err := netlink.RouteAdd(r); err != nil {
			return fail("add route "+r.Dst.String(), err)
		}
	}
	return nil
}

// addressesOf lists the addresses of the interface. IPv4 is point to point,
// with the peer's address as the other end.
func addressesOf(link ppp.Link, config *Config) ([]*netlink.Addr, error) {
	var all []*netlink.Addr
	if local := link.LocalAddr(); local.IsValid() {
		address := &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(local, 32))}
		if peer := link.PeerAddr(); peer.IsValid() && peer != local {
			address.Peer = ipNet(netip.PrefixFrom(peer, 32))
		}
		all = append(all, address)
	}
	if local := link.LocalAddr6(); local.IsValid() {
		// RFC 5072 section 5: no duplicate address detection is needed.
		all = append(all, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(local.WithZone(""), 64)), Flags: noDAD})
	}
	for _, p := range config.Addresses {
		if !p.IsValid() {
			return nil, fmt.Errorf("address %v: %w", p, fs.ErrInvalid)
		}
		if p.Addr() == link.LocalAddr() || p.Addr() == link.LocalAddr6() {
			continue // AT+CGPADDR may tell what IPCP gave
		}
		address := &netlink.Addr{IPNet: ipNet(p)}
		if p.Addr().Is6() {
			address.Flags = noDAD
		}
		all = append(all, address)
	}
	return all, nil
}

const noDAD = 0x02 // IFA_F_NODAD of linux/if_addr.h

// routesOf turns the routes of the config into netlink's.
func routesOf(link ppp.Link, config *Config) ([]*netlink.Route, error) {
	var all []*netlink.Route
	for _, p := range config.Routes {
		if !p.IsValid() {
			return nil, fmt.Errorf("route %v: %w", p, fs.ErrInvalid)
		}
		if p.Addr().Is4() && !link.LocalAddr().IsValid() || p.Addr().Is6() && !link.LocalAddr6().IsValid() {
			return nil, fmt.Errorf("route %v: the link has no address of this family", p)
		}
		all = append(all, &netlink.Route{Dst: ipNet(p.Masked()), Scope: netlink.SCOPE_LINK, Priority: config.Metric})
	}
	return all, nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
