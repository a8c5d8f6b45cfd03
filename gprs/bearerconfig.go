package gprs

import (
	"context"
	"net"
	"time"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// Network is IP that is up: what a Bearer dials through. *netstack.Net is one.
type Network interface {
	// DialContext connects as net.Dialer does.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	// Close ends the network and what it stands on, and waits for it.
	Close() error
	// Done is closed when the network has ended, and Err then tells why.
	Done() <-chan struct{}
	Err() error
}

// BearerConfig holds what is chosen for a Bearer. A nil *BearerConfig gives a
// bare PPP link on context 1 with the network's own access point.
type BearerConfig struct {
	// Context is what to connect to. User and Password in it serve the modem's
	// command and PPP alike.
	Context Context
	// Quirks says what is special about the modem; nil means nothing.
	Quirks *Quirks
	// PPP are the settings of the link; nil means its defaults. Families,
	// User and Password are taken from Context where they are not set here.
	PPP *ppp.Config

	// Stack puts TCP/IP on a link that is up, and owns the link from then on
	// unless it fails:
	//
	//	func(l ppp.Link) (gprs.Network, error) { return netstack.New(l, nil) }
	//
	// It is a function, so that a program that only wants the radio does not
	// carry a TCP/IP stack along. Nil means no stack: the packets are the
	// caller's, see Connection.Link, and DialContext fails.
	Stack func(link ppp.Link) (Network, error)
	// Sockets, if set, connects by the sockets inside the modem and no data
	// call is made: see package socket. PPP, Stack and Ladder are not used then.
	Sockets func(ctx context.Context, c at.Commander, d Context) (Network, error)

	// Control is another way to the same modem that works while data flows, a
	// channel of the multiplexer or a second port. Context losses are heard
	// and checked there. Nil means none.
	Control at.Commander
	// Radio, if set, tells of a registration that is lost during the call.
	Radio *Radio

	// DialAttempts is how often to dial while the modem answers NO CARRIER,
	// as some do until they have attached. Zero means 3.
	DialAttempts int
	// DialPause is the first pause between them, which doubles. Zero means 2 s.
	DialPause time.Duration

	// Probe asks something at the other end of the network, to find out that
	// a link that looks well is dead. Nil means none: then only LCP echo and
	// the modem's own word count, and the echo is often answered by the modem
	// itself. ProbeTCP makes one.
	Probe func(ctx context.Context, n Network) error
	// ProbeInterval is the time between probes; none is made while packets
	// arrive anyway. Zero means 5 minutes.
	ProbeInterval time.Duration
	// ProbeTimeout bounds one probe. Zero means 30 s.
	ProbeTimeout time.Duration
	// ProbeFailures is how many probes in a row must fail. Zero means 2.
	ProbeFailures int

	// Ladder is climbed when a data call has ended and command mode could not
	// be proven, mildest rung first: close the channel, close the multiplexer
	// down, reset. Nil means no more than the engine's own means.
	Ladder []Rung
}

// Rung is a step back to command mode that only the owner of the line knows.
type Rung struct {
	// Name says what is done: "close the channel".
	Name string
	// Do does it; command mode is proven afterwards.
	Do func(ctx context.Context) error
	// Timeout bounds it. Zero means 30 s.
	Timeout time.Duration
}

func (c *BearerConfig) dialAttempts() int { return orInt(c.DialAttempts, 3) }

func (c *BearerConfig) probeFailures() int { return orInt(c.ProbeFailures, 2) }

func orInt(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// link gives the settings of PPP for the context.
func (c *BearerConfig) link() *ppp.Config {
	var p ppp.Config
	if c.PPP != nil {
		p = *c.PPP
	}
	if p.User == "" {
		p.User, p.Password = c.Context.User, c.Context.Password
	}
	if p.Families == 0 {
		p.Families = map[PDPType]ppp.Families{IPv4: ppp.IPv4, IPv6: ppp.IPv6, IPv4v6: ppp.IPv4 | ppp.IPv6}[c.Context.pdpType()]
	}
	p.CloseStream = false // the call is ours to end
	return &p
}

// ProbeTCP makes a probe that opens a TCP connection to address ("host:port")
// and closes it again.
func ProbeTCP(address string) func(ctx context.Context, n Network) error {
	return func(ctx context.Context, n Network) error {
		conn, err := n.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
