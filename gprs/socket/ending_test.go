package socket_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// The modem starts anew under open sockets: everything that waits ends with
// that cause, and a new Stack works.
func TestResetUnderOpenSockets(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		read, written, dialled := make(chan error, 1), make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		go func() {
			_, err := c.Write(make([]byte, 1<<20)) // nobody reads it
			written <- err
		}()
		r.fake.SetSocketFaults(fakemodem.SocketFaults{SlowNames: time.Minute})
		go func() {
			_, err := r.stack.DialContext(t.Context(), "tcp", "gateway.example:7")
			dialled <- err
		}()
		time.Sleep(10 * time.Second)
		r.fake.Reset()
		r.waitDone()
		require.ErrorIs(t, r.stack.Err(), at.ErrRebooted)
		require.ErrorIs(t, <-read, at.ErrRebooted)
		require.Error(t, <-written)
		require.ErrorIs(t, <-dialled, at.ErrRebooted)
		require.NoError(t, far.Close())
		r.stack.Close()

		r.fake.SetSocketFaults(fakemodem.SocketFaults{})
		for {
			if _, packet := r.fake.Registered(); packet {
				break
			}
			time.Sleep(time.Second)
		}
		_, err := at.Exec(t.Context(), r.modem, "E0")
		require.NoError(t, err)
		stack, err := socket.Open(t.Context(), r.modem, ours(t), nil)
		require.NoError(t, err)
		defer stack.Close()
		_, err = stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
		require.NoError(t, err)
	})
}

// say lets the modem print a notification.
func (r *rig) say(line string) {
	_, err := r.fake.Inject(fakemodem.Fault{ID: "F24", Text: line})
	require.NoError(r.t, err)
}

// ours is the dialect that a test of each runs for.
func ours(t *testing.T) socket.Dialect { return dialectOf(t).ours }

// dialectOf is that, with what the fake modem has for it.
func dialectOf(t *testing.T) pair {
	name := t.Name()[strings.LastIndexByte(t.Name(), '/')+1:]
	for _, d := range dialects {
		if name == strings.ReplaceAll(d.ours.String(), " ", "_") {
			return d
		}
	}
	t.Fatalf("%s is no test of each", t.Name())
	return pair{}
}

// F66 with data that was not read: what the modem had handed out is read before
// the cause, and the cause is no clean end.
func TestContextLostWithUnreadData(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		go io.WriteString(far, "last reading")
		time.Sleep(time.Second)
		r.fake.Deactivate(1)
		r.waitDone()
		got, err := io.ReadAll(c)
		require.Equal(t, "last reading", string(got))
		require.ErrorIs(t, err, socket.ErrContextLost)
		_, err = c.Write([]byte("x"))
		require.ErrorIs(t, err, socket.ErrContextLost)
		require.NoError(t, far.Close())
	})
}

// The socket is gone and nobody says why: that is an error, not the end of the
// stream.
func TestSocketThatIsGoneIsNoCleanEnd(t *testing.T) {
	for _, d := range dialects {
		if d.ours.String() == socket.SIM7600.String() {
			continue // its state does not tell a socket that is gone from one that was closed
		}
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, d.ours, d.theirs, nil)
				c, far := r.connect("tcp")
				closing := map[string]at.Command{
					"SIM800": {Text: "+CIPCLOSE=0", Finals: []string{"0, CLOSE OK"}}, "Quectel": {Text: "+QICLOSE=0"},
					"u-blox": {Text: "+USOCL=0"}, "u-blox with profiles": {Text: "+USOCL=0"},
					"Telit": {Text: "#SH=1"},
				}
				_, err := r.modem.Command(t.Context(), closing[d.ours.String()])
				require.NoError(t, err)
				_, err = c.Read(make([]byte, 1))
				require.ErrorIs(t, err, socket.ErrSocketGone)
				far.Close()
			})
		})
	}
}

// A word of a close that belongs to the socket which had the number before is
// not believed.
func TestStaleCloseIsNotBelieved(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		r.say(map[string]string{
			"SIM800": "0, CLOSED", "SIM7600": "+IPCLOSE: 0,1", "Quectel": `+QIURC: "closed",0`,
			"u-blox": "+UUSOCL: 0", "u-blox with profiles": "+UUSOCL: 0", "Telit": "NO CARRIER: 1,1",
		}[ours(t).String()])
		time.Sleep(time.Minute)
		go io.WriteString(far, "still here")
		got := make([]byte, 10)
		_, err := io.ReadFull(c, got)
		require.NoError(t, err)
		require.Equal(t, "still here", string(got))
		require.NoError(t, far.Close())
		_, err = c.Read(got)
		require.ErrorIs(t, err, io.EOF, "a true one is")
	})
}

