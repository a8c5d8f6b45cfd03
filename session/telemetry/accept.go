package telemetry

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// The pause after a failure to accept that passes by itself, first and last:
// those of net/http's server.
const (
	firstAcceptPause = 5 * time.Millisecond
	lastAcceptPause  = time.Second
)

// accept waits for the next connection. What passes by itself, a process out of
// descriptors (EMFILE) or a connection that was gone before it was taken
// (ECONNABORTED), is waited out, so that one burst does not end the service.
func accept(ctx context.Context, l net.Listener) (net.Conn, error) {
	for pause := firstAcceptPause; ; pause = min(2*pause, lastAcceptPause) {
		conn, err := l.Accept()
		if err == nil || !passes(err) || ctx.Err() != nil {
			return conn, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// passes tells whether an error of Accept goes away by itself. Temporary is
// deprecated for other operations, but means just this here; the errors of
// accept(2) that it leaves out follow.
func passes(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary() ||
		errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}
