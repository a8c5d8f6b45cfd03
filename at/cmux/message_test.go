package cmux

import (
	"context"
	"encoding/hex"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMessagesByteExact: both ways, by the tables of clause 5.4.6.3.
func TestMessagesByteExact(t *testing.T) {
	for name, c := range map[string]struct {
		m    message
		wire string
	}{
		"CLD command":          {message{msgCLD, true, nil}, "c301"},
		"CLD response":         {message{msgCLD, false, nil}, "c101"},
		"MSC, DLCI 1, DTR DCD": {message{msgMSC, true, append([]byte{aboutDLCI(1)}, Signals{RTC: true, RTR: true, DV: true}.append(nil, false)...)}, "e305078d"},
		"MSC with stop":        {message{msgMSC, true, append([]byte{aboutDLCI(2)}, Signals{RTC: true, RTR: true}.append(nil, true)...)}, "e3050b0f"},
		"MSC with break":       {message{msgMSC, true, append([]byte{aboutDLCI(1)}, Signals{Break: time.Second}.append(nil, false)...)}, "e307070053"},
		"Test":                 {message{msgTest, true, []byte("AB")}, "23054142"},
		"FCon":                 {message{msgFCon, true, nil}, "a301"},
		"FCoff":                {message{msgFCoff, true, nil}, "6301"},
		"PSC":                  {message{msgPSC, true, nil}, "4301"},
		"NSC":                  {message{msgNSC, false, []byte{0xD3}}, "1103d3"},
		"RLS":                  {message{msgRLS, true, []byte{aboutDLCI(1), byte(Overrun)}}, "53050703"},
	} {
		t.Run(name, func(t *testing.T) {
			wire := unhex(c.wire)
			require.Equal(t, c.wire, hex.EncodeToString(c.m.append(nil)))
			m, rest, ok := parseMessage(wire)
			require.True(t, ok)
			require.Empty(t, rest)
			require.Equal(t, c.m.kind, m.kind)
			require.Equal(t, c.m.command, m.command)
			require.Equal(t, hex.EncodeToString(c.m.value), hex.EncodeToString(m.value))
			for n := range wire {
				_, _, ok := parseMessage(wire[:n])
				require.False(t, ok, "cut at %d", n)
			}
		})
	}
}

// TestResponderAnswers: what our responder says, octet by octet.
func TestResponderAnswers(t *testing.T) {
	uihFrame := func(host bool, info string) string {
		return hex.EncodeToString(codec{}.append(nil, frame{cr: host, control: uih, info: unhex(info)}))
	}
	dialogue := []struct{ why, question, answer string }{
		{"no channel before the control channel: DM", "F9073F01DEF9", "F9071F01F4F9"},
		{"the control channel opens", "F9033F011CF9", "F9037301D7F9"},
		{"and its UA may be asked for again", "F9033F011CF9", "F9037301D7F9"},
		{"PN: priority and N1 are taken, convergence layer 2 too", uihFrame(true, "8311 0310070A40000300"), uihFrame(false, "8111 0310070A1F000300")},
		{"a channel opens; MSC follows by itself", "F90B3F0159F9", "F90B730192F9" + uihFrame(false, "E3050B8D")},
		{"asked again, UA alone", "F90B3F0159F9", "F90B730192F9"},
		{"MSC is answered with what it said", uihFrame(true, "E3050B0D"), uihFrame(false, "E1050B0D")},
		{"Test", uihFrame(true, "2305AABB"), uihFrame(false, "2105AABB")},
		{"FCoff and FCon in one frame", uihFrame(true, "6301A301"), uihFrame(false, "6101") + uihFrame(false, "A101")},
		{"PSC", uihFrame(true, "4301"), uihFrame(false, "4101")},
		{"RPN, a question", uihFrame(true, "93030B"), uihFrame(false, "91110B03030011130000")},
		{"RPN, new values", uihFrame(true, "93110B07030011130F00"), uihFrame(false, "91110B07030011130F00")},
		{"RPN, the new values", uihFrame(true, "93030B"), uihFrame(false, "91110B07030011130F00")},
		{"RLS", uihFrame(true, "53050B03"), uihFrame(false, "51050B03")},
		{"SNC is not supported", uihFrame(true, "D30307"), uihFrame(false, "1103D3")},
		{"CLD", "F903EF05C301F2F9", uihFrame(false, "C101")},
	}
	bubble(t, func(t *testing.T) {
		a, b := newWire(nil)
		defer a.Close()
		m := Serve(b, &Config{N1: 31, T2: time.Minute})
		for _, step := range dialogue {
			_, err := a.Write(unhex(step.question))
			require.NoError(t, err)
			time.Sleep(time.Millisecond)
			buf := make([]byte, 1000)
			a.SetReadDeadline(time.Now().Add(time.Millisecond))
			n, _ := a.Read(buf)
			require.Equal(t, hex.EncodeToString(unhex(step.answer)), hex.EncodeToString(buf[:n]), step.why)
		}
		<-m.Done()
		require.ErrorIs(t, m.Err(), ErrClosedByPeer)
		require.NoError(t, m.Close(), "the other side's close-down is no failure")
	})
}

// TestRequests: what one side asks of the other by RPN, RLS, Test, PSC and MSC.
func TestRequests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		host, modem, _, _ := pair(t, Config{KeepAlive: time.Second}, nil)
		h, m := join(t, host, modem, 1)
		ctx := t.Context()
		require.NoError(t, h.SetSpeed(ctx, 115200))
		require.Error(t, h.SetSpeed(ctx, 123), "RPN has no such rate")
		require.NoError(t, m.ReportLineStatus(ctx, Framing))
		require.Equal(t, Framing, h.LineStatus())
		require.NoError(t, host.Test(ctx, []byte("hello")))
		require.NoError(t, host.Sleep(ctx))
		require.NoError(t, h.SetDTR(false))
		require.NoError(t, m.WaitSignals(ctx, func(s Signals) bool { return !s.RTC && s.RTR }), "DTR falls")
		require.NoError(t, h.SendBreak(400*time.Millisecond))
		require.NoError(t, m.WaitSignals(ctx, func(s Signals) bool { return s.Break == 400*time.Millisecond }))
		require.NoError(t, m.SetSignals(Signals{RTC: true, IC: true}))
		require.NoError(t, h.WaitSignals(ctx, func(s Signals) bool { return s.IC && !s.DV }), "it rings, the carrier is gone")
		time.Sleep(time.Minute)
		require.NoError(t, host.Err(), "keep-alive is answered")
	})
}

