package socket

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// quectel is the dialect of "BG96 TCP/IP AT Commands Manual" and of EC2x and
// EC200U, with buffered access.
type quectel struct{ wire }

func newQuectel(c at.Commander, cfg *Config) driver { return quectel{wire{c, cfg}} }

func (quectel) limits() limits { return limits{ids: 12, send: 1460, receive: 1500} }

// Limits of the manuals.
const (
	quectelActivate = 150 * time.Second
	quectelStop     = 40 * time.Second
	quectelAnswer   = 10 * time.Second
)

// start closes what another run left, defines the context and activates it. A
// failed activation is cured by a deactivation, once.
func (d quectel) start(ctx context.Context) error {
	apn, user, password, err := d.credentials()
	if err != nil {
		return err
	}
	for id := range d.limits().ids {
		if err := d.quiet(ctx, quectelAnswer, "+QICLOSE=%d", id); err != nil {
			return err
		}
	}
	auth := 0
	if d.cfg.User != "" {
		auth = 3 // PAP or CHAP, as the network likes
	}
	define := at.Command{Sensitive: true, Timeout: quectelAnswer,
		Text: fmt.Sprintf("+QICSGP=%d,1,%s,%s,%s,%d", d.cfg.context(), apn, user, password, auth)}
	if _, err := d.c.Command(ctx, define); err != nil {
		return err
	}
	if active, err := d.isActive(ctx); err != nil || active {
		return err
	}
	_, err = d.run(ctx, quectelActivate, "+QIACT=%d", d.cfg.context())
	if err != nil && refused(err) {
		if err := d.stop(ctx); err != nil && !refused(err) {
			return err
		}
		_, err = d.run(ctx, quectelActivate, "+QIACT=%d", d.cfg.context())
	}
	return err
}

func (d quectel) isActive(ctx context.Context) (bool, error) {
	res, err := d.run(ctx, quectelAnswer, "+QIACT?")
	if err != nil && !refused(err) {
		return false, err
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+QIACT"); ok && len(n) > 1 && n[0] == d.cfg.context() {
			return n[1] == 1, nil
		}
	}
	return false, nil
}

func (d quectel) stop(ctx context.Context) error {
	_, err := d.run(ctx, quectelStop, "+QIDEACT=%d", d.cfg.context())
	return err
}

func (d quectel) open(ctx context.Context, s *conn) error {
	text := fmt.Sprintf(`+QIOPEN=%d,%d,"%s","%s",%d,0,0`, d.cfg.context(), s.id, strings.ToUpper(s.network), s.host, s.port)
	name := "+QIOPEN"
	if d.cfg.TLS && s.network == "tcp" {
		text = fmt.Sprintf(`+QSSLOPEN=%d,1,%d,"%s",%d,0`, d.cfg.context(), s.id, s.host, s.port)
		name = "+QSSLOPEN"
	}
	_, err := d.c.Command(ctx, at.Command{Text: text, Timeout: orDuration(d.cfg.OpenTimeout, quectelActivate),
		Stages: []at.Stage{report(name, 1, s.id)}})
	return err
}

// command gives the name of a socket command, plain or by TLS.
func (d quectel) command(s *conn, plain, tls string) string {
	if d.cfg.TLS && s.network == "tcp" {
		return tls
	}
	return plain
}

// send is all or nothing: SEND FAIL is a full buffer.
func (d quectel) send(ctx context.Context, s *conn, p []byte) (int, error) {
	_, err := d.c.Command(ctx, at.Command{
		Text:    fmt.Sprintf("%s=%d,%d", d.command(s, "+QISEND", "+QSSLSEND"), s.id, len(p)),
		Prompt:  d.prompt("", p, 0),
		Finals:  []string{"SEND OK"},
		Fails:   []string{"SEND FAIL"},
		Timeout: 60 * time.Second,
	})
	if err != nil {
		return 0, sendError(err)
	}
	return len(p), nil
}

func (d quectel) receive(ctx context.Context, s *conn, max int) ([]byte, error) {
	name := d.command(s, "+QIRD", "+QSSLRECV")
	res, err := d.c.Command(ctx, at.Command{Text: fmt.Sprintf("%s=%d,%d", name, s.id, max),
		Body: octets(name, 0), Timeout: quectelAnswer})
	return body(res), gone(err)
}

// alive reads the sixth field of the state: 2 is connected.
func (d quectel) alive(ctx context.Context, s *conn) (bool, error) {
	res, err := d.run(ctx, quectelAnswer, "%s=1,%d", d.command(s, "+QISTATE", "+QSSLSTATE"), s.id)
	if err != nil {
		return false, err
	}
	for _, info := range res.Info {
		_, fields, _ := strings.Cut(info.Text, ":")
		n, _ := numbers(":"+fields, "")
		if len(n) > 5 && n[0] == s.id {
			return n[5] == 2, nil
		}
	}
	return false, nil
}

func (d quectel) close(ctx context.Context, s *conn) error {
	_, err := d.run(ctx, closeTimeout, "%s=%d", d.command(s, "+QICLOSE", "+QSSLCLOSE"), s.id)
	return err
}

func (quectel) notices() []string { return []string{"+QIURC", "+QSSLURC"} }

func (quectel) notice(line string) notice {
	_, rest, _ := strings.Cut(line, ":")
	word, rest, _ := strings.Cut(strings.TrimSpace(rest), ",")
	n, _ := numbers(":"+rest, "")
	if len(n) == 0 || n[0] < 0 {
		return notice{}
	}
	switch word {
	case `"recv"`:
		return notice{noticeData, n[0]}
	case `"closed"`:
		return notice{noticeClosed, n[0]}
	case `"pdpdeact"`:
		return notice{kind: noticeLost}
	}
	return notice{}
}
