package socket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/nettest"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is one of our dialects and the fake modem's.
type pair struct {
	ours   socket.Dialect
	theirs fakemodem.SocketDialect
	ids    int
}

var dialects = []pair{
	{socket.SIM800, fakemodem.SocketsSIM800, 6},
	{socket.SIM7600, fakemodem.SocketsSIM7600, 10},
	{socket.Quectel, fakemodem.SocketsQuectel, 12},
	{socket.UBlox, fakemodem.SocketsUblox, 7},
	{socket.UBloxPSD, fakemodem.SocketsUbloxPSD, 7},
	{socket.Telit, fakemodem.SocketsTelit, 6},
}

// rig is a modem whose sockets end in this process.
type rig struct {
	t     *testing.T
	n     *fakemodem.Network
	fake  *fakemodem.Modem
	modem *at.Modem
	stack *socket.Stack
	peers chan net.Conn // far ends, in the order of dialling
}

// newRig opens a Stack on a modem that is registered.
func newRig(t *testing.T, ours socket.Dialect, theirs fakemodem.SocketDialect, cfg *socket.Config) *rig {
	r := newModem(t, theirs)
	var err error
	r.stack, err = socket.Open(t.Context(), r.modem, ours, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { r.stack.Close() })
	return r
}

func newModem(t *testing.T, theirs fakemodem.SocketDialect) *rig {
	r := &rig{t: t, n: fakemodem.NewNetwork(nil), peers: make(chan net.Conn, 64)}
	t.Cleanup(func() {
		r.n.Close()
		close(r.peers)
		for p := range r.peers {
			p.Close()
		}
	})
	return r.join(fakemodem.SIM800, fakemodem.WithSockets(theirs), fakemodem.WithSocketDialer(r.dial))
}

// newOnline is a modem whose sockets end in the simulated network.
func newOnline(t *testing.T, kind *fakemodem.Personality, options ...fakemodem.Option) *rig {
	r := &rig{t: t, n: fakemodem.NewNetwork(nil)}
	t.Cleanup(func() { r.n.Close() })
	return r.join(kind, options...)
}

// join puts a modem into the network and waits until it is registered.
func (r *rig) join(kind *fakemodem.Personality, options ...fakemodem.Option) *rig {
	t := r.t
	r.fake = r.n.NewModem(kind, options...)
	r.modem = at.New(r.fake.Line(), nil)
	t.Cleanup(func() { r.modem.Close() })
	for _, text := range []string{"E0", "+CMEE=1"} {
		_, err := at.Exec(t.Context(), r.modem, text)
		require.NoError(t, err)
	}
	for {
		if _, packet := r.fake.Registered(); packet {
			return r
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (r *rig) dial(_ context.Context, network, address string) (net.Conn, error) {
	if host, _, _ := net.SplitHostPort(address); host == "nowhere.example" {
		return nil, errors.New("no such host")
	}
	near, far := net.Pipe()
	r.peers <- far
	return near, nil
}

// connect gives both ends of a connection.
func (r *rig) connect(network string) (net.Conn, net.Conn) {
	r.t.Helper()
	c, err := r.stack.DialContext(r.t.Context(), network, "203.0.113.9:7")
	require.NoError(r.t, err)
	far := <-r.peers
	end := time.Now().Add(patience)
	require.NoError(r.t, c.SetDeadline(end))
	far.SetDeadline(end) // it may have been given up already
	return c, far
}

// waitDone waits until the Stack has ended by itself.
func (r *rig) waitDone() {
	r.t.Helper()
	select {
	case <-r.stack.Done():
	case <-time.After(patience):
		r.t.Fatal("the Stack goes on")
	}
}

// patience is how long both ends of a connection wait where a test sets nothing
// else: what never comes fails the test, whose clock would run on for ever.
const patience = 2 * time.Hour

// each runs a test for every dialect, in a bubble.
func each(t *testing.T, cfg *socket.Config, fn func(t *testing.T, r *rig)) {
	for _, d := range dialects {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { fn(t, newRig(t, d.ours, d.theirs, cfg)) })
		})
	}
}

