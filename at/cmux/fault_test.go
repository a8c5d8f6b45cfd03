package cmux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// bubble runs a test on a fake clock.
func bubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

// A script is the other side of a line, written out octet by octet.
type script struct {
	t    *testing.T
	line *wireEnd
	dec  decoder
}

// scripted starts a host whose modem is a script.
func scripted(t *testing.T, cfg Config) (*Mux, *script) {
	t.Helper()
	a, b := newWire(nil)
	m := New(a, &cfg)
	t.Cleanup(func() {
		b.Close()
		m.Close()
		a.Close()
	})
	return m, &script{t: t, line: b, dec: decoder{option: cfg.Option, max: 4096}}
}

// say writes octets.
func (s *script) say(p []byte) {
	_, err := s.line.Write(p)
	require.NoError(s.t, err)
}

// send writes a frame of the modem.
func (s *script) send(dlci int, kind control, info string) {
	response := kind == ua || kind == dm
	s.say(codec{}.append(nil, frame{dlci: dlci, cr: response, control: kind, pf: kind != uih, info: []byte(info)}))
}

// want waits for the next frame that is not an MSC, which it answers, and says what it
// must be.
func (s *script) want(why string, dlci int, kind control) frame {
	s.t.Helper()
	for {
		f, ev := s.dec.next()
		if ev == noEvent {
			buf := make([]byte, 4096)
			s.line.SetReadDeadline(time.Now().Add(time.Minute))
			n, err := s.line.Read(buf)
			require.NoError(s.t, err, why)
			s.dec.feed(buf[:n])
			continue
		}
		if f.dlci == 0 && f.control == uih && len(f.info) > 0 && f.info[0] == byte(msgMSC)|messageCommand {
			s.send(0, uih, string([]byte{byte(msgMSC)})+string(f.info[1:]))
			continue
		}
		require.Equal(s.t, gotFrame, ev, why)
		require.Equal(s.t, dlci, f.dlci, why)
		require.Equal(s.t, kind, f.control, why)
		f.info = bytes.Clone(f.info)
		return f
	}
}

// up answers SABM on the control channel and on the DLCIs given.
func (s *script) up(dlcis ...int) {
	s.t.Helper()
	for _, n := range append([]int{0}, dlcis...) {
		s.want("the host opens", n, sabm)
		s.send(n, ua, "")
	}
}

// opening runs Open beside the script.
func opening(t *testing.T, m *Mux, dlci int) func() (*Channel, error) {
	var c *Channel
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err = m.Open(t.Context(), dlci)
	}()
	return func() (*Channel, error) { <-done; return c, err }
}

// openOne is the usual start: control channel and DLCI 1 are open.
func openOne(t *testing.T, m *Mux, s *script) *Channel {
	t.Helper()
	open := opening(t, m, 1)
	s.up(1)
	s.pump()
	c, err := open()
	require.NoError(t, err)
	return c
}

// pump answers MSC for a while; whatever else comes is dropped.
func (s *script) pump() {
	buf := make([]byte, 4096)
	s.line.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	for {
		n, err := s.line.Read(buf)
		s.dec.feed(buf[:n])
		for f, ev := s.dec.next(); ev != noEvent; f, ev = s.dec.next() {
			if ev == gotFrame && f.dlci == 0 && len(f.info) > 0 && f.info[0] == byte(msgMSC)|messageCommand {
				s.send(0, uih, string([]byte{byte(msgMSC)})+string(f.info[1:]))
			}
		}
		if err != nil {
			return
		}
	}
}

// wantData reads exactly text from a channel.
func wantData(t *testing.T, why string, c *Channel, text string) {
	t.Helper()
	got := make([]byte, len(text))
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := io.ReadFull(c, got)
	require.NoError(t, err, why+": got "+string(got[:n]))
	require.Equal(t, text, string(got), why)
}

// F81: a length octet is lost, so the frame seems to be longer than what follows.
func TestF81LostLengthOctet(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{N1: 127, LossErrors: true})
		c := openOne(t, m, s)
		broken := codec{}.append(nil, frame{dlci: 1, control: uih, info: []byte(strings.Repeat("Q", 20))})
		// Q, taken for a length, means 40 octets: more than what comes.
		s.say(append(broken[:3:3], broken[4:]...))
		s.send(1, uih, "good")
		start := time.Now()
		_, err := c.Read(make([]byte, 10))
		require.ErrorIs(t, err, ErrLoss, "the loss is told")
		wantData(t, "the frame behind it is found when the line is quiet", c, "good")
		require.Less(t, time.Since(start), time.Second)
		require.EqualValues(t, 1, c.Losses())
	})
}

