package session_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

// inTime runs a test in a bubble, on a network that takes the times of a real one.
func inTime(t *testing.T, test func(t *testing.T, network *fakemodem.Network)) {
	synctest.Test(t, func(t *testing.T) {
		network := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
		t.Cleanup(func() { network.Close() })
		test(t, network)
	})
}

// powered gives the session a hand on the modem's power.
func powered(cfg session.Config, fake *fakemodem.Modem) session.Config {
	cfg.Power = func(ctx context.Context) error {
		fake.PowerOff()
		select {
		case <-time.After(3 * time.Second):
		case <-ctx.Done(): // leave nobody without power
		}
		fake.PowerOn()
		return ctx.Err()
	}
	return cfg
}

// journal keeps the events of a session.
type journal struct {
	mu     sync.Mutex
	events []session.Event
}

func keepJournal(t *testing.T, s *session.Session) *journal {
	j := new(journal)
	events := s.Events(t.Context())
	go func() {
		for e := range events {
			j.mu.Lock()
			j.events = append(j.events, e)
			j.mu.Unlock()
		}
	}()
	return j
}

// rungs are the steps of recovery so far, without those that do nothing but
// look and set up.
func (j *journal) rungs() (list []session.Rung) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.events {
		if e.Kind == session.EventRecovery && e.Rung >= session.RungAttach {
			list = append(list, e.Rung)
		}
	}
	return list
}

func (j *journal) of(kind session.EventKind) (list []session.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.events {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}

// registers waits until the modem is registered.
func registers(t *testing.T, s *session.Session, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	_, err := s.Radio().WaitRegistered(ctx)
	require.NoError(t, err)
}

// A modem that hears nothing any more: a restart does not help, the power does
// (fault F99). Its SIM is opened once after it.
func TestPromise7HungModemGetsItsPowerCut(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := powered(on(fake), fake)
		cfg.PIN = "4711"
		s := open(t, cfg)
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		hung := time.Now()
		fake.Inject(fakemodem.Fault{ID: "F99"})
		time.Sleep(2 * time.Minute) // a check finds out
		registers(t, s, time.Hour)
		took := time.Since(hung)
		require.Equal(t, []session.Rung{session.RungRestart, session.RungPower}, j.rungs())
		require.Greater(t, took, 10*time.Minute, "it may have been a firmware update (fault F100)")
		require.Less(t, took, 25*time.Minute)
		status := s.Status()
		require.Equal(t, 1, status.Rungs[session.RungPower])
		require.Equal(t, 2, status.Starts)
		left, _ := fake.PINAttempts()
		require.Equal(t, 3, left)
		for _, e := range j.of(session.EventRecovery) {
			require.Error(t, e.Err, "the reason of: %v", e)
			require.Equal(t, e.Rung.String(), e.Step)
		}
	})
}

// A modem that hears, and says nothing: the command to restart is enough.
func TestPromise7MuteModemIsRestarted(t *testing.T) {
	for _, kind := range []*fakemodem.Personality{fakemodem.SIM800, fakemodem.SIM7600, fakemodem.EC25, fakemodem.SARAR510, fakemodem.Telit} {
		t.Run(kind.Name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				fake := network.NewModem(kind)
				s := open(t, powered(on(fake), fake))
				registers(t, s, 2*time.Minute)
				j := keepJournal(t, s)
				fake.Inject(fakemodem.Fault{ID: "F99", Text: "tx"})
				time.Sleep(2 * time.Minute)
				registers(t, s, time.Hour)
				require.Equal(t, []session.Rung{session.RungRestart}, j.rungs())
				require.Equal(t, 2, s.Status().Starts)
			})
		})
	}
}

// A modem that answers but whose SIM fails: the radio's rung comes before the
// restart.
func TestPromise7SickModemGetsItsRadioSwitched(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		s := open(t, powered(on(fake), fake))
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		fake.OnCommand("+CPIN", fakemodem.Answer("+CME ERROR: 13"))
		fake.OnCommand("+CFUN", func(c *fakemodem.Call) fakemodem.Result {
			fake.OnCommand("+CPIN", nil)
			fake.OnCommand("+CFUN", nil)
			return fakemodem.OK
		})
		fake.Reset()
		time.Sleep(2 * time.Minute)
		registers(t, s, time.Hour)
		require.Equal(t, []session.Rung{session.RungRadio}, j.rungs())
	})
}