func TestNettest(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.ours.String(), func(t *testing.T) {
			t.Parallel()
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				r := newRig(t, d.ours, d.theirs, &socket.Config{PromptGap: -1})
				c1, c2 = r.connect("tcp")
				return c1, c2, func() { c1.Close(); c2.Close(); r.stack.Close() }, nil
			})
		})
	}
}

func TestEchoOfHostilePayload(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		payload := []byte("\r\nOK\r\n\r\n+CIPRXGET: 1,1\r\n\r\nERROR\r\n+QIURC: \"closed\",0\r\n> @\"\x00\x1a\x1b+++0, CLOSED\r\n\r\nNO CARRIER\r\n\r\nSRING: 1\r\n")
		payload = bytes.Repeat(payload, 60) // more than one piece
		go io.Copy(far, far)
		n, err := c.Write(payload)
		require.NoError(t, err)
		require.Equal(t, len(payload), n)
		got := make([]byte, len(payload))
		_, err = io.ReadFull(c, got)
		require.NoError(t, err)
		require.Equal(t, payload, got)
		require.NoError(t, c.Close())
		require.NoError(t, c.Close())
		_, err = c.Read(got)
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = c.Write(got)
		require.ErrorIs(t, err, net.ErrClosed)
		require.Zero(t, r.fake.OpenSockets())
	})
}

func TestDatagrams(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, err := r.stack.DialContext(t.Context(), "udp", "203.0.113.9:5000")
		require.NoError(t, err)
		pc := c.(net.PacketConn)
		_, err = pc.WriteTo([]byte("one"), c.RemoteAddr())
		require.NoError(t, err)
		far := <-r.peers
		got := make([]byte, 100)
		n, err := far.Read(got)
		require.NoError(t, err)
		require.Equal(t, "one", string(got[:n]))
		for _, text := range []string{"first datagram", "second"} {
			_, err := far.Write([]byte(text))
			require.NoError(t, err)
		}
		n, _, err = pc.ReadFrom(got[:5])
		require.NoError(t, err)
		require.Equal(t, "first", string(got[:n]), "the rest of a datagram is lost")
		n, addr, err := pc.ReadFrom(got)
		require.NoError(t, err)
		require.Equal(t, "second", string(got[:n]), "datagrams are not joined")
		require.Equal(t, c.RemoteAddr(), addr)
		_, err = pc.WriteTo([]byte("x"), c.LocalAddr())
		require.ErrorIs(t, err, net.ErrWriteToConnected)
		_, err = c.Write(make([]byte, 4000))
		require.Error(t, err, "a datagram is never cut")
		require.NoError(t, c.Close())
	})
}

func TestDialFailures(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		for _, address := range []string{"nowhere.example:7"} {
			_, err := r.stack.DialContext(t.Context(), "tcp", address)
			require.ErrorIs(t, err, socket.ErrRefused, "%v", err)
			require.Zero(t, r.fake.OpenSockets(), "no number is left in use")
		}
		for _, address := range []string{"203.0.113.9", "203.0.113.9:0", "203.0.113.9:99999", ":7", "a\"b:7", "a\rAT+CFUN=0:7"} {
			_, err := r.stack.DialContext(t.Context(), "tcp", address)
			require.Error(t, err, "%q", address)
		}
		_, err := r.stack.DialContext(t.Context(), "unix", "203.0.113.9:7")
		require.Error(t, err)
		require.Empty(t, r.peers, "promise 9: nothing was sent for any of them")
	})
}

// F78: every number in use is an error of its own, and a number that becomes
// free is used again.
func TestF78AllNumbersInUse(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, d.ours, d.theirs, nil)
				var open []net.Conn
				for range d.ids {
					c, _ := r.connect("tcp")
					open = append(open, c)
				}
				_, err := r.stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
				require.ErrorIs(t, err, socket.ErrNoSocket)
				require.NoError(t, open[3].Close())
				r.connect("tcp")
			})
		})
	}
}