// F81: the flag between two frames is lost.
func TestF81LostFlag(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{})
		c := openOne(t, m, s)
		one := codec{}.append(nil, frame{dlci: 1, control: uih, info: []byte("one")})
		two := codec{}.append(nil, frame{dlci: 1, control: uih, info: []byte("two")})
		s.say(append(one, two[1:]...)) // shared
		wantData(t, "a flag may end one frame and begin the next", c, "onetwo")
		s.say(one[1:]) // no opening flag at all
		s.say(two)
		wantData(t, "the closing flag before serves", c, "onetwo")
	})
}

// F82: with this N1 every frame of the modem has a wrong FCS.
func TestF82FCSErrorsEndTheMux(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{N1: 127, MaxDamage: 8})
		c := openOne(t, m, s)
		for range 8 {
			bad := codec{}.append(nil, frame{dlci: 1, control: uih, info: make([]byte, 127)})
			bad[len(bad)-2] ^= 1
			s.say(bad)
		}
		c.SetReadDeadline(time.Now().Add(time.Minute))
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, ErrDamaged, "a smaller N1 is needed, and the caller is told")
		<-m.Done()
		require.ErrorIs(t, m.Err(), ErrDamaged)
	})
}

// F83: frames of up to twice N1 are taken.
func TestF83FramesLongerThanN1(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{N1: 64})
		c := openOne(t, m, s)
		s.send(1, uih, strings.Repeat("x", 128))
		wantData(t, "twice N1", c, strings.Repeat("x", 128))
		s.send(1, uih, strings.Repeat("y", 129))
		s.send(1, uih, "after")
		wantData(t, "longer ones are skipped, not the next", c, "after")
		require.EqualValues(t, 1, m.Stats().Oversized)
	})
}

// F84: the modem restarts into plain AT in mid-stream; it answers the probe with OK.
func TestF84RebootIntoPlainAT(t *testing.T) {
	for name, answer := range map[string]string{"OK": "\r\nOK\r\n", "echo": "", "silence": "-"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				m, s := scripted(t, Config{})
				c := openOne(t, m, s)
				time.Sleep(100 * time.Millisecond)
				s.say([]byte("\x00\r\nRDY\r\n"))
				f := s.want("text at the place of a flag makes the mux ask", 0, uih)
				require.Contains(t, string(f.info), "AT\r")
				switch answer {
				case "":
					s.say(codec{}.append(nil, f))
				case "-":
					go io.Copy(io.Discard, s.line)
				default:
					s.say([]byte(answer))
					go io.Copy(io.Discard, s.line)
				}
				_, err := c.Read(make([]byte, 1))
				require.ErrorIs(t, err, ErrPlainAT)
			})
		})
	}
}

// F84, the other way round: a stray line while the mux is alive is only noise.
func TestF84TextButStillMultiplexing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{})
		c := openOne(t, m, s)
		time.Sleep(100 * time.Millisecond)
		s.say([]byte("\r\nSMS Ready\r\n"))
		f := s.want("it asks", 0, uih)
		f.info[0] &^= messageCommand
		s.send(0, uih, string(f.info))
		s.send(1, uih, "alive")
		wantData(t, "the mux goes on", c, "alive")
	})
}

// F84: it never was in multiplexer mode.
func TestF84NeverInMultiplexerMode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{})
		open := opening(t, m, 1)
		f := s.want("SABM", 0, sabm)
		s.say(codec{}.append(nil, f)) // echo
		_, err := open()
		require.ErrorIs(t, err, ErrPlainAT)
	})
}

// A stale modem is one that a crashed host left in multiplexer mode, in mid-frame.
func staleModem(line *wireEnd, option Option, done chan<- struct{}) {
	defer close(done)
	m := Serve(line, &Config{Option: option, N1: 1509})
	<-m.Done()
	rest := m.Line()
	buf := make([]byte, 1)
	var text []byte
	for {
		if _, err := rest.Read(buf); err != nil {
			return
		}
		if text = append(text, buf[0]); buf[0] == '\r' {
			if bytes.HasSuffix(text, []byte("AT\r")) {
				rest.Write([]byte("\r\nOK\r\n"))
			} else {
				rest.Write([]byte("\r\nERROR\r\n"))
			}
			text = nil
		}
	}
}