// A modem whose restart is refused goes on to the power, and is not asked again.
func TestPromise7RefusedRestartLeadsToThePower(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		s := open(t, powered(on(fake), fake))
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		fake.OnCommand("+CPIN", fakemodem.Answer("+CME ERROR: 13"))
		fake.OnCommand("+CFUN", fakemodem.Answer("ERROR"))
		fake.Reset()
		time.Sleep(40 * time.Minute)
		require.Equal(t, []session.Rung{session.RungRadio, session.RungRestart, session.RungPower}, j.rungs())
		fake.OnCommand("+CPIN", nil)
		time.Sleep(20 * time.Minute)
		registers(t, s, time.Minute)
		require.Equal(t, 1, s.Status().Rungs[session.RungRestart])
	})
}

// A restart makes the SIM ask for its PIN again; the last try is not spent on
// it, and the session says that a human is needed.
func TestPromise7LastTryIsKeptAfterAReset(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := powered(on(fake), fake)
		cfg.PIN = "4711"
		s := open(t, cfg)
		registers(t, s, time.Minute)
		for range 2 { // somebody else tries
			_, err := at.Exec(t.Context(), s, `+CLCK="SC",0,"0000"`)
			require.Error(t, err)
		}
		left, _ := fake.PINAttempts()
		require.Equal(t, 1, left)
		j := keepJournal(t, s)
		fake.Inject(fakemodem.Fault{ID: "F99", Text: "tx"})
		time.Sleep(24 * time.Hour)
		left, _ = fake.PINAttempts()
		require.Equal(t, 1, left)
		require.Equal(t, []session.Rung{session.RungRestart}, j.rungs())
		status := s.Status()
		require.Equal(t, session.StateFailed, status.State)
		require.ErrorIs(t, status.Err, gprs.ErrLastTry)
	})
}

// A modem without a network is restarted after half an hour of help that did
// not help, and later loses its power; then one of both a day.
func TestPromise7NoNetworkForDays(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cfg := powered(on(fake), fake)
		cfg.NoMultiplexer = true // whose keep-alive is most of what there is to simulate
		s := open(t, cfg)
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		network.SetCoverage(fakemodem.NoCoverage)
		time.Sleep(24 * time.Hour)
		require.Equal(t, []session.Rung{session.RungRestart, session.RungPower}, j.rungs())
		time.Sleep(24 * time.Hour)
		require.LessOrEqual(t, len(j.rungs()), 3, "one a day: %v", j.rungs())
		require.Equal(t, 1+len(j.rungs()), s.Status().Starts)
		require.Zero(t, s.Status().Rungs[session.RungReopen], "not spoken to while it still answered, before it went down")
		network.SetCoverage(fakemodem.FullCoverage)
		registers(t, s, time.Hour)
	})
}

// Data calls that fail again and again, though the modem is registered.
func TestPromise7DataThatDoesNotComeUp(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		s := open(t, powered(on(fake), fake))
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		fake.Inject(fakemodem.Fault{ID: "F76", Times: -1})
		for range 60 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			_, err := s.Connect(ctx)
			cancel()
			require.Error(t, err)
			time.Sleep(time.Minute)
		}
		require.Equal(t, []session.Rung{session.RungAttach, session.RungRadio, session.RungRestart, session.RungPower}, j.rungs()[:4])
		require.LessOrEqual(t, len(j.rungs()), 8)
		registers(t, s, time.Minute)
	})
}

