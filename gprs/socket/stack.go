package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/telemodem/telemodem/at"
)

// Causes of a failure that a caller may branch on.
var (
	// ErrContextLost says that the network took the packet context away, and
	// all sockets with it.
	ErrContextLost = errors.New("the network has deactivated the context")
	// ErrNoSocket says that all of the modem's sockets are in use.
	ErrNoSocket = errors.New("all sockets of the modem are in use")
	// ErrRefused says that the modem could not connect.
	ErrRefused = errors.New("the modem could not connect")
	// ErrSocketGone says that the modem does not know the socket any more.
	ErrSocketGone = errors.New("the modem has closed the socket")
	// ErrSendFailed says that the modem did not take the data in time.
	ErrSendFailed = errors.New("the modem did not take the data")
)

// Config holds what is chosen when a Stack is opened. A nil *Config is a sound
// choice where the network needs no access point name.
type Config struct {
	// Context is the context identifier where the dialect has one; zero means 1.
	Context int
	// APN, User and Password are those of the access point; all may be empty.
	APN, User, Password string
	// TLS opens TCP sockets by the modem's own TLS, where the dialect has it;
	// keys and certificates are set up in the modem beforehand.
	TLS bool

	// OpenTimeout bounds the connecting of a socket. Zero means 120 s.
	OpenTimeout time.Duration
	// PollInterval is how often a socket is asked for data and for its state,
	// since notices can be lost. Zero means 15 s.
	PollInterval time.Duration
	// SendTimeout bounds how long a piece is offered again while the modem
	// refuses it for now. Zero means 60 s.
	SendTimeout time.Duration
	// PromptGap is waited between the modem's prompt and the data, for modems
	// that lose what comes sooner. Zero means the dialect's own, 50 ms for
	// u-blox and none for the others; negative means none.
	PromptGap time.Duration
	// MaxSend bounds one piece in octets, for firmware that cannot do what its
	// manual says. Zero means the dialect's limit.
	MaxSend int
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

func (c *Config) context() int { return max(c.Context, 1) }

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
)

// limits are those of a dialect.
type limits struct {
	ids     int  // sockets at once
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
	// open connects s; a dialect with ownIDs sets s.id.
	open(ctx context.Context, s *conn) error
	// send gives octets to the modem and tells how many it took. errLater asks
	// to come again.
	send(ctx context.Context, s *conn, p []byte) (int, error)
	// receive takes what has come, at most max octets; none is no error.
	receive(ctx context.Context, s *conn, max int) ([]byte, error)
	// alive tells whether the modem still has the connection.
	alive(ctx context.Context, s *conn) (bool, error)
	close(ctx context.Context, s *conn) error
	// notices are the prefixes to listen to, and notice says what a line means.
	notices() []string
	notice(line string) notice
}

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
)

// errLater asks to send the same again after a pause.
var errLater = errors.New("not now")

// Stack is the sockets of one modem. All methods may be called by several
// goroutines at once.
type Stack struct {
	driver driver
	cfg    Config
	stops  []func()
	ctx    context.Context // of every command; ends last
	cancel context.CancelFunc
	opens  context.Context // of those that connect; ends first
	stop   context.CancelFunc
	work   sync.WaitGroup // goroutines of the sockets
	done   chan struct{}
	once   sync.Once

	mu      sync.Mutex
	sockets map[int]*conn
	ending  bool
	err     error // first cause of the end
}

// Open brings the service up on c and returns its Stack, which does not own c.
// ctx bounds the bringing up. Sockets that another run left open are closed.
func Open(ctx context.Context, c at.Commander, d Dialect, cfg *Config) (*Stack, error) {
	if d.make == nil {
		return nil, fmt.Errorf("socket: %w: no dialect was given", at.ErrInvalid)
	}
	s := &Stack{done: make(chan struct{}), sockets: make(map[int]*conn)}
	if cfg != nil {
		s.cfg = *cfg
	}
	s.driver = d.make(c, &s.cfg)
	if err := s.driver.start(ctx); err != nil {
		return nil, fmt.Errorf("socket: bringing up %s: %w", d.name, err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.opens, s.stop = context.WithCancel(s.ctx)
	for _, prefix := range s.driver.notices() {
		s.stops = append(s.stops, c.Handle(prefix, s.onNotice))
	}
	return s, nil
}

// onNotice passes a notice on to the socket it means. One for a socket that is
// not ours is of another run and means nothing.
func (s *Stack) onNotice(n at.Notification) {
	if n.Kind == at.KindReboot {
		return
	}
	what := s.driver.notice(n.Line)
	s.mu.Lock()
	k := s.sockets[what.id]
	s.mu.Unlock()
	switch {
	case what.kind == noticeLost:
		s.lose(ErrContextLost)
	case what.kind == noticeNone || k == nil:
	case what.kind == noticeClosed:
		k.closedByPeer()
	default:
		k.wake()
	}
}

// lose fails every socket; the service is brought down by Close.
func (s *Stack) lose(cause error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = cause
	}
	first := !s.ending
	s.ending = true
	var all []*conn
	for _, k := range s.sockets {
		all = append(all, k)
	}
	s.mu.Unlock()
	s.stop()
	for _, k := range all {
		k.fail(cause)
	}
	if first {
		close(s.done)
	}
}

// stopTimeout bounds the bringing down of the service (SIM800: CIPSHUT 65 s).
const stopTimeout = 70 * time.Second

// Close closes every socket and the service, and waits for it. It may be called
// twice.
func (s *Stack) Close() error {
	var err error
	s.once.Do(func() {
		s.lose(net.ErrClosed)
		for _, stop := range s.stops {
			stop()
		}
		s.mu.Lock()
		var all []*conn
		for _, k := range s.sockets {
			if k.started { // the others are with whoever opens them
				all = append(all, k)
			}
		}
		s.mu.Unlock()
		for _, k := range all {
			_ = k.Close() // stopping the service closes what is left
		}
		ctx, cancel := context.WithTimeout(s.ctx, stopTimeout)
		err = s.driver.stop(ctx)
		cancel()
		s.cancel()
		s.work.Wait()
	})
	return err
}

// Done is closed when the Stack has ended: by Close, or since the network took
// the context away; Close is due even then.
func (s *Stack) Done() <-chan struct{} { return s.done }

// Err tells, once Done is closed, why the Stack has ended.
func (s *Stack) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// DialContext connects to address by "tcp" or "udp", or these with a 4 behind.
// A connection for "udp" is a net.PacketConn too, whose only peer is address.
func (s *Stack) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	k, err := s.dial(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: hostPort{network, address}, Err: err}
	}
	if k.network == "udp" {
		return &packetConn{k}, nil
	}
	return k, nil
}

