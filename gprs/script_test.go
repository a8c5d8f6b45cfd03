package gprs

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/telemodem/telemodem/at"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reply is what the scripted modem answers to a command.
type reply struct {
	lines []string
	err   error
	after time.Duration
	do    func() // runs before the answer, as a notification would
}

func lines(l ...string) reply { return reply{lines: l} }

func cme(code int) reply { return reply{err: at.CMEError{Code: code}} }

var plainError = reply{err: at.ResultError{Result: "ERROR"}}

// script is a modem that answers by list: the replies to a command are used in
// turn, and the last one stays. What is not in the list is an ERROR.
type script struct {
	mu       sync.Mutex
	replies  map[string][]reply
	sent     []string
	handlers map[int]subscription
	next     int
}

type subscription struct {
	prefix string
	fn     func(at.Notification)
}

func newScript() *script {
	return &script{replies: map[string][]reply{}, handlers: map[int]subscription{}}
}

// on sets the replies to a command.
func (s *script) on(text string, replies ...reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies[text] = replies
}

// count tells how often a command was sent.
func (s *script) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, sent := range s.sent {
		if sent == text {
			n++
		}
	}
	return n
}

func (s *script) Command(ctx context.Context, cmd at.Command) (at.Response, error) {
	if err := ctx.Err(); err != nil {
		return at.Response{}, &at.CommandError{Command: "AT" + cmd.Text, Err: err}
	}
	s.mu.Lock()
	s.sent = append(s.sent, cmd.Text)
	r := plainError
	if list := s.replies[cmd.Text]; len(list) > 0 {
		r = list[0]
		if len(list) > 1 {
			s.replies[cmd.Text] = list[1:]
		}
	}
	s.mu.Unlock()
	if r.do != nil {
		r.do()
	}
	if err := sleep(ctx, r.after); err != nil {
		return at.Response{}, &at.CommandError{Command: "AT" + cmd.Text, Err: err}
	}
	if r.err != nil {
		text := cmd.Text
		if cmd.Sensitive {
			text, _, _ = strings.Cut(text, "=")
		}
		return at.Response{}, &at.CommandError{Command: "AT" + text, Err: r.err}
	}
	res := at.Response{Final: "OK"}
	for _, l := range r.lines {
		res.Info = append(res.Info, at.Info{Text: l})
	}
	return res, nil
}

func (s *script) Handle(prefix string, fn func(at.Notification)) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.next
	s.next++
	s.handlers[id] = subscription{prefix, fn}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.handlers, id)
	}
}

// notify is a line that the modem sends by itself.
func (s *script) notify(line string) {
	s.mu.Lock()
	var fns []func(at.Notification)
	for _, h := range s.handlers {
		if rest, ok := strings.CutPrefix(line, h.prefix); ok && strings.IndexAny(rest+":", ": ") == 0 {
			fns = append(fns, h.fn)
		}
	}
	s.mu.Unlock()
	for _, fn := range fns {
		fn(at.Notification{Line: line})
	}
}
