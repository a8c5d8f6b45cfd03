package session_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

// atOnce is how many of the tests in real time run together: they spend it waiting
// for the times of modems, so there may be more of them than cores.
const atOnce = "12"

func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		parallel.Value.Set(atOnce)
	}
	goleak.VerifyTestMain(m)
}

// on returns a configuration for a session on a fake modem, whose line can be
// opened again and again.
func on(fake *fakemodem.Modem) session.Config {
	return session.Config{Open: func(context.Context) (io.ReadWriteCloser, error) { return fake.Line(), nil }}
}

func open(t *testing.T, cfg session.Config) *session.Session {
	t.Helper()
	s, err := session.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func newNetwork(t *testing.T) *fakemodem.Network {
	network := fakemodem.NewNetwork(nil)
	t.Cleanup(func() { network.Close() })
	return network
}

// await reads events until one fits.
func await(t *testing.T, events <-chan session.Event, what string, fits func(session.Event) bool) session.Event {
	t.Helper()
	for e := range events {
		if fits(e) {
			return e
		}
	}
	t.Fatal("no event: ", what)
	return session.Event{}
}

func TestOpenRegisterAndSendSMS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		s := open(t, on(network.NewModem(fakemodem.SIM800)))
		registration, err := s.Radio().WaitRegistered(t.Context())
		require.NoError(t, err)
		require.True(t, registration.State.Registered())
		phone := network.Phone("+15555550199")
		_, err = s.SMS().Send(t.Context(), sms.Message{To: phone.Number(), Text: "here I am"})
		require.NoError(t, err)
		got, err := phone.Receive(t.Context())
		require.NoError(t, err)
		require.Equal(t, "here I am", got.Text)
		synctest.Wait()
		status := s.Status()
		require.Equal(t, session.StateRegistered, status.State)
		require.Equal(t, "SIM800", status.Profile)
		require.Equal(t, 1, status.Starts)
	})
}

func TestPINIsEnteredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := on(fake)
		cfg.PIN = "4711"
		s := open(t, cfg)
		_, err := s.Radio().WaitRegistered(t.Context())
		require.NoError(t, err)
	})
}

// A wrong PIN is tried once; the error tells how many tries are left.
func TestWrongPINStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := on(fake)
		cfg.PIN = "1234"
		_, err := session.Open(t.Context(), cfg)
		var pin *gprs.PINError
		require.ErrorAs(t, err, &pin)
		require.Equal(t, 2, pin.Left)
		require.NotContains(t, err.Error(), "1234")
		left, _ := fake.PINAttempts()
		require.Equal(t, 2, left)
	})
}

// A modem that comes back with another SIM, whose PIN is not ours, ends the
// session, and everybody is told why.
func TestFailedSessionTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		first := network.NewModem(fakemodem.SIM800)
		second := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		modems := []*fakemodem.Modem{first, second}
		s, err := session.Open(t.Context(), session.Config{PIN: "1234", Open: func(context.Context) (io.ReadWriteCloser, error) {
			next := modems[0]
			modems = modems[1:]
			return next.Line(), nil
		}})
		require.NoError(t, err)
		events := s.Events(t.Context())
		first.Line().Close() // takes the port away, as an unplugged stick
		await(t, events, "failure", func(e session.Event) bool {
			return e.Kind == session.EventState && e.State == session.StateFailed
		})
		var pin *gprs.PINError
		_, err = at.Exec(t.Context(), s, "+CSQ")
		require.ErrorAs(t, err, &pin)
		require.Equal(t, 2, pin.Left)
		require.NoError(t, s.Close())
	})
}

// The last try is never spent (promise 7).
func TestPromise7LastPINTryIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"), fakemodem.WithPINAttempts(1))
		cfg := on(fake)
		cfg.PIN = "4711"
		_, err := session.Open(t.Context(), cfg)
		require.ErrorIs(t, err, gprs.ErrLastTry)
		left, _ := fake.PINAttempts()
		require.Equal(t, 1, left)
	})
}

// deaf is a line on which nobody answers.
type deaf struct{ closed chan struct{} }

func (d deaf) Read([]byte) (int, error)    { <-d.closed; return 0, io.EOF }
func (d deaf) Write(p []byte) (int, error) { return len(p), nil }
func (d deaf) Close() error {
	select {
	case <-d.closed:
	default:
		close(d.closed)
	}
	return nil
}

func TestModemThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []deaf
		_, err := session.Open(t.Context(), session.Config{Open: func(context.Context) (io.ReadWriteCloser, error) {
			lines = append(lines, deaf{make(chan struct{})})
			return lines[len(lines)-1], nil
		}})
		require.ErrorIs(t, err, at.ErrNoAnswer)
		require.ErrorContains(t, err, "is it the AT port")
		require.Len(t, lines, 2, "once plainly, once out of whatever mode it may be in")
		for _, line := range lines {
			<-line.closed
		}
	})
}

func TestLineThatCannotBeOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("no such port")
		_, err := session.Open(t.Context(), session.Config{Open: func(context.Context) (io.ReadWriteCloser, error) { return nil, cause }})
		require.ErrorIs(t, err, cause)
	})
}

func TestOpenNeedsALine(t *testing.T) {
	_, err := session.Open(t.Context(), session.Config{})
	require.ErrorContains(t, err, "neither")
}

func TestOpenEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		line := deaf{make(chan struct{})}
		_, err := session.Open(ctx, session.Config{Open: func(context.Context) (io.ReadWriteCloser, error) { return line, nil }})
		require.Error(t, err)
		<-line.closed
	})
}

// The line goes away and comes back: subscriptions and services go on.
func TestSurvivesALostLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		fake := network.NewModem(fakemodem.SIM800)
		lines := make(chan io.Closer, 10)
		s := open(t, session.Config{Open: func(context.Context) (io.ReadWriteCloser, error) {
			line := fake.Line()
			lines <- line
			return line, nil
		}})
		events := s.Events(t.Context())
		heard := make(chan string, 10)
		defer s.Handle("+HELLO", func(n at.Notification) { heard <- n.Line })()
		fake.Emit("+HELLO: 1")
		require.Equal(t, "+HELLO: 1", <-heard)

		(<-lines).Close()
		await(t, events, "recovery", func(e session.Event) bool { return e.Kind == session.EventRecovery })
		_, err := at.Exec(t.Context(), s, "+CSQ")
		require.NoError(t, err, "a command waits for the modem")
		fake.Emit("+HELLO: 2")
		require.Equal(t, "+HELLO: 2", <-heard)
		await(t, events, "registered again", func(e session.Event) bool {
			return e.Kind == session.EventState && e.State == session.StateRegistered
		})
		require.Equal(t, 2, s.Status().Starts)
	})
}

// A modem that boots by itself is set up again, its SIM opened again.
func TestSurvivesAReboot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := on(fake)
		cfg.PIN = "4711"
		s := open(t, cfg)
		_, err := s.Radio().WaitRegistered(t.Context())
		require.NoError(t, err)
		events := s.Events(t.Context())
		fake.Reset()
		await(t, events, "registered again", func(e session.Event) bool {
			return e.Kind == session.EventState && e.State == session.StateRegistered
		})
		require.Equal(t, 2, s.Status().Starts)
		left, _ := fake.PINAttempts()
		require.Equal(t, 3, left)
	})
}

// A modem that finds no network is helped, ever more rarely.
func TestHelpsAModemThatFindsNoNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		network.SetCoverage(fakemodem.NoCoverage)
		fake := network.NewModem(fakemodem.SIM800)
		s := open(t, on(fake))
		steps := 0
		events := s.Events(t.Context())
		time.Sleep(24 * time.Hour)
		for len(events) > 0 {
			if e := <-events; e.Kind == session.EventRecovery {
				steps++
			}
		}
		require.GreaterOrEqual(t, steps, 3)
		require.LessOrEqual(t, steps, 36, "about one an hour, and a few in the first")
		require.Equal(t, session.StateSearching, s.Status().State)
		network.SetCoverage(fakemodem.FullCoverage)
		_, err := s.Radio().WaitRegistered(t.Context())
		require.NoError(t, err)
	})
}

func TestCloseLetsEverybodyGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		s := open(t, on(network.NewModem(fakemodem.SIM800)))
		events := s.Events(t.Context())
		require.NoError(t, s.Close())
		for range events {
		}
		_, err := at.Exec(t.Context(), s, "+CSQ")
		require.ErrorIs(t, err, session.ErrClosed)
		_, err = s.DialContext(t.Context(), "tcp", "10.65.0.1:7")
		require.ErrorIs(t, err, session.ErrClosed)
		require.Equal(t, session.StateClosed, s.Status().State)
		require.NoError(t, s.Close())
	})
}

