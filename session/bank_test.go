package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

// named is a configuration for a modem of a bank. Long messages and the end of a
// multiplexer are what the tests are not about: the line stays in plain AT.
func named(name string, fake *fakemodem.Modem) session.Config {
	cfg := on(fake)
	cfg.Name, cfg.NoMultiplexer = name, true
	return cfg
}

// openBank opens a bank of fakes that are named a, b, c and so on.
func openBank(t *testing.T, network *fakemodem.Network, cfg *session.BankConfig, n int) (*session.Bank, []*fakemodem.Modem) {
	t.Helper()
	var fakes []*fakemodem.Modem
	var modems []session.Config
	for i := range n {
		fakes = append(fakes, network.NewModem(fakemodem.SIM800))
		modems = append(modems, named(string(rune('a'+i)), fakes[i]))
	}
	bank, err := session.OpenBank(cfg, modems...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Close()) })
	return bank, fakes
}

// fit waits until so many modems of the bank are fit.
func fit(t *testing.T, bank *session.Bank, n int) {
	t.Helper()
	for range 3600 {
		count := 0
		for _, m := range bank.Status() {
			if m.Unfit == "" {
				count++
			}
		}
		if count == n {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatalf("not %d fit modems in an hour: %v", n, bank.Status())
}

func statusOf(t *testing.T, bank *session.Bank, name string) session.BankStatus {
	t.Helper()
	for _, m := range bank.Status() {
		if m.Modem == name {
			return m
		}
	}
	t.Fatalf("no modem %q", name)
	return session.BankStatus{}
}

// One modem is absent for an hour, one has a SIM whose PIN is not ours: the third
// works from the start, and the status tells of all.
func TestBankStartsWithThoseThatStart(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		began := time.Now()
		absent := errors.New("no such port")
		late := network.NewModem(fakemodem.SIM800)
		locked := named("locked", network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711")))
		locked.PIN = "1234"
		bank, err := session.OpenBank(nil, named("works", network.NewModem(fakemodem.SIM800)), locked,
			session.Config{Name: "late", Open: func(context.Context) (io.ReadWriteCloser, error) {
				if time.Since(began) < time.Hour {
					return nil, absent
				}
				return late.Line(), nil
			}})
		require.NoError(t, err)
		defer bank.Close()
		require.Zero(t, time.Since(began), "it waits for none")
		phone := network.Phone("+15555550199")
		receipt, err := bank.Send(t.Context(), message(phone, "here I am"))
		require.NoError(t, err)
		require.Equal(t, "works", receipt.Modem)
		time.Sleep(time.Minute)

		all := bank.Status()
		require.Len(t, all, 3)
		require.Equal(t, []string{"late", "locked", "works"}, []string{all[0].Modem, all[1].Modem, all[2].Modem})
		require.ErrorIs(t, all[0].Err, absent)
		require.NotEmpty(t, all[0].Unfit)
		var pin *gprs.PINError
		require.ErrorAs(t, all[1].Err, &pin)
		require.Equal(t, 2, pin.Left, "one try was spent, and no more will be")
		require.Equal(t, session.StateFailed, all[1].State)
		require.Empty(t, all[2].Unfit)
		_, ok := bank.Session("late")
		require.False(t, ok, "it has not started")

		time.Sleep(90 * time.Minute)
		require.Empty(t, statusOf(t, bank, "late").Unfit)
		_, ok = bank.Session("late")
		require.True(t, ok)
		require.Equal(t, session.StateFailed, statusOf(t, bank, "locked").State)
	})
}

// Mistakes are told before anything is opened.
func TestBankRefusesMistakes(t *testing.T) {
	opened := false
	store, ledger := new(brokenStore), session.FileLedger("ledger")
	line := func(context.Context) (io.ReadWriteCloser, error) { opened = true; return nil, io.EOF }
	for name, modems := range map[string][]session.Config{
		"neither Config.Port nor Config.Open": {{Name: "a", Open: line}, {Name: "b"}},
		"has a modem \"a\" already":           {{Name: "a", Open: line}, {Name: "a", Open: line}},
		"needs a name":                        {{Name: "a", Open: line}, {Open: line}},
		"have the same Config.SMS.Store":      {{Name: "a", Open: line, SMS: sms.Config{Store: store}}, {Name: "b", Open: line, SMS: sms.Config{Store: store}}},
		"have the same Config.Ledger":         {{Name: "a", Open: line, Ledger: ledger}, {Name: "b", Open: line, Ledger: session.FileLedger("ledger")}},
	} {
		_, err := session.OpenBank(nil, modems...)
		require.ErrorContains(t, err, name)
	}
	require.False(t, opened)
	bank, err := session.OpenBank(nil, session.Config{Name: "a", Open: line, SMS: sms.Config{Store: store}})
	require.NoError(t, err)
	defer bank.Close()
	require.ErrorContains(t, bank.Add(session.Config{Name: "b", Open: line, SMS: sms.Config{Store: store}}), "have the same")
	require.NoError(t, bank.Remove(t.Context(), "a"))
	require.NoError(t, bank.Add(session.Config{Name: "b", Open: line, SMS: sms.Config{Store: store}}))
}

// A stick is unplugged, taken out of the bank, put back under its name, and used
// again.
func TestBankHotPlug(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		fakes[0].Inject(fakemodem.Fault{ID: "F97"})
		require.Error(t, bank.Add(named("a", fakes[0])), "it is there still")
		require.NoError(t, bank.Remove(t.Context(), "a"))
		require.Len(t, bank.Status(), 1)
		require.ErrorIs(t, bank.Remove(t.Context(), "a"), session.ErrUnknownModem)
		phone := network.Phone("+15555550199")
		receipt, err := bank.Send(t.Context(), message(phone, "one is left"))
		require.NoError(t, err)
		require.Equal(t, "b", receipt.Modem)

		fakes[0].Plug()
		require.NoError(t, bank.Add(named("a", fakes[0])))
		fit(t, bank, 2)
		require.NoError(t, bank.Remove(t.Context(), "b"))
		receipt, err = bank.Send(t.Context(), message(phone, "the other one"))
		require.NoError(t, err)
		require.Equal(t, "a", receipt.Modem)
	})
}

