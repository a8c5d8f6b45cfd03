package netstack

import "net/netip"

// Config holds what is chosen when a stack is put on a link. A nil *Config is
// a sound choice for a modem's data call.
type Config struct {
	// DNS lists name servers to ask when those of the link, or of the network's
	// Router Advertisements, do not answer, or when there are none. Nil means
	// that only those are asked.
	DNS []netip.AddrPort

	// Addresses are further addresses of this host, besides those that the
	// link tells, such as a global IPv6 address read by AT+CGPADDR. Packets
	// leave by the link whatever the length of the prefix.
	Addresses []netip.Prefix

	// AnyAddress makes the stack take every packet that the link delivers, as
	// if each address were its own: TCP and ICMP echo answer from the address
	// that was called, and Listen and ListenPacket take any address. A UDP
	// socket answers from the address it listens on, so give it one. It is for
	// the host at the far end of simulated networks; a modem's stack leaves it
	// false.
	AnyAddress bool

	// TTL is the time to live, or hop limit, of packets sent. Zero means 64.
	TTL uint8

	// ungoverned and withRACK are for the measurements that the defaults come
	// from: no bound on what is in flight, and gVisor's RACK loss detection.
	ungoverned, withRACK bool
}

const defaultTTL = 64 // RFC 1700, "IP time to live parameter"

func (c *Config) ttl() uint8 {
	if c.TTL == 0 {
		return defaultTTL
	}
	return c.TTL
}