// A modem that hangs again and again, and one that cannot be cured at all, cost
// no more than their budgets: no reboot loop.
func TestPromise7NoRebootLoop(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cfg := powered(on(fake), fake)
		power := cfg.Power
		var cuts []time.Time
		cfg.Power = func(ctx context.Context) error {
			cuts = append(cuts, time.Now())
			err := power(ctx)
			fake.Inject(fakemodem.Fault{ID: "F99"}) // for ever
			return err
		}
		s := open(t, cfg)
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		fake.Inject(fakemodem.Fault{ID: "F99"})
		time.Sleep(2 * 24 * time.Hour)
		require.Len(t, cuts, 2*6, "six a day")
		require.LessOrEqual(t, s.Status().Rungs[session.RungRestart], 2*8)
		for i := range len(cuts) - 2 {
			require.GreaterOrEqual(t, cuts[i+2].Sub(cuts[i]), time.Hour, "two an hour")
		}
		held := j.of(session.EventHeldBack)
		require.NotEmpty(t, held)
		var budget *session.BudgetError
		require.ErrorAs(t, held[0].Err, &budget)
		require.ErrorIs(t, budget, at.ErrNoAnswer)
	})
}

// A week with a hang every seven hours or so: what is to be sent gets through
// between them, and the power is cut once for each.
func TestPromise7WeekOfHangs(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := powered(on(fake), fake)
		cfg.PIN, cfg.CheckInterval = "4711", 15*time.Minute
		cfg.NoMultiplexer = true // whose keep-alive is most of what there is to simulate
		s := open(t, cfg)
		registers(t, s, time.Minute)
		phone := network.Phone("+15555550199")
		end := time.Now().Add(7 * 24 * time.Hour)
		var hangs sync.WaitGroup
		count := 0
		hangs.Go(func() {
			for time.Now().Before(end.Add(-time.Hour)) {
				time.Sleep(7*time.Hour + 13*time.Minute)
				fake.Inject(fakemodem.Fault{ID: "F99"})
				count++
			}
		})
		sent := 0
		for time.Now().Before(end) {
			sendUntilSent(t, s, phone.Number())
			got, err := phone.Receive(t.Context())
			require.NoError(t, err)
			require.Equal(t, "reading", got.Text)
			sent++
			time.Sleep(time.Hour)
		}
		hangs.Wait()
		time.Sleep(time.Hour)
		status := s.Status()
		require.Equal(t, count, status.Rungs[session.RungPower], "one for each hang")
		require.LessOrEqual(t, status.Rungs[session.RungRestart], count)
		require.Greater(t, sent, 150)
		left, _ := fake.PINAttempts()
		require.Equal(t, 3, left)
		registers(t, s, time.Minute)
	})
}

// sendUntilSent sends one reading, again after an attempt that failed.
func sendUntilSent(t *testing.T, s *session.Session, to string) {
	t.Helper()
	for range 60 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		_, err := s.SMS().Send(ctx, sms.Message{To: to, Text: "reading"})
		cancel()
		if err == nil {
			return
		}
		time.Sleep(time.Minute)
	}
	t.Error("an hour without a way to send")
}

// A machine that nobody looks at is switched on with a modem that hangs: with
// KeepTrying Open itself climbs.
func TestPromise7OpenKeepsTrying(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		fake.Inject(fakemodem.Fault{ID: "F99"})
		cfg := powered(on(fake), fake)
		cfg.PIN, cfg.KeepTrying = "4711", true
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		_, err := session.Open(ctx, cfg)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, at.ErrNoAnswer, "what stood in the way")
		s := open(t, cfg)
		registers(t, s, time.Minute)
		require.Equal(t, 1, s.Status().Rungs[session.RungPower])
		left, _ := fake.PINAttempts()
		require.Equal(t, 3, left)
	})
}

// The stick is plugged in an hour after the machine was switched on.
func TestPromise7OpenWaitsForThePort(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.EC25)
		there := time.Now().Add(time.Hour)
		s := open(t, session.Config{KeepTrying: true, Open: func(context.Context) (io.ReadWriteCloser, error) {
			if time.Now().Before(there) {
				return nil, errors.New("no such device")
			}
			return fake.Line(), nil
		}})
		require.Less(t, time.Since(there), 5*time.Minute, "the pauses grow, but not for ever")
		registers(t, s, time.Minute)
	})
}

// What only a human can cure ends Open even so.
func TestPromise7OpenDoesNotKeepTryingAPIN(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := powered(on(fake), fake)
		cfg.PIN, cfg.KeepTrying = "1234", true
		_, err := session.Open(t.Context(), cfg)
		var pin *gprs.PINError
		require.ErrorAs(t, err, &pin)
		left, _ := fake.PINAttempts()
		require.Equal(t, 2, left)
	})
}

