package session_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
)

// stubborn is a hook that looks at no context, and returns when it is released.
type stubborn struct {
	calls   atomic.Int64
	entered chan struct{}
	release chan struct{}
}

func (s *stubborn) power(context.Context) error {
	if s.calls.Add(1) == 1 {
		close(s.entered)
	}
	<-s.release
	return nil
}

// stuck opens a session whose modem hangs, and returns it with its hook called.
func stuck(t *testing.T, network *fakemodem.Network) (*session.Session, *fakemodem.Modem, *stubborn) {
	fake := network.NewModem(fakemodem.SIM800)
	hook := &stubborn{entered: make(chan struct{}), release: make(chan struct{})}
	cfg := on(fake)
	cfg.Power = hook.power
	s, err := session.Open(t.Context(), cfg)
	require.NoError(t, err)
	registers(t, s, time.Minute)
	fake.Inject(fakemodem.Fault{ID: "F99"})
	<-hook.entered
	return s, fake, hook
}

// A hook that ignores its context holds up Close for 10 s and no longer; Close
// says so, also the second time.
func TestCloseDoesNotWaitForAStubbornPowerHook(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		s, _, hook := stuck(t, network)
		began := time.Now()
		require.ErrorIs(t, s.Close(), session.ErrPowerRunning)
		require.LessOrEqual(t, time.Since(began), 10*time.Second)
		require.Equal(t, session.StateClosed, s.Status().State)
		close(hook.release)
		synctest.Wait()
		require.ErrorIs(t, s.Close(), session.ErrPowerRunning, "the first cause")
	})
}

// One that returns soon after is waited for, and is no error.
func TestCloseWaitsForAPowerHookThatReturnsSoon(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		s, _, hook := stuck(t, network)
		time.AfterFunc(5*time.Second, func() { close(hook.release) })
		began := time.Now()
		require.NoError(t, s.Close())
		require.Equal(t, 5*time.Second, time.Since(began))
	})
}

// A hook that is stuck is told, is not called again before it has returned, and
// holds up nothing else: the modem comes back by itself.
func TestStubbornPowerHookIsNotCalledTwice(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		s, fake, hook := stuck(t, network)
		j := keepJournal(t, s)
		time.Sleep(6 * time.Hour)
		require.EqualValues(t, 1, hook.calls.Load())
		failed := j.of(session.EventStepFailed)
		require.NotEmpty(t, failed)
		require.ErrorIs(t, failed[0].Err, session.ErrPowerRunning)
		close(hook.release)
		time.Sleep(6 * time.Hour)
		require.Greater(t, hook.calls.Load(), int64(1), "it can be called again")
		fake.ClearFaults()
		registers(t, s, time.Hour)
		require.NoError(t, s.Close())
	})
}

// The same in a bank: the others are closed in good order, and the error names
// the modem.
func TestBankCloseNamesAStubbornPowerHook(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		hook := &stubborn{entered: make(chan struct{}), release: make(chan struct{})}
		cfg := named("sick", fake)
		cfg.Power = hook.power
		bank, err := session.OpenBank(nil, cfg, named("well", network.NewModem(fakemodem.SIM800)))
		require.NoError(t, err)
		fit(t, bank, 2)
		fake.Inject(fakemodem.Fault{ID: "F99"})
		<-hook.entered
		for range 2 {
			err := bank.Close()
			require.ErrorIs(t, err, session.ErrPowerRunning)
			require.ErrorContains(t, err, `modem "sick"`)
			require.NotContains(t, err.Error(), "well")
		}
		close(hook.release)
	})
}

// Open that is given up while the hook is stuck leaves its goroutine behind, and
// says so.
func TestOpenTellsOfAStubbornPowerHook(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		hook := &stubborn{entered: make(chan struct{}), release: make(chan struct{})}
		cfg := on(fake)
		cfg.Power, cfg.KeepTrying = hook.power, true
		fake.Inject(fakemodem.Fault{ID: "F99"})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-hook.entered
			cancel()
		}()
		_, err := session.Open(ctx, cfg)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, session.ErrPowerRunning)
		close(hook.release)
	})
}
