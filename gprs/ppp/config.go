package ppp

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// Families is a set of IP versions.
type Families byte

// The versions of IP that a link can carry.
const (
	IPv4 Families = 1 << iota
	IPv6
)

// Config holds what is chosen when a link is brought up. A nil *Config is a
// sound choice: IPv4, whatever address the peer gives, echo as keepalive, and
// an empty name and password if the peer insists on authentication. The same
// Config may serve any number of links; it is not changed.
type Config struct {
	// Families are the versions of IP to bring up. Zero means IPv4. A link is
	// up when at least one of them is, and the others are settled or have had
	// two restart intervals more.
	Families Families

	// User and Password are what we prove ourselves with if the peer asks, at
	// most 255 octets each (RFC 1334 section 2.2.1).
	User, Password string
	// Allow are the ways in which we let the peer ask for that. Zero means
	// all; AuthCHAP keeps the password off the line. Serve rejects the request
	// if User is empty, Dial proves itself with the empty name.
	Allow Auth

	// Require are the ways in which the peer may prove itself to us, the
	// strongest asked for first. Zero asks for none. It needs Secret.
	Require Auth
	// Secret gives the password of the peer that says it is name, and false
	// if there is none of that name. It must not wait. It is called from the
	// link's own goroutine.
	Secret func(name string) (password string, ok bool)

	// LocalAddr is our own IPv4 address. The zero Addr means: Dial takes what
	// the peer gives, Serve has 10.64.64.1.
	LocalAddr netip.Addr
	// PeerAddr is the peer's IPv4 address. Serve tells it to the peer, and the
	// zero Addr means 10.64.64.2. Dial tells it only to a peer that asks for
	// one, and the zero Addr means that no such peer gets one.
	PeerAddr netip.Addr
	// DNS are the name servers that the peer gets if it asks (RFC 1877), at
	// most two, IPv4. Empty rejects the question.
	DNS []netip.Addr
	// NoDNS does not ask the peer for name servers. Serve never asks.
	NoDNS bool

	// MRU is the longest packet that we take, in octets, and at the same time
	// bounds those that we send. Zero means 1500; the least is 128, for IPv6
	// 1280, and the most 16384.
	MRU int
	// ACCM has bit n set for each control character n, below 32, that the
	// line does not carry, such as 0x000a0000 for XON and XOFF (RFC 1662
	// section 7.1). Zero asks for none to be escaped.
	ACCM uint32

	// EchoInterval is the time between two LCP Echo-Requests. Zero means
	// 30 s; negative sends none, for modems that sleep.
	EchoInterval time.Duration
	// EchoMisses is how many requests in a row may stay without an answer
	// before the link has failed. Zero means 4.
	EchoMisses int

	// StartTimeout bounds the time from the start, and from a renegotiation,
	// until IP is carried. Zero means 90 s; negative means no bound but that
	// of the restart counters.
	StartTimeout time.Duration
	// RestartInterval is the Restart timer (RFC 1661 section 4.6). Zero means
	// 3 s.
	RestartInterval time.Duration
	// MaxConfigure bounds the Configure-Requests in a row without an answer.
	// Zero means 10.
	MaxConfigure int
	// MaxTerminate bounds the Terminate-Requests. Zero means 2.
	MaxTerminate int
	// MaxFailure bounds the Configure-Naks that we send before we reject, and
	// the refusals that we answer at once (RFC 1661 section 4.6). Zero means 5.
	MaxFailure int

	// ReceiveQueue is how many packets wait for ReadPacket; those that come
	// on top are dropped and counted. Zero means 512.
	ReceiveQueue int

	// Capture gets every frame in both directions as a pcapng file that
	// Wireshark opens, with passwords of PAP blotted out. Nil means none. Its
	// Write may be slow: what 1 MiB cannot hold meanwhile is left out and
	// counted in the file. It is written to until Close or Done, and not closed.
	Capture io.Writer

	// CloseStream closes the stream when the link has ended. Without it the
	// stream stays open for its owner, see Dial.
	CloseStream bool
}

// role is which end of the link we are.
type role string

const (
	roleDial  role = "dial"
	roleServe role = "serve"
)

// settings is a Config with every value in place.
type settings struct {
	Config
	role   role
	limits limits
}

// The values behind the zeros of Config.
const (
	defaultEchoInterval = 30 * time.Second
	defaultEchoMisses   = 4
	defaultStartTimeout = 90 * time.Second
	defaultRestart      = 3 * time.Second // RFC 1661 section 4.6, as are the three below
	defaultMaxConfigure = 10
	defaultMaxTerminate = 2
	defaultMaxFailure   = 5
	defaultReceiveQueue = 512
	largestMRU          = 16384
	smallestMRUForIPv6  = 1280 // RFC 8200 section 5
)