// The answer to a read and a notice for another socket have the same prefix:
// the mode tells them apart, and the notice is not lost.
func TestNoticeBetweenReadAndAnswer(t *testing.T) {
	for _, d := range dialects[:2] {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, d.ours, d.theirs, &socket.Config{PollInterval: time.Hour})
			first, _ := r.connect("tcp")
			second, _ := r.connect("tcp")
			time.Sleep(time.Second)
			reads := map[string]int{}
			r.fake.OnCommand("+CIPRXGET", func(c *fakemodem.Call) fakemodem.Result {
				id := c.Args()[1]
				switch reads[id]++; {
				case id == "0" && reads[id] == 1:
					return fakemodem.Answer("+CIPRXGET: 1,1", "+CIPRXGET: 2,0,5,0\r\nhello")(c)
				case id == "1" && reads[id] == 1:
					return fakemodem.Answer("+CIPRXGET: 2,1,5,0\r\nthere")(c)
				}
				return fakemodem.Answer("+CIPRXGET: 2," + id + ",0,0")(c)
			})
			start := time.Now()
			r.say("+CIPRXGET: 1,0")
			got := make([]byte, 5)
			_, err := io.ReadFull(first, got)
			require.NoError(t, err)
			require.Equal(t, "hello", string(got))
			_, err = io.ReadFull(second, got)
			require.NoError(t, err)
			require.Equal(t, "there", string(got))
			require.Less(t, time.Since(start), time.Minute, "not found by the poll")
		})
	}
}

// Sockets in parallel, data both ways on each: what arrives is what was sent.
func TestParallelSocketsBothWays(t *testing.T) {
	each(t, &socket.Config{PromptGap: -1}, func(t *testing.T, r *rig) {
		var all sync.WaitGroup
		for range 3 {
			c, far := r.connect("tcp")
			all.Go(func() { exchange(t, c, far, 200_000) })
		}
		all.Wait()
	})
}

// The report of a send comes while another socket's send is on the line, whose
// report has the same name: each finds its own.
func TestReportsOfParallelSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, socket.SIM7600, fakemodem.SocketsSIM7600, nil)
		first, far := r.connect("tcp")
		second, away := r.connect("tcp")
		r.fake.SetSocketFaults(fakemodem.SocketFaults{LateReport: 300 * time.Millisecond, Delay: 200 * time.Millisecond})
		var both sync.WaitGroup
		both.Go(func() { exchange(t, first, far, 20_000) })
		both.Go(func() { exchange(t, second, away, 20_000) })
		both.Wait()
	})
}

// The report of a close is no answer to the question for the states, nor is
// that of an opening by TLS one to another opening.
func TestReportsInsideAnswersOfTheirName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, socket.SIM7600, fakemodem.SocketsSIM7600, &socket.Config{PollInterval: time.Second})
		c, far := r.connect("tcp")
		r.fake.OnCommand("+CIPCLOSE", func(call *fakemodem.Call) fakemodem.Result {
			if call.Op == fakemodem.Read {
				call.Info("+CIPCLOSE: 0,0") // of a close before
			}
			return fakemodem.Default
		})
		time.Sleep(10 * time.Second)
		go io.WriteString(far, "still here")
		got := make([]byte, 10)
		_, err := io.ReadFull(c, got)
		require.NoError(t, err)
	})
	synctest.Test(t, func(t *testing.T) {
		r := newOnline(t, fakemodem.BG96)
		greet(r, newAuthority(t).issue("gateway.example", time.Now().Add(time.Hour)))
		stack, err := socket.Open(t.Context(), r.modem, socket.Quectel, &socket.Config{TLS: &socket.TLS{Verify: socket.VerifyNothing}})
		require.NoError(t, err)
		defer stack.Close()
		r.fake.SetSocketFaults(fakemodem.SocketFaults{SlowTLS: 1500 * time.Millisecond})
		r.fake.OnCommand("+QSSLOPEN", func(*fakemodem.Call) fakemodem.Result {
			time.Sleep(time.Second)
			return fakemodem.Default
		})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if c, err := stack.DialContext(t.Context(), "tcp", "10.65.0.9:443"); err != nil {
					t.Error(err)
				} else {
					c.Close()
				}
			})
		}
		all.Wait()
	})
}

// random is a stream of size octets that the seed determines.
func random(seed, size int) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{byte(seed)}), int64(size))
}

func sum(r io.Reader) string {
	var h hash.Hash = sha256.New()
	n, err := io.Copy(h, r)
	return fmt.Sprintf("%d octets %x %v", n, h.Sum(nil), err)
}

