package socket_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// eachTelit runs a test on firmware that says which socket was closed and on
// firmware that does not.
func eachTelit(t *testing.T, cfg *socket.Config, fn func(t *testing.T, r *rig)) {
	for _, old := range []bool{false, true} {
		t.Run(map[bool]string{false: "NO CARRIER: 1,1", true: "NO CARRIER"}[old], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { fn(t, newTelit(t, old, cfg)) })
		})
	}
}

func newTelit(t *testing.T, old bool, cfg *socket.Config) *rig {
	r := newModem(t, fakemodem.SocketsTelit)
	if old {
		r.fake.OnCommand("#SCFGEXT2", func(*fakemodem.Call) fakemodem.Result { return fakemodem.ERROR })
	}
	var err error
	r.stack, err = socket.Open(t.Context(), r.modem, socket.Telit, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { r.stack.Close() })
	return r
}

// inside prints a line before the modem's own answer to the next command of that
// name, and tells whether it has done so.
func (r *rig) inside(name, line string) *atomic.Bool {
	done := new(atomic.Bool)
	r.fake.OnCommand(name, func(c *fakemodem.Call) fakemodem.Result {
		if done.CompareAndSwap(false, true) {
			r.fake.EmitRaw([]byte("\r\n" + line + "\r\n"))
		}
		return fakemodem.Default
	})
	return done
}

func echoes(t *testing.T, c, far net.Conn) {
	t.Helper()
	go io.CopyN(far, far, 4)
	_, err := c.Write([]byte("ping"))
	require.NoError(t, err)
	got := make([]byte, 4)
	_, err = io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, "ping", string(got))
}

// A close by the peer is found at once, whether the word names the socket or
// not, and the others live.
func TestTelitCloseIsFoundByAsking(t *testing.T) {
	eachTelit(t, &socket.Config{PollInterval: time.Hour}, func(t *testing.T, r *rig) {
		first, far := r.connect("tcp")
		second, away := r.connect("tcp")
		start := time.Now()
		go func() {
			far.Write([]byte("last words"))
			far.Close()
		}()
		got, err := io.ReadAll(first)
		require.NoError(t, err)
		require.Equal(t, "last words", string(got))
		require.Less(t, time.Since(start), 2*time.Second)
		echoes(t, second, away)
		_, err = first.Write([]byte("x"))
		require.Error(t, err)
		require.NoError(t, first.Close())
		require.Equal(t, 1, r.fake.OpenSockets())
	})
}

// The word of the close that comes before the last octets were read does not cut
// them off, nor does one that is not true.
func TestTelitCloseBeforeTheLastOctets(t *testing.T) {
	eachTelit(t, &socket.Config{PollInterval: time.Hour}, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		synctest.Wait()
		r.fake.SetSocketFaults(fakemodem.SocketFaults{LoseReady: 1})
		go far.Write([]byte("last "))
		synctest.Wait()
		r.say(map[bool]string{true: "NO CARRIER", false: "NO CARRIER: 1,1"}[strings.HasSuffix(t.Name(), "NO_CARRIER")])
		got := make([]byte, 5)
		_, err := io.ReadFull(c, got)
		require.NoError(t, err)
		go func() {
			far.Write([]byte("words"))
			far.Close()
		}()
		rest, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, "last words", string(got)+string(rest))
	})
}

// A close by the peer while a command of somebody else waits for its answer: the
// word with a number does not fail that, and is not lost. The bare word fails it:
// to the engine it is a result.
func TestTelitCloseWhileACommandRuns(t *testing.T) {
	eachTelit(t, &socket.Config{PollInterval: time.Minute}, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F22", On: "+CSQ", Delay: 2 * time.Second})
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { far.Close() })
		start := time.Now()
		res, err := at.Exec(t.Context(), r.modem, "+CSQ")
		if strings.HasSuffix(t.Name(), "NO_CARRIER") {
			require.ErrorIs(t, err, at.ResultError{Result: "NO CARRIER"})
			start = start.Add(time.Minute) // found by the poll
		} else {
			require.NoError(t, err)
			require.Len(t, res.Info, 1)
		}
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		require.Less(t, time.Since(start), 4*time.Second)
	})
}

