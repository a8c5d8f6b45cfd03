package socket

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/telemodem/telemodem/at"
)

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
	return s.establish(ctx, transport, host, int(port), s.driver.open)
}

// establish makes a socket of open, within the limits of ctx and the Stack.
func (s *Stack) establish(ctx context.Context, network, host string, port int, open opener) (*conn, error) {
	k, err := s.reserve(network, host, port)
	if err != nil {
		return nil, err
	}
	defer s.dials.Done()
	ctx, cancel := context.WithTimeout(ctx, orDuration(s.cfg.OpenTimeout, 120*time.Second))
	defer cancel()
	defer context.AfterFunc(s.opens, cancel)()
	if err := s.open(ctx, k, open); err != nil {
		if ended := s.Err(); ended != nil {
			return nil, ended
		}
		return nil, err
	}
	return k, nil
}

// opener is a driver's way to open a socket.
type opener func(ctx context.Context, k *conn) error

// reserve takes a free number, where it is ours to choose, and counts a dial.
func (s *Stack) reserve(network, host string, port int) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return nil, s.err
	}
	lim := s.driver.limits()
	k := newConn(s, network, host, port)
	if k.secure() && lim.secure > 0 && s.countSecureLocked() >= lim.secure {
		return nil, ErrNoSocket
	}
	if lim.ownIDs {
		s.dials.Add(1)
		return k, nil
	}
	for i := range lim.ids { // a number rests as long as others are free: late lines about its last socket may come
		id := (s.next + i) % lim.ids
		if s.sockets[id] == nil {
			k.id, s.next = id, id+1
			s.sockets[id] = k
			s.dials.Add(1)
			return k, nil
		}
	}
	return nil, ErrNoSocket
}

// countSecureLocked counts the connections by TLS.
func (s *Stack) countSecureLocked() (n int) {
	for _, k := range s.sockets {
		if k.secure() {
			n++
		}
	}
	return n
}

// adopt gives k the number that the modem has chosen. If another socket has it,
// that is gone at the modem.
func (s *Stack) adopt(k *conn, id int) {
	s.mu.Lock()
	before := s.sockets[id]
	k.id = id
	s.sockets[id] = k
	s.mu.Unlock()
	if before != nil {
		before.fail(ErrSocketGone)
	}
}

// has tells whether a number is in use by this Stack.
func (s *Stack) has(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sockets[id] != nil
}

// open opens k, and if that fails frees its number on both sides.
func (s *Stack) open(ctx context.Context, k *conn, open opener) error {
	err := open(ctx, k)
	s.mu.Lock()
	if err == nil && s.ending {
		err = s.err
	}
	if err == nil {
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
	s.mu.Unlock()
	k.fail(net.ErrClosed)
	if aside || !s.release(s.ctx, k) {
		s.releaseLater(k)
	}
}

// releaseLater closes k at the modem as soon as that takes the command, unless
// the Stack ends before, which closes all of them.
func (s *Stack) releaseLater(k *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	s.work.Go(func() {
		pause := firstReleasePause
		for !s.release(s.ctx, k) {
			select {
			case <-s.opens.Done():
				return
			case <-time.After(pause):
				pause = min(2*pause, lastReleasePause)
			}
		}
	})
}

// Pauses between attempts to close a socket of a modem that is busy.
const (
	firstReleasePause = time.Second
	lastReleasePause  = 30 * time.Second
)

// release closes k at the modem and frees its number, unless the modem does not
// confirm that.
func (s *Stack) release(ctx context.Context, k *conn) bool {
	if k.id >= 0 && !s.closeAtModem(ctx, k) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sockets[k.id] == k {
		delete(s.sockets, k.id)
	}
	return true
}

// closeAtModem closes k there and tells whether it is proven that the number is
// free. A refusal proves nothing by itself: there may be nothing to close, or
// the modem was busy.
func (s *Stack) closeAtModem(ctx context.Context, k *conn) bool {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	err := s.driver.close(ctx, k)
	switch {
	case err == nil, s.ctx.Err() != nil:
		return true
	case !refused(err) && !errors.Is(err, ErrRefused):
		return false
	}
	held, err := s.driver.held(ctx, k)
	return err == nil && !held
}

// holds tells whether the number of k is still in use for it.
func (s *Stack) holds(k *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sockets[k.id] == k
}