// F78: a host that crashed left its sockets open; a new run closes them.
func TestF78LeftOverSocketsAreClosed(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, d.ours, d.theirs, nil)
				for range d.ids {
					r.connect("tcp")
				}
				// The program dies: nothing is closed.
				again := at.New(r.fake.Line(), nil)
				defer again.Close()
				stack, err := socket.Open(t.Context(), again, d.ours, nil)
				require.NoError(t, err)
				require.Zero(t, r.fake.OpenSockets())
				c, err := stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
				require.NoError(t, err)
				require.NoError(t, c.Close())
				require.NoError(t, stack.Close())
			})
		})
	}
}

// F24: a notice of data for a socket of another run.
func TestF24StaleNotice(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		r.fake.SetSocketFaults(fakemodem.SocketFaults{StaleReady: 1})
		c, far := r.connect("tcp")
		_, err := far.Write([]byte("x"))
		require.NoError(t, err)
		got := make([]byte, 1)
		_, err = io.ReadFull(c, got)
		require.NoError(t, err)
	})
}

// F26: the notice of data is lost: the poll finds the data.
func TestF26LostNotice(t *testing.T) {
	each(t, &socket.Config{PollInterval: 20 * time.Second}, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		time.Sleep(5 * time.Second) // a new connection is read once without a notice
		r.fake.SetSocketFaults(fakemodem.SocketFaults{LoseReady: 1})
		start := time.Now()
		_, err := far.Write([]byte("late"))
		require.NoError(t, err)
		got := make([]byte, 4)
		_, err = io.ReadFull(c, got)
		require.NoError(t, err)
		require.Equal(t, "late", string(got))
		require.Greater(t, time.Since(start), time.Second, "there was no notice")
		require.LessOrEqual(t, time.Since(start), 21*time.Second)
	})
}

// F34: what is taken in part is sent on; a refusal for now is repeated. The
// octets arrive once, in order.
func TestF34PartialAndRefusedSends(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		sim7600 := c.RemoteAddr() != nil && t.Name() == "TestF34PartialAndRefusedSends/SIM7600"
		ublox := strings.HasPrefix(t.Name(), "TestF34PartialAndRefusedSends/u-blox")
		quectel := t.Name() == "TestF34PartialAndRefusedSends/Quectel"
		faults := fakemodem.SocketFaults{SendFails: 2, Partial: 100}
		if sim7600 || ublox {
			faults.SendFails = 0 // they have no refusal for now
		}
		if quectel {
			faults.Partial = 0 // all or nothing
		}
		r.fake.SetSocketFaults(faults)
		payload := bytes.Repeat([]byte("0123456789"), 200)
		got := make([]byte, len(payload))
		read := make(chan error, 1)
		go func() {
			_, err := io.ReadFull(far, got)
			read <- err
		}()
		n, err := c.Write(payload)
		require.NoError(t, err)
		require.Equal(t, len(payload), n)
		require.NoError(t, <-read)
		require.Equal(t, payload, got)
	})
}

// F34: a modem that refuses for ever is an error, never a success.
func TestF34RefusedForEver(t *testing.T) {
	for _, d := range dialects[:1] {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, d.ours, d.theirs, &socket.Config{SendTimeout: 30 * time.Second})
			c, _ := r.connect("tcp")
			r.fake.SetSocketFaults(fakemodem.SocketFaults{SendFails: 1 << 30})
			start := time.Now()
			n, err := c.Write([]byte("x"))
			require.ErrorIs(t, err, socket.ErrSendFailed)
			require.Zero(t, n)
			require.LessOrEqual(t, time.Since(start), 31*time.Second)
			_, err = c.Write([]byte("x"))
			require.ErrorIs(t, err, socket.ErrSendFailed)
		})
	}
}

