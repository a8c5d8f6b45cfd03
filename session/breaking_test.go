package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/at/port"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session"
)

// closeLimit is how long Close may take at the worst: 30 s to leave data mode,
// and a multiplexer to close down.
const closeLimit = 40 * time.Second

// closes closes a session and says how long that took.
func closes(t *testing.T, s *session.Session, when string) {
	t.Helper()
	began := time.Now()
	require.NoError(t, s.Close())
	require.LessOrEqual(t, time.Since(began), closeLimit, when)
}

// A session may be closed at any moment of its start: SIGTERM comes when it wants.
func TestOpenMayEndAtAnyMoment(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := on(fake)
		cfg.PIN = "4711"
		opened := 0
		for after := time.Duration(0); opened < 3; after += 37 * time.Millisecond {
			fake.PowerOff()
			fake.PowerOn()
			ctx, cancel := context.WithTimeout(t.Context(), after)
			began := time.Now()
			s, err := session.Open(ctx, cfg)
			cancel()
			require.LessOrEqual(t, time.Since(began), after+closeLimit, "%v", after)
			if err != nil {
				require.ErrorIs(t, err, context.DeadlineExceeded, "%v", after)
				continue
			}
			opened++
			closes(t, s, "right after the start")
		}
		left, _ := fake.PINAttempts()
		require.Equal(t, 3, left)
	})
}

// The same at any moment of its life with a modem in trouble, so that each rung
// is met; the next session finds the modem usable.
func TestCloseAtAnyMomentOfRecovery(t *testing.T) {
	for name, trouble := range map[string]struct {
		begin func(*fakemodem.Modem)
		end   func(*fakemodem.Modem)
		lasts time.Duration
	}{
		"deaf": {
			func(fake *fakemodem.Modem) { fake.Inject(fakemodem.Fault{ID: "F99"}) },
			func(fake *fakemodem.Modem) { fake.ClearFaults() }, 25 * time.Minute,
		},
		"sick": {
			func(fake *fakemodem.Modem) {
				fake.OnCommand("+CPIN", fakemodem.Answer("+CME ERROR: 13"))
				fake.Reset()
			},
			func(fake *fakemodem.Modem) { fake.OnCommand("+CPIN", nil) }, 25 * time.Minute,
		},
		"no network": {
			func(fake *fakemodem.Modem) { fake.Network().SetCoverage(fakemodem.NoCoverage) },
			func(fake *fakemodem.Modem) { fake.Network().SetCoverage(fakemodem.FullCoverage) }, 80 * time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for at := 10 * time.Second; at < trouble.lasts; at += trouble.lasts/24 + 371*time.Millisecond {
				inTime(t, func(t *testing.T, network *fakemodem.Network) {
					fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
					cfg := powered(on(fake), fake)
					cfg.PIN = "4711"
					s, err := session.Open(t.Context(), cfg)
					require.NoError(t, err)
					trouble.begin(fake)
					time.Sleep(at)
					state := s.Status()
					closes(t, s, fmt.Sprintf("after %v: %v, %v", at, state.State, state.Err))
					trouble.end(fake)
					if !fake.On() { // the hook was told to end in the midst
						fake.PowerOn()
					}
					time.Sleep(20 * time.Second)
					s, err = session.Open(t.Context(), cfg)
					require.NoError(t, err, "after %v: %v, %v", at, state.State, state.Err)
					registers(t, s, 10*time.Minute)
					closes(t, s, "the next one")
				})
			}
		})
	}
}

// pulled is a line that is unplugged at one write of its session.
type pulled struct {
	io.ReadWriteCloser
	fake   *fakemodem.Modem
	writes *atomic.Int64
	at     int64
}

func (p pulled) Write(b []byte) (int, error) {
	if p.writes.Add(1) == p.at {
		p.fake.Inject(fakemodem.Fault{ID: "F95"})
	}
	return p.ReadWriteCloser.Write(b)
}

// pulls is the step from one write to the next that is tried; TELEMODEM_LONG=1
// tries each.
func pulls() int64 {
	if os.Getenv("TELEMODEM_LONG") != "" {
		return 1
	}
	return 4
}