func (s *Stack) dial(ctx context.Context, network, address string) (*conn, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return nil, &net.AddrError{Err: "no port that can be connected to", Addr: address}
	}
	if _, err := at.Quote(host); err != nil || host == "" {
		return nil, &net.AddrError{Err: "no host that can be named to a modem", Addr: strconv.Quote(host)}
	}
	transport := map[string]string{"tcp": "tcp", "tcp4": "tcp", "udp": "udp", "udp4": "udp"}[network]
	if transport == "" {
		return nil, net.UnknownNetworkError(network)
	}
	k, err := s.reserve(transport, host, int(port))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, orDuration(s.cfg.OpenTimeout, 120*time.Second))
	defer cancel()
	defer context.AfterFunc(s.opens, cancel)()
	if err := s.open(ctx, k); err != nil {
		if ended := s.Err(); ended != nil {
			return nil, ended
		}
		return nil, err
	}
	return k, nil
}

// reserve takes a free number, where it is ours to choose.
func (s *Stack) reserve(network, host string, port int) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return nil, s.err
	}
	lim := s.driver.limits()
	k := newConn(s, network, host, port)
	if lim.ownIDs {
		return k, nil
	}
	for id := range lim.ids {
		if s.sockets[id] == nil {
			k.id = id
			s.sockets[id] = k
			return k, nil
		}
	}
	return nil, ErrNoSocket
}

// open connects k, and if that fails frees its number on both sides.
func (s *Stack) open(ctx context.Context, k *conn) error {
	err := s.driver.open(ctx, k)
	s.mu.Lock()
	if err == nil && s.ending {
		err = s.err
	}
	if err == nil {
		s.sockets[k.id] = k
		k.started = true
		s.work.Add(2)
	}
	s.mu.Unlock()
	if err != nil {
		s.abandon(ctx, k)
		return err
	}
	go k.pump()
	go k.push()
	k.wake() // data may have come before we listened
	return nil
}

// closeTimeout bounds the closing of a socket.
const closeTimeout = 30 * time.Second

// abandon frees the number of a socket that did not connect. If the caller has
// gone, the modem may still be busy connecting: then it is closed behind the
// caller's back, as soon as the modem listens again.
func (s *Stack) abandon(ctx context.Context, k *conn) {
	s.mu.Lock()
	aside := ctx.Err() != nil && !s.ending
	if aside {
		if k.id >= 0 {
			s.sockets[k.id] = k
		}
		s.work.Add(1)
	}
	s.mu.Unlock()
	if !aside {
		s.release(k)
		return
	}
	k.fail(net.ErrClosed)
	go func() {
		defer s.work.Done()
		for !s.release(k) {
			select {
			case <-s.ctx.Done():
				return
			case <-time.After(releasePause):
			}
		}
	}()
}

// releasePause is between attempts to close a socket of a modem that is busy.
const releasePause = 5 * time.Second

// release closes k at the modem and frees its number, unless the modem did not
// even take the command.
func (s *Stack) release(k *conn) bool {
	if k.id >= 0 {
		ctx, cancel := context.WithTimeout(s.ctx, closeTimeout)
		err := s.driver.close(ctx, k) // a socket that is gone already is as good
		cancel()
		if err != nil && !refused(err) && !errors.Is(err, at.ErrLineGone) && s.ctx.Err() == nil {
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sockets[k.id] == k {
		delete(s.sockets, k.id)
	}
	return true
}

// hostPort is the address of a peer as it was given: the modem resolves names.
type hostPort struct{ network, address string }

func (a hostPort) Network() string { return a.network }
func (a hostPort) String() string  { return a.address }