var (
	defaultServerAddr = netip.AddrFrom4([4]byte{10, 64, 64, 1})
	defaultClientAddr = netip.AddrFrom4([4]byte{10, 64, 64, 2})
)

// settings fills in the zeros and checks the rest.
func (c *Config) settings(r role) (*settings, error) {
	s := &settings{role: r}
	if c != nil {
		s.Config = *c
	}
	setZero(&s.Families, IPv4)
	setZero(&s.MRU, defaultMRU)
	setZero(&s.EchoInterval, defaultEchoInterval)
	setZero(&s.EchoMisses, defaultEchoMisses)
	setZero(&s.StartTimeout, defaultStartTimeout)
	setZero(&s.RestartInterval, defaultRestart)
	setZero(&s.MaxConfigure, defaultMaxConfigure)
	setZero(&s.MaxTerminate, defaultMaxTerminate)
	setZero(&s.MaxFailure, defaultMaxFailure)
	setZero(&s.ReceiveQueue, defaultReceiveQueue)
	if r == roleServe {
		setZero(&s.LocalAddr, defaultServerAddr)
		setZero(&s.PeerAddr, defaultClientAddr)
	}
	if s.Allow == 0 && (r == roleDial || s.User != "") {
		s.Allow = allAuth
	}
	s.limits = limits{s.RestartInterval, s.MaxConfigure, s.MaxTerminate, s.MaxFailure}
	return s, s.check()
}

func setZero[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// check finds values that no link can have. No password is in its errors.
func (s *settings) check() error {
	least := smallestMRU
	if s.Families&IPv6 != 0 {
		least = smallestMRUForIPv6
	}
	switch {
	case s.Families&^(IPv4|IPv6) != 0:
		return fmt.Errorf("ppp: Config.Families %#x is unknown", byte(s.Families))
	case s.MRU < least || s.MRU > largestMRU:
		return fmt.Errorf("ppp: Config.MRU %d is not within %d to %d", s.MRU, least, largestMRU)
	case len(s.User) > 255 || len(s.Password) > 255:
		return errors.New("ppp: Config.User or Config.Password is longer than 255 octets")
	case s.Require != 0 && s.Secret == nil:
		return errors.New("ppp: Config.Require without Config.Secret")
	case s.Allow&^allAuth != 0 || s.Require&^allAuth != 0:
		return errors.New("ppp: Config.Allow or Config.Require names an unknown protocol")
	case len(s.DNS) > 2:
		return fmt.Errorf("ppp: Config.DNS has %d servers, more than two", len(s.DNS))
	case s.RestartInterval < 0 || s.MaxConfigure < 0 || s.MaxTerminate < 0 ||
		s.MaxFailure < 0 || s.EchoMisses < 0 || s.ReceiveQueue < 0:
		return errors.New("ppp: a limit in Config is negative")
	}
	for _, a := range append([]netip.Addr{s.LocalAddr, s.PeerAddr}, s.DNS...) {
		if a.IsValid() && !a.Is4() {
			return fmt.Errorf("ppp: address %v in Config is not IPv4", a)
		}
	}
	return nil
}

// lcpOptions, ipcpOptions and ipv6cpOptions are what we start negotiating with.
func (s *settings) lcpOptions() *lcpOptions {
	o := &lcpOptions{
		newMagic: randomMagic,
		offered:  s.Require.methods(),
		accepted: s.Allow,
		mru:      uint16(s.MRU),
		askMRU:   s.MRU != defaultMRU,
		accm:     accm(s.ACCM),
		askACCM:  true,
		magic:    randomMagic(),
		pfc:      true,
		acfc:     true,
	}
	o.demand = o.offered
	o.restart()
	return o
}

func (s *settings) ipcpOptions() *ipcpOptions {
	o := &ipcpOptions{
		local:      netip.IPv4Unspecified(),
		askAddress: true,
		dns:        [2]netip.Addr{netip.IPv4Unspecified(), netip.IPv4Unspecified()},
		assign:     s.PeerAddr,
		insist:     s.role == roleServe,
		serveDNS:   s.DNS,
	}
	if s.LocalAddr.IsValid() {
		o.local = s.LocalAddr
	}
	if s.role == roleDial && !s.NoDNS {
		o.askDNS = [2]bool{true, true}
	}
	return o
}

func (s *settings) ipv6cpOptions() *ipv6cpOptions {
	return &ipv6cpOptions{newID: randomInterfaceID, local: randomInterfaceID(), ask: true}
}

// randomMagic makes a Magic-Number, which is never zero (RFC 1661 section 6.4).
func randomMagic() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:]) | 1
}

// randomInterfaceID makes an identifier of local scope (RFC 5072 section 4.1:
// the universal bit is zero).
func randomInterfaceID() interfaceID {
	var b [8]byte
	rand.Read(b[:])
	b[0] &^= 2
	return interfaceID(binary.BigEndian.Uint64(b[:]) | 1)
}
