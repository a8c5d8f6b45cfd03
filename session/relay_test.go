package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
)

// recorder is a modem of which only the calls matter here.
type recorder struct {
	commands []string
	handlers map[string]func(at.Notification)
	stopped  int
}

func (r *recorder) Command(_ context.Context, cmd at.Command) (at.Response, error) {
	r.commands = append(r.commands, cmd.Text)
	return at.Response{Final: "OK"}, nil
}

func (r *recorder) Handle(prefix string, fn func(at.Notification)) func() {
	if r.handlers == nil {
		r.handlers = map[string]func(at.Notification){}
	}
	r.handlers[prefix] = fn
	return func() { r.stopped++; delete(r.handlers, prefix) }
}

func TestRelayCommandWaitsForAModem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, modem := newRelay(), &recorder{}
		done := make(chan error, 1)
		go func() {
			_, err := at.Exec(t.Context(), r, "+CSQ")
			done <- err
		}()
		synctest.Wait()
		require.Empty(t, done, "no modem yet")
		r.use(&unit{commands: modem})
		require.NoError(t, <-done)
		require.Equal(t, []string{"+CSQ"}, modem.commands)
	})
}

func TestRelayWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelay()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := r.Command(ctx, at.Command{Text: `+CPIN="1234"`, Sensitive: true})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotContains(t, err.Error(), "1234")
		var failed *at.CommandError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, at.NothingWritten, failed.Progress)
	})
}

func TestRelaySubscriptionsMoveToTheNextModem(t *testing.T) {
	r, first, second := newRelay(), &recorder{}, &recorder{}
	var lines []string
	stop := r.Handle("+CMTI", func(n at.Notification) { lines = append(lines, n.Line) })
	r.use(&unit{commands: first})
	first.handlers["+CMTI"](at.Notification{Line: "1"})
	r.use(nil)
	require.Equal(t, 1, first.stopped)
	r.use(&unit{commands: second})
	second.handlers["+CMTI"](at.Notification{Line: "2"})
	require.Equal(t, []string{"1", "2"}, lines)
	stop()
	stop()
	require.Empty(t, second.handlers)
}

func TestRelayCloseFreesWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelay()
		cause := errors.New("closed for the night")
		done := make(chan error, 1)
		go func() {
			_, err := at.Exec(t.Context(), r, "+CSQ")
			done <- err
		}()
		synctest.Wait()
		r.close(cause)
		require.ErrorIs(t, <-done, cause)
		_, err := at.Exec(t.Context(), r, "+CSQ")
		require.ErrorIs(t, err, cause)
	})
}

// A modem that cannot be set up is nobody's: who waits goes on waiting.
func TestModemThatCannotBeSetUpIsNotMet(t *testing.T) {
	for name, failure := range map[string]error{"set up": nil, "failed": errors.New("SIM failure")} {
		t.Run(name, func(t *testing.T) {
			s, modem := &Session{relay: newRelay()}, &recorder{}
			met := false
			s.relay.told = func() { met = met || s.relay.current != nil && !s.relay.held } // whoever waits looks now
			require.ErrorIs(t, s.alone(func() error {
				s.relay.use(&unit{commands: modem})
				return failure
			}), failure)
			require.Equal(t, failure == nil, met)
		})
	}
}
