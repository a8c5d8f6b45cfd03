package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/telemodem/telemodem/at"
)

// telitBook is what was found out about the modem, and what was sent and read so
// far. The modem counts too (#SI), so that it can be told what became of a
// command that failed.
//
// It needs no lock: start is over before all else begins, and for one socket
// open before the others; send alone changes sent and receive alone read, and
// neither is called twice at once.
type telitBook struct {
	// hexadecimal: the data of a send are digits and end by Ctrl-Z. So it is
	// where a bare NO CARRIER may come before the prompt: the engine takes that
	// for the result, and what it writes next would be sent if the entry did not
	// end by ESC.
	hexadecimal bool
	sockets     [telitSockets]telitTraffic
}

// telitTraffic is that of one socket since it was opened.
type telitTraffic struct {
	sent, read int            // octets
	refused    int            // sends in a row without a reason to be seen
	peer       netip.AddrPort // whose datagrams it takes; not set: anybody's
}

// traffic is what #SI tells of a socket since it was opened, in octets.
type traffic struct {
	sent, received, waiting, unacknowledged int
}

func (d telit) traffic(ctx context.Context, s *conn) (t traffic, known bool) {
	res, err := d.ask(ctx, s, telitAnswer, "#SI=%d", s.id+1)
	if err != nil {
		return t, false
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "#SI"); ok && len(n) > 4 && n[0] == s.id+1 {
			return traffic{n[1], n[2], n[3], n[4]}, true
		}
	}
	return t, false
}

// send gives a piece whose end the modem knows by its length, or in digits.
func (d telit) send(ctx context.Context, s *conn, p piece) (int, error) {
	name, size, to := "EXT", fmt.Sprintf(",%d", len(p.data)), ""
	prompt := d.prompt("", p.data, 0)
	if d.book.hexadecimal {
		name, size = "", ""
		prompt.Data, prompt.End, prompt.Fixed = fmt.Appendf(nil, "%X", p.data), []byte{ctrlZ}, false
	}
	if p.addr.IsValid() {
		name, to = "UDP"+name, fmt.Sprintf(`,"%s",%d`, p.addr.Addr(), p.addr.Port())
	}
	text := fmt.Sprintf("#SSEND%s=%d%s%s", name, s.id+1, size, to)
	_, err := d.c.Command(ctx, at.Command{Text: text, Prompt: prompt, Timeout: telitSend})
	if err == nil {
		book := &d.book.sockets[s.id]
		book.sent, book.refused = book.sent+len(p.data), 0
		return len(p.data), nil
	}
	if !refused(err) {
		return 0, err
	}
	return d.weighSend(ctx, s, len(p.data), err)
}

const ctrlZ = 0x1a // ends an entry

// weighSend asks what became of a piece that the modem refused: how much of it
// it counts as sent, and whether what was sent before is in the way.
func (d telit) weighSend(ctx context.Context, s *conn, size int, cause error) (int, error) {
	torn := interrupted(s, cause)
	now, known := d.traffic(ctx, s)
	book := &d.book.sockets[s.id]
	taken := now.sent - book.sent
	switch {
	case known && taken > 0 && taken <= size:
		book.sent, book.refused = now.sent, 0
		return taken, nil
	case known && taken == 0 && d.isOpen(ctx, s):
		if torn || now.unacknowledged > 0 || wrote(cause) {
			book.refused = 0
			return 0, errLater
		}
		if book.refused++; s.network != "udp" && book.refused < telitTries { // what was in the way may be gone by now
			return 0, errLater
		}
		return 0, gone(cause)
	case torn:
		return 0, fmt.Errorf("%w: %w: %s", ErrSendFailed, errTelitInterrupted, cause.Error())
	}
	return 0, gone(cause)
}

// wrote tells whether the data of a command reached the line.
func wrote(err error) bool {
	var cmd *at.CommandError
	return errors.As(err, &cmd) && cmd.Progress == at.DataWritten
}

func (d telit) isOpen(ctx context.Context, s *conn) bool {
	now, err := d.state(ctx, s)
	return err == nil && now == stateOpen
}

// receive reads what has come. Of datagrams it reads one that is from the peer,
// if there is only one; what of it is longer than max is lost. Strangers could
// send for ever, so that it looks whether the socket ends.
func (d telit) receive(ctx context.Context, s *conn, max int) (piece, error) {
	if s.network != "udp" {
		p, _, err := d.read(ctx, s, fmt.Sprintf("#SRECV=%d,%d", s.id+1, max), 1)
		return p, err
	}
	text := fmt.Sprintf("#SRECV=%d,%d,1", s.id+1, max) // with the sender, and datagram by datagram
	peer := d.book.sockets[s.id].peer
	for {
		p, left, err := d.read(ctx, s, text, 3)
		for err == nil && left > 0 && !s.isClosing() {
			_, left, err = d.read(ctx, s, text, 3)
		}
		if err != nil || len(p.data) == 0 || !peer.IsValid() || p.addr == peer || s.isClosing() {
			if s.host != "" {
				p.addr = netip.AddrPort{}
			}
			return p, err
		}
	}
}

// read is #SRECV: field i of the line is how many octets follow, and for
// datagrams the one behind how many more it has.
func (d telit) read(ctx context.Context, s *conn, text string, i int) (p piece, left int, err error) {
	res, err := d.c.Command(ctx, at.Command{Text: text, Body: octets("#SRECV", i), Timeout: telitAnswer})
	if err != nil {
		return piece{}, 0, d.weighRead(ctx, s, err)
	}
	line, data := block(res)
	if data == nil {
		return piece{}, 0, telitDead(res, i)
	}
	d.book.sockets[s.id].read += len(data)
	if n, _ := numbers(line, "#SRECV"); i > 1 && len(n) > i+1 {
		left = n[i+1]
	}
	if i > 1 {
		p.addr = sender(line, 0)
	}
	p.data = data
	return p, left, nil
}

// telitDead: ME310 has a socket that is dead answer with a length of -1, as a
// number without a sign (Telit's own driver for it).
func telitDead(res at.Response, i int) error {
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "#SRECV"); ok && len(n) > i && (n[i] < 0 || n[i] > maxBlock) {
			return errors.Join(ErrSocketGone, at.ResultError{Result: info.Text})
		}
	}
	return nil
}

// weighRead: nothing to read is a refusal, too (public drivers ask #SI before,
// or take it so). A read that was interrupted has lost what the modem counts
// and we have not got. Whether it counts what waits is not settled: an example in
// the ME910C1 guide (#SSENDUDP) says no. What cannot be told counts as lost.
func (d telit) weighRead(ctx context.Context, s *conn, cause error) error {
	if !refused(cause) {
		return cause
	}
	torn := interrupted(s, cause)
	if !torn && temporary(cause) {
		return gone(cause)
	}
	now, known := d.traffic(ctx, s)
	switch {
	case torn && known && now.received == d.book.sockets[s.id].read:
		return errLater
	case torn:
		return fmt.Errorf("%w: what was read with it is lost: %s", errTelitInterrupted, cause.Error())
	case known && now.waiting == 0:
		return nil
	}
	return gone(cause)
}
