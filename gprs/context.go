package gprs

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// PDPType is the kind of packets that a context carries: <PDP_type> of
// 3GPP TS 27.007 clause 10.1.1.
type PDPType string

// Packet types.
const (
	IPv4   PDPType = "IP"
	IPv6   PDPType = "IPV6"
	IPv4v6 PDPType = "IPV4V6"
)

// AuthMethod is how the network checks user and password: <auth_prot> of
// 3GPP TS 27.007 clause 10.1.31.
type AuthMethod uint8

// Methods.
const (
	AuthNone AuthMethod = 0
	AuthPAP  AuthMethod = 1
	AuthCHAP AuthMethod = 2
)

// Context is a packet data protocol context: the way to one network.
type Context struct {
	// ID is the context identifier <cid>; zero means 1.
	ID int
	// Type is what it carries; empty means IPv4.
	Type PDPType
	// APN is the name of the access point; empty asks for the network's own.
	APN string
	// Auth is how User and Password are checked. AuthNone with a User means CHAP.
	Auth AuthMethod
	// User and Password may be empty.
	User, Password string
}

func (c Context) id() int {
	if c.ID <= 0 {
		return 1
	}
	return c.ID
}

func (c Context) pdpType() PDPType {
	if c.Type == "" {
		return IPv4
	}
	return c.Type
}

func (c Context) auth() AuthMethod {
	if c.Auth == AuthNone && c.User != "" {
		return AuthCHAP
	}
	return c.Auth
}

// String describes the context without its password.
func (c Context) String() string {
	return fmt.Sprintf("context %d, %s, APN %q", c.id(), c.pdpType(), c.APN)
}

// ContextDefinition is a line of the answer to AT+CGDCONT?.
type ContextDefinition struct {
	ID   int
	Type PDPType
	APN  string
	// Address is the fixed address, if there is one.
	Address netip.Addr
}

// ParseDefinition reads +CGDCONT: <cid>,<PDP_type>,<APN>[,<address>…] (3GPP
// TS 27.007 clause 10.1.1). A test answer is an error.
func ParseDefinition(line string) (ContextDefinition, error) {
	name, f := splitLine(line)
	id, ok := fieldAt(f, 0).decimal()
	if name != "+CGDCONT" || !ok || len(f) < 2 || f[1].list {
		return ContextDefinition{}, parseError(line, "not a context")
	}
	d := ContextDefinition{ID: id, Type: PDPType(strings.ToUpper(f[1].text)), APN: fieldAt(f, 2).text}
	if a, ok := parseAddress(fieldAt(f, 3).text); ok {
		d.Address = a
	}
	return d, nil
}

// ParseActive reads +CGACT: <cid>,<state> (clause 10.1.10).
func ParseActive(line string) (id int, active bool, err error) {
	name, f := splitLine(line)
	id, okID := fieldAt(f, 0).decimal()
	state, okState := fieldAt(f, 1).decimal()
	if name != "+CGACT" || !okID || !okState {
		return 0, false, parseError(line, "not the state of a context")
	}
	return id, state == 1, nil
}

// ParseAttached reads +CGATT: <state> (clause 10.1.9).
func ParseAttached(line string) (bool, error) {
	name, f := splitLine(line)
	state, ok := fieldAt(f, 0).decimal()
	if name != "+CGATT" || !ok {
		return false, parseError(line, "not the state of the attachment")
	}
	return state == 1, nil
}

// Addresses are those that the network gave to a context.
type Addresses struct {
	ID int
	// Local are the context's own addresses: one, or one of each kind.
	Local []netip.Addr
	// Gateway is the other end, if told.
	Gateway netip.Addr
	// DNS are the name servers.
	DNS []netip.Addr
	// APN is the name that the network made of it.
	APN string
	// MTU is the longest IPv4 packet; zero if not told.
	MTU int
}

// ParseAddresses reads +CGPADDR: <cid>[,<address>[,<address>]] (clause
// 10.1.14). IPv6 comes in sixteen decimal numbers with dots, or with colons
// after AT+CGPIAF. 0.0.0.0 is no address.
func ParseAddresses(line string) (Addresses, error) {
	name, f := splitLine(line)
	id, ok := fieldAt(f, 0).decimal()
	if name != "+CGPADDR" || !ok {
		return Addresses{}, parseError(line, "not the addresses of a context")
	}
	a := Addresses{ID: id}
	for _, one := range f[1:] {
		a.addLocal(one.text)
	}
	return a, nil
}

// ParseDynamic reads a line of +CGCONTRDP (clause 10.1.23):
//
//	<cid>,<bearer>,<apn>,<address and mask>,<gateway>,<dns>,<dns>,<pcscf>,<pcscf>,<im>,<lipa>,<mtu>
//
// with or without quotes, mask appended (10.40.54.48.255.255.255.224), as
// prefix (192.168.97.2/30) or missing. Two lines, one of each kind, are one
// context: Merge them.
func ParseDynamic(line string) (Addresses, error) {
	name, f := splitLine(line)
	id, ok := fieldAt(f, 0).decimal()
	if name != "+CGCONTRDP" || !ok {
		return Addresses{}, parseError(line, "not the parameters of a context")
	}
	a := Addresses{ID: id, APN: fieldAt(f, 2).text}
	a.addLocal(fieldAt(f, 3).text)
	if gw, ok := parseAddress(fieldAt(f, 4).text); ok {
		a.Gateway = gw
	}
	for _, i := range [...]int{5, 6} {
		if dns, ok := parseAddress(fieldAt(f, i).text); ok {
			a.DNS = append(a.DNS, dns)
		}
	}
	if mtu, ok := fieldAt(f, 11).decimal(); ok && mtu >= 68 && mtu <= 65535 { // RFC 791: no link has less
		a.MTU = mtu
	}
	return a, nil
}

// Merge adds what o tells of the same context.
func (a *Addresses) Merge(o Addresses) {
	a.Local = append(a.Local, o.Local...)
	a.DNS = append(a.DNS, o.DNS...)
	if !a.Gateway.IsValid() {
		a.Gateway = o.Gateway
	}
	if a.APN == "" {
		a.APN = o.APN
	}
	if a.MTU == 0 {
		a.MTU = o.MTU
	}
}

func (a *Addresses) addLocal(s string) {
	if addr, ok := parseAddress(s); ok {
		a.Local = append(a.Local, addr)
	}
}

// parseAddress reads an address in the forms of clause 10.1.0: dotted decimal
// of 4 or 16 octets, the mask behind it or not, colons, or a prefix length.
func parseAddress(s string) (netip.Addr, bool) {
	s, _, _ = strings.Cut(s, "/")
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr, !addr.IsUnspecified() && addr.Zone() == ""
	}
	parts := strings.Split(s, ".")
	octets := make([]byte, 0, 16)
	want := map[int]int{8: 4, 16: 16, 32: 16}[len(parts)]
	for i := 0; i < want; i++ {
		n, err := strconv.ParseUint(parts[i], 10, 8)
		if err != nil {
			return netip.Addr{}, false
		}
		octets = append(octets, byte(n))
	}
	addr, ok := netip.AddrFromSlice(octets)
	return addr, ok && !addr.IsUnspecified()
}