// The bare word in the place of an answer to our own commands: what only asks,
// sets or closes is done again, and nobody notices.
func TestTelitBareCloseInsideQuestions(t *testing.T) {
	for _, name := range []string{"#SS", "#SI", "#SLASTCLOSURE", "#SH", "#SGACT"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newTelit(t, true, &socket.Config{PollInterval: 5 * time.Second})
				first, far := r.connect("tcp")
				second, away := r.connect("tcp")
				done := r.inside(name, "NO CARRIER")
				time.Sleep(time.Minute) // both are asked about now and then
				echoes(t, second, away)
				far.Close()
				_, err := first.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF)
				require.NoError(t, first.Close())
				require.NoError(t, second.Close())
				require.NoError(t, r.stack.Close())
				require.Zero(t, r.fake.OpenSockets())
				require.True(t, done.Load())
			})
		})
	}
}

// The bare word in the place of an answer to a read: if nothing was read, all is
// well; if something was, it is lost, which is an error and no end of a stream.
func TestTelitBareCloseInsideARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, true, &socket.Config{PollInterval: 5 * time.Second})
		c, far := r.connect("tcp")
		done := r.inside("#SRECV", "NO CARRIER")
		time.Sleep(time.Minute)
		require.True(t, done.Load())
		echoes(t, c, far)
	})
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, true, nil)
		c, far := r.connect("tcp")
		echoes(t, c, far)
		synctest.Wait() // until it has been read empty
		done := r.inside("#SRECV", "NO CARRIER")
		go far.Write([]byte("reading 17"))
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Hour)))
		got, err := io.ReadAll(c)
		require.Error(t, err)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Empty(t, got)
		require.True(t, done.Load())
	})
}

// The bare word inside one of our own commands is a word about a socket, too: all
// are asked at once.
func TestTelitBareCloseInsideACommandIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, true, &socket.Config{PollInterval: time.Hour})
		first, far := r.connect("tcp")
		second, away := r.connect("tcp")
		synctest.Wait()
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F26", Text: "NO CARRIER", Times: 1})
		require.NoError(t, err)
		far.Close()
		time.Sleep(time.Second)
		done := r.inside("#SSEND", "NO CARRIER")
		echoes(t, second, away)
		require.True(t, done.Load())
		start := time.Now()
		_, err = first.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		require.Less(t, time.Since(start), 5*time.Second)
	})
}

// The counters are those of one connection: that of the next with its number begin
// anew, and the bare word inside its reads and sends does it no harm either.
func TestTelitCountsEachConnectionAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, true, &socket.Config{PollInterval: 5 * time.Second})
		for range 8 { // of six numbers
			c, far := r.connect("tcp")
			echoes(t, c, far)
			for _, name := range []string{"#SRECV", "#SSEND"} {
				synctest.Wait() // until it has been read empty
				done := r.inside(name, "NO CARRIER")
				time.Sleep(time.Minute)
				echoes(t, c, far)
				require.True(t, done.Load(), name)
			}
			require.NoError(t, c.Close())
		}
	})
}

// The bare word before the prompt of a send, and behind its data: the modem's
// counter tells whether it took them, so that they arrive once, and nothing that
// the engine writes meanwhile is taken for data.
func TestTelitBareCloseInsideASend(t *testing.T) {
	inside := map[string]func(t *testing.T, r *rig) (done *atomic.Bool){
		"before the prompt": func(t *testing.T, r *rig) *atomic.Bool { return r.inside("#SSEND", "NO CARRIER") },
		"behind the data": func(t *testing.T, r *rig) *atomic.Bool {
			_, err := r.fake.Inject(fakemodem.Fault{ID: "F22", On: "#SSEND", Delay: 2 * time.Second})
			require.NoError(t, err)
			done := new(atomic.Bool)
			time.AfterFunc(time.Second, func() { r.fake.EmitRaw([]byte("\r\nNO CARRIER\r\n")); done.Store(true) })
			return done
		},
	}
	for name, strike := range inside {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newTelit(t, true, nil)
				c, far := r.connect("tcp")
				for i := range 5 {
					done := strike(t, r)
					text := fmt.Sprintf("reading %d", i)
					written := make(chan error, 1)
					go func() {
						_, err := c.Write([]byte(text))
						written <- err
					}()
					got := make([]byte, len(text))
					_, err := io.ReadFull(far, got)
					require.NoError(t, err)
					require.Equal(t, text, string(got))
					require.NoError(t, <-written)
					require.True(t, done.Load())
					time.Sleep(time.Minute) // until what came late is over
				}
				require.NoError(t, far.SetReadDeadline(time.Now().Add(2*time.Minute)))
				_, err := far.Read(make([]byte, 1))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded, "nothing twice")
			})
		})
	}
}