// F74: the close comes before, with or behind the last data; all of it is read
// before the end. And a close without a word is found by asking.
func TestF74CloseAndLastData(t *testing.T) {
	for name, faults := range map[string]fakemodem.SocketFaults{
		"data first":                 {},
		"the close is all that says": {LoseReady: 1},
		"nothing says":               {LoseClosed: 1, LoseReady: 1},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, nil, func(t *testing.T, r *rig) {
				c, far := r.connect("tcp")
				r.fake.SetSocketFaults(faults)
				payload := bytes.Repeat([]byte("last words "), 500)
				go func() {
					far.Write(payload)
					far.Close()
				}()
				require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Minute)))
				got, err := io.ReadAll(c)
				require.NoError(t, err)
				require.Equal(t, payload, got)
				_, err = c.Write([]byte("x"))
				require.Error(t, err)
				require.NoError(t, c.Close())
				require.Zero(t, r.fake.OpenSockets())
			})
		})
	}
}

// F66: the network takes the context away: every socket ends with that cause,
// and a new Stack works.
func TestF66ContextLost(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, d.ours, d.theirs, nil)
				c, _ := r.connect("tcp")
				r.fake.Deactivate(1)
				r.waitDone()
				require.ErrorIs(t, r.stack.Err(), socket.ErrContextLost)
				_, err := c.Read(make([]byte, 1))
				require.Error(t, err)
				_, err = r.stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
				require.ErrorIs(t, err, socket.ErrContextLost)
				r.stack.Close()

				r.stack, err = socket.Open(t.Context(), r.modem, d.ours, nil)
				require.NoError(t, err)
				r.connect("tcp")
				require.NoError(t, r.stack.Close())
				require.NoError(t, r.stack.Close())
				require.ErrorIs(t, r.stack.Err(), net.ErrClosed)
			})
		})
	}
}

// F76: the first activation fails, the second one works.
func TestF76ActivationFailsOnce(t *testing.T) {
	for _, d := range slices.Concat(dialects[:3], dialects[5:]) {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newModem(t, d.theirs)
				r.fake.SetSocketFaults(fakemodem.SocketFaults{ActivateFail: 1})
				stack, err := socket.Open(t.Context(), r.modem, d.ours, &socket.Config{APN: "internet"})
				require.NoError(t, err)
				require.NoError(t, stack.Close())
				r.fake.SetSocketFaults(fakemodem.SocketFaults{ActivateFail: 9})
				_, err = socket.Open(t.Context(), r.modem, d.ours, &socket.Config{APN: "internet", Password: "secret"})
				require.Error(t, err)
				require.NotContains(t, err.Error(), "secret")
			})
		})
	}
}

// F74 from the catalogue: no word of the close, and none of the data.
func TestF74SilentClose(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F74"})
		require.NoError(t, err)
		require.NoError(t, far.Close())
		start := time.Now()
		require.NoError(t, c.SetReadDeadline(start.Add(time.Hour)))
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		require.LessOrEqual(t, time.Since(start), 31*time.Second, "found by asking")
	})
}

// F75: a name that takes a minute: the caller's context ends the wait, and the
// number is free again when the modem has given up.
func TestF75SlowNames(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F75"})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err = r.stack.DialContext(ctx, "tcp", "gateway.example:7")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), 11*time.Second, "the caller does not wait for the modem")
		time.Sleep(2 * time.Minute)
		require.Zero(t, r.fake.OpenSockets())
		c, err := r.stack.DialContext(t.Context(), "tcp", "gateway.example:7")
		require.NoError(t, err, "with patience it works")
		require.NoError(t, c.Close())
	})
}

// Close ends a dial that is under way, and waits for what it left.
func TestCloseDuringDial(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		r.fake.SetSocketFaults(fakemodem.SocketFaults{SlowNames: 100 * time.Second})
		failed := make(chan error, 1)
		go func() {
			_, err := r.stack.DialContext(t.Context(), "tcp", "gateway.example:7")
			failed <- err
		}()
		time.Sleep(time.Second)
		start := time.Now()
		ended := make(chan struct{})
		go func() {
			r.stack.Close()
			close(ended)
		}()
		require.ErrorIs(t, <-failed, net.ErrClosed)
		require.Less(t, time.Since(start), time.Minute)
		<-ended
		require.Less(t, time.Since(start), 3*time.Minute)
	})
}