// TestKeepAliveFindsTheDead: the other side falls silent.
func TestKeepAliveFindsTheDead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{KeepAlive: 5 * time.Second})
		c := openOne(t, m, s)
		go io.Copy(io.Discard, s.line)
		s.line.SetReadDeadline(time.Time{})
		start := time.Now()
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, ErrNoAnswer)
		require.Less(t, time.Since(start), 10*time.Second)
		require.ErrorIs(t, m.Close(), ErrNoAnswer, "the first cause stays")
		require.ErrorIs(t, m.Close(), ErrNoAnswer)
	})
}

// TestChannelClose: what was written goes out before DISC; a DISC never answered is no
// error and takes N2 repeats; the DLCI can be opened again.
func TestChannelClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		host, modem, _, _ := pair(t, Config{}, nil)
		h, m := join(t, host, modem, 1)
		_, err := h.Write([]byte("last words"))
		require.NoError(t, err)
		require.NoError(t, h.Close())
		require.NoError(t, h.Close())
		got, err := io.ReadAll(m)
		require.NoError(t, err)
		require.Equal(t, "last words", string(got))
		_, err = h.Write([]byte("x"))
		require.ErrorIs(t, err, ErrClosed)
		_, err = m.Write([]byte("x"))
		require.ErrorIs(t, err, ErrClosedByPeer)
		join(t, host, modem, 1)
	})
}

// TestSilentDISC: LENA-R8 never answers DISC.
func TestSilentDISC(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{})
		c := openOne(t, m, s)
		closed := make(chan error)
		go func() { closed <- c.Close() }()
		for range 6 {
			s.want("DISC is repeated", 1, disc)
		}
		require.NoError(t, <-closed)
		require.NoError(t, m.Err())
	})
}