// F85: recovery from a modem that still multiplexes.
func TestF85HalfOpenAfterHostRestart(t *testing.T) {
	for name, option := range map[string]Option{"basic": Basic, "advanced": Advanced} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a, b := newWire(nil)
				gone := make(chan struct{})
				go staleModem(b, option, gone)
				// The old host's last words: open, and half of a frame.
				code := codec{option: option}
				old := code.append(nil, frame{cr: true, control: sabm, pf: true})
				whole := code.append(nil, frame{dlci: 2, cr: true, control: uih, info: make([]byte, 1500)})
				a.Write(append(old, whole[:700]...))
				line, err := Recover(t.Context(), a, nil)
				require.NoError(t, err)
				io.WriteString(line, "AT\r")
				got := make([]byte, 6)
				_, err = io.ReadFull(line, got)
				require.NoError(t, err)
				require.Equal(t, "\r\nOK\r\n", string(got), "the line is in plain AT")
				a.Close()
				<-gone
			})
		})
	}
}

// F85: a dead line is said to be dead.
func TestF85NobodyThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newWire(nil)
		go io.Copy(io.Discard, b)
		_, err := Recover(t.Context(), a, nil)
		require.ErrorIs(t, err, ErrNoAnswer)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = Recover(ctx, a, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		a.Close()
	})
}

// F86: text behind OK, UA twice, MSC of the modem before its UA.
func TestF86OddAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{ChannelSettle: 100 * time.Millisecond, KeepAlive: time.Minute})
		open := opening(t, m, 1)
		s.want("SABM", 0, sabm)
		s.say([]byte("\r\nCall Ready\r\n"))
		s.send(0, ua, "")
		s.send(0, ua, "")
		s.want("SABM", 1, sabm)
		s.send(0, uih, string([]byte{byte(msgMSC) | messageCommand, 5, aboutDLCI(1), 0x8D}))
		s.send(1, ua, "")
		s.send(1, ua, "")
		f := s.want("the modem's MSC is answered", 0, uih)
		require.Equal(t, []byte{byte(msgMSC), 5, aboutDLCI(1), 0x8D}, f.info)
		start := time.Now()
		go s.pump()
		c, err := open()
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(start), 100*time.Millisecond, "AT must wait a little")
		require.Equal(t, Signals{RTC: true, RTR: true, DV: true}, c.Signals())
		require.Zero(t, c.Losses())

		bad := codec{}.append(nil, frame{dlci: 1, control: uih, info: []byte("bad")})
		bad[len(bad)-2] ^= 1
		s.say(bad)
		s.send(1, uih, "good")
		wantData(t, "the channel works", c, "good")
		require.EqualValues(t, 1, c.Losses(), "it was opened once")
		go io.Copy(io.Discard, s.line)
		<-m.Done()
		require.ErrorIs(t, m.Err(), ErrNoAnswer)
		require.NotErrorIs(t, m.Err(), ErrPlainAT, "the text behind OK was no word of a restart")
	})
}

// F87: one DLCI is refused, another unanswered; the rest works.
func TestF87RefusedChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		host, modem, _, _ := pair(t, Config{Accept: func(dlci int) bool { return dlci <= 2 }}, nil)
		h, c := join(t, host, modem, 1)
		_, err := host.Open(t.Context(), 3)
		require.ErrorIs(t, err, ErrRefused)
		var which *ChannelError
		require.True(t, errors.As(err, &which))
		require.Equal(t, 3, which.DLCI)
		_, err = host.Open(t.Context(), 1)
		require.ErrorIs(t, err, ErrInUse)
		join(t, host, modem, 2)
		io.WriteString(h, "AT")
		wantData(t, "the first goes on", c, "AT")
	})
}

// F87: no answer for one DLCI is no end for the others.
func TestF87UnansweredChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{})
		c := openOne(t, m, s)
		open := opening(t, m, 2)
		for range 6 { // once and N2 times
			s.want("SABM is repeated", 2, sabm)
		}
		_, err := open()
		require.ErrorIs(t, err, ErrNoAnswer)
		s.send(1, uih, "alive")
		wantData(t, "the first goes on", c, "alive")
	})
}

// F88: the modem stops a channel and never lets it go on.
func TestF88FlowControlStuck(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{FlowTimeout: 20 * time.Second})
		c := openOne(t, m, s)
		time.Sleep(100 * time.Millisecond)
		s.send(0, uih, string([]byte{byte(msgMSC) | messageCommand, 5, aboutDLCI(1), 0x8D | bitFC}))
		s.want("MSC is answered", 0, uih)
		c.SetWriteDeadline(time.Now().Add(5 * time.Second))
		_, err := c.Write(make([]byte, 100_000))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "a blocked write has a deadline")
		c.SetWriteDeadline(time.Now().Add(time.Hour))
		go io.Copy(io.Discard, s.line)
		_, err = c.Write(make([]byte, 100_000))
		require.ErrorIs(t, err, ErrFlowStuck)
		require.NoError(t, m.Err(), "the mux lives; the channel can be opened again")
	})
}

