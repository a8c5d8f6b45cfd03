package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// telit is the dialect of Telit's "IP Easy", in command mode with pull reads.
// Sources: "LE910 V2 Series AT Commands" 80446ST10707A, "ME910C1 AT Commands
// Reference Guide" 80529ST10815A and "ME310G1/ME910G1/ML865G1 AT Commands
// Reference Guide" 80617ST10991A, called the manuals below; and public drivers
// for LE910 (Waspmote 4G), ME910 and ME310 (mbed-os), HE910 (openxc) and GL865.
//
// The modem numbers its sockets from 1, the Stack from 0.
type telit struct {
	wire
	book *telitBook
}

func newTelit(c at.Commander, cfg *Config) driver {
	return telit{wire{c, cfg}, new(telitBook)}
}

// Six sockets, 1 to 1,500 octets in a piece: manuals, #SRECV and #SSENDUDPEXT.
// #SSEND takes 1,024 characters (LE910-SKG AT commands reference guide
// 80437ST10619A), which are 512 octets in hexadecimal.
func (d telit) limits() limits {
	lim := limits{ids: telitSockets, send: 1500, receive: 1500}
	if d.book.hexadecimal {
		lim.send = 512
	}
	return lim
}

const telitSockets = 6

const (
	telitAnswer   = 10 * time.Second
	telitActivate = 150 * time.Second // a public driver for GL865
	telitConnect  = 120 * time.Second // #SCFG <connTo>: 1,200 tenths of a second at most
	telitNames    = 20 * time.Second  // the same driver: what resolving a name adds to <connTo>
	telitSend     = 60 * time.Second
)

// start closes what another run left, sets the sockets, defines the context and
// activates it. The sockets come first: a context that none is for cannot be
// activated (MultiTech's HSPA+ AT Commands Reference Guide, #SGACT, for a modem
// of Telit's make). A failed activation is
// cured by a deactivation, once.
func (d telit) start(ctx context.Context) error {
	if d.cfg.TLS != nil {
		return fmt.Errorf("%w: TLS inside a Telit modem; use crypto/tls over its sockets", errors.ErrUnsupported)
	}
	apn, user, password, err := d.credentials()
	if err != nil {
		return err
	}
	for id := 1; id <= telitSockets; id++ {
		if _, err := d.ask(ctx, nil, closeTimeout, "#SH=%d", id); err != nil && !refused(err) {
			return err
		}
	}
	if err := d.configure(ctx); err != nil {
		return err
	}
	if d.cfg.APN != "" {
		if _, err := d.ask(ctx, nil, telitAnswer, `+CGDCONT=%d,"IP",%s`, d.cfg.context(), apn); err != nil {
			return err
		}
	}
	if active, _, err := d.active(ctx, nil); err != nil || active {
		return err
	}
	text := fmt.Sprintf("#SGACT=%d,1", d.cfg.context())
	if d.cfg.User != "" {
		text += "," + user + "," + password
	}
	activate := at.Command{Text: text, Sensitive: true, Timeout: telitActivate}
	if _, err = d.c.Command(ctx, activate); err == nil || !refused(err) {
		return err
	}
	if err := d.stop(ctx); err != nil && !refused(err) {
		return err
	}
	_, err = d.c.Command(ctx, activate)
	return err
}

// active reads the list of #SGACT?: context, state. lost says that the modem
// has said that the context is not active, and not just nothing.
func (d telit) active(ctx context.Context, s *conn) (active, lost bool, err error) {
	res, err := d.ask(ctx, s, telitAnswer, "#SGACT?")
	if err != nil {
		return false, false, ignoreRefusal(err)
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "#SGACT"); ok && len(n) > 1 && n[0] == d.cfg.context() {
			return n[1] == 1, n[1] == 0, nil
		}
	}
	return false, false, nil
}

// stop deactivates the context. It may be done although it is refused: by a
// try whose answer was not heard, or by the network.
func (d telit) stop(ctx context.Context) error {
	_, err := d.ask(ctx, nil, telitActivate, "#SGACT=%d,0", d.cfg.context())
	if err == nil || !refused(err) {
		return err
	}
	if _, lost, unknown := d.active(ctx, nil); unknown == nil && lost {
		return nil
	}
	return err
}

// open connects in command mode: OK comes when the connection is up. For
// datagrams the peer is kept, since the modem passes on those of others.
func (d telit) open(ctx context.Context, s *conn) error {
	protocol, local := 0, uint64(0)
	if s.network == "udp" {
		protocol, local = 1, s.s.somePort()
	}
	if err := d.dial(ctx, s, fmt.Sprintf(`%d,%d,"%s",0,%d,1`, protocol, s.port, s.host, local)); err != nil {
		return err
	}
	if s.network == "udp" {
		d.book.sockets[s.id].peer = d.peer(ctx, s)
	}
	return nil
}

// listen opens a socket to nobody, which hears everybody at its port and sends
// by #SSENDUDPEXT. So mbed-os has it for ME910 and ME310; that other families
// do the same is not known.
func (d telit) listen(ctx context.Context, s *conn) error {
	return d.dial(ctx, s, fmt.Sprintf(`1,1,"127.0.0.1",0,%d,1`, s.port))
}

