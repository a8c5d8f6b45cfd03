package telemetry

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// exchange is a listener and its dialler in memory, so that connections work in
// a bubble.
type exchange struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	fault error // of dialling
	dials int
	last  net.Conn // the dialler's end of the newest
}

func newExchange() *exchange {
	return &exchange{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (x *exchange) Accept() (net.Conn, error) {
	select {
	case c := <-x.conns:
		return c, nil
	case <-x.closed:
		return nil, net.ErrClosed
	}
}
func (x *exchange) Close() error   { x.once.Do(func() { close(x.closed) }); return nil }
func (x *exchange) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

func (x *exchange) dialled() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.dials
}

func (x *exchange) dial(ctx context.Context) (net.Conn, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.dials++
	if x.fault != nil {
		return nil, x.fault
	}
	here, there := net.Pipe()
	select {
	case x.conns <- there:
		x.last = here
		return here, nil
	case <-x.closed:
		return nil, net.ErrClosed
	}
}

func (x *exchange) cut(fault error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.fault = fault
	if x.last != nil {
		x.last.Close()
	}
}

// connected runs a test on a device that dials and a collector that listens.
func connected(t *testing.T, test func(w *world, x *exchange)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 30)
		x := newExchange()
		w.device.paths = []Path{{Name: "data", Bearer: Dial(x.dial)}}
		w.collector.paths = []Path{{Name: "data", Bearer: NewInbound()}}
		w.open()
		served := make(chan error, 1)
		go func() { served <- w.collector.e.Serve(x) }()
		test(w, x)
		w.close()
		require.ErrorIs(t, <-served, ErrClosed)
	})
}

func TestConnectionCarriesBothWays(t *testing.T) {
	connected(t, func(w *world, x *exchange) {
		ctx := w.device.t.Context()
		require.Zero(t, x.dialled(), "dialled when there is something to send")
		require.NoError(t, w.device.send("reading 1").Wait(ctx))
		require.NoError(t, w.collector.send("order 1").Wait(ctx))
		require.Equal(t, []string{"order 1"}, w.device.handled())
		require.Equal(t, 1, x.dials)
	})
}

func TestLostConnectionIsDialledAgain(t *testing.T) {
	connected(t, func(w *world, x *exchange) {
		ctx := w.device.t.Context()
		require.NoError(t, w.device.send("reading 1").Wait(ctx))
		events := w.device.e.Events(ctx)
		x.cut(errNoCoverage)
		r := w.device.send("reading 2")
		time.Sleep(time.Hour)
		e := <-events // about the write or the dial that failed, whichever came first
		require.Equal(t, EventPathDown, e.Kind)
		require.Error(t, e.Err)
		require.Less(t, x.dialled(), 30, "the pauses grow")
		x.cut(nil)
		require.NoError(t, r.Wait(ctx))
		require.Equal(t, numbered(1, 2), w.collector.handled())
	})
}

// The collector's orders wait for the device to dial; a KeepAlive has it do so.
func TestKeepAliveHoldsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 31)
		x := newExchange()
		w.device.paths = []Path{{Name: "data", Bearer: Dial(x.dial), KeepAlive: time.Minute}}
		w.collector.paths = []Path{{Name: "data", Bearer: NewInbound()}}
		w.open()
		served := make(chan error, 1)
		go func() { served <- w.collector.e.Serve(x) }()
		r := w.collector.send("order 1")
		time.Sleep(2 * time.Minute)
		require.NoError(t, r.Wait(t.Context()))
		x.cut(nil)
		time.Sleep(3 * time.Minute)
		require.NoError(t, w.collector.send("order 2").Wait(t.Context()))
		require.Equal(t, []string{"order 1", "order 2"}, w.device.handled())
		require.LessOrEqual(t, x.dialled(), 3)
		w.close()
		require.ErrorIs(t, <-served, ErrClosed)
	})
}

// A peer that takes frames and never answers: the connection is given up.
func TestSilentConnectionIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 32)
		var conns sync.WaitGroup
		var dials atomic.Int32
		w.device.paths = []Path{{Name: "data", Bearer: Dial(func(context.Context) (net.Conn, error) {
			dials.Add(1)
			here, there := net.Pipe()
			conns.Go(func() { io.Copy(io.Discard, there) })
			return here, nil
		})}}
		w.open()
		w.device.send("reading 1")
		time.Sleep(time.Minute)
		require.Greater(t, dials.Load(), int32(1))
		require.Less(t, dials.Load(), int32(8))
		w.close()
		conns.Wait()
	})
}