// echo is a TCP server inside the network that sends back what it gets.
func echo(t *testing.T, network *fakemodem.Network) (address string) {
	listener, err := network.Listen("tcp", ":7000")
	require.NoError(t, err)
	var serving sync.WaitGroup
	ended := make(chan struct{})
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				<-ended // a peer whose modem went says no good-bye
				conn.Close()
			})
			serving.Go(func() {
				io.Copy(conn, conn)
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		close(ended)
		serving.Wait()
	})
	return listener.Addr().String()
}

func ping(t *testing.T, conn net.Conn) {
	t.Helper()
	_, err := conn.Write([]byte("ping"))
	require.NoError(t, err)
	back := make([]byte, 4)
	_, err = io.ReadFull(conn, back)
	require.NoError(t, err)
	require.Equal(t, "ping", string(back))
}

// With the multiplexer commands and messages go on during a data call. Data
// runs on gVisor's stack, so this one has real time.
func TestMessagesDuringADataCall(t *testing.T) {
	t.Parallel()
	network := newNetwork(t)
	address := echo(t, network)
	s := open(t, on(network.NewModem(fakemodem.SIM800)))
	require.True(t, s.Status().Multiplexed)
	conn, err := s.DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	ping(t, conn)
	phone := network.Phone("+15555550199")
	_, err = s.SMS().Send(t.Context(), sms.Message{To: phone.Number(), Text: "still here"})
	require.NoError(t, err)
	got, err := phone.Receive(t.Context())
	require.NoError(t, err)
	require.Equal(t, "still here", got.Text)
	_, err = s.Radio().Signal(t.Context())
	require.NoError(t, err)
	ping(t, conn)
}

// A host that crashed leaves the modem multiplexing: the next session brings
// it back (fault F85).
func TestF85LeftInMultiplexerMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		fake := network.NewModem(fakemodem.SIM800)
		crashed := at.New(fake.Line(), nil)
		_, err := crashed.Handover(t.Context(), at.Command{Text: "+CMUX=0,0,5,127,10,3,30,10,2"})
		require.NoError(t, err)
		crashed.Close() // without a word to the modem
		s := open(t, on(fake))
		_, err = s.Radio().WaitRegistered(t.Context())
		require.NoError(t, err)
	})
}

// Without the multiplexer a data call has the line for itself, and the modem is
// in command mode after it. In real time, for gVisor's stack.
func TestDataCallOnDemand(t *testing.T) {
	t.Parallel()
	network := newNetwork(t)
	address := echo(t, network)
	cfg := on(network.NewModem(fakemodem.SIM800))
	cfg.NoMultiplexer = true
	s := open(t, cfg)
	events := s.Events(t.Context())
	for range 2 {
		conn, err := s.DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		ping(t, conn)
		require.NoError(t, conn.Close())
		require.True(t, s.Status().DataUp)
		require.NoError(t, s.Disconnect(t.Context()))
		await(t, events, "data down", func(e session.Event) bool { return e.Kind == session.EventDataDown })
		_, err = at.Exec(t.Context(), s, "+CSQ")
		require.NoError(t, err, "command mode")
	}
	require.Equal(t, 2, s.Status().DataCalls)
	require.False(t, s.Status().DataUp)
}

// What the engines met is counted over all lines, and never runs backwards.
func TestStatusCountsWhatTheEnginesMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := newNetwork(t)
		fake := network.NewModem(fakemodem.SIM800)
		s := open(t, on(fake))
		require.NotZero(t, s.Status().Commands)
		for round := 1; round <= 3; round++ {
			before := s.Status()
			fake.Inject(fakemodem.Fault{ID: "F22", On: "+CSQ", Delay: 3 * time.Second})
			_, err := s.Command(t.Context(), at.Command{Text: "+CSQ", Timeout: time.Second})
			require.ErrorIs(t, err, at.ErrNoAnswer)
			time.Sleep(5 * time.Second)
			require.Greater(t, s.Status().Unanswered, before.Unanswered)
			require.Greater(t, s.Status().Engine.Losses, before.Engine.Losses)
			last := s.Status()
			fake.Inject(fakemodem.Fault{ID: "F95"}) // another line
			for last.Starts == before.Starts {
				time.Sleep(100 * time.Millisecond)
				now := s.Status()
				require.GreaterOrEqual(t, now.Engine.Losses, last.Engine.Losses)
				last = now
			}
			_, err = s.Radio().WaitRegistered(t.Context())
			require.NoError(t, err)
		}
	})
}
