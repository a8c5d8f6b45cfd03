package socket

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/telemodem/telemodem/at"
)

// tlsAnswer bounds a command that sets something about TLS.
const tlsAnswer = 10 * time.Second

// wire is what the dialects share: the modem and the configuration.
type wire struct {
	c   at.Commander
	cfg *Config
}

// run runs a plain command.
func (w wire) run(ctx context.Context, limit time.Duration, format string, args ...any) (at.Response, error) {
	return w.c.Command(ctx, at.Command{Text: fmt.Sprintf(format, args...), Timeout: limit})
}

// prompt is the prompt of a send.
func (w wire) prompt(mark string, p []byte, gap time.Duration) *at.Prompt {
	if w.cfg.PromptGap != 0 {
		gap = max(w.cfg.PromptGap, 0)
	}
	return &at.Prompt{Mark: mark, Data: p, Fixed: true, Gap: gap}
}

// quiet runs a command whose refusal is no error.
func (w wire) quiet(ctx context.Context, limit time.Duration, format string, args ...any) error {
	_, err := w.run(ctx, limit, format, args...)
	if err != nil && refused(err) {
		return nil
	}
	return err
}

// noSenders is the listen of dialects that do not tell who sent a datagram.
type noSenders struct{}

func (noSenders) listen(context.Context, *conn) error {
	return fmt.Errorf("%w: the modem does not tell who sent a datagram; dial one peer", errors.ErrUnsupported)
}

// noAnswer is the Accept of commands that are answered behind their OK alone: a
// line of their name that comes before is the report of another socket.
func noAnswer(string) bool { return false }

// refused tells whether the modem said no, as opposed to a line that does not
// work.
func refused(err error) bool {
	var cme at.CMEError
	var result at.ResultError
	return errors.As(err, &cme) || errors.As(err, &result)
}

// ignoreRefusal makes a refusal for good an answer: there is no such thing.
func ignoreRefusal(err error) error {
	if refused(err) && !temporary(err) {
		return nil
	}
	return err
}

// numbers reads the decimal fields behind the name of a line; a field that is
// none is -1.
func numbers(line, name string) ([]int, bool) {
	rest, ok := strings.CutPrefix(line, name+":")
	if !ok {
		return nil, false
	}
	var out []int
	for _, f := range strings.Split(rest, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(f))
		if err != nil {
			n = -1
		}
		if out = append(out, n); len(out) == 16 {
			break
		}
	}
	return out, true
}

// maxBlock bounds a counted block: no dialect gives more.
const maxBlock = 4096

// octets makes a Body rule: the block behind a line is as long as field i says.
func octets(name string, i int) func(line string) at.Body {
	return func(line string) at.Body {
		n, ok := numbers(line, name)
		if !ok || i >= len(n) || n[i] <= 0 || n[i] > maxBlock {
			return at.Body{}
		}
		return at.Body{Octets: n[i]}
	}
}

// block is the first information line that has one behind it, and the block.
func block(res at.Response) (line string, data []byte) {
	for _, info := range res.Info {
		if len(info.Body) > 0 {
			return info.Text, info.Body
		}
	}
	return "", nil
}

// sender reads the address and the port that stand in a line from field i on:
// "10.1.1.1",5000.
func sender(line string, i int) netip.AddrPort {
	_, fields, _ := strings.Cut(line, ":")
	list := strings.Split(fields, ",")
	if len(list) < i+2 {
		return netip.AddrPort{}
	}
	addr, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(list[i]), `"`))
	port, err2 := strconv.ParseUint(strings.TrimSpace(list[i+1]), 10, 16)
	if err != nil || err2 != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port))
}

// gone turns a refusal to read or write into ErrSocketGone, keeping the words,
// and one for now that came before any data into errLater.
func gone(err error) error {
	var cmd *at.CommandError
	switch {
	case err == nil || !refused(err):
		return err
	case temporary(err) && errors.As(err, &cmd) && cmd.Progress != at.DataWritten:
		return errLater
	}
	return errors.Join(ErrSocketGone, err)
}

// temporary tells whether the modem was only busy: SIM busy, please wait.
func temporary(err error) bool {
	var cme at.CMEError
	return errors.As(err, &cme) && cme.Class() == at.ClassTemporary
}

// credentials puts APN, user and password between quotes.
func (w wire) credentials() (apn, user, password string, err error) {
	for _, p := range []struct {
		from string
		to   *string
		name string
	}{{w.cfg.APN, &apn, "APN"}, {w.cfg.User, &user, "user"}, {w.cfg.Password, &password, "password"}} {
		if *p.to, err = at.Quote(p.from); err != nil {
			return "", "", "", fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return apn, user, password, nil
}