func TestStrangersAreShownTheDoor(t *testing.T) {
	connected(t, func(w *world, x *exchange) {
		ctx := w.device.t.Context()
		hello := func(b []byte) net.Conn {
			conn, err := x.dial(ctx)
			require.NoError(t, err)
			go conn.Write(b)
			return conn
		}
		garbage := append(binary.BigEndian.AppendUint16(nil, 100), make([]byte, 100)...)
		for name, b := range map[string][]byte{
			"nothing": nil, "http": []byte("GET / HTTP/1.1\r\n\r\n"), "garbage": garbage,
			"length 0": {0, 0}, "half a frame": garbage[:50],
		} {
			conn := hello(b)
			_, err := conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF, name)
			conn.Close()
		}
		// A recorded frame is no introduction either.
		d := dataChunk{stream: 5, first: 1, floor: 1, segments: []segment{whole("a")}}
		seen, _ := newForger(t, w.collector).s.seal(d.append(nil, 1<<40))
		seen = append(binary.BigEndian.AppendUint16(nil, uint16(len(seen))), seen...)
		first := hello(seen)
		time.Sleep(time.Second)
		again := hello(seen)
		_, err := again.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "replayed")
		first.Close()
		require.NoError(t, w.device.send("b").Wait(ctx))
		require.Equal(t, []string{"a", "b"}, w.collector.handled())

		var many []net.Conn
		for range maxStrangers + 5 {
			many = append(many, hello(nil))
		}
		_, err = many[maxStrangers+4].Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "one too many")
		time.Sleep(strangerTime)
		for _, conn := range many {
			_, err := conn.Read(make([]byte, 1))
			require.Error(t, err)
			conn.Close()
		}
	})
}

func TestCloseDuringDialAndHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 33)
		w.device.paths = []Path{{Name: "data", Bearer: Dial(func(ctx context.Context) (net.Conn, error) {
			<-ctx.Done() // a dial that takes for ever
			time.Sleep(time.Second)
			here, there := net.Pipe() // and succeeds too late
			there.Close()
			return here, nil
		})}}
		w.open()
		r := w.device.send("reading 1")
		time.Sleep(time.Second)
		w.close()
		require.ErrorIs(t, r.Wait(t.Context()), ErrClosed)
		_, err := w.device.p.Send(t.Context(), nil)
		require.ErrorIs(t, err, ErrClosed)
		require.ErrorIs(t, w.device.e.Receive(nil, nil), ErrClosed)
		_, err = w.device.e.AddPeer(PeerConfig{Name: "x", Key: NewKey()})
		require.ErrorIs(t, err, ErrClosed)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = w.device.p.Send(cancelled, nil)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestConfigsRefused(t *testing.T) {
	w := newWorld(t, 34)
	w.device.paths = nil
	w.device.open()
	defer w.device.close()
	e, bearer := w.device.e, NewInbound()
	for name, c := range map[string]PeerConfig{
		"no name":            {Key: NewKey()},
		"our own name":       {Name: "device", Key: NewKey()},
		"there already":      {Name: "collector", Key: NewKey()},
		"no key":             {Name: "x"},
		"a nameless path":    {Name: "x", Key: NewKey(), Paths: []Path{{Bearer: bearer}}},
		"no bearer":          {Name: "x", Key: NewKey(), Paths: []Path{{Name: "p"}}},
		"an MTU too small":   {Name: "x", Key: NewKey(), Paths: []Path{{Name: "p", Bearer: &air{mtu: MinMTU - 1}}}},
		"one bearer twice":   {Name: "x", Key: NewKey(), Paths: []Path{{Name: "p", Bearer: bearer}, {Name: "q", Bearer: bearer}}},
		"not to be compared": {Name: "x", Key: NewKey(), Paths: []Path{{Name: "p", Bearer: slippery{}}}},
	} {
		_, err := e.AddPeer(c)
		require.Error(t, err, name)
	}
	for name, c := range map[string]Config{
		"no name": {Store: w.device.store}, "no store": {Name: "x"},
		"two handlers": {Name: "device", Store: w.device.store,
			Handler:   func(context.Context, Message) error { return nil },
			HandlerTx: func(Tx, Message) error { return nil }},
	} {
		_, err := Open(c)
		require.Error(t, err, name)
	}
}

type slippery struct{ _ []byte }

func (slippery) SendFrame(context.Context, []byte) error { return errors.New("never") }
func (slippery) MTU() int                                { return 200 }