// A hook that fails is told, and the ladder goes on.
func TestPromise7PowerThatFails(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cfg := powered(on(fake), fake)
		power, cause := cfg.Power, errors.New("the relay does not answer")
		calls := 0
		cfg.Power = func(ctx context.Context) error {
			if calls++; calls == 1 {
				return cause
			}
			return power(ctx)
		}
		s := open(t, cfg)
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		fake.Inject(fakemodem.Fault{ID: "F99"})
		time.Sleep(2 * time.Hour)
		registers(t, s, time.Minute)
		require.Equal(t, 2, calls)
		failed := j.of(session.EventStepFailed)
		require.Len(t, failed, 1)
		require.ErrorIs(t, failed[0].Err, cause)
		require.Equal(t, session.RungPower, failed[0].Rung)
	})
}

// A program that is started again every half hour, with a modem beyond help,
// spends one budget and not a new one each time.
func TestPromise7BudgetsOutliveTheProcess(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cuts := 0
		cfg := on(fake)
		cfg.KeepTrying, cfg.Ledger = true, session.FileLedger(filepath.Join(t.TempDir(), "ledger"))
		cfg.Power = func(context.Context) error { cuts++; return nil }
		fake.Inject(fakemodem.Fault{ID: "F99"})
		for range 24 * 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
			_, err := session.Open(ctx, cfg)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		require.Equal(t, 6, cuts)
	})
}

// A modem that refuses everything from some day on is sick, though it answers.
func TestPromise7ModemThatRefusesEverythingIsRestarted(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.EC25)
		s := open(t, powered(on(fake), fake))
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		names := []string{"+CREG", "+CGREG", "+CEREG", "+CSQ", "+CESQ", "+QCSQ", "+CPIN", "+CFUN"}
		for _, name := range names {
			fake.OnCommand(name, fakemodem.Answer("ERROR"))
		}
		time.Sleep(30 * time.Minute)
		require.Equal(t, []session.Rung{session.RungRadio, session.RungRestart, session.RungPower}, j.rungs())
		for _, name := range names {
			fake.OnCommand(name, nil)
		}
		registers(t, s, time.Hour)
	})
}

// A modem without any registration command was never well by that measure, and
// is left alone.
func TestModemWithoutRegistrationCommandsIsLeftAlone(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.Plain)
		for _, name := range []string{"+CREG", "+CGREG", "+CEREG", "+C5GREG"} {
			fake.OnCommand(name, fakemodem.Answer("ERROR"))
		}
		s := open(t, powered(on(fake), fake))
		j := keepJournal(t, s)
		time.Sleep(24 * time.Hour)
		require.Empty(t, j.rungs())
		require.Equal(t, 1, s.Status().Starts)
	})
}

// Someone takes the SIM away for a day and a half: the modem is not reset for that
// more than once a day, and the card is found when it is back.
func TestPromise7SIMIsAway(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := powered(on(fake), fake)
		cfg.PIN, cfg.NoMultiplexer = "4711", true
		s := open(t, cfg)
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		fake.RemoveSIM()
		fake.Reset()
		time.Sleep(36 * time.Hour)
		require.LessOrEqual(t, len(j.rungs()), 1+2+1, "the radio once, restart and power once, then one a day: %v", j.rungs())
		fake.InsertSIM()
		registers(t, s, 10*time.Minute)
		left, _ := fake.PINAttempts()
		require.Equal(t, 3, left)
	})
}

// Switching the radio on restarts some modems (fault F98): that is no trouble.
func TestF98RadioThatRestarts(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := powered(on(fake), fake)
		cfg.PIN = "4711"
		s := open(t, cfg)
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		fake.Inject(fakemodem.Fault{ID: "F98"})
		fake.Inject(fakemodem.Fault{ID: "F76", Times: -1})
		for range 6 { // data calls that fail, up to the radio's rung
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			_, err := s.Connect(ctx)
			cancel()
			require.Error(t, err)
			time.Sleep(time.Minute)
		}
		require.Equal(t, []session.Rung{session.RungAttach, session.RungRadio}, j.rungs())
		registers(t, s, time.Minute)
	})
}