// Old and new firmware carry any octets both ways.
func TestTelitBulkOnOldFirmware(t *testing.T) {
	eachTelit(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		exchange(t, c, far, 100_000)
		r.fake.SetSocketFaults(fakemodem.SocketFaults{SendFails: 3, Partial: 100})
		exchange(t, c, far, 10_000)
		require.NoError(t, c.Close())
		require.Zero(t, r.fake.OpenSockets())
	})
}

// F19: an ERROR behind the data is in doubt for other dialects; here it is found
// out that the modem has taken them, and they arrive once.
func TestF19TelitCountsWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, false, nil)
		c, far := r.connect("tcp")
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F19", On: "#SSENDEXT", Times: 3})
		require.NoError(t, err)
		exchange(t, c, far, 20_000)
	})
}

// Without the counter it stays in doubt, and that is an error.
func TestF19TelitWithoutCounter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, false, nil)
		c, far := r.connect("tcp")
		go io.Copy(io.Discard, far)
		r.fake.OnCommand("#SI", func(*fakemodem.Call) fakemodem.Result { return fakemodem.ERROR })
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F19", On: "#SSENDEXT", Times: 1})
		require.NoError(t, err)
		_, err = c.Write([]byte("reading 17"))
		require.Error(t, err)
	})
}

// An abort by the peer is no clean end; firmware that cannot tell it from one
// says so by refusing the question.
func TestTelitCauseOfTheClose(t *testing.T) {
	for _, c := range []struct {
		answer fakemodem.Handler
		err    error
	}{
		{fakemodem.Answer("#SLASTCLOSURE: 1,1"), io.EOF},
		{fakemodem.Answer("#SLASTCLOSURE: 1,2"), socket.ErrSocketGone},
		{fakemodem.Answer("#SLASTCLOSURE: 1,0"), socket.ErrSocketGone},
		{func(*fakemodem.Call) fakemodem.Result { return fakemodem.ERROR }, io.EOF},
	} {
		eachTelit(t, nil, func(t *testing.T, r *rig) {
			conn, far := r.connect("tcp")
			r.fake.OnCommand("#SLASTCLOSURE", c.answer)
			far.Close()
			_, err := conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, c.err)
		})
	}
}

// The loss of the context is told by the closes of the sockets alone. It is
// found even if all of those are lost, by asking, and by dialling where there is
// no socket to ask about.
func TestF66TelitContextLostWithoutAWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, false, nil)
		c, _ := r.connect("tcp")
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F26", Text: "NO CARRIER", Times: 9})
		require.NoError(t, err)
		r.fake.Deactivate(1)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, socket.ErrContextLost)
		<-r.stack.Done()
	})
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, false, nil)
		r.fake.Deactivate(1)
		_, err := r.stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
		require.ErrorIs(t, err, socket.ErrContextLost)
		<-r.stack.Done()
		require.ErrorIs(t, r.stack.Err(), socket.ErrContextLost)
	})
}

// A modem that does not answer whether the context is active has not said that
// it is gone.
func TestTelitSilenceAboutTheContextIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, false, nil)
		c, far := r.connect("tcp")
		_, err := r.fake.Inject(fakemodem.Fault{ID: "F19", On: "#SGACT"})
		require.NoError(t, err)
		_, err = r.stack.DialContext(t.Context(), "tcp", "nowhere.example:7")
		require.ErrorIs(t, err, socket.ErrRefused)
		echoes(t, c, far)
	})
}

