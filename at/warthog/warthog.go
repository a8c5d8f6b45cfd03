// Package warthog makes an existing driver of github.com/warthog618/modem/at
// an [at.Commander], so that its users can take packages sms and gprs without
// leaving it.
//
// What that driver cannot do, the adapter cannot either. Its known limits, as
// of v0.4.0:
//
//   - A command cannot be taken back. When the context of a call ends, the
//     call returns, and the driver goes on until its own time limit; further
//     commands wait for that. Its limit also begins only when it has the line.
//   - After a time-out the driver does not find its place again: the next
//     command may get the late answer of the one before.
//   - A notification's handler runs on a goroutine of the driver for each line.
//     The adapter puts them in a queue as they come, but their order is already
//     lost when several come at once.
//   - A notification that comes during a command may stand in its answer as
//     well, and a line that is unknown always does. The adapter takes out of
//     answers what does not begin with one of the command's names, unless
//     Command.FreeText asks for it.
//   - There are no binary answers, no prompts but > of an SMS, no data calls,
//     no priorities: Commands that need those are refused with ErrUnsupported
//     before anything is written. Priority and Abortable are ignored.
//   - Results such as NO CARRIER are known for ATD only.
//   - The empty prefix gets nothing: the driver would take every answer for a
//     notification.
package warthog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	peer "github.com/warthog618/modem/at"

	"github.com/telemodem/telemodem/at"
)

// ErrUnsupported says that the driver has no way to run the command.
var ErrUnsupported = errors.New("the driver cannot run such a command")

// Config holds what is chosen when a driver is adapted. A nil *Config is a
// sound choice.
type Config struct {
	// AnswerTimeout bounds a command without a Timeout of its own. Zero and
	// negative mean 10 s.
	AnswerTimeout time.Duration
	// QueueLimit is the number of notifications that wait for one subscriber;
	// beyond it the oldest is lost and counted. Zero and negative mean 1,024.
	QueueLimit int
}

const (
	defaultTimeout = 10 * time.Second
	defaultQueue   = 1024
)

// Modem is a driver as a Commander. All methods may be called by several
// goroutines at once.
type Modem struct {
	driver *peer.AT
	cfg    Config

	mu    sync.Mutex
	names map[string][]*subscriber // by prefix; each is known to the driver
}

var _ at.Commander = (*Modem)(nil)

// New adapts a driver, which stays its owner's: it is for the owner to
// initialise it and to close its line. No indication of the driver may have a
// prefix that is given to Handle.
func New(driver *peer.AT, config *Config) *Modem {
	m := &Modem{driver: driver, names: make(map[string][]*subscriber)}
	if config != nil {
		m.cfg = *config
	}
	if m.cfg.AnswerTimeout <= 0 {
		m.cfg.AnswerTimeout = defaultTimeout
	}
	if m.cfg.QueueLimit <= 0 {
		m.cfg.QueueLimit = defaultQueue
	}
	return m
}

// answer is what the driver returned.
type answer struct {
	lines []string
	err   error
}

// Command runs one command. See the package comment for what a time-out and
// the end of ctx leave behind.
func (m *Modem) Command(ctx context.Context, cmd at.Command) (at.Response, error) {
	fail := func(p at.Progress, err error) (at.Response, error) {
		return at.Response{}, &at.CommandError{Command: shown(&cmd), Progress: p, Err: err}
	}
	if err := check(&cmd); err != nil {
		return fail(at.NothingWritten, err)
	}
	if err := ctx.Err(); err != nil {
		return fail(at.NothingWritten, err)
	}
	limit := cmd.Timeout
	if limit <= 0 {
		limit = m.cfg.AnswerTimeout
	}
	done := make(chan answer, 1)
	go func() { // ends with the driver's own limit
		var a answer
		if cmd.Prompt != nil {
			a.lines, a.err = m.driver.SMSCommand(cmd.Text, string(cmd.Prompt.Data), peer.WithTimeout(limit))
		} else {
			a.lines, a.err = m.driver.Command(cmd.Text, peer.WithTimeout(limit))
		}
		done <- a
	}()
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case a := <-done:
		if a.err != nil {
			return fail(written(&cmd), cause(a.err))
		}
		resp, err := response(&cmd, a.lines)
		if err != nil {
			return fail(written(&cmd), err)
		}
		return resp, nil
	case <-t.C:
		return fail(written(&cmd), at.ErrNoAnswer)
	case <-ctx.Done():
		return fail(written(&cmd), ctx.Err())
	}
}

// shown returns the command line for errors.
func shown(cmd *at.Command) string {
	if !cmd.Sensitive {
		return "AT" + cmd.Text
	}
	name, _, _ := strings.Cut(cmd.Text, "=")
	return "AT" + name + "…"
}

// check refuses what could inject and what the driver cannot do.
func check(cmd *at.Command) error {
	if strings.ContainsFunc(cmd.Text, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		return fmt.Errorf("%w: a control character in it", at.ErrInvalid)
	}
	switch p := cmd.Prompt; {
	case p != nil && (p.Fixed || strings.TrimSpace(p.Mark) != "" && strings.TrimSpace(p.Mark) != ">" || string(p.End) != "\x1a"):
		return fmt.Errorf("%w: its only prompt is > and ends by Ctrl-Z", ErrUnsupported)
	case p != nil && strings.ContainsAny(string(p.Data), "\x1a\x1b"):
		return fmt.Errorf("%w: the data would end the entry", at.ErrInvalid)
	case len(cmd.Stages) > 0 || cmd.NoFinal || len(cmd.Finals) > 0 || len(cmd.Fails) > 0:
		return fmt.Errorf("%w: it knows no results but those of all commands", ErrUnsupported)
	}
	return nil
}

// written is the progress of a command of which the driver tells nothing: the
// most that it can have written.
func written(cmd *at.Command) at.Progress {
	if cmd.Prompt != nil {
		return at.DataWritten
	}
	return at.CommandWritten
}

// cause turns an error of the driver into one of package at.
func cause(err error) error {
	var cme peer.CMEError
	var cms peer.CMSError
	var connect peer.ConnectError
	switch {
	case errors.As(err, &cme):
		return at.ParseResult("+CME ERROR: " + string(cme))
	case errors.As(err, &cms):
		return at.ParseResult("+CMS ERROR: " + string(cms))
	case errors.As(err, &connect):
		return at.ParseResult(string(connect))
	case errors.Is(err, peer.ErrError):
		return at.ParseResult("ERROR")
	case errors.Is(err, peer.ErrDeadlineExceeded):
		return at.ErrNoAnswer
	case errors.Is(err, peer.ErrClosed):
		return fmt.Errorf("%w: %w", at.ErrLineGone, err)
	}
	return fmt.Errorf("%w: %w", at.ErrLineGone, err) // the driver's write failed
}