// A user never meets a modem that is brought back before its SIM is open.
func TestCommandsWaitUntilTheModemIsSetUp(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		kind := *fakemodem.SIM800
		kind.SIMBusy = 0 // which would hide what we look for
		fake := network.NewModem(&kind, fakemodem.WithPIN("4711"))
		cfg := on(fake)
		cfg.PIN = "4711"
		s := open(t, cfg)
		fake.Inject(fakemodem.Fault{ID: "F99", Text: "tx"})
		for range 5000 {
			resp, err := at.Exec(t.Context(), s, "+CPIN?")
			if err == nil {
				require.Equal(t, "+CPIN: READY", resp.Info[0].Text)
			}
			time.Sleep(40 * time.Millisecond)
		}
		require.Equal(t, 2, s.Status().Starts)
	})
}

// A command that takes long keeps the line, and the session's own questions out:
// that is no trouble, and a message on its way is not cut off.
func TestLongCommandIsNoTrouble(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cfg := on(fake)
		cfg.NoMultiplexer = true
		s := open(t, cfg)
		registers(t, s, time.Minute)
		phone := network.Phone("+15555550199")
		for range 6 { // in different places between two checks
			fake.Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 40 * time.Second})
			_, err := s.SMS().Send(t.Context(), sms.Message{To: phone.Number(), Text: "slow"})
			require.NoError(t, err)
			time.Sleep(7 * time.Second)
		}
		fake.OnCommand("+COPS", func(*fakemodem.Call) fakemodem.Result {
			time.Sleep(170 * time.Second)
			return fakemodem.OK
		})
		_, err := s.Command(t.Context(), at.Command{Text: "+COPS=?", Timeout: 3 * time.Minute})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		status := s.Status()
		require.Equal(t, 1, status.Starts)
		require.Zero(t, status.Recoveries)
		require.Equal(t, session.StateRegistered, status.State)
	})
}

// A modem that has restarted, by itself or not, counts as registered when it is so
// again, and not by what it told before.
func TestRegistrationBeforeARestartIsOver(t *testing.T) {
	for name, restart := range map[string]func(*fakemodem.Modem){
		"by itself": func(fake *fakemodem.Modem) { fake.Reset() },
		"power":     func(fake *fakemodem.Modem) { fake.PowerOff(); time.Sleep(time.Second); fake.PowerOn() },
		"and is lost": func(fake *fakemodem.Modem) {
			fake.Inject(fakemodem.Fault{ID: "F95", Delay: 5 * time.Second})
			fake.Reset()
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				fake := network.NewModem(fakemodem.SIM800)
				cfg := on(fake)
				cfg.NoMultiplexer = true
				s := open(t, cfg)
				registers(t, s, time.Minute)
				time.Sleep(time.Minute)
				network.SetCoverage(fakemodem.NoCoverage)
				j := keepJournal(t, s)
				restart(fake)
				time.Sleep(5 * time.Minute)
				require.Equal(t, 2, s.Status().Starts)
				require.Equal(t, session.StateSearching, s.Status().State)
				for _, e := range j.of(session.EventState) {
					require.NotEqual(t, session.StateRegistered, e.State, "%v", j.of(session.EventState))
				}
			})
		})
	}
}

// It is found to be so again also when the radio took the loss for none, since it was
// short, and when nobody looks at intervals.
func TestRegistrationAfterARestartIsFound(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cfg := on(fake)
		cfg.NoMultiplexer, cfg.CheckInterval = true, -1
		s := open(t, cfg)
		registers(t, s, time.Minute)
		time.Sleep(time.Minute)
		require.Equal(t, session.StateRegistered, s.Status().State)
		fake.Reset()
		time.Sleep(time.Minute)
		require.Equal(t, 2, s.Status().Starts)
		require.Equal(t, session.StateRegistered, s.Status().State)
	})
}

