package socket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// sim800 is the dialect of SIM800 Series AT Command Manual V1.12, chapter 8, in
// multi-connection mode with pull reads and quick sends.
type sim800 struct {
	wire
	noSenders
}

func newSIM800(c at.Commander, cfg *Config) driver { return sim800{wire: wire{c, cfg}} }

func (sim800) limits() limits { return limits{ids: 6, secure: 1, send: 1460, receive: 1460} }

// Limits of SIM800 (manual, chapter 8, "Maximum Response Time").
const (
	sim800Shut   = 65 * time.Second
	sim800Attach = 75 * time.Second
	sim800Bring  = 85 * time.Second
	sim800Send   = 60 * time.Second
	sim800Answer = 10 * time.Second
)

func (d sim800) stop(ctx context.Context) error {
	_, err := d.c.Command(ctx, at.Command{Text: "+CIPSHUT", Finals: []string{"SHUT OK"}, Timeout: sim800Shut})
	return err
}

// start climbs the manual's state machine from IP INITIAL. A failed activation
// is begun anew once.
func (d sim800) start(ctx context.Context) error {
	switch t := d.cfg.TLS; {
	case t == nil:
	case t.Verify != VerifyNothing:
		return t.lacks(t.Verify.String() + ": of SIM800 no more is known than that it encrypts, which is VerifyNothing")
	case t.CheckDates:
		return t.lacks("dates")
	}
	err := d.bringUp(ctx)
	if err != nil && refused(err) {
		err = d.bringUp(ctx)
	}
	return err
}

func (d sim800) bringUp(ctx context.Context) error {
	apn, user, password, err := d.credentials()
	if err != nil {
		return err
	}
	if err := d.stop(ctx); err != nil {
		return err
	}
	if _, err := d.run(ctx, sim800Attach, "+CGATT=1"); err != nil {
		return err
	}
	for _, text := range []string{"+CIPMUX=1", "+CIPQSEND=1", "+CIPRXGET=1"} {
		if _, err := d.run(ctx, sim800Answer, "%s", text); err != nil {
			return err
		}
	}
	if err := d.secure(ctx); err != nil {
		return err
	}
	task := at.Command{Text: "+CSTT=" + apn + "," + user + "," + password, Sensitive: true, Timeout: sim800Answer}
	if _, err := d.c.Command(ctx, task); err != nil {
		return err
	}
	if _, err := d.run(ctx, sim800Bring, "+CIICR"); err != nil {
		return err
	}
	// Without the second command there would be no OK.
	_, err = d.c.Command(ctx, at.Command{Text: "+CIFSR;E0", FreeText: true, Timeout: sim800Answer})
	return err
}

// secure turns TLS on, or off if a former run has left it on: SIM900 has no
// command for it.
func (d sim800) secure(ctx context.Context) error {
	if d.cfg.TLS != nil {
		_, err := d.run(ctx, sim800Answer, "+CIPSSL=1")
		return err
	}
	return d.quiet(ctx, sim800Answer, "+CIPSSL=0")
}

func (d sim800) open(ctx context.Context, s *conn) error {
	id := s.id
	_, err := d.c.Command(ctx, at.Command{
		Text:    fmt.Sprintf(`+CIPSTART=%d,"%s","%s",%d`, id, strings.ToUpper(s.network), s.host, s.port),
		Timeout: orDuration(d.cfg.OpenTimeout, 120*time.Second),
		Stages: []at.Stage{{Match: func(line string) (bool, error) {
			word, ok := strings.CutPrefix(line, fmt.Sprintf("%d, ", id))
			switch {
			case !ok:
				return false, nil
			case word == "CONNECT OK":
				return true, nil
			case word == "CONNECT FAIL", word == "ALREADY CONNECT":
				return true, fmt.Errorf("%w: %s", ErrRefused, word)
			}
			return false, nil
		}}},
	})
	return err
}

