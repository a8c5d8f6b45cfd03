package at

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// suspending begins a Suspend whose +++ is out.
func suspending(ctx context.Context, s *script, c *DataCall) <-chan error {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.Suspend(ctx) }()
	time.Sleep(defaultEscapeGuard)
	s.want("", "+++")
	return done
}

// Promise 6: what was begun by Suspend or Resume is brought to its end before the
// call is hung up, so that no ATH is left out or lost in the stream.
func TestCloseWaitsForSuspendAndResume(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		suspended := suspending(t.Context(), s, c)
		ended := closing(c)
		s.wantIdle("the answer to +++ first")
		s.send("OK")
		require.NoError(t, <-suspended)
		s.wantLine("the call is hung up", "ATH")
		s.send("OK")
		s.want("", "\x1b")
		s.answerProbe()
		require.NoError(t, <-ended)
		require.ErrorIs(t, c.Suspend(t.Context()), ErrCallEnded)
		require.ErrorIs(t, c.Resume(t.Context()), ErrCallEnded)
	})
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		suspended := suspending(t.Context(), s, c)
		s.send("OK")
		require.NoError(t, <-suspended)
		resumed := make(chan error, 1)
		go func() { resumed <- c.Resume(t.Context()) }()
		s.wantLine("", "ATO")
		ended := closing(c)
		s.wantIdle("the answer to ATO first")
		s.send("CONNECT")
		require.NoError(t, <-resumed)
		time.Sleep(defaultEscapeGuard)
		s.want("it is data mode again", "+++")
		s.answerHangUp()
		require.NoError(t, <-ended)
	})
}

// A Suspend that is given up, at whatever moment, leaves a call of which it is
// known whether it is suspended.
func TestSuspendGivenUp(t *testing.T) {
	for name, answerAfter := range map[string]time.Duration{"at once": 0, "later": time.Second} {
		t.Run(name, func(t *testing.T) {
			dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
				c := online(t, s, m, "")
				for range 20 {
					ctx, cancel := context.WithCancel(t.Context())
					done := suspending(ctx, s, c)
					cancel()
					time.Sleep(answerAfter)
					s.send("OK")
					require.NoError(t, <-done, "it is suspended, after all")
					exchangeOK(t, s, m)
					resumed := make(chan error, 1)
					go func() { resumed <- c.Resume(t.Context()) }()
					s.wantLine("", "ATO")
					s.send("CONNECT")
					require.NoError(t, <-resumed)
				}
			})
		})
	}
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Suspend(ctx) }()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		s.wantIdle("no +++ has gone out")
		_, err := c.Write([]byte("on"))
		require.NoError(t, err)
		s.want("the call goes on", "on")

		ctx, cancel = context.WithCancel(t.Context())
		unheard := suspending(ctx, s, c)
		cancel()
		begin := time.Now()
		require.ErrorIs(t, <-unheard, context.Canceled)
		require.Equal(t, defaultEscapeGuard+escapeWait, time.Since(begin), "the modem has not heard it")
	})
}

// A CONNECT behind a Resume that was given up is the call's.
func TestResumeGivenUp(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		done := suspending(t.Context(), s, c)
		s.send("OK")
		require.NoError(t, <-done)
		ctx, cancel := context.WithCancel(t.Context())
		resumed := make(chan error, 1)
		go func() { resumed <- c.Resume(ctx) }()
		s.wantLine("", "ATO")
		cancel()
		require.ErrorIs(t, <-resumed, context.Canceled)
		s.want("any character stops it", "\r")
		s.send("CONNECT")
		_, err := m.Exec(t.Context(), "+CSQ")
		require.ErrorIs(t, err, ErrDataMode)
		_, err = c.Write([]byte("on"))
		require.NoError(t, err)
		s.want("too late: it is up again", "on")
	})
}

// A Resume that outlasts Close finds its call over: the data mode that comes of it is
// another call, which ends by itself.
func TestResumeOutlastsClose(t *testing.T) {
	dialogue(t, &Config{HangupTimeout: 3 * time.Second}, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		done := suspending(t.Context(), s, c)
		s.send("OK")
		require.NoError(t, <-done)
		resumed := make(chan error, 1)
		go func() { resumed <- c.Resume(t.Context()) }()
		s.wantLine("", "ATO")
		require.ErrorIs(t, c.Close(), ErrDataMode, "it cannot tell")
		s.send("CONNECT")
		require.ErrorIs(t, <-resumed, ErrCallEnded)
		time.Sleep(defaultEscapeGuard)
		s.want("nobody has it", "+++")
		s.answerHangUp()
		exchangeOK(t, s, m)
	})
}