// The plug is pulled at writes of start, work and recovery in turn; the session
// comes back each time.
func TestUnpluggedAtEveryWrite(t *testing.T) {
	for k := int64(1); k < 160; k += pulls() {
		inTime(t, func(t *testing.T, network *fakemodem.Network) {
			fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
			var writes atomic.Int64
			cfg := powered(session.Config{PIN: "4711", Open: func(context.Context) (io.ReadWriteCloser, error) {
				if !fake.Plugged() {
					return nil, errors.New("no such device")
				}
				return pulled{fake.Line(), fake, &writes, k}, nil
			}}, fake)
			s, err := session.Open(t.Context(), cfg)
			if err != nil { // pulled before it was up: the user is told
				require.Less(t, k, int64(60), "%v", err)
				return
			}
			defer s.Close()
			if k/4%3 == 0 {
				fake.Inject(fakemodem.Fault{ID: "F99", Text: "tx"})
			} else {
				fake.Reset()
			}
			time.Sleep(30 * time.Minute)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err = s.Radio().WaitRegistered(ctx)
			require.NoError(t, err, "write %d: %+v", k, s.Status())
			closes(t, s, "at the end")
		})
	}
}

// Another program has the port for some hours: no reset of a modem that is
// somebody else's.
func TestBusyPortIsWaitedFor(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		var taken atomic.Bool
		s := open(t, powered(session.Config{Open: func(context.Context) (io.ReadWriteCloser, error) {
			if taken.Load() {
				return nil, &port.BusyError{Port: "/dev/ttyUSB2", Holder: "minicom (pid 812)", Err: errors.New("device or resource busy")}
			}
			return fake.Line(), nil
		}}, fake))
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		taken.Store(true)
		other := fake.Line() // cuts ours off
		time.Sleep(5 * time.Hour)
		require.Empty(t, j.rungs())
		require.ErrorContains(t, s.Status().Err, "minicom")
		other.Close()
		taken.Store(false)
		time.Sleep(10 * time.Minute)
		registers(t, s, time.Minute)
	})
}

// Two sessions on one modem without a lock between them: both back off, and the
// one that stays has the modem.
func TestTwoSessionsOnOneModem(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		first := open(t, on(fake))
		second, err := session.Open(t.Context(), on(fake))
		if err == nil {
			time.Sleep(time.Hour)
			closes(t, second, "the second one")
		}
		require.Less(t, first.Status().Starts, 60, "an hour of taking the line from each other")
		time.Sleep(30 * time.Minute)
		registers(t, first, time.Minute)
	})
}

// answering is a modem that answers every command line with the same, after a delay.
type answering struct {
	out    *io.PipeReader
	in     *io.PipeWriter
	answer string
	delay  time.Duration
}

func newAnswering(answer string, delay time.Duration) *answering {
	a := &answering{answer: answer, delay: delay}
	a.out, a.in = io.Pipe()
	return a
}

func (a *answering) Read(p []byte) (int, error) { return a.out.Read(p) }
func (a *answering) Write(p []byte) (int, error) {
	for _, c := range p {
		if c == '\r' {
			time.AfterFunc(a.delay, func() { a.in.Write([]byte("\r\n" + a.answer + "\r\n")) })
		}
	}
	return len(p), nil
}
func (a *answering) Close() error {
	a.in.Close()
	return a.out.Close()
}

// Modems that answer only ERROR, or long after they were asked: Open ends with
// an error that says so, in its time.
func TestModemsThatAreOfNoUse(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		delay  time.Duration
		want   error
		text   string
	}{
		{"only ERROR", "ERROR", 0, at.ResultError{Result: "ERROR"}, "SIM"},
		{"only ERROR, slowly", "ERROR", time.Second, at.ResultError{Result: "ERROR"}, "SIM"},
		{"only SIM failure", "+CME ERROR: 13", 0, gprs.ErrNoSIM, "look at its contacts"},
		{"OK after 30 s", "OK", 30 * time.Second, at.ErrNoAnswer, "is it the AT port"},
		{"noise", "\xff\xfe\x00~~", 0, at.ErrNoAnswer, "is it the AT port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := session.Open(t.Context(), session.Config{Open: func(context.Context) (io.ReadWriteCloser, error) {
					return newAnswering(c.answer, c.delay), nil
				}})
				require.ErrorIs(t, err, c.want)
				require.ErrorContains(t, err, c.text)
				require.Less(t, time.Since(began), 3*time.Minute)
				time.Sleep(time.Minute) // late answers find nobody
			})
		})
	}
}