// F77: the firmware refuses pieces that its manual allows: they are made
// smaller until it takes them, and nothing is lost or doubled.
func TestF77SmallerPieces(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		r.fake.SetSocketFaults(fakemodem.SocketFaults{MaxPiece: 300})
		payload := bytes.Repeat([]byte("0123456789"), 400)
		got := make([]byte, len(payload))
		read := make(chan error, 1)
		go func() {
			_, err := io.ReadFull(far, got)
			read <- err
		}()
		_, err := c.Write(payload)
		require.NoError(t, err)
		require.NoError(t, <-read)
		require.Equal(t, payload, got)
	})
}

// F78 from the catalogue: numbers left over from a former run are freed when a
// new one begins.
func TestF78OccupiedAtStart(t *testing.T) {
	for _, d := range dialects {
		synctest.Test(t, func(t *testing.T) {
			r := newModem(t, d.theirs)
			_, err := r.fake.Inject(fakemodem.Fault{ID: "F78"})
			require.NoError(t, err)
			require.Equal(t, d.ids, r.fake.OpenSockets())
			r.stack, err = socket.Open(t.Context(), r.modem, d.ours, nil)
			require.NoError(t, err)
			r.connect("tcp")
			require.NoError(t, r.stack.Close())
		})
	}
}

// F79: a notice of data inside the answer about the state is not taken for
// part of it, nor lost: it is the only word of data that came just then.
func TestF79NoticeInsideTheState(t *testing.T) {
	questions := map[string]string{"SIM800": "+CIPSTATUS", "SIM7600": "+CIPCLOSE", "Quectel": "+QISTATE", "u-blox": "+USOCTL", "u-blox with profiles": "+USOCTL", "Telit": "#SS"}
	notices := map[string]string{"SIM800": "+CIPRXGET: 1,0", "SIM7600": "+CIPRXGET: 1,0", "Quectel": `+QIURC: "recv",0`, "u-blox": "+UUSORD: 0,10", "u-blox with profiles": "+UUSORD: 0,10", "Telit": "SRING: 1"}
	each(t, &socket.Config{PollInterval: time.Minute}, func(t *testing.T, r *rig) {
		name := ours(t).String()
		c, far := r.connect("tcp")
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F79", On: questions[name], Text: notices[name]})
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		r.fake.SetSocketFaults(fakemodem.SocketFaults{LoseReady: 1})
		var asked time.Time
		r.fake.OnCommand(questions[name], func(call *fakemodem.Call) fakemodem.Result {
			if asked.IsZero() {
				asked = time.Now()
				go io.WriteString(far, "still here") // behind the poll's read, before the answer
				time.Sleep(time.Second)
			}
			return fakemodem.Default
		})
		got := make([]byte, 10)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Minute)))
		_, err = io.ReadFull(c, got)
		require.NoError(t, err)
		require.Equal(t, "still here", string(got))
		require.Less(t, time.Since(asked), 10*time.Second, "the poll would have come after a minute")
		require.NoError(t, c.Close())
	})
}

// F08: a block that is shorter than its head says ends the connection, and the
// modem is usable afterwards.
func TestF08ShortBlock(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		r.fake.SetSocketFaults(fakemodem.SocketFaults{ShortBlock: 1})
		_, err := far.Write([]byte("twelve bytes"))
		require.NoError(t, err)
		_, err = io.ReadAll(c)
		require.Error(t, err, "what is missing must not be made up")
		r.fake.SetSocketFaults(fakemodem.SocketFaults{})
		_, err = at.Exec(t.Context(), r.modem, "+CMEE?")
		require.NoError(t, err)
		require.NoError(t, c.Close())
		r.connect("tcp")
	})
}

// A peer that does not read, and a program that does not read, do not grow
// anything; deadlines hold meanwhile.
func TestBackpressureAndDeadlines(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(30*time.Second)))
		n, err := c.Write(make([]byte, 1<<20))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Less(t, n, 1<<20)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
		start := time.Now()
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
		go io.Copy(io.Discard, far)
		require.NoError(t, c.SetDeadline(time.Time{}))
		_, err = c.Write([]byte("goes on"))
		require.NoError(t, err)
	})
}
