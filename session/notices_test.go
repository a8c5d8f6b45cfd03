package session_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

// besides adds the modem's second port to a configuration.
func besides(cfg session.Config, fake *fakemodem.Modem) session.Config {
	cfg.OpenNotifications = func(context.Context) (io.ReadWriteCloser, error) { return fake.NotificationLine(), nil }
	return cfg
}

// Messages arrive once, wherever the modem says that they have come: on the other
// port, on the last channel of its multiplexer, or on all of them.
func TestF25MessagesAnnouncedOnAnotherPort(t *testing.T) {
	for name, c := range map[string]struct {
		where     string
		multiplex bool
	}{
		"other port": {"", false}, "other port, multiplexed": {"", true},
		"all ports": {"all", false}, "all ports and channels": {"all", true}, "last channel": {"last", true},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				fake := network.NewModem(fakemodem.SIM800)
				cfg := besides(on(fake), fake)
				cfg.NoMultiplexer = !c.multiplex
				s, err := session.Open(t.Context(), cfg)
				require.NoError(t, err)
				defer s.Close()
				require.Equal(t, c.multiplex, s.Status().Multiplexed)
				fake.Inject(fakemodem.Fault{ID: "F25", Text: c.where})
				var got []string
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go s.SMS().Receive(ctx, func(_ context.Context, in sms.Incoming) error {
					got = append(got, in.Text)
					return nil
				})
				var rings int
				defer s.Handle("+XRING", func(at.Notification) { rings++ })()
				time.Sleep(time.Second)
				phone := network.Phone("+15555550123")
				for _, text := range []string{"one", "two", "two"} {
					require.NoError(t, phone.Send(fake.Number(), text))
					fake.Emit("+XRING: 1")
					time.Sleep(10 * time.Second) // far below the interval at which storage is looked through
				}
				synctest.Wait()
				require.Equal(t, []string{"one", "two", "two"}, got)
				require.Equal(t, 3, rings)
			})
		})
	}
}

// Without the other port, what comes there is not heard.
func TestF25NeedsTheOtherPort(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		s, err := session.Open(t.Context(), on(fake))
		require.NoError(t, err)
		defer s.Close()
		fake.Inject(fakemodem.Fault{ID: "F25"})
		rings := 0
		defer s.Handle("+XRING", func(at.Notification) { rings++ })()
		fake.Emit("+XRING: 1")
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, rings)
	})
}

// When the other port is lost alone, the session opens both anew, and what was
// subscribed stays so; a port that cannot be opened is told as such.
func TestLineForNotificationsIsLost(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cfg := on(fake)
		var lines []io.Closer
		refusal := errors.New("no such port")
		var refused atomic.Bool
		cfg.OpenNotifications = func(context.Context) (io.ReadWriteCloser, error) {
			if refused.Load() {
				return nil, refusal
			}
			line := fake.NotificationLine()
			lines = append(lines, line)
			return line, nil
		}
		s, err := session.Open(t.Context(), cfg)
		require.NoError(t, err)
		defer s.Close()
		rings := 0
		defer s.Handle("+XRING", func(at.Notification) { rings++ })()
		fake.Inject(fakemodem.Fault{ID: "F25"})
		synctest.Wait()
		refused.Store(true)
		require.NoError(t, lines[0].Close())
		time.Sleep(10 * time.Second)
		require.ErrorIs(t, s.Status().Err, refusal)
		require.ErrorContains(t, s.Status().Err, "line for notifications")
		time.Sleep(time.Hour)
		require.Zero(t, s.Status().Rungs[session.RungRadio]+s.Status().Rungs[session.RungRestart], "they cure no port")
		synctest.Wait()
		refused.Store(false)
		time.Sleep(5 * time.Minute)
		require.Equal(t, session.StateRegistered, s.Status().State)
		require.Len(t, lines, 2)
		fake.Emit("+XRING: 1")
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, 1, rings)
	})
}

// What is lost on the other port is counted with the rest.
func TestF25LossOnAnotherPortIsCounted(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		s, err := session.Open(t.Context(), besides(on(fake), fake))
		require.NoError(t, err)
		defer s.Close()
		fake.Inject(fakemodem.Fault{ID: "F25"})
		stuck := make(chan struct{})
		defer s.Handle("+XRING", func(at.Notification) { <-stuck })()
		for range 1500 { // more than a queue holds
			fake.Emit("+XRING: 1")
		}
		time.Sleep(time.Minute)
		close(stuck)
		require.NotZero(t, s.Status().Engine.Lost)
	})
}

// watched is a line that tells whether it was closed.
type watched struct {
	io.ReadWriteCloser
	closed *atomic.Int64
}

func (w watched) Close() error {
	w.closed.Add(1)
	return w.ReadWriteCloser.Close()
}

// The session closes what it was given for notifications, whenever it starts again.
func TestLineForNotificationsIsClosed(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cfg := on(fake)
		var opened int
		var closed atomic.Int64
		cfg.OpenNotifications = func(context.Context) (io.ReadWriteCloser, error) {
			require.LessOrEqual(t, int64(opened), closed.Load(), "the one before is closed")
			opened++
			return watched{fake.NotificationLine(), &closed}, nil
		}
		s, err := session.Open(t.Context(), cfg)
		require.NoError(t, err)
		fake.Inject(fakemodem.Fault{ID: "F95", Delay: 5 * time.Second})
		time.Sleep(5 * time.Minute)
		require.Equal(t, session.StateRegistered, s.Status().State)
		require.NoError(t, s.Close())
		require.GreaterOrEqual(t, opened, 2)
		require.GreaterOrEqual(t, closed.Load(), int64(opened))
	})
}
