package session_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
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
		time.Sleep(10*time.Minute + 30*time.Second) // between two looks
		require.Equal(t, 1, s.Status().Starts, "all is well")

		fake.Inject(fakemodem.Fault{ID: "F94"})
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		require.Equal(t, session.StateRegistered, s.Status().State)
		require.Equal(t, 2, s.Status().Starts)
		require.Equal(t, 1, s.Status().Rungs[session.RungSetup])
		require.ErrorContains(t, events.of(session.EventRecovery)[0].Err, "has restarted without saying so")
		require.NoError(t, network.Phone("+15555550123").Send(fake.Number(), "is found"))
		begin := time.Now()
		require.Equal(t, "is found", <-got)
		require.Less(t, time.Since(begin), 5*time.Minute+20*time.Second, "by the next look through the storages, which has it announced from then on")
		require.NoError(t, network.Phone("+15555550123").Send(fake.Number(), "is announced"))
		begin = time.Now()
		require.Equal(t, "is announced", <-got)
		require.Less(t, time.Since(begin), 20*time.Second)
		time.Sleep(time.Hour)
		require.Equal(t, 2, s.Status().Starts, "once")
	})
}

// Modems differ in what AT+CMEE is after a restart, 0, 1 or 2: each is found out,
// with a multiplexer by the loss of that.
func TestF94SilentRestartOfEachModem(t *testing.T) {
	for _, kind := range []*fakemodem.Personality{fakemodem.SIM800, fakemodem.SIM7600, fakemodem.EC25, fakemodem.BG96,
		fakemodem.SARAR510, fakemodem.SARAU201, fakemodem.Telit, fakemodem.Plain} {
		for _, multiplex := range []bool{false, true} {
			t.Run(fmt.Sprint(kind.Name, " ", multiplex), func(t *testing.T) {
				inTime(t, func(t *testing.T, network *fakemodem.Network) {
					fake := network.NewModem(kind)
					cfg := on(fake)
					cfg.NoMultiplexer = !multiplex
					s := open(t, cfg)
					registers(t, s, 2*time.Minute)
					fake.Inject(fakemodem.Fault{ID: "F94"})
					time.Sleep(3 * time.Minute)
					require.Equal(t, 2, s.Status().Starts)
					require.Equal(t, session.StateRegistered, s.Status().State)
					time.Sleep(time.Hour)
					require.Equal(t, 2, s.Status().Starts, "once")
				})
			})
		}
	}
}

// The sockets inside the modem are gone with its settings, which it does not tell
// either: data ends, and the next dial brings it back.
func TestF94SocketsAfterASilentRestart(t *testing.T) {
	t.Parallel()
	for _, kind := range []*fakemodem.Personality{fakemodem.SIM800, fakemodem.EC25} {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			network := newNetwork(t)
			address := echo(t, network)
			fake := network.NewModem(kind)
			cfg := on(fake)
			cfg.CheckInterval = time.Second
			cfg.Sockets, cfg.Context = &socket.Config{}, gprs.Context{APN: "internet"}
			s := open(t, cfg)
			conn, err := s.DialContext(t.Context(), "tcp", address)
			require.NoError(t, err)
			ping(t, conn)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			events := s.Events(ctx)
			fake.Inject(fakemodem.Fault{ID: "F94"})
			await(t, events, "data down", func(e session.Event) bool { return e.Kind == session.EventDataDown })
			conn, err = s.DialContext(t.Context(), "tcp", address)
			require.NoError(t, err)
			ping(t, conn)
		})
	}
}

// A modem that keeps neither setting, that tells its state alone, or whose user has
// changed it, is not set up again and again.
func TestWitnessThatIsNotOurs(t *testing.T) {
	alone := func(fake *fakemodem.Modem) {
		began := time.Now()
		for _, name := range []string{"+CREG", "+CEREG", "+CGREG"} {
			fake.OnCommand(name, func(c *fakemodem.Call) fakemodem.Result {
				state := ": 1"
				if time.Since(began) > 5*time.Minute {
					state = ": 0" // no network any more: that is no setting
				}
				c.Info(name + state)
				return fakemodem.OK
			})
		}
	}
	for name, c := range map[string]struct {
		fault  fakemodem.Fault
		before func(*fakemodem.Modem)
		text   string
	}{
		"set to words by a user":    {text: "+CMEE=2"},
		"set to states by a user":   {text: "+CREG=1"},
		"the state alone":           {before: alone},
		"the level refused":         {fault: fakemodem.Fault{ID: "F32", On: "+CMEE", Times: -1}},
		"the level refused as well": {fault: fakemodem.Fault{ID: "F32", On: "+CMEE", Times: -1}, before: alone},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				fake := network.NewModem(fakemodem.SIM800)
				if c.fault.ID != "" {
					fake.Inject(c.fault)
				}
				if c.before != nil {
					c.before(fake)
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
				time.Sleep(20 * time.Minute)
				require.Equal(t, 1, s.Status().Starts)
				require.Zero(t, s.Status().Rungs[session.RungSetup])
			})
		})
	}
}