// Host and modem are switched on together: the modem boots before, while and
// after it is being set up.
func TestModemBootsWhileItIsOpened(t *testing.T) {
	for _, kind := range []*fakemodem.Personality{fakemodem.SIM800, fakemodem.EC25} {
		for after := time.Duration(0); after < 8*time.Second; after += 90 * time.Millisecond {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				fake := network.NewModem(kind, fakemodem.WithPIN("4711"))
				cfg := on(fake)
				cfg.PIN = "4711"
				reset := time.AfterFunc(after, fake.Reset)
				defer reset.Stop()
				s, err := session.Open(t.Context(), cfg)
				require.NoError(t, err, "%v", after)
				time.Sleep(time.Minute)
				registers(t, s, time.Minute)
				closes(t, s, "at the end")
				left, _ := fake.PINAttempts()
				require.Equal(t, 3, left)
			})
		}
	}
}

// The SIM is taken out during a data call and put in again: it gets its PIN,
// and the next call comes up. In real time, for gVisor's stack.
func TestSIMRemovedDuringADataCall(t *testing.T) {
	t.Parallel()
	for name, plain := range map[string]bool{"multiplexed": false, "on a line of its own": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network := newNetwork(t)
			address := echo(t, network)
			fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
			cfg := on(fake)
			cfg.PIN, cfg.NoMultiplexer = "4711", plain
			s := open(t, cfg)
			events := s.Events(t.Context())
			conn, err := s.DialContext(t.Context(), "tcp", address)
			require.NoError(t, err)
			ping(t, conn)
			fake.RemoveSIM()
			await(t, events, "data down", func(e session.Event) bool { return e.Kind == session.EventDataDown })
			conn.Close()
			fake.InsertSIM()
			registers(t, s, time.Minute)
			conn, err = s.DialContext(t.Context(), "tcp", address)
			require.NoError(t, err)
			ping(t, conn)
			require.NoError(t, conn.Close())
			left, _ := fake.PINAttempts()
			require.Equal(t, 3, left)
			require.Equal(t, 1, s.Status().Starts)
		})
	}
}

// A session may be closed at any moment of a data call's way up and down. In
// real time, for gVisor's stack, and all at once.
func TestCloseAtAnyMomentOfADataCall(t *testing.T) {
	t.Parallel()
	network := newNetwork(t)
	address := echo(t, network)
	var all sync.WaitGroup
	for _, plain := range []bool{false, true} {
		for after := time.Duration(0); after < 400*time.Millisecond; after += 40 * time.Millisecond {
			cfg := on(network.NewModem(fakemodem.SIM800))
			cfg.NoMultiplexer = plain
			all.Go(func() {
				if err := closeInACall(t.Context(), cfg, address, after); err != nil {
					t.Errorf("after %v, plain %v: %v", after, plain, err)
				}
			})
		}
	}
	all.Wait()
}

// closeInACall closes a session that is dialling, or connected, and opens the
// next one on its modem.
func closeInACall(ctx context.Context, cfg session.Config, address string, after time.Duration) error {
	s, err := session.Open(ctx, cfg)
	if err != nil {
		return err
	}
	var dialling sync.WaitGroup
	dialling.Go(func() {
		for s.Status().State != session.StateClosed {
			conn, err := s.DialContext(ctx, "tcp", address)
			if err != nil {
				time.Sleep(5 * time.Millisecond)
				continue
			}
			io.Copy(io.Discard, conn) // until the session takes it away
			conn.Close()
		}
	})
	time.Sleep(after)
	began := time.Now()
	err = s.Close()
	if took := time.Since(began); took > closeLimit {
		err = fmt.Errorf("close took %v", took)
	}
	dialling.Wait()
	if err != nil {
		return err
	}
	again, err := session.Open(ctx, cfg)
	if err != nil {
		return fmt.Errorf("the next session: %w", err)
	}
	defer again.Close()
	_, err = again.Radio().WaitRegistered(ctx)
	return err
}
