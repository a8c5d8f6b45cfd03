package ppp

import "net/netip"

// Link is a point-to-point link that carries whole IP packets: what a stack
// or a kernel interface needs of a PPP session that is up. *Conn is one;
// tests and other bearers may bring their own.
//
// One goroutine may read while another writes. Close ends both.
type Link interface {
	// ReadPacket waits for the next IPv4 or IPv6 packet, copies it into p and
	// returns its length in octets. A p shorter than the packet gets
	// io.ErrShortBuffer and the packet is lost; MTU octets always suffice.
	// After Close, or after the link ended, it returns the cause (see Err).
	ReadPacket(p []byte) (n int, err error)

	// WritePacket sends one whole IPv4 or IPv6 packet of at most MTU octets.
	// It does not keep p. It may block while the line is busy.
	WritePacket(p []byte) error

	// LocalAddr and PeerAddr are the IPv4 addresses that IPCP agreed on
	// (RFC 1332); the zero Addr when the link has no IPv4.
	LocalAddr() netip.Addr
	PeerAddr() netip.Addr

	// LocalAddr6 and PeerAddr6 are the link-local IPv6 addresses made from
	// the interface identifiers of IPV6CP (RFC 5072); the zero Addr when the
	// link has no IPv6.
	LocalAddr6() netip.Addr
	PeerAddr6() netip.Addr

	// DNS lists the name servers that the peer gave (RFC 1877), in its order.
	DNS() []netip.Addr

	// MTU is the longest packet, in octets, that WritePacket takes.
	MTU() int

	// Close ends the link in good order and waits until it has ended.
	Close() error

	// Done is closed when the link has ended, for whatever reason, and Err
	// then tells the first cause; before that Err is nil.
	Done() <-chan struct{}
	Err() error
}