// A line that is never free, because others ask more than it can carry, is no trouble
// as long as they are answered; nor is a message cut off then.
func TestCrowdedLineIsNoTrouble(t *testing.T) {
	for _, kind := range []*fakemodem.Personality{fakemodem.SIM800, fakemodem.EC25} {
		for _, takes := range []time.Duration{5 * time.Second, 28 * time.Second} {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				fake := network.NewModem(kind)
				cfg := powered(on(fake), fake)
				cfg.NoMultiplexer = true
				s := open(t, cfg)
				registers(t, s, time.Minute)
				fake.OnCommand("+XSLOW", func(*fakemodem.Call) fakemodem.Result {
					time.Sleep(takes)
					return fakemodem.OK
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				var crowd sync.WaitGroup
				for range 4 {
					crowd.Go(func() {
						for ctx.Err() == nil {
							_, err := s.Command(t.Context(), at.Command{Text: "+XSLOW", Timeout: 5 * time.Minute})
							require.NoError(t, err)
						}
					})
				}
				crowd.Wait()
				require.Equal(t, 1, s.Status().Starts)
				require.Zero(t, s.Status().Rungs[session.RungReopen]+s.Status().Rungs[session.RungRestart])
			})
		}
	}
}

// A modem that is deaf is found out all the same while others wait in the queue.
func TestDeafModemIsFoundOutInACrowd(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cfg := on(fake)
		cfg.NoMultiplexer = true
		s := open(t, cfg)
		registers(t, s, time.Minute)
		fake.Inject(fakemodem.Fault{ID: "F99"})
		ctx, cancel := context.WithCancel(t.Context())
		var crowd sync.WaitGroup
		for range 8 {
			crowd.Go(func() {
				for ctx.Err() == nil {
					s.Command(ctx, at.Command{Text: "+CSQ", Timeout: 20 * time.Second})
				}
			})
		}
		began := time.Now()
		for s.Status().Rungs[session.RungReopen] == 0 {
			time.Sleep(time.Second)
		}
		require.Less(t, time.Since(began), 2*time.Minute)
		cancel()
		crowd.Wait()
	})
}

// spentLedger keeps what was saved last.
type spentLedger struct{ climbs []session.Climb }

func (l *spentLedger) Load() ([]session.Climb, error) { return nil, nil }
func (l *spentLedger) Save(climbs []session.Climb) error {
	l.climbs = climbs
	return nil
}

// Between the choice of a rung and its climb there is a pause that grows: gaps and
// budgets count from the climb, and one that Close forestalls costs nothing.
func TestPromise7BudgetsCountFromTheClimb(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		ledger, cuts := new(spentLedger), 0
		cfg := on(fake)
		cfg.Ledger, cfg.Budgets.Restart.Hour = ledger, -1
		cfg.Power = func(context.Context) error {
			cuts++
			last := ledger.climbs[len(ledger.climbs)-1]
			require.Equal(t, session.RungPower, last.Rung)
			require.Zero(t, time.Since(last.At), "saved before it is climbed, with its time")
			return nil
		}
		s := open(t, cfg)
		registers(t, s, time.Minute)
		events := s.Events(t.Context())
		fake.Inject(fakemodem.Fault{ID: "F99"})
		time.Sleep(24 * time.Hour)
		require.Equal(t, 6, cuts)
		for len(events) > 0 {
			<-events
		}
		await(t, events, "the next one is due", func(e session.Event) bool { return e.Kind == session.EventRecovery && e.Rung == session.RungPower })
		spent := len(ledger.climbs)
		require.NoError(t, s.Close())
		require.Equal(t, 6, cuts, "the pause was not over")
		require.Len(t, ledger.climbs, spent)
	})
}

// A modem that comes and goes for years does not fill the memory.
func TestPromise8RestartsLeaveNothingBehind(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		cfg := on(fake)
		cfg.NoMultiplexer = true
		s := open(t, cfg)
		restart := func(times int) {
			for range times {
				fake.Inject(fakemodem.Fault{ID: "F95", Delay: 2 * time.Second})
				time.Sleep(6 * time.Minute)
			}
		}
		restart(20)
		before := held()
		const times = 100
		restart(times)
		require.Equal(t, 1+20+times, s.Status().Starts)
		require.Less(t, held()-before, int64(times*8<<10), "a start left behind as little as a queue of events is 40 KiB each")
	})
}

// held is the memory in use, in octets.
func held() int64 {
	runtime.GC()
	runtime.GC() // what has a finalizer takes two
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