// The settings wear the modem's memory: they are written once, and again only
// where they differ.
func TestTelitSettingsAreWrittenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newModem(t, fakemodem.SocketsTelit)
		written, first := 0, []string{}
		for _, name := range []string{"#SCFG", "#SCFGEXT", "#SCFGEXT2"} {
			r.fake.OnCommand(name, func(c *fakemodem.Call) fakemodem.Result {
				if c.Op == fakemodem.Set {
					if written++; c.Args()[0] == "1" && len(first) < 3 {
						first = append(first, c.Name+"="+c.Text)
					}
				}
				return fakemodem.Default
			})
		}
		for _, c := range []struct {
			cfg     *socket.Config
			written int
		}{{nil, 18}, {nil, 0}, {&socket.Config{Context: 2}, 6}, {&socket.Config{Context: 2, OpenTimeout: 30 * time.Second}, 6}} {
			written = 0
			stack, err := socket.Open(t.Context(), r.modem, socket.Telit, c.cfg)
			require.NoError(t, err)
			require.Equal(t, c.written, written)
			conn, err := stack.DialContext(t.Context(), "tcp", "203.0.113.9:7")
			require.NoError(t, err)
			require.NoError(t, conn.Close())
			require.NoError(t, stack.Close())
		}
		require.Equal(t, []string{"#SCFG=1,1,1500,0,1000,1", "#SCFGEXT2=1,0,0,0,0,2", "#SCFGEXT=1,1,0,0,0,0"}, first,
			"no end by silence, 100 of 120 s to connect; which socket was closed; octets as they are")
	})
}

// A connection on which nothing happens stays: the modem's preset would end it
// after 90 s.
func TestTelitSilenceIsNoEnd(t *testing.T) {
	eachTelit(t, nil, func(t *testing.T, r *rig) {
		c, far := r.connect("tcp")
		time.Sleep(time.Hour)
		echoes(t, c, far)
	})
}

// A name is resolved by the modem: the peer of datagrams is whom it found.
func TestTelitDatagramsByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newOnline(t, fakemodem.Telit)
		r.open(socket.Telit)
		other := r.another()
		r.n.AddName("meter.example", other.fake.Addr())
		peer, err := other.stack.ListenPacket(t.Context(), "udp", ":7")
		require.NoError(t, err)
		stranger, err := other.stack.ListenPacket(t.Context(), "udp", ":8")
		require.NoError(t, err)
		c, err := r.stack.DialContext(t.Context(), "udp", "meter.example:7")
		require.NoError(t, err)
		_, err = c.Write([]byte("question"))
		require.NoError(t, err)
		got := make([]byte, 100)
		_, from, err := peer.ReadFrom(got)
		require.NoError(t, err)
		_, err = stranger.WriteTo([]byte("forged"), from)
		require.NoError(t, err)
		_, err = peer.WriteTo([]byte("answer"), from)
		require.NoError(t, err)
		n, err := c.Read(got)
		require.NoError(t, err)
		require.Equal(t, "answer", string(got[:n]))
		_, err = r.stack.DialContext(t.Context(), "udp", "nowhere.example:7")
		require.ErrorIs(t, err, socket.ErrRefused)
	})
}

// Strangers who send without end do not keep a socket from being closed.
func TestTelitStrangersWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newOnline(t, fakemodem.Telit)
		r.open(socket.Telit)
		c, err := r.stack.DialContext(t.Context(), "udp", "10.65.0.9:7")
		require.NoError(t, err)
		r.fake.OnCommand("#SRECV", func(c *fakemodem.Call) fakemodem.Result {
			time.Sleep(10 * time.Millisecond)
			return fakemodem.Answer("#SRECV: 10.65.0.1,8,1,6,0\r\nforged")(c)
		})
		r.say("SRING: 1,6")
		time.Sleep(time.Second)
		require.NoError(t, c.Close())
	})
}

// The password is in no error.
func TestTelitKeepsThePassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newModem(t, fakemodem.SocketsTelit)
		asked := ""
		r.fake.OnCommand("#SGACT", func(c *fakemodem.Call) fakemodem.Result {
			if c.Op == fakemodem.Set && c.Args()[1] == "1" {
				asked = c.Text
				return fakemodem.CME(555)
			}
			return fakemodem.Default
		})
		_, err := socket.Open(t.Context(), r.modem, socket.Telit, &socket.Config{APN: "internet", User: "meter", Password: "secret"})
		require.ErrorIs(t, err, at.CMEError{Code: 555})
		require.NotContains(t, err.Error(), "secret")
		require.Equal(t, `1,1,"meter","secret"`, asked)
	})
}

// A piece that the modem has no room for now is offered again, as long as the
// connection lives.
func TestTelitFullBufferIsNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTelit(t, false, nil)
		c, far := r.connect("tcp")
		payload := bytes.Repeat([]byte("0123456789"), 2000)
		go func() {
			time.Sleep(40 * time.Second) // more than the modem keeps stands still so long
			io.Copy(io.Discard, far)
		}()
		_, err := c.Write(payload)
		require.NoError(t, err)
		far.Close()
	})
}
