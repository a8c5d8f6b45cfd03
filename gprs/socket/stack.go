package socket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
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
	// ErrSocketGone says that the modem does not know the socket any more and
	// has not said why.
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
	// Profile is the packet switched data profile of UBloxPSD, 0 to 6.
	Profile int
	// TLS opens TCP sockets by the modem's own TLS. Nil means that they carry
	// what the program writes as it is.
	TLS *TLS

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
	dials  sync.WaitGroup // callers who open a socket
	done   chan struct{}

	closeBegun atomic.Bool
	closeDone  chan struct{} // closed when Close is done
	closeErr   error         // before closeDone

	mu      sync.Mutex
	sockets map[int]*conn
	port    uint64 // of the last socket that listened and did not ask for one
	next    int    // number to try first
	ending  bool
	err     error // first cause of the end
}

// Open brings the service up on c and returns its Stack, which does not own c.
// ctx bounds the bringing up. Sockets that another run left open are closed.
func Open(ctx context.Context, c at.Commander, d Dialect, cfg *Config) (*Stack, error) {
	if d.make == nil {
		return nil, fmt.Errorf("socket: %w: no dialect was given", at.ErrInvalid)
	}
	s := &Stack{done: make(chan struct{}), closeDone: make(chan struct{}), sockets: make(map[int]*conn)}
	if cfg != nil {
		s.cfg = *cfg
	}
	if t := s.cfg.TLS; t != nil {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("socket: TLS: %w", err)
		}
		own := *t
		s.cfg.TLS = &own
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
	s.stops = append(s.stops, c.Handle("", s.onOther))
	return s, nil
}

// onOther hears that the modem has started anew, and its sockets are gone.
func (s *Stack) onOther(n at.Notification) {
	if n.Kind == at.KindReboot {
		s.lose(at.ErrRebooted)
	}
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
	case what.kind == noticeAskAll:
		s.askAll()
	case what.kind == noticeNone || k == nil:
	case what.kind == noticeClosed:
		k.closedByPeer()
	case what.kind == noticeAsk:
		k.askState()
	default:
		k.wake()
	}
}

// askAll has every socket ask for its state.
func (s *Stack) askAll() {
	for _, k := range s.list() {
		k.askState()
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
	s.mu.Unlock()
	s.stop()
	for _, k := range s.list() {
		k.fail(cause)
	}
	if first {
		close(s.done)
	}
}

// stopTimeout bounds the bringing down of the service (SIM800: CIPSHUT 65 s).
const stopTimeout = 70 * time.Second

// Close closes every socket and the service, and waits for it, for some minutes
// at most. It may be called twice, at once too; the answer is the same. The
// error names the sockets that the modem may have open still.
func (s *Stack) Close() error {
	if !s.closeBegun.CompareAndSwap(false, true) {
		<-s.closeDone // no lock is held across the wait
		return s.closeErr
	}
	defer close(s.closeDone)
	s.lose(net.ErrClosed)
	for _, stop := range s.stops {
		stop()
	}
	s.dials.Wait()
	for _, k := range s.list() {
		if k.started {
			_ = k.Close()
		} else {
			s.release(s.ctx, k) // its caller has left
		}
	}
	ctx, cancel := context.WithTimeout(s.ctx, stopTimeout)
	s.closeErr = s.driver.stop(ctx)
	cancel()
	s.closeErr = errors.Join(s.closeErr, s.closeRest())
	s.cancel()
	s.work.Wait()
	return s.closeErr
}

// closeRest asks for the sockets that could not be closed before the service
// was, which may have taken them along, tries once more to close those that are
// there, and names what is left.
func (s *Stack) closeRest() error {
	ctx, cancel := context.WithTimeout(s.ctx, closeTimeout)
	defer cancel()
	var left []int
	for _, k := range s.list() {
		if held, err := s.driver.held(ctx, k); err == nil && !held {
			continue
		}
		if !s.release(ctx, k) {
			left = append(left, k.id)
		}
	}
	if left == nil {
		return nil
	}
	slices.Sort(left)
	return fmt.Errorf("socket: %w: numbers %v", errNotClosed, left)
}

// list gives all sockets.
func (s *Stack) list() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.sockets))
}

// Done is closed when the Stack has ended: by Close, or since the network took
// the context away (ErrContextLost) or the modem has started anew
// (at.ErrRebooted); Close is due even then.
func (s *Stack) Done() <-chan struct{} { return s.done }

// Err tells, once Done is closed, why the Stack has ended.
func (s *Stack) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// hostPort is the address of a peer as it was given: the modem resolves names.
type hostPort struct{ network, address string }

func (a hostPort) Network() string { return a.network }
func (a hostPort) String() string  { return a.address }
