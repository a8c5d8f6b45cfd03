package telemetry

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// failing is a listener whose next calls of Accept fail.
type failing struct {
	net.Listener
	faults []error
	calls  int
}

func (f *failing) Accept() (net.Conn, error) {
	f.calls++
	if len(f.faults) > 0 {
		fault := f.faults[0]
		f.faults = f.faults[1:]
		return nil, fault
	}
	return f.Listener.Accept()
}

// accepting is what the system's Accept fails with.
func accepting(errno syscall.Errno) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)}
}

// A process that is out of descriptors for a while serves again afterwards.
func TestServeSurvivesWhatPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 30)
		x := newExchange()
		l := &failing{Listener: x}
		for range 12 {
			l.faults = append(l.faults, accepting(syscall.EMFILE))
		}
		l.faults = append(l.faults, accepting(syscall.ECONNABORTED))
		w.device.paths = []Path{{Name: "data", Bearer: Dial(x.dial)}}
		w.collector.paths = []Path{{Name: "data", Bearer: NewInbound()}}
		w.open()
		served := make(chan error, 1)
		began := time.Now()
		go func() { served <- w.collector.e.Serve(l) }()
		sent := w.device.send("reading 1").Wait(t.Context())
		took := time.Since(began)
		w.close()
		require.ErrorIs(t, <-served, ErrClosed)
		require.NoError(t, sent)
		require.Greater(t, took, 5*time.Second, "5 ms doubled up to a second, not a busy loop")
		require.Equal(t, 15, l.calls, "13 that failed, one that gave a connection, one that waited")
	})
}

// What does not pass ends Serve with the reason, and closes the listener.
func TestServeEndsWithALastingError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 30)
		w.open()
		cause := errors.New("the socket is gone")
		x := newExchange()
		require.ErrorIs(t, w.collector.e.Serve(&failing{Listener: x, faults: []error{cause}}), cause)
		<-x.closed
		w.close()
	})
}

// Closing the endpoint ends a pause at once.
func TestCloseEndsAPauseOfServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 30)
		w.open()
		l := &failing{Listener: newExchange()}
		for range 1000 {
			l.faults = append(l.faults, accepting(syscall.EMFILE))
		}
		served := make(chan error, 1)
		go func() { served <- w.collector.e.Serve(l) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		calls := l.calls
		w.close()
		require.ErrorIs(t, <-served, ErrClosed)
		require.Equal(t, calls, l.calls)
		require.Less(t, calls, 100, "at most one a second, after the first")
	})
}
