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
	if err := d.cleanUp(ctx); err != nil {
		return err
	}
	if err := d.secure(ctx); err != nil {
		return err
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

// cleanUp closes the sockets of another run, by TLS and plain.
func (d quectel) cleanUp(ctx context.Context) error {
	for id := range d.limits().ids {
		if err := d.quiet(ctx, closeTimeout, "+QICLOSE=%d", id); err != nil {
			return err
		}
		if d.cfg.TLS == nil {
			continue
		}
		if err := d.quiet(ctx, closeTimeout, "+QSSLCLOSE=%d", id); err != nil {
			return err
		}
	}
	return nil
}

// secure writes the SSL context: "BG96 SSL AT Commands Manual" and "EC2x&EG9x
// SSL Application Note", QSSLCFG. The server name is sent where the firmware
// can. "checkhost" is of BG95 and later; without it the host is not looked at.
func (d quectel) secure(ctx context.Context) error {
	t := d.cfg.TLS
	if t == nil {
		return nil
	}
	if t.ServerName != "" {
		return t.lacks("for another name than the host that is dialled")
	}
	flag := map[bool]int{true: 1}
	commands := []string{
		fmt.Sprintf(`+QSSLCFG="sslversion",%d,4`, t.Profile), // any that both sides have
		fmt.Sprintf(`+QSSLCFG="ciphersuite",%d,0XFFFF`, t.Profile),
		fmt.Sprintf(`+QSSLCFG="seclevel",%d,%d`, t.Profile, flag[t.Verify != VerifyNothing]),
		fmt.Sprintf(`+QSSLCFG="ignorelocaltime",%d,%d`, t.Profile, flag[!t.CheckDates]),
	}
	if t.Verify != VerifyNothing {
		commands = append(commands, fmt.Sprintf(`+QSSLCFG="cacert",%d,"%s"`, t.Profile, t.CA))
	}
	if err := d.set(ctx, commands); err != nil {
		return err
	}
	if err := d.quiet(ctx, tlsAnswer, `+QSSLCFG="sni",%d,1`, t.Profile); err != nil {
		return err
	}
	_, err := d.run(ctx, tlsAnswer, `+QSSLCFG="checkhost",%d,%d`, t.Profile, flag[t.Verify == VerifyServer])
	switch {
	case err == nil || !refused(err):
		return err
	case t.Verify == VerifyServer:
		return fmt.Errorf("%w: VerifyChain is what it has: %w", t.lacks("whom a certificate is for"), err)
	}
	return nil
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
	if s.secure() {
		text = fmt.Sprintf(`+QSSLOPEN=%d,%d,%d,"%s",%d,0`, d.cfg.context(), d.cfg.TLS.Profile, s.id, s.host, s.port)
		name = "+QSSLOPEN"
	}
	return d.opened(ctx, s, text, name)
}

// listen opens what the manual calls a UDP service.
func (d quectel) listen(ctx context.Context, s *conn) error {
	return d.opened(ctx, s, fmt.Sprintf(`+QIOPEN=%d,%d,"UDP SERVICE","127.0.0.1",0,%d,0`, d.cfg.context(), s.id, s.port), "+QIOPEN")
}

// opened runs an opening and waits for its report.
func (d quectel) opened(ctx context.Context, s *conn, text, name string) error {
	_, err := d.c.Command(ctx, at.Command{Text: text, Timeout: orDuration(d.cfg.OpenTimeout, quectelActivate), Accept: noAnswer,
		Stages: []at.Stage{report(name, 1, s.id)}})
	return err
}

// command gives the name of a socket command, plain or by TLS.
func (d quectel) command(s *conn, plain, tls string) string {
	if s.secure() {
		return tls
	}
	return plain
}

// send is all or nothing: SEND FAIL is a full buffer.
func (d quectel) send(ctx context.Context, s *conn, p piece) (int, error) {
	text := fmt.Sprintf("%s=%d,%d", d.command(s, "+QISEND", "+QSSLSEND"), s.id, len(p.data))
	if p.addr.IsValid() {
		text += fmt.Sprintf(`,"%s",%d`, p.addr.Addr(), p.addr.Port())
	}
	_, err := d.c.Command(ctx, at.Command{
		Text:    text,
		Prompt:  d.prompt("", p.data, 0),
		Finals:  []string{"SEND OK"},
		Fails:   []string{"SEND FAIL"},
		Timeout: 60 * time.Second,
	})
	if err != nil {
		return 0, sendError(err)
	}
	return len(p.data), nil
}

// receive reads what there is; behind the length a UDP service has the sender.
func (d quectel) receive(ctx context.Context, s *conn, max int) (piece, error) {
	name := d.command(s, "+QIRD", "+QSSLRECV")
	res, err := d.c.Command(ctx, at.Command{Text: fmt.Sprintf("%s=%d,%d", name, s.id, max),
		Body: octets(name, 0), Timeout: quectelAnswer})
	line, data := block(res)
	return piece{data, sender(line, 1)}, gone(err)
}

// state reads the sixth field: 2 is connected. A UDP service is open as long as
// it is listed.
func (d quectel) state(ctx context.Context, s *conn) (state, error) {
	n, err := d.listed(ctx, s)
	switch {
	case err != nil || n == nil:
		return stateGone, err
	case n[5] == 2 || s.host == "":
		return stateOpen, nil
	}
	return stateClosed, nil
}

// listed are the fields about a socket in the modem's list, six at least; nil
// if it is not in there.
func (d quectel) listed(ctx context.Context, s *conn) ([]int, error) {
	res, err := d.run(ctx, quectelAnswer, "%s=1,%d", d.command(s, "+QISTATE", "+QSSLSTATE"), s.id)
	if err != nil {
		return nil, ignoreRefusal(err)
	}
	for _, info := range res.Info {
		_, fields, _ := strings.Cut(info.Text, ":")
		n, _ := numbers(":"+fields, "")
		if len(n) > 5 && n[0] == s.id {
			return n, nil
		}
	}
	return nil, nil
}

// held: a socket that the other side has closed stays in the list until it is
// closed here.
func (d quectel) held(ctx context.Context, s *conn) (bool, error) {
	n, err := d.listed(ctx, s)
	return n != nil, err
}

func (d quectel) close(ctx context.Context, s *conn) error {
	_, err := d.run(ctx, closeTimeout, "%s=%d", d.command(s, "+QICLOSE", "+QSSLCLOSE"), s.id)
	return err
}

func (quectel) notices() []string { return []string{"+QIURC", "+QSSLURC"} }

func (d quectel) notice(line string) notice {
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
		if n[0] == d.cfg.context() { // another context is not ours
			return notice{kind: noticeLost}
		}
	}
	return notice{}
}