// F89: nobody reads one channel; the others go on, and nothing is lost.
func TestF89SlowReader(t *testing.T) {
	bubble(t, func(t *testing.T) {
		host, modem, _, _ := pair(t, Config{N1: 127, Buffer: 4096}, nil)
		slowH, slowM := join(t, host, modem, 1)
		fastH, fastM := join(t, host, modem, 2)
		bulk := noise(1, 500_000)
		go slowM.Write(bulk)
		time.Sleep(time.Minute) // the channel stays stopped meanwhile
		require.LessOrEqual(t, slowH.in.size.Load(), int64(4096+underWay), "MSC has stopped it")
		other := noise(2, 50_000)
		go fastM.Write(other)
		wantData(t, "the other channel is not held up", fastH, string(other))
		require.LessOrEqual(t, slowH.in.size.Load(), int64(4096+underWay), "the buffer is bounded")
		wantData(t, "and nothing of the slow one is lost", slowH, string(bulk))
	})
}

// F89: the other side ignores MSC; then the line itself is held, still without loss.
func TestF89PeerIgnoresFlowControl(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{N1: 127, Buffer: 1024, KeepAlive: time.Second})
		c := openOne(t, m, s)
		time.Sleep(100 * time.Millisecond)
		go io.Copy(io.Discard, s.line)
		bulk := noise(3, 300_000)
		go func() {
			for p := bulk; len(p) > 0; p = p[min(100, len(p)):] {
				s.line.Write(codec{}.append(nil, frame{dlci: 1, control: uih, info: p[:min(100, len(p))]}))
			}
		}()
		time.Sleep(time.Minute)
		require.LessOrEqual(t, c.in.size.Load(), int64(1024+underWay))
		require.Greater(t, c.in.size.Load(), int64(underWay), "the test reaches the bound")
		require.NoError(t, m.Err(), "an answer that nobody reads is not missing")
		wantData(t, "everything is there", c, string(bulk))
	})
}

// F90: whole frames are lost without a trace; the mux lives, and AT asks again.
func TestF90FrameLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{})
		c := openOne(t, m, s)
		time.Sleep(100 * time.Millisecond)
		io.WriteString(c, "AT\r")
		s.want("the command whose answer is lost", 1, uih)
		c.SetReadDeadline(time.Now().Add(time.Second))
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "a deadline, not an end")
		io.WriteString(c, "AT\r")
		s.want("again", 1, uih)
		s.send(1, uih, "OK")
		wantData(t, "the channel is as good as before", c, "OK")
	})
}

// F91: AT on channel 2 is ignored until channel 1 spoke: frames leave in the order of
// the dialogue.
func TestF91FirstChannelFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		host, modem, _, _ := pair(t, Config{}, nil)
		h1, m1 := join(t, host, modem, 1)
		h2, m2 := join(t, host, modem, 2)
		var spoken atomic.Bool
		serve := func(c *Channel, first bool) {
			buf := make([]byte, 100)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				if first {
					spoken.Store(true)
				}
				if spoken.Load() {
					c.Write(append([]byte("OK "), buf[:n]...))
				}
			}
		}
		go serve(m1, true)
		go serve(m2, false)
		io.WriteString(h2, "AT\r")
		h2.SetReadDeadline(time.Now().Add(time.Second))
		_, err := h2.Read(make([]byte, 10))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "such is the modem")
		io.WriteString(h1, "AT\r")
		wantData(t, "channel 1", h1, "OK AT\r")
		io.WriteString(h2, "AT\r")
		wantData(t, "channel 2 after it", h2, "OK AT\r")
	})
}

// F92: what a new channel is flooded with is thrown away for as long as the Config says.
func TestF92DumpAtOpen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{Flush: 200 * time.Millisecond})
		open := opening(t, m, 1)
		s.up(1)
		go s.pump()
		time.Sleep(100 * time.Millisecond)
		s.send(1, uih, "\r\n+CREG: 1\r\n")
		c, err := open()
		require.NoError(t, err)
		s.send(1, uih, "new")
		wantData(t, "the old is gone", c, "new")
	})
}

// F81: frames that carry answers lose their heads, and what is left looks like
// a modem in plain AT. It answers the Test, so it is none.
func TestF81TornAnswersAreNoPlainAT(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{})
		c := openOne(t, m, s)
		time.Sleep(100 * time.Millisecond)
		s.say([]byte("\r\n+CSQ: 17,0\r\n\r\nOK\r\n"))
		f := s.want("it asks", 0, uih)
		s.say([]byte("\r\nOK\r\n"))
		time.Sleep(100 * time.Millisecond)
		f.info[0] &^= messageCommand
		s.send(0, uih, string(f.info))
		s.send(1, uih, "alive")
		wantData(t, "the mux goes on", c, "alive")
	})
}
