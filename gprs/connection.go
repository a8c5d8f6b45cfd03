package gprs

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/telemodem/telemodem/gprs/ppp"
)

// Connection is one connection of a Bearer, from Connect to its end. All
// methods may be called by several goroutines at once.
type Connection struct {
	b       *Bearer
	stream  io.ReadWriteCloser // the data call; nil with the modem's sockets
	link    *ppp.Conn          // nil with the modem's sockets
	network Network            // nil without a stack
	since   time.Time

	loseOnce sync.Once
	lost     chan struct{} // closed by lose, after cause is set
	cause    error
	hints    chan error // suspicions to be looked into
	done     chan struct{}
	report   EndReport // set before done is closed
}

func newConnection(b *Bearer, stream io.ReadWriteCloser, link *ppp.Conn, n Network) *Connection {
	return &Connection{b: b, stream: stream, link: link, network: n, since: time.Now(),
		lost: make(chan struct{}), hints: make(chan error, 1), done: make(chan struct{})}
}

// DialContext connects through this connection.
func (c *Connection) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if c.network == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: ErrNoStack}
	}
	return c.network.DialContext(ctx, network, address)
}

// Link is the PPP link: for its addresses and statistics, and without a stack
// for its packets. It is nil with the modem's sockets.
func (c *Connection) Link() *ppp.Conn { return c.link }

// Network is what the stack function returned, for what else it can do; nil
// without a stack.
func (c *Connection) Network() Network { return c.network }

// Since is when the connection came up.
func (c *Connection) Since() time.Time { return c.since }

// Done is closed when the connection has ended and the modem is back in
// command mode, or everything to that end was tried.
func (c *Connection) Done() <-chan struct{} { return c.done }

// Err tells, once Done is closed, why the connection has ended: ErrClosed after
// Disconnect and Close. Before that it is nil.
func (c *Connection) Err() error {
	select {
	case <-c.done:
		return c.report.Cause
	default:
		return nil
	}
}

// Report tells, once Done is closed, how the connection was ended.
func (c *Connection) Report() EndReport {
	<-c.done
	return c.report
}

// ended tells whether the end has begun.
func (c *Connection) ended() bool {
	select {
	case <-c.lost:
		return true
	default:
		return false
	}
}

// lose begins the end, once; the first cause stays.
func (c *Connection) lose(cause error) {
	c.loseOnce.Do(func() {
		c.cause = cause
		close(c.lost)
	})
}

// hint tells of a suspicion. While one is being looked into, more of them
// would say nothing new.
func (c *Connection) hint(why error) {
	select {
	case c.hints <- why:
	default:
	}
}

// watch owns the connection: it waits for its end, looks for it where it does
// not show, and brings the modem back.
func (c *Connection) watch() {
	defer close(c.done)
	ctx, cancel := context.WithCancel(context.Background())
	var helpers sync.WaitGroup
	helpers.Go(func() { c.probe(ctx) })
	if r := c.b.cfg.Radio; r != nil {
		helpers.Go(func() { c.watchRegistration(ctx, r.Events(ctx)) })
	}
	var linkDone, networkDone <-chan struct{}
	if c.link != nil {
		linkDone = c.link.Done()
	}
	if c.network != nil {
		networkDone = c.network.Done()
	}
	select {
	case <-linkDone:
		c.lose(c.link.Err())
	case <-networkDone:
		c.lose(c.network.Err())
	case <-c.lost:
	}
	cancel()
	helpers.Wait()
	c.report = c.b.end(c)
}