// A modem that is taken out ends what it is sending; cut short, that is in doubt.
func TestBankRemoveWaitsForWhatIsBeingSent(t *testing.T) {
	for name, c := range map[string]struct {
		patience time.Duration
		ok       bool
	}{"enough": {time.Minute, true}, "none": {0, false}} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				bank, fakes := openBank(t, network, nil, 1)
				fit(t, bank, 1)
				fakes[0].Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 20 * time.Second})
				sent := make(chan error, 1)
				go func() {
					_, err := bank.Send(t.Context(), message(network.Phone("+15555550199"), "slow"))
					sent <- err
				}()
				time.Sleep(10 * time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), c.patience)
				defer cancel()
				time.AfterFunc(time.Second, func() {
					if c.ok {
						require.Equal(t, "being removed", statusOf(t, bank, "a").Unfit)
					}
				})
				require.NoError(t, bank.Remove(ctx, "a"))
				err := <-sent
				if c.ok {
					require.NoError(t, err)
					return
				}
				requireInDoubt(t, err)
			})
		})
	}
}

// Everybody is let go by Close, whatever he waits for; afterwards nothing is
// taken any more.
func TestBankCloseLetsEverybodyGo(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 3)
		fit(t, bank, 3)
		phone := network.Phone("+15555550199")
		for _, fake := range fakes { // nobody can send any more
			fake.Inject(fakemodem.Fault{ID: "F97"})
		}
		time.Sleep(time.Second)
		var waiting sync.WaitGroup
		waiting.Go(func() {
			_, err := bank.Send(t.Context(), message(phone, "never"))
			require.ErrorIs(t, err, session.ErrClosed)
			requireNotSent(t, err)
		})
		waiting.Go(func() { require.ErrorIs(t, bank.Receive(t.Context(), ignore), session.ErrClosed) })
		events := bank.Events(t.Context())
		time.Sleep(10 * time.Second)
		began := time.Now()
		var closing sync.WaitGroup
		for range 3 {
			closing.Go(func() { require.NoError(t, bank.Close()) })
		}
		closing.Wait()
		require.Less(t, time.Since(began), closeLimit)
		waiting.Wait()
		closed := 0
		for e := range events {
			if e.Kind == session.EventState && e.State == session.StateClosed {
				closed++
			}
		}
		require.Equal(t, 3, closed)
		require.NoError(t, bank.Close())
		_, err := bank.Send(t.Context(), message(phone, "late"))
		require.ErrorIs(t, err, session.ErrClosed)
		requireNotSent(t, err)
		require.ErrorIs(t, bank.Receive(t.Context(), ignore), session.ErrClosed)
		require.ErrorIs(t, bank.Add(named("d", fakes[0])), session.ErrClosed)
		require.Equal(t, session.StateClosed, statusOf(t, bank, "a").State)
	})
}