// Nothing is left in use by a dial that the caller gives up at any time.
func TestDialGivenUpAtAnyTime(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		r.fake.SetSocketFaults(fakemodem.SocketFaults{SlowNames: time.Second})
		for after := time.Duration(0); after < 1200*time.Millisecond; after += 30 * time.Millisecond {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			c, err := r.stack.DialContext(ctx, "tcp", "gateway.example:7")
			cancel()
			if err == nil {
				require.NoError(t, c.Close())
				continue
			}
			if r.heldByConnecting(err) {
				time.Sleep(10 * time.Second)
				continue
			}
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		time.Sleep(time.Minute)
		require.Zero(t, r.fake.OpenSockets())
		r.fake.SetSocketFaults(fakemodem.SocketFaults{})
		r.connect("tcp")
	})
}

// heldByConnecting tells whether the numbers have run out since those that were
// given up are closed one by one: a Telit modem takes no command while it
// connects.
func (r *rig) heldByConnecting(err error) bool {
	return errors.Is(err, socket.ErrNoSocket) && ours(r.t).String() == socket.Telit.String()
}

// A name that nobody knows, an address where nobody is and a port where nobody
// listens are errors in due time, in the simulated network.
func TestDialNobody(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.ours.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newOnline(t, fakemodem.SIM800, fakemodem.WithSockets(d.theirs))
				r.open(d.ours)
				l, err := r.n.Listen("tcp", "10.65.0.9:80")
				require.NoError(t, err)
				defer l.Close()
				for _, address := range []string{"nobody.example:80", "10.65.0.9:81", "10.65.0.8:80"} {
					_, err := r.stack.DialContext(t.Context(), "tcp", address)
					require.ErrorIs(t, err, socket.ErrRefused, address)
					require.Zero(t, r.fake.OpenSockets())
				}
				c, err := r.stack.DialContext(t.Context(), "tcp", "10.65.0.9:80")
				require.NoError(t, err)
				require.NoError(t, c.Close())
			})
		})
	}
}

// Close ends what waits in Read and Write, at once.
func TestCloseDuringReadAndWrite(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, _ := r.connect("tcp")
		ended := make(chan error, 2)
		go func() {
			_, err := c.Read(make([]byte, 1))
			ended <- err
		}()
		go func() {
			_, err := c.Write(make([]byte, 1<<20))
			ended <- err
		}()
		time.Sleep(time.Minute / 2)
		start := time.Now()
		require.NoError(t, c.Close())
		require.ErrorIs(t, <-ended, net.ErrClosed)
		require.ErrorIs(t, <-ended, net.ErrClosed)
		require.Less(t, time.Since(start), 5*time.Second)
		require.Zero(t, r.fake.OpenSockets())
	})
}

// Two that close at once, the socket and the Stack, wait for the same end, and
// none holds a lock meanwhile: the clock of the bubble would stand still.
func TestClosingTwiceAtOnce(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, _ := r.connect("tcp")
		go c.Write(make([]byte, 1<<20)) // the modem is busy with it
		time.Sleep(5 * time.Second)
		r.fake.SetSocketFaults(fakemodem.SocketFaults{Delay: 3 * time.Second})
		closed := make(chan error, 4)
		for range 2 {
			go func() { closed <- c.Close() }()
			go func() { closed <- r.stack.Close() }()
		}
		for range 4 {
			require.NoError(t, <-closed)
		}
		require.Zero(t, r.fake.OpenSockets())
	})
}

// A close that the modem did not take is asked again, so that the number does
// not stay in use.
func TestCloseIsAskedAgain(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, _ := r.connect("tcp")
		var silent atomic.Bool
		silent.Store(true)
		r.onClose(func(*fakemodem.Call) fakemodem.Result {
			if silent.Load() {
				return fakemodem.Silent
			}
			return fakemodem.Default
		})
		require.Error(t, c.Close())
		require.Equal(t, 1, r.fake.OpenSockets())
		silent.Store(false)
		time.Sleep(2 * time.Minute)
		require.Zero(t, r.fake.OpenSockets())
	})
}

// An end that came together with a read that failed is no clean end: octets may
// be missing.
func TestF08ShortBlockBeforeTheCloseIsAnError(t *testing.T) {
	each(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		r.fake.SetSocketFaults(fakemodem.SocketFaults{ShortBlock: 1})
		go func() {
			far.Write(bytes.Repeat([]byte("last words "), 20))
			far.Close()
		}()
		_, err := io.ReadAll(c)
		require.Error(t, err)
	})
}
