package telemetry

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// On a connection, each frame follows its length in two octets, high first.
const lengthSize = 2

// streamMTU is the frame on a connection, in octets: enough to make the seal
// cheap, and sent in a few seconds over GPRS.
const streamMTU = 16 << 10

// frameReader takes the frames out of a connection.
type frameReader struct {
	r   *bufio.Reader
	buf []byte
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{r: bufio.NewReader(r)}
}

// next returns the next frame, good until the next call.
func (f *frameReader) next() ([]byte, error) {
	var length [lengthSize]byte
	if _, err := io.ReadFull(f.r, length[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(length[:]))
	if n < overhead || n > MaxFrame {
		return nil, fmt.Errorf("%w: %d octets", ErrFrame, n)
	}
	if cap(f.buf) < n {
		f.buf = make([]byte, n)
	}
	f.buf = f.buf[:n]
	_, err := io.ReadFull(f.r, f.buf)
	return f.buf, err
}

// writeFrame writes one frame within the time of ctx. After an error the
// connection is of no more use: a part of the frame may have left.
func writeFrame(ctx context.Context, conn net.Conn, frame []byte) error {
	stop := context.AfterFunc(ctx, func() { conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	b := binary.BigEndian.AppendUint16(make([]byte, 0, lengthSize+len(frame)), uint16(len(frame)))
	_, err := conn.Write(append(b, frame...))
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return err
}

// link is the connection in use, if any.
type link struct {
	mu   sync.Mutex
	conn net.Conn
}

func (l *link) current() net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn
}

// replace makes conn the one in use, and closes the one before.
func (l *link) replace(conn net.Conn) {
	l.mu.Lock()
	old := l.conn
	l.conn = conn
	l.mu.Unlock()
	if old != nil && old != conn {
		old.Close()
	}
}

// drop closes conn, and has it no longer in use.
func (l *link) drop(conn net.Conn) {
	l.mu.Lock()
	if l.conn == conn {
		l.conn = nil
	}
	l.mu.Unlock()
	conn.Close()
}

// DialFunc opens a connection to a peer's endpoint, within ctx.
type DialFunc func(ctx context.Context) (net.Conn, error)

// Outbound is a Bearer over a connection that is opened when there is something
// to send, and again after it was lost. It serves one path.
type Outbound struct {
	dial  DialFunc
	link  link
	fresh chan net.Conn // for Run to read from
}

// Dial returns the bearer over the connections that dial opens: a
// net.Dialer on the system's network, or DialContext of a gprs stack. It dials
// when the first frame is sent.
func Dial(dial DialFunc) *Outbound {
	return &Outbound{dial: dial, fresh: make(chan net.Conn, 1)}
}

// MTU implements Bearer.
func (o *Outbound) MTU() int { return streamMTU }

// SendFrame implements Bearer. The connection is opened first if there is none.
func (o *Outbound) SendFrame(ctx context.Context, frame []byte) error {
	conn := o.link.current()
	if conn == nil {
		var err error
		if conn, err = o.dial(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrNotConnected, err)
		}
		o.link.replace(conn)
		select {
		case old := <-o.fresh: // lost before it was read from
			old.Close()
		default:
		}
		o.fresh <- conn
		if ctx.Err() != nil { // Run may have ended before it could see it
			o.link.drop(conn)
			return ctx.Err()
		}
	}
	if err := writeFrame(ctx, conn, frame); err != nil {
		o.link.drop(conn)
		return err
	}
	return nil
}

// Run implements Runner: it reads what comes over the connections.
func (o *Outbound) Run(ctx context.Context, receive func(frame []byte) error) {
	for {
		select {
		case conn := <-o.fresh:
			o.read(ctx, conn, receive)
		case <-ctx.Done():
			if conn := o.link.current(); conn != nil {
				o.link.drop(conn)
			}
			return
		}
	}
}

func (o *Outbound) read(ctx context.Context, conn net.Conn, receive func([]byte) error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer o.link.drop(conn)
	r := newFrameReader(conn)
	for {
		frame, err := r.next()
		if err != nil {
			return
		}
		if err := receive(frame); errors.Is(err, ErrFrame) || errors.Is(err, ErrUnknownPeer) {
			return // whoever answers there is not the peer
		}
	}
}

// Reset implements Resetter: the connection is closed.
func (o *Outbound) Reset() {
	if conn := o.link.current(); conn != nil {
		o.link.drop(conn)
	}
}

// Inbound is a Bearer over the connections that the peer opens and
// Endpoint.Serve accepts. While there is none, it answers ErrNotConnected.
type Inbound struct{ link link }

// NewInbound returns the bearer for one path of one peer.
func NewInbound() *Inbound { return &Inbound{} }

// MTU implements Bearer.
func (i *Inbound) MTU() int { return streamMTU }

// SendFrame implements Bearer.
func (i *Inbound) SendFrame(ctx context.Context, frame []byte) error {
	conn := i.link.current()
	if conn == nil {
		return ErrNotConnected
	}
	if err := writeFrame(ctx, conn, frame); err != nil {
		i.link.drop(conn)
		return err
	}
	return nil
}

// Reset implements Resetter: the connection is closed.
func (i *Inbound) Reset() {
	if conn := i.link.current(); conn != nil {
		i.link.drop(conn)
	}
}

func (i *Inbound) attach(conn net.Conn) { i.link.replace(conn) }
func (i *Inbound) detach(conn net.Conn) { i.link.drop(conn) }