// Nobody waits for the pause before the next try of a message, or for a late answer
// to one in doubt, on a modem that is closed.
func TestBankCloseIsPrompt(t *testing.T) {
	for name, c := range map[string]struct {
		fault fakemodem.Fault
		after time.Duration
	}{
		"refused for a while": {fakemodem.Fault{ID: "F33", Code: 500, Times: -1}, 25 * time.Second},
		"in doubt":            {fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 10 * time.Minute}, 130 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				bank, fakes := openBank(t, network, nil, 1)
				fit(t, bank, 1)
				fakes[0].Inject(c.fault)
				sending := sendAll(bank, network.Phone("+15555550199"), 1)
				time.Sleep(c.after)
				require.Equal(t, 1, statusOf(t, bank, "a").Outstanding)
				began := time.Now()
				require.NoError(t, bank.Remove(ended(t), "a"))
				sending.Wait()
				require.Less(t, time.Since(began), 2*time.Second)
			})
		})
	}
}

// sluggish is a line that takes its time to close, whenever it is asked to.
type sluggish struct{ io.ReadWriteCloser }

func (s sluggish) Close() error {
	time.Sleep(5 * time.Second)
	return s.ReadWriteCloser.Close()
}

// Sessions are closed at the same time.
func TestBankCloseTakesAsLongAsTheSlowest(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		var modems []session.Config
		for _, name := range []string{"a", "b", "c"} {
			fake := network.NewModem(fakemodem.SIM800)
			cfg := named(name, fake)
			cfg.Open = func(context.Context) (io.ReadWriteCloser, error) { return sluggish{fake.Line()}, nil }
			modems = append(modems, cfg)
		}
		bank, err := session.OpenBank(nil, modems...)
		require.NoError(t, err)
		fit(t, bank, 3)
		began := time.Now()
		require.NoError(t, bank.Close())
		require.Less(t, time.Since(began), 20*time.Second, "three after another take 45 s")
	})
}

// ended is a context without patience.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// Drain lets what is being sent come to its end, and takes nothing new; it does
// not wait for longer than its context.
func TestBankDrain(t *testing.T) {
	for name, c := range map[string]struct {
		patience time.Duration
		ok       bool
	}{"enough": {time.Minute, true}, "too short": {5 * time.Second, false}} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				bank, fakes := openBank(t, network, nil, 1)
				fit(t, bank, 1)
				phone := network.Phone("+15555550199")
				fakes[0].Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: 20 * time.Second})
				sent := make(chan error, 1)
				go func() {
					_, err := bank.Send(t.Context(), message(phone, "slow"))
					sent <- err
				}()
				time.Sleep(time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), c.patience)
				defer cancel()
				drained := make(chan error, 1)
				go func() { drained <- bank.Drain(ctx) }()
				synctest.Wait()
				_, err := bank.Send(t.Context(), message(phone, "new"))
				require.ErrorIs(t, err, session.ErrClosed)
				require.ErrorIs(t, bank.Add(named("b", fakes[0])), session.ErrClosed)
				if c.ok {
					require.NoError(t, <-drained)
					require.NoError(t, <-sent)
					return
				}
				err = <-drained
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorContains(t, err, "1 messages on their way")
				requireInDoubt(t, <-sent)
			})
		})
	}
}

