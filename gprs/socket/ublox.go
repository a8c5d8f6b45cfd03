package socket

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// ublox is the dialect of SARA-R4, R5 and LARA-R6: UBX-17003787, with binary
// transfers.
type ublox struct{ wire }

func newUBlox(c at.Commander, cfg *Config) driver { return ublox{wire{c, cfg}} }

func (ublox) limits() limits { return limits{ids: 7, send: 1024, receive: 1024, ownIDs: true} }

const (
	ubloxAnswer  = 10 * time.Second
	ubloxConnect = 120 * time.Second
	ubloxGap     = 50 * time.Millisecond // between the @ and the data
)

// start closes the sockets of another run. The context is that of the packet
// service, which a Radio or a session has attached.
func (d ublox) start(ctx context.Context) error {
	apn, _, _, err := d.credentials()
	if err != nil {
		return err
	}
	if d.cfg.APN != "" {
		if err := d.quiet(ctx, ubloxAnswer, `+CGDCONT=%d,"IP",%s`, d.cfg.context(), apn); err != nil {
			return err
		}
	}
	for id := range d.limits().ids {
		if err := d.quiet(ctx, closeTimeout, "+USOCL=%d", id); err != nil {
			return err
		}
	}
	return nil
}

// stop has nothing to do: on LTE the last context cannot be deactivated.
func (ublox) stop(context.Context) error { return nil }

func (d ublox) open(ctx context.Context, s *conn) error {
	protocol := 6
	if s.network == "udp" {
		protocol = 17
	}
	res, err := d.run(ctx, ubloxAnswer, "+USOCR=%d", protocol)
	if err != nil {
		if refused(err) {
			return fmt.Errorf("%w: %w", ErrNoSocket, err)
		}
		return err
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+USOCR"); ok && n[0] >= 0 && n[0] < d.limits().ids {
			s.id = n[0]
		}
	}
	if s.id < 0 {
		return fmt.Errorf("%w: +USOCR gave no number", ErrRefused)
	}
	if d.cfg.TLS && s.network == "tcp" {
		if _, err := d.run(ctx, ubloxAnswer, "+USOSEC=%d,1,0", s.id); err != nil {
			return err
		}
	}
	_, err = d.run(ctx, orDuration(d.cfg.OpenTimeout, ubloxConnect), `+USOCO=%d,"%s",%d`, s.id, s.host, s.port)
	if err != nil && refused(err) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// send tells what was taken; without a word about it nothing was.
func (d ublox) send(ctx context.Context, s *conn, p []byte) (int, error) {
	res, err := d.c.Command(ctx, at.Command{
		Text:    fmt.Sprintf("+USOWR=%d,%d", s.id, len(p)),
		Prompt:  d.prompt("@", p, ubloxGap),
		Timeout: 60 * time.Second,
	})
	if err != nil {
		return 0, gone(err)
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+USOWR"); ok && len(n) > 1 && n[0] == s.id && n[1] >= 0 && n[1] <= len(p) {
			return n[1], nil
		}
	}
	return 0, nil
}

// receive reads a counted block between quotes.
func (d ublox) receive(ctx context.Context, s *conn, max int) ([]byte, error) {
	name, field := "+USORD", 1
	if s.network == "udp" {
		name, field = "+USORF", 3
	}
	res, err := d.c.Command(ctx, at.Command{
		Text:    fmt.Sprintf("%s=%d,%d", name, s.id, max),
		Timeout: ubloxAnswer,
		Body: func(line string) at.Body {
			n, ok := numbers(strings.TrimSuffix(line, `,"`), name)
			if !ok || !strings.HasSuffix(line, `,"`) || len(n) != field+1 || n[field] <= 0 || n[field] > maxBlock {
				return at.Body{}
			}
			return at.Body{Octets: n[field], Quoted: true}
		},
	})
	return body(res), gone(err)
}

// alive reads the TCP state: 4 is established (the manual's table of +USOCTL).
// Datagrams have no state.
func (d ublox) alive(ctx context.Context, s *conn) (bool, error) {
	if s.network == "udp" {
		return true, nil
	}
	res, err := d.run(ctx, ubloxAnswer, "+USOCTL=%d,10", s.id)
	if err != nil {
		return false, ignoreRefusal(err)
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+USOCTL"); ok && len(n) > 2 {
			return n[2] == 4, nil
		}
	}
	return false, nil
}

// ignoreRefusal makes a refusal an answer: the socket is gone.
func ignoreRefusal(err error) error {
	if refused(err) {
		return nil
	}
	return err
}

func (d ublox) close(ctx context.Context, s *conn) error {
	_, err := d.run(ctx, closeTimeout, "+USOCL=%d", s.id)
	return err
}

func (ublox) notices() []string { return []string{"+UUSORD", "+UUSORF", "+UUSOCL", "+UUPSDD"} }

func (ublox) notice(line string) notice {
	for name, kind := range map[string]noticeKind{"+UUSORD": noticeData, "+UUSORF": noticeData, "+UUSOCL": noticeClosed} {
		if n, ok := numbers(line, name); ok && n[0] >= 0 {
			return notice{kind, n[0]}
		}
	}
	if strings.HasPrefix(line, "+UUPSDD") {
		return notice{kind: noticeLost}
	}
	return notice{}
}