// dial opens a socket by #SD: protocol, port, host, what closes it (0, the
// other side too), local port, command mode.
func (d telit) dial(ctx context.Context, s *conn, parameters string) error {
	d.book.sockets[s.id] = telitTraffic{}
	_, err := d.c.Command(ctx, at.Command{Text: fmt.Sprintf("#SD=%d,%s", s.id+1, parameters), Timeout: d.openTimeout()})
	if err == nil || !refused(err) {
		return err
	}
	if interrupted(s, err) && d.isUp(ctx, s) {
		return nil
	}
	if _, lost, unknown := d.active(ctx, s); unknown == nil && lost {
		s.s.lose(ErrContextLost)
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// States of #SS that a socket has on the way to a connection.
const (
	telitResolving  = 6
	telitConnecting = 7
)

// isUp tells whether a connection comes up whose dial was answered by the word
// that a socket was closed: that may have been another one. The modem may be busy
// with connecting and not answer meanwhile.
func (d telit) isUp(ctx context.Context, s *conn) bool {
	for ctx.Err() == nil {
		line, err := d.status(ctx, s)
		n, ok := numbers(line, "#SS")
		switch {
		case err == nil && ok && n[1] >= 1 && n[1] <= 3:
			return true
		case err == nil && (!ok || n[1] != telitResolving && n[1] != telitConnecting), err != nil && refused(err):
			return false
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	return false
}

func (d telit) openTimeout() time.Duration { return orDuration(d.cfg.OpenTimeout, telitConnect) }

// peer asks for the address that a name has given.
func (d telit) peer(ctx context.Context, s *conn) netip.AddrPort {
	line, err := d.status(ctx, s)
	if err != nil {
		return netip.AddrPort{}
	}
	if addr := sender(line, 4); addr.IsValid() && !addr.Addr().IsUnspecified() {
		return addr
	}
	return netip.AddrPort{}
}

// status is the line of #SS about a socket: number, state, local address and
// port, remote address and port. Not every family takes the number as a
// parameter, all list the six without one.
func (d telit) status(ctx context.Context, s *conn) (string, error) {
	res, err := d.ask(ctx, s, telitAnswer, "#SS")
	if err != nil {
		return "", err
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "#SS"); ok && len(n) > 1 && n[0] == s.id+1 {
			return info.Text, nil
		}
	}
	return "", nil
}

// state: 0 is closed, 4 listens, which none of ours does; 1 to 3 are connected,
// 6 and 7 on the way to it (manuals, #SS).
func (d telit) state(ctx context.Context, s *conn) (state, error) {
	line, err := d.status(ctx, s)
	if err != nil {
		return stateGone, ignoreRefusal(err)
	}
	n, ok := numbers(line, "#SS")
	switch {
	case !ok || n[1] < 0 || n[1] == 4:
		return stateGone, nil
	case n[1] == 0:
		return d.ended(ctx, s)
	}
	return stateOpen, nil
}

// Causes of #SLASTCLOSURE (manuals).
const telitClosedByPeer = 1 // by a FIN; 0 is none, 2 an abort, 3 a time-out, 4 the network

// ended asks why a socket has closed. That the context is gone is told by
// nothing else. Firmware without the question does not tell a peer that closes
// from one that aborts.
func (d telit) ended(ctx context.Context, s *conn) (state, error) {
	cause, known := -1, true
	res, err := d.ask(ctx, s, telitAnswer, "#SLASTCLOSURE=%d", s.id+1)
	if err != nil {
		if err = ignoreRefusal(err); err != nil {
			return stateGone, err
		}
		known = false
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "#SLASTCLOSURE"); ok && len(n) > 1 && n[0] == s.id+1 {
			cause = n[1]
		}
	}
	if cause == telitClosedByPeer {
		return stateClosed, nil
	}
	switch _, lost, err := d.active(ctx, s); {
	case err != nil:
		return stateGone, err
	case lost:
		s.s.lose(ErrContextLost)
	case !known:
		return stateClosed, nil
	}
	return stateGone, nil
}

func (d telit) close(ctx context.Context, s *conn) error {
	_, err := d.ask(ctx, s, closeTimeout, "#SH=%d", s.id+1)
	return err
}

func (d telit) held(ctx context.Context, s *conn) (bool, error) {
	line, err := d.status(ctx, s)
	if err != nil {
		return false, ignoreRefusal(err)
	}
	n, ok := numbers(line, "#SS")
	return ok && n[1] != 0, nil
}

func (telit) notices() []string { return []string{"SRING", "NO CARRIER"} }

// notice: why a socket has closed, and whether it has, is to be asked. Without
// #SCFGEXT2 the modem does not even say which one it was.
func (telit) notice(line string) notice {
	if n, ok := numbers(line, "SRING"); ok && n[0] >= 1 {
		return notice{noticeData, n[0] - 1}
	}
	if n, ok := numbers(line, "NO CARRIER"); ok && n[0] >= 1 {
		return notice{noticeAsk, n[0] - 1}
	}
	if strings.TrimSpace(line) == telitNoCarrier {
		return notice{kind: noticeAskAll}
	}
	return notice{}
}