// send uses the quick mode, whose result tells how much was taken.
func (d sim800) send(ctx context.Context, s *conn, p piece) (int, error) {
	res, err := d.c.Command(ctx, at.Command{
		Text:    fmt.Sprintf("+CIPSEND=%d,%d", s.id, len(p.data)),
		Prompt:  d.prompt("", p.data, 0),
		Finals:  []string{"DATA ACCEPT:"},
		Fails:   []string{fmt.Sprintf("%d, SEND FAIL", s.id)},
		Timeout: sim800Send,
	})
	if err != nil {
		return 0, sendError(err)
	}
	n, ok := numbers(res.Final, "DATA ACCEPT")
	if !ok || len(n) < 2 || n[0] != s.id || n[1] < 0 || n[1] > len(p.data) {
		return 0, fmt.Errorf("%w: the answer was %q", ErrSendFailed, res.Final)
	}
	return n[1], nil
}

// sendError tells a refusal for now from one for good.
func sendError(err error) error {
	var result at.ResultError
	if errors.As(err, &result) && strings.HasSuffix(result.Result, "SEND FAIL") {
		return errLater
	}
	return gone(err)
}

func (d sim800) receive(ctx context.Context, s *conn, max int) (piece, error) {
	return rxGet(ctx, d.c, s, max)
}

// rxGet is AT+CIPRXGET=2 of both SIMCom dialects. A notice of the same name
// for another socket may stand before the answer: the mode tells them apart.
func rxGet(ctx context.Context, c at.Commander, s *conn, max int) (piece, error) {
	res, err := c.Command(ctx, at.Command{
		Text: fmt.Sprintf("+CIPRXGET=2,%d,%d", s.id, max),
		Accept: func(line string) bool {
			n, _ := numbers(line, "+CIPRXGET")
			return len(n) >= 3 && n[0] == 2 && n[1] == s.id
		},
		Body:    octets("+CIPRXGET", 2),
		Timeout: sim800Answer,
	})
	_, data := block(res)
	return piece{data: data}, gone(err)
}

// sim800States are the states of a connection (manual, +CIPSTATUS) that say
// more than that there is none.
var sim800States = map[string]state{
	`"CONNECTED"`: stateOpen, `"REMOTE CLOSING"`: stateClosed, `"CLOSING"`: stateClosed, `"CLOSED"`: stateClosed,
}

func (d sim800) state(ctx context.Context, s *conn) (state, error) {
	word, err := d.status(ctx, s)
	return sim800States[word], err
}

// status is the modem's word for the state of a connection; none if it has
// nothing to say about it.
func (d sim800) status(ctx context.Context, s *conn) (string, error) {
	res, err := d.run(ctx, sim800Answer, "+CIPSTATUS=%d", s.id)
	if err != nil {
		return "", ignoreRefusal(err)
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+CIPSTATUS"); ok && n[0] == s.id {
			return info.Text[strings.LastIndexByte(info.Text, ',')+1:], nil
		}
	}
	return "", nil
}

// held: the manual's other states are CONNECTING, CONNECTED, REMOTE CLOSING and
// CLOSING.
func (d sim800) held(ctx context.Context, s *conn) (bool, error) {
	word, err := d.status(ctx, s)
	return word != "" && word != `"INITIAL"` && word != `"CLOSED"`, err
}

// close is slow on purpose: the quick form would drop what the peer has not
// acknowledged yet.
func (d sim800) close(ctx context.Context, s *conn) error {
	_, err := d.c.Command(ctx, at.Command{Text: fmt.Sprintf("+CIPCLOSE=%d,0", s.id),
		Finals: []string{fmt.Sprintf("%d, CLOSE OK", s.id)}, Timeout: closeTimeout})
	return err
}

func (sim800) notices() []string {
	list := []string{"+CIPRXGET", "+PDP"}
	for id := range 6 {
		list = append(list, fmt.Sprintf("%d, CLOSED", id))
	}
	return list
}

func (sim800) notice(line string) notice {
	if n, ok := numbers(line, "+CIPRXGET"); ok && len(n) == 2 && n[0] == 1 && n[1] >= 0 {
		return notice{noticeData, n[1]}
	}
	if strings.HasPrefix(line, "+PDP") {
		return notice{kind: noticeLost}
	}
	if strings.HasSuffix(line, ", CLOSED") && line[0] >= '0' && line[0] <= '5' {
		return notice{noticeClosed, int(line[0] - '0')}
	}
	return notice{}
}
