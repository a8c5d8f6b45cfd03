package tun

import "net/netip"

// Config holds what is chosen when a link becomes an interface. A nil *Config
// is a sound choice: an interface that reaches the peer and nothing else.
type Config struct {
	// Name of the interface. On Linux, "%d" in it becomes the first free
	// number; macOS wants "utun" and a number or none. Empty means "cell%d" on
	// Linux, "utun" on macOS, "cell" on Windows.
	Name string

	// Routes are what goes through the link besides its peer, such as
	// 0.0.0.0/0 for all of IPv4. Those of a family that the link has not are
	// an error.
	Routes []netip.Prefix

	// Metric is that of the routes: less is preferred. Zero leaves it to the
	// system, which is the most preferred for IPv4 on Linux.
	Metric int

	// Addresses are further addresses of the interface, besides those that
	// the link tells, such as a global IPv6 address read by AT+CGPADDR.
	Addresses []netip.Prefix

	// Bare makes the interface and sets nothing but the MTU: it is neither up
	// nor has it addresses or routes. Elsewhere than on Linux it must be set.
	Bare bool

	// ungoverned is for tests: the far end of a line has no governor.
	ungoverned bool
}
