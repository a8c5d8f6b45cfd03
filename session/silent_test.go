package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

// A modem restarts without a word: its SIM is locked again and it tells of no
// message. The next look at its health finds that out and sets it up again.
func TestF94SilentRestart(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("1234"))
		cfg := on(fake)
		cfg.PIN, cfg.NoMultiplexer, cfg.CheckInterval = "1234", true, 2*time.Minute
		s, err := session.Open(t.Context(), cfg)
		require.NoError(t, err)
		defer s.Close()
		events := keepJournal(t, s)
		got := make(chan string, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.SMS().Receive(ctx, func(_ context.Context, in sms.Incoming) error {
			got <- in.Text
			return nil
		})
		time.Sleep(10 * time.Minute)
		require.Equal(t, 1, s.Status().Starts, "all is well")

		fake.Inject(fakemodem.Fault{ID: "F94"})
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		require.Equal(t, session.StateRegistered, s.Status().State)
		require.Equal(t, 2, s.Status().Starts)
		require.Equal(t, 1, s.Status().Rungs[session.RungSetup])
		require.ErrorContains(t, events.of(session.EventRecovery)[0].Err, "has restarted without saying so")
		require.NoError(t, network.Phone("+15555550123").Send(fake.Number(), "is announced"))
		begin := time.Now()
		require.Equal(t, "is announced", <-got)
		require.Less(t, time.Since(begin), 20*time.Second)
		time.Sleep(time.Hour)
		require.Equal(t, 2, s.Status().Starts, "once")
	})
}

// A modem that does not keep AT+CMEE, or whose user has changed it, is not set up
// again and again.
func TestErrorLevelThatIsNotOurs(t *testing.T) {
	for name, c := range map[string]struct {
		fault fakemodem.Fault
		text  string
	}{
		"set to words by a user": {text: "+CMEE=2"},
		"refused":                {fault: fakemodem.Fault{ID: "F32", On: "+CMEE", Times: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				fake := network.NewModem(fakemodem.SIM800)
				if c.fault.ID != "" {
					fake.Inject(c.fault)
				}
				cfg := on(fake)
				cfg.NoMultiplexer = true
				s, err := session.Open(t.Context(), cfg)
				require.NoError(t, err)
				defer s.Close()
				if c.text != "" {
					_, err := at.Exec(t.Context(), s, c.text)
					require.NoError(t, err)
				}
				time.Sleep(time.Hour)
				require.Equal(t, 1, s.Status().Starts)
				require.Zero(t, s.Status().Recoveries)
			})
		})
	}
}