// Who waits for a modem when Drain begins goes at once, though another one is being
// waited for.
func TestBankDrainLetsThoseGoWhoWait(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 1)
		fit(t, bank, 1)
		fakes[0].Inject(fakemodem.Fault{ID: "F22", On: "+CMGS", Delay: time.Minute, Times: 1})
		slow := sendAll(bank, network.Phone("+15555550199"), 1)
		time.Sleep(5 * time.Second)
		s, _ := bank.Session("a")
		go s.Radio().SIM(t.Context())   // a question, to be told of
		fakes[0].Emit("+CPIN: SIM PIN") // nobody else may send for a while
		time.Sleep(time.Second)
		waiting := make(chan error, 1)
		go func() {
			_, err := bank.Send(t.Context(), message(network.Phone("+15555550100"), "waits"))
			waiting <- err
		}()
		time.Sleep(time.Second)
		require.Empty(t, waiting)
		go bank.Drain(t.Context())
		synctest.Wait()
		require.Len(t, waiting, 1, "it has gone")
		requireNotSent(t, <-waiting)
		slow.Wait()
	})
}

// The merged events carry the name of their modem.
func TestBankEventsNameTheModem(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 3)
		fit(t, bank, 3)
		events := bank.Events(t.Context())
		fakes[1].Inject(fakemodem.Fault{ID: "F95"})
		for e := range events {
			require.Equal(t, "b", e.Modem, e.String())
			if e.Kind == session.EventRecovery {
				require.Equal(t, session.RungReopen, e.Rung)
				require.Contains(t, e.String(), "b: recovery: ")
				return
			}
		}
	})
}

// Many modems come and go while messages are sent and status is read, and the
// bank is closed in the midst of it.
func TestBankInTurmoil(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		const modems = 16
		bank, fakes := openBank(t, network, nil, modems)
		var busy sync.WaitGroup
		busy.Go(func() { bank.Receive(t.Context(), ignore) })
		for i, fake := range fakes {
			busy.Go(func() {
				time.Sleep(time.Duration(i) * 7 * time.Second)
				fake.Inject(fakemodem.Fault{ID: "F95", Delay: 20 * time.Second})
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		for i := range 8 {
			busy.Go(func() {
				phone := network.Phone(fmt.Sprintf("+155555502%02d", i))
				for ctx.Err() == nil {
					bank.Send(ctx, message(phone, "reading"))
					bank.Status()
				}
			})
			busy.Go(func() {
				for ctx.Err() == nil {
					name := string(rune('a' + i))
					bank.Remove(ctx, name)
					bank.Add(named(name, fakes[i]))
					time.Sleep(11 * time.Second)
				}
			})
		}
		time.Sleep(2 * time.Minute)
		require.NoError(t, bank.Close())
		cancel()
		busy.Wait()
	})
}

// Who listens to a bank and does not keep up is told how much he lost, over all
// modems.
func TestBankEventsTellOfLoss(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, fakes := openBank(t, network, nil, 2)
		fit(t, bank, 2)
		events := bank.Events(t.Context())
		flap := func(fake *fakemodem.Modem) {
			fake.Inject(fakemodem.Fault{ID: "F95", Delay: 2 * time.Second})
			time.Sleep(6 * time.Minute)
		}
		for range 20 {
			flap(fakes[0])
			flap(fakes[1])
		}
		for len(events) > 0 {
			require.Zero(t, (<-events).Lost)
		}
		flap(fakes[0])
		require.Greater(t, (<-events).Lost, 20)
		require.Zero(t, (<-events).Lost)
	})
}

// The modems of a bank log under their names, to the bank's Logger or their own.
func TestBankLogsTheNameOfTheModem(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		var shared, own bytes.Buffer
		mine := named("own", network.NewModem(fakemodem.SIM800))
		mine.Logger = slog.New(slog.NewTextHandler(&own, nil))
		bank, err := session.OpenBank(&session.BankConfig{Logger: slog.New(slog.NewTextHandler(&shared, nil))},
			named("shared", network.NewModem(fakemodem.SIM800)), mine)
		require.NoError(t, err)
		fit(t, bank, 2)
		require.NoError(t, bank.Close())
		require.Contains(t, shared.String(), "modem=shared")
		require.NotContains(t, shared.String(), "modem=own")
		require.Contains(t, own.String(), "modem=own")
		require.NotContains(t, own.String(), "modem=shared")
	})
}
