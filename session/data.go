package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
	"github.com/telemodem/telemodem/gprs/socket"
)

// DialContext connects through the modem as net.Dialer does, for networks
// "tcp", "udp" and their 4 and 6 forms, by the way that Config chose: TCP/IP in
// this process, or the modem's own sockets. It makes the data call if there is
// none, and waits for modem and network, all bounded by ctx. It fits
// http.Transport, MQTT and gRPC dialers.
//
// Unless the modem multiplexes, the line carries nothing else during a data
// call: commands and messages get at.ErrDataMode until it has ended.
func (s *Session) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := s.Connect(ctx)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	return c.DialContext(ctx, network, address)
}

// Connect makes the data call if there is none, and returns it. ctx bounds
// the set-up. The error is a *gprs.ConnectError unless ctx or the session
// ended before.
func (s *Session) Connect(ctx context.Context) (*gprs.Connection, error) {
	u, err := s.relay.wait(ctx)
	if err != nil {
		return nil, err
	}
	c, err := u.bearer.Connect(ctx)
	if err != nil {
		s.noteNoCall(err)
		return nil, err
	}
	s.noteCall(u, c)
	return c, nil
}

// noteNoCall has the supervisor look at data calls that do not come up, unless
// that is somebody's wish or the end of the modem, which is seen elsewhere.
func (s *Session) noteNoCall(err error) {
	var connect *gprs.ConnectError
	if errors.As(err, &connect) && !errors.Is(err, context.Canceled) && !errors.Is(err, at.ErrLineGone) && !errors.Is(err, at.ErrClosed) {
		s.complain(fmt.Errorf("%w: %w", errNoData, err))
	}
}

// Disconnect ends the data call, if there is one, and returns when the modem
// is back in a proven command mode, or with the reason why it is not.
func (s *Session) Disconnect(ctx context.Context) error {
	u, err := s.relay.wait(ctx)
	if err != nil {
		return err
	}
	return u.bearer.Disconnect(ctx)
}

// newBearer is the way to data for a modem.
func (s *Session) newBearer(u *unit) *gprs.Bearer {
	config := gprs.BearerConfig{
		Context: s.cfg.Context,
		Quirks:  &u.profile.Data,
		Stack: func(link ppp.Link) (gprs.Network, error) {
			return netstack.New(link, nil)
		},
	}
	if s.cfg.Sockets != nil {
		config.Stack, config.Sockets = nil, s.sockets(u)
	}
	if u.mux != nil { // the other channel tells of losses while data flows
		config.Control, config.Radio = u.modem, s.radio
	}
	return gprs.NewBearer(u.data, &config)
}

// sockets opens the sockets inside the modem.
func (s *Session) sockets(u *unit) func(context.Context, at.Commander, gprs.Context) (gprs.Network, error) {
	return func(ctx context.Context, c at.Commander, d gprs.Context) (gprs.Network, error) {
		dialect := u.profile.Sockets
		if dialect.String() == "" {
			return nil, fmt.Errorf("the dialect of the sockets inside a %s modem: %w; leave Config.Sockets out", u.profile.Name, errors.ErrUnsupported)
		}
		config := *s.cfg.Sockets
		if config.Context == 0 {
			config.Context = d.ID
		}
		if config.APN == "" {
			config.APN, config.User, config.Password = d.APN, d.User, d.Password
		}
		return socket.Open(ctx, c, dialect, &config)
	}
}

// noteCall counts and announces a data call, and its end when that comes.
func (s *Session) noteCall(u *unit, c *gprs.Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.call == c || s.ctx.Err() != nil {
		return
	}
	s.call = c
	s.status.DataCalls++
	s.status.DataUp, s.status.LocalAddr = true, netip.Addr{}
	if link := c.Link(); link != nil {
		s.status.LocalAddr = link.LocalAddr()
	}
	s.publish(Event{Kind: EventDataUp})
	s.running.Go(func() {
		<-c.Done()
		err := c.Err()
		s.mu.Lock()
		if s.call == c {
			s.status.DataUp = false
		}
		s.mu.Unlock()
		s.log.Info("data call down", "err", err)
		s.publish(Event{Kind: EventDataDown, Err: err})
		if !c.Report().CommandMode {
			u.fail(err)
		}
	})
}
