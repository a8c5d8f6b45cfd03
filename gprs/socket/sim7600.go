package socket

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// sim7600 is the dialect of "SIM7500_SIM7600 Series TCPIP Application Note",
// with pull reads.
type sim7600 struct {
	wire
	noSenders
}

func newSIM7600(c at.Commander, cfg *Config) driver { return sim7600{wire: wire{c, cfg}} }

// Sends of more than 1,400 octets fail in practice, though the note says 1,500.
func (sim7600) limits() limits { return limits{ids: 10, send: 1400, receive: 1500} }

// sim7600Answer bounds what has no limit of its own in the note.
const sim7600Answer = 15 * time.Second

// report makes a Stage that waits for name: <fields>, of which field i is 0
// for success, and the others are as given.
func report(name string, i int, want ...int) at.Stage {
	return at.Stage{Match: func(line string) (bool, error) {
		n, ok := numbers(line, name)
		if !ok || len(n) <= i {
			return false, nil
		}
		for at, w := range want {
			if n[at] != w {
				return false, nil
			}
		}
		if n[i] != 0 {
			return true, fmt.Errorf("%w: error %d", ErrRefused, n[i])
		}
		return true, nil
	}}
}

// start opens the network; one that another run has left open is closed first,
// and its sockets with it. A network that does not open is closed and opened
// once more.
func (d sim7600) start(ctx context.Context) error {
	if d.cfg.TLS != nil {
		return fmt.Errorf("%w: TLS inside a SIM7600; use crypto/tls over its sockets", errors.ErrUnsupported)
	}
	open, err := d.isOpen(ctx)
	if err != nil {
		return err
	}
	if open {
		if err := d.stop(ctx); err != nil {
			return err
		}
	}
	if err := d.configure(ctx); err != nil {
		return err
	}
	err = d.netOpen(ctx)
	if err == nil || !refused(err) && !errors.Is(err, ErrRefused) {
		return err
	}
	if err := d.stop(ctx); err != nil {
		return err
	}
	return d.netOpen(ctx)
}

// configure asks for numeric errors, synchronous sends and pull reads.
func (d sim7600) configure(ctx context.Context) error {
	apn, _, _, err := d.credentials()
	if err != nil {
		return err
	}
	if d.cfg.APN != "" {
		if _, err := d.run(ctx, sim7600Answer, `+CGDCONT=%d,"IP",%s`, d.cfg.context(), apn); err != nil {
			return err
		}
	}
	for _, text := range []string{"+CIPMODE=0", "+CIPSENDMODE=0", "+CIPCCFG=10,0,0,0,1,0,75000", "+CIPTIMEOUT=75000,15000,15000", "+CIPRXGET=1"} {
		if err := d.quiet(ctx, sim7600Answer, "%s", text); err != nil {
			return err
		}
	}
	return nil
}

func (d sim7600) netOpen(ctx context.Context) error {
	_, err := d.c.Command(ctx, at.Command{Text: "+NETOPEN", Timeout: 75 * time.Second, Stages: []at.Stage{report("+NETOPEN", 0)}})
	return err
}

func (d sim7600) isOpen(ctx context.Context) (bool, error) {
	res, err := d.run(ctx, sim7600Answer, "+NETOPEN?")
	if err != nil {
		if refused(err) {
			return false, nil
		}
		return false, err
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+NETOPEN"); ok {
			return n[0] == 1, nil
		}
	}
	return false, nil
}

func (d sim7600) stop(ctx context.Context) error {
	_, err := d.c.Command(ctx, at.Command{Text: "+NETCLOSE", Timeout: 60 * time.Second, Stages: []at.Stage{report("+NETCLOSE", 0)}})
	if err != nil && refused(err) {
		return nil // it was closed
	}
	return err
}

// open connects. For datagrams the peer is named with each send.
func (d sim7600) open(ctx context.Context, s *conn) error {
	text := fmt.Sprintf(`+CIPOPEN=%d,"TCP","%s",%d`, s.id, s.host, s.port)
	if s.network == "udp" {
		text = fmt.Sprintf(`+CIPOPEN=%d,"UDP",,,%d`, s.id, 50000+s.id)
	}
	_, err := d.c.Command(ctx, at.Command{Text: text, Timeout: orDuration(d.cfg.OpenTimeout, 120*time.Second), Accept: noAnswer,
		Stages: []at.Stage{report("+CIPOPEN", 1, s.id)}})
	return err
}

func (d sim7600) send(ctx context.Context, s *conn, p piece) (int, error) {
	text := fmt.Sprintf("+CIPSEND=%d,%d", s.id, len(p.data))
	if s.network == "udp" {
		text += fmt.Sprintf(`,"%s",%d`, s.host, s.port)
	}
	taken := 0
	_, err := d.c.Command(ctx, at.Command{
		Text: text, Prompt: d.prompt("", p.data, 0), Timeout: 60 * time.Second, Accept: noAnswer,
		Stages: []at.Stage{{Match: func(line string) (bool, error) {
			n, ok := numbers(line, "+CIPSEND")
			if !ok || len(n) < 3 || n[0] != s.id {
				return false, nil
			}
			if n[2] < 0 || n[2] > len(p.data) {
				return true, ErrSocketGone
			}
			taken = n[2]
			return true, nil
		}}},
	})
	if err != nil {
		return 0, gone(err)
	}
	return taken, nil
}

func (d sim7600) receive(ctx context.Context, s *conn, max int) (piece, error) {
	return rxGet(ctx, d.c, s, max)
}

// state reads one of ten flags; who has closed is not told. The report of a
// close, which has two numbers, may come in between.
func (d sim7600) state(ctx context.Context, s *conn) (state, error) {
	flags := func(line string) bool {
		n, _ := numbers(line, "+CIPCLOSE")
		return len(n) == d.limits().ids
	}
	res, err := d.c.Command(ctx, at.Command{Text: "+CIPCLOSE?", Timeout: sim7600Answer, Accept: flags})
	if err != nil {
		return stateGone, ignoreRefusal(err)
	}
	for _, info := range res.Info {
		if n, ok := numbers(info.Text, "+CIPCLOSE"); ok && len(n) > s.id {
			if n[s.id] == 1 {
				return stateOpen, nil
			}
			return stateClosed, nil
		}
	}
	return stateGone, nil
}

func (d sim7600) close(ctx context.Context, s *conn) error {
	_, err := d.c.Command(ctx, at.Command{Text: fmt.Sprintf("+CIPCLOSE=%d", s.id), Timeout: closeTimeout, Accept: noAnswer,
		Stages: []at.Stage{report("+CIPCLOSE", 1, s.id)}})
	return err
}

func (d sim7600) held(ctx context.Context, s *conn) (bool, error) {
	now, err := d.state(ctx, s)
	return now == stateOpen, err
}

func (sim7600) notices() []string { return []string{"+CIPRXGET", "+IPCLOSE", "+CIPEVENT"} }

func (sim7600) notice(line string) notice {
	if n, ok := numbers(line, "+CIPRXGET"); ok && len(n) == 2 && n[0] == 1 && n[1] >= 0 {
		return notice{noticeData, n[1]}
	}
	// Some firmware leaves the colon out.
	if rest, ok := strings.CutPrefix(line, "+IPCLOSE"); ok {
		if n, ok := numbers(":"+strings.TrimPrefix(rest, ":"), ""); ok && n[0] >= 0 {
			return notice{noticeClosed, n[0]}
		}
	}
	if strings.HasPrefix(line, "+CIPEVENT") && strings.Contains(line, "CLOSED") {
		return notice{kind: noticeLost}
	}
	return notice{}
}