// TestPriority: while bulk of a worse priority waits, a command goes next; and the bulk
// is not starved either.
func TestPriority(t *testing.T) {
	bubble(t, func(t *testing.T) {
		octet := 10 * time.Second / 115200
		host, modem, _, _ := pair(t, Config{N1: 127, Channels: map[int]ChannelConfig{1: {Priority: 1}, 2: {Priority: 20}}},
			func(d *direction) { d.pace = octet })
		h1, m1 := join(t, host, modem, 1)
		h2, m2 := join(t, host, modem, 2)
		go io.Copy(h2, endless{})
		go io.Copy(io.Discard, m2)
		time.Sleep(time.Second)
		for i := range 50 {
			time.Sleep(time.Duration(i) * time.Millisecond)
			start := time.Now()
			h1.Write([]byte("AT+X\r"))
			wantData(t, "the command", m1, "AT+X\r")
			require.LessOrEqual(t, time.Since(start), 2*133*octet, "within the time of two frames")
		}
		before := host.Stats().FramesOut
		go io.Copy(h1, endless{})
		go io.Copy(io.Discard, m1)
		time.Sleep(10 * time.Second)
		require.Greater(t, host.Stats().FramesOut-before, uint64(500))
		left := h2.out.size.Load()
		require.Positive(t, left)
		h2.SetWriteDeadline(time.Now().Add(5 * time.Second))
		n, _ := h2.Write(make([]byte, 5000))
		require.Greater(t, n, 500, "the low priority still moves")
	})
}

// TestNoStarvation: a channel of the worst priority gets its turn beside a busy one.
func TestNoStarvation(t *testing.T) {
	m := &Mux{cfg: (*Config)(nil).withDefaults()}
	first, last := newChannel(m, 1), newChannel(m, 2)
	first.settings.Priority, last.settings.Priority = 1, 60
	for _, c := range []*Channel{first, last} {
		c.out.put([]byte("x"))
		m.order = append(m.order, c)
	}
	turns := map[*Channel]int{}
	for range 90 {
		c, alone := m.pick()
		require.False(t, alone)
		turns[c]++
	}
	require.Greater(t, turns[first], 70, "priority counts")
	require.GreaterOrEqual(t, turns[last], 8, "but not for ever")
}

// A plainLine is a line without deadlines.
type plainLine struct{ io.ReadWriteCloser }

// TestLineWithoutDeadlines: the Read that waits when the mux ends is handed on, with
// what it gets.
func TestLineWithoutDeadlines(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := newWire(nil)
		host, modem := New(plainLine{a}, nil), Serve(plainLine{b}, nil)
		join(t, host, modem, 1)
		require.NoError(t, host.Close())
		require.NoError(t, modem.Close())
		io.WriteString(modem.Line(), "\r\nRDY\r\n")
		for _, want := range []string{"\r\nR", "DY\r\n"} {
			got := make([]byte, len(want))
			_, err := io.ReadFull(host.Line(), got)
			require.NoError(t, err)
			require.Equal(t, want, string(got))
		}
		io.WriteString(host.Line(), "AT")
		got := make([]byte, 2)
		_, err := io.ReadFull(modem.Line(), got)
		require.NoError(t, err)
		require.Equal(t, "AT", string(got))
		host.Line().Close()
	})
}

// TestSpeed: on a line whose driver swallows everything at once, Config.Speed keeps a
// command from waiting behind what was swallowed.
func TestSpeed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		host, modem, _, _ := pair(t, Config{N1: 127, Speed: 115200}, func(d *direction) { d.room = 1 << 20 })
		h, m := join(t, host, modem, 1)
		go io.Copy(io.Discard, m)
		start := time.Now()
		_, err := h.Write(make([]byte, 11520*3))
		require.NoError(t, err)
		require.InDelta(t, 3.1, time.Since(start).Seconds(), 0.2, "three seconds' worth takes three seconds")
	})
}

// TestContextOfAccept and of Test end the wait.
func TestContexts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m, s := scripted(t, Config{})
		openOne(t, m, s)
		go io.Copy(io.Discard, s.line)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.Accept(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, m.Test(ctx, nil), context.DeadlineExceeded)
	})
}
