package ppp

import "net/netip"

// IPCP options (RFC 1332 section 3, RFC 1877 section 1).
const (
	optionAddress = 3
	optionDNS1    = 129
	optionDNS2    = 131
)

// ipcpOptions is the negotiator of IPCP. Compression of headers (option 2,
// Van Jacobson's) is never asked for and always rejected, and so are the
// withdrawn IP-Addresses (1) and the NetBIOS name servers (130, 132).
type ipcpOptions struct {
	// Ours, as asked in the next request.
	local      netip.Addr // unspecified: the peer shall say
	askAddress bool
	dns        [2]netip.Addr
	askDNS     [2]bool

	// The peer's.
	assign    netip.Addr // what a peer without an address gets; the zero Addr for nothing
	insist    bool       // the peer gets assign, whatever it asks for
	serveDNS  []netip.Addr
	peer      netip.Addr // as granted
	suggested bool       // an address was suggested to a peer that asked for none
}

func (o *ipcpOptions) request(dst []byte) []byte {
	if o.askAddress {
		dst = appendOption(dst, optionAddress, o.local.AsSlice()...)
	}
	for i, kind := range [2]byte{optionDNS1, optionDNS2} {
		if o.askDNS[i] {
			dst = appendOption(dst, kind, o.dns[i].AsSlice()...)
		}
	}
	return dst
}

func (o *ipcpOptions) nak(options []option) {
	for _, n := range options {
		a, ok := netip.AddrFromSlice(n.data)
		if !ok || !a.Is4() {
			continue
		}
		switch n.kind {
		case optionAddress:
			o.local = a
		case optionDNS1:
			o.takeDNS(0, a)
		case optionDNS2:
			o.takeDNS(1, a)
		}
	}
}

// takeDNS takes a name server that the peer offers. One that says 0.0.0.0 has
// none to give, and would say so for ever (F69).
func (o *ipcpOptions) takeDNS(i int, a netip.Addr) {
	o.dns[i] = a
	if a.IsUnspecified() {
		o.askDNS[i] = false
	}
}

func (o *ipcpOptions) reject(options []option) {
	for _, r := range options {
		switch r.kind {
		case optionAddress:
			o.askAddress = false
		case optionDNS1:
			o.askDNS[0], o.dns[0] = false, netip.IPv4Unspecified()
		case optionDNS2:
			o.askDNS[1], o.dns[1] = false, netip.IPv4Unspecified()
		}
	}
}

// names are the name servers that the peer gave.
func (o *ipcpOptions) names() (list []netip.Addr) {
	for i, a := range o.dns {
		if o.askDNS[i] && !a.IsUnspecified() && (i == 0 || a != o.dns[0]) {
			list = append(list, a)
		}
	}
	return list
}

func (o *ipcpOptions) judge(options []option, v *verdict) {
	named := false
	for _, r := range options {
		a, ok := netip.AddrFromSlice(r.data)
		if !ok || !a.Is4() {
			v.reject(r)
			continue
		}
		switch r.kind {
		case optionAddress:
			named = true
			o.judgeAddress(r, a, v)
		case optionDNS1:
			o.judgeDNS(r, 0, a, v)
		case optionDNS2:
			o.judgeDNS(r, 1, a, v)
		default:
			v.reject(r)
		}
	}
	if !named {
		o.peer = netip.Addr{}
		if o.insist && !o.suggested {
			// RFC 1332 section 3.3: a Nak may bring in an option that was
			// not asked for. Once will do: some peers never take it up.
			o.suggested = true
			v.nak(optionAddress, o.assign.AsSlice()...)
		}
	}
}

// judgeAddress grants the peer its address, or tells it one.
func (o *ipcpOptions) judgeAddress(r option, a netip.Addr, v *verdict) {
	switch {
	case o.assign.IsValid() && a != o.assign && (o.insist || a.IsUnspecified()):
		v.nak(optionAddress, o.assign.AsSlice()...)
	case a.IsUnspecified():
		v.reject(r)
	default:
		o.peer = a
	}
}

// judgeDNS tells the peer our i-th name server.
func (o *ipcpOptions) judgeDNS(r option, i int, a netip.Addr, v *verdict) {
	switch {
	case i >= len(o.serveDNS):
		v.reject(r)
	case a != o.serveDNS[i]:
		v.nak(r.kind, o.serveDNS[i].AsSlice()...)
	}
}
