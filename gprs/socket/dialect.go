package socket

import (
	"context"
	"errors"
	"net/netip"

	"github.com/telemodem/telemodem/at"
)

// Dialect is a maker's way to spell sockets. The values of this package are
// the only ones.
type Dialect struct {
	name string
	make func(c at.Commander, cfg *Config) driver
}

// String names the dialect.
func (d Dialect) String() string { return d.name }

// Dialects.
var (
	// SIM800 is SIM800 and SIM900 in multi-connection mode.
	SIM800 = Dialect{"SIM800", newSIM800}
	// SIM7600 is SIM7600 and SIM7500.
	SIM7600 = Dialect{"SIM7600", newSIM7600}
	// Quectel is EC2x, EG9x, EC200U and BG9x.
	Quectel = Dialect{"Quectel", newQuectel}
	// UBlox is SARA-R4, SARA-R5 and LARA-R6.
	UBlox = Dialect{"u-blox", newUBlox}
	// UBloxPSD is SARA-U2, SARA-G3 and LISA-U2, whose context is a packet
	// switched data profile: Config.Profile.
	UBloxPSD = Dialect{"u-blox with profiles", newUBloxPSD}
	// Telit is LE910, ME910, ME310, HE910 and GL865.
	Telit = Dialect{"Telit", newTelit}
)

// limits are those of a dialect.
type limits struct {
	ids     int  // sockets at once
	secure  int  // of them by TLS; zero: all
	send    int  // octets in one piece
	receive int  // octets in one read
	ownIDs  bool // the modem chooses the number when the socket is opened
}

// driver speaks a dialect. Its methods may be called by several goroutines at
// once, but for one socket send, and receive, are called one at a time.
type driver interface {
	limits() limits
	// start brings the service up and closes what another run has left.
	start(ctx context.Context) error
	stop(ctx context.Context) error
	// open connects s; a dialect with ownIDs has s adopt its number.
	open(ctx context.Context, s *conn) error
	// listen binds s to its port, for datagrams from and to anybody. A dialect
	// that does not tell who sent a datagram has errors.ErrUnsupported.
	listen(ctx context.Context, s *conn) error
	// send gives octets to the modem and tells how many it took. errLater asks
	// to come again.
	send(ctx context.Context, s *conn, p piece) (int, error)
	// receive takes what has come, at most max octets; none is no error.
	receive(ctx context.Context, s *conn, max int) (piece, error)
	// state asks the modem for the state of the socket.
	state(ctx context.Context, s *conn) (state, error)
	close(ctx context.Context, s *conn) error
	// held asks the modem whether the number of s is in use there, in whatever
	// state.
	held(ctx context.Context, s *conn) (bool, error)
	// notices are the prefixes to listen to, and notice says what a line means.
	notices() []string
	notice(line string) notice
}

// piece is octets of a stream, or one datagram. addr is the other end of a
// datagram of a socket that listens, and not set otherwise.
type piece struct {
	data []byte
	addr netip.AddrPort
}

// state is what the modem says about a socket.
type state uint8

const (
	stateGone   state = iota // it does not know the socket
	stateClosed              // the other side has closed
	stateOpen
)

// notice is what a notification says.
type notice struct {
	kind noticeKind
	id   int
}

type noticeKind uint8

const (
	noticeNone   noticeKind = iota
	noticeData              // data for socket id
	noticeClosed            // socket id was closed by the other side
	noticeLost              // the context is gone
	noticeAsk               // something happened to socket id: ask what
	noticeAskAll            // or to one of them, it is not said which
)

// errLater asks to send the same again after a pause.
var errLater = errors.New("not now")
