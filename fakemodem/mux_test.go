package fakemodem_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at/cmux"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// muxed is a host's multiplexer on a modem.
type muxed struct {
	*faulty
	mux *cmux.Mux
}

func startMux(f *faulty, config *cmux.Config) *muxed {
	f.t.Helper()
	f.answers("AT+CMUX=0,0,5,127", ok)
	f.line.SetReadDeadline(time.Time{})
	if config == nil {
		config = &cmux.Config{N1: 127}
	}
	return &muxed{f, cmux.New(f.line, config)}
}

func (x *muxed) open(dlci int) *cmux.Channel {
	x.t.Helper()
	ch, err := x.mux.Open(x.t.Context(), dlci)
	require.NoError(x.t, err)
	return ch
}

// channelAsk sends a command on a channel and reads up to OK.
func (x *muxed) channelAsk(ch *cmux.Channel, command string) (string, error) {
	if _, err := io.WriteString(ch, command+"\r"); err != nil {
		return "", err
	}
	got := ""
	b := make([]byte, 4096)
	for !hasFinal(got) {
		ch.SetReadDeadline(time.Now().Add(5 * time.Second))
		k, err := ch.Read(b)
		got += string(b[:k])
		if err != nil {
			return got, err
		}
	}
	return got, nil
}

// withMux runs fn with a modem that has registered.
func withMux(t *testing.T, fn func(f *faulty)) {
	t.Helper()
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		f := &faulty{t: t, n: n, m: m, terminal: u, phone: n.Phone("+15550100")}
		f.ask("ATE0+CMEE=1")
		fn(f)
	})
}

func TestMultiplexer(t *testing.T) {
	withMux(t, func(f *faulty) {
		x := startMux(f, nil)
		first, second := x.open(1), x.open(2)
		got, err := x.channelAsk(first, "AT+CSQ")
		require.NoError(f.t, err)
		require.Equal(f.t, "AT+CSQ\r"+csqOK, got, "echo is each channel's own")
		_, err = x.channelAsk(first, "ATE0+CNMI=2,1")
		require.NoError(f.t, err)
		_, err = io.WriteString(second, "ATE0\r")
		require.NoError(f.t, err)
		time.Sleep(time.Second)
		b := make([]byte, 100)
		second.Read(b)
		_, err = io.WriteString(second, "ATD*99#\r")
		require.NoError(f.t, err)
		time.Sleep(time.Second)
		k, err := second.Read(b[:11])
		require.NoError(f.t, err)
		require.Equal(f.t, "\r\nCONNECT\r\n", string(b[:k]))
		second.SetReadDeadline(time.Time{})
		conn, err := ppp.Dial(f.t.Context(), second, nil)
		require.NoError(f.t, err)
		require.True(f.t, f.m.Addr().IsValid())
		f.phone.Send(f.m.Number(), "during a data call")
		time.Sleep(2 * time.Second)
		k, err = first.Read(b)
		require.NoError(f.t, err)
		require.Equal(f.t, "\r\n+CMTI: \"SM\",1\r\n", string(b[:k]), "notifications come on the first channel")
		require.NoError(f.t, conn.Close())
		require.NoError(f.t, x.mux.Close())
		f.terminal = newTerminal(t, f.m)
		time.Sleep(5 * time.Second)
		f.answers("ATE0", ok)
		f.answers("AT+CSQ", csqOK)
		f.line.Close()
	})
}

// muxFaults shows what the faults of the multiplexer do.
var muxFaults = map[string]func(f *faulty, id string){
	"F81": func(f *faulty, id string) {
		x := startMux(f, nil)
		ch := x.open(1)
		f.inject(fakemodem.Fault{ID: id})
		got, err := x.channelAsk(ch, "AT") // the echo or the answer is lost, or both if they share a piece
		require.True(f.t, err != nil || !strings.Contains(got, "AT"), "%q", got)
		require.NotZero(f.t, ch.Losses()+x.mux.Stats().Damaged)
		x.mux.Close()
	},
	"F82": func(f *faulty, id string) {
		x := startMux(f, nil)
		ch := x.open(1)
		f.inject(fakemodem.Fault{ID: id})
		_, err := x.channelAsk(ch, "AT+CLAC")
		require.Error(f.t, err)
		require.NotZero(f.t, ch.Losses()+x.mux.Stats().Damaged)
		x.mux.Close()
	},
	"F83": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id, Count: 1000})
		x := startMux(f, &cmux.Config{N1: 127, MaxFrame: 1500})
		got, err := x.channelAsk(x.open(1), "AT+CLAC")
		require.NoError(f.t, err)
		require.Contains(f.t, got, "+CMUX")
		x.mux.Close()
	},
	"F84": func(f *faulty, id string) {
		x := startMux(f, nil)
		x.open(1)
		f.inject(fakemodem.Fault{ID: id})
		time.Sleep(time.Second)
		x.mux.Close()
		f.line.Close()
		f.terminal = newTerminal(f.t, f.m)
		require.Contains(f.t, f.ask("AT"), "OK")
	},
	"F85": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.send("AT\r")
		require.NotContains(f.t, f.all(), "OK", "it does not listen to plain commands")
		f.send("\xf9\x03\xef\x05\xc3\x01\xf2\xf9")
		f.all()
		f.answers("AT", ok)
	},
	"F86": func(f *faulty, id string) {
		f.answers("AT+CMUX=0", ok)
		f.inject(fakemodem.Fault{ID: id})
		f.send("\xf9\x03\x3f\x01\x1c\xf9")
		got := f.all()
		require.Equal(f.t, 2, strings.Count(got, "\x03\x73\x01\xd7"), "%q", got)
		require.Contains(f.t, got, "SMS DONE")
	},
	"F87": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		x := startMux(f, nil)
		x.open(1)
		_, err := x.mux.Open(f.t.Context(), 2)
		require.Error(f.t, err)
		x.mux.Close()
	},
	"F88": func(f *faulty, id string) {
		x := startMux(f, nil)
		first, second := x.open(1), x.open(2)
		f.inject(fakemodem.Fault{ID: id})
		_, err := x.channelAsk(first, "AT")
		require.Error(f.t, err)
		_, err = x.channelAsk(second, "AT")
		require.NoError(f.t, err)
		x.mux.Close()
	},
	"F89": func(f *faulty, id string) {
		x := startMux(f, nil)
		first, second := x.open(1), x.open(2)
		f.inject(fakemodem.Fault{ID: id})
		got, err := x.channelAsk(first, "AT")
		require.NoError(f.t, err, "the first channel is free")
		require.Contains(f.t, got, "OK")
		b := make([]byte, 7)
		_, err = io.ReadFull(second, b)
		require.NoError(f.t, err)
		require.Equal(f.t, "+FLOOD:", string(b))
		x.mux.Close()
	},
	"F90": func(f *faulty, id string) {
		x := startMux(f, nil)
		ch := x.open(1)
		f.inject(fakemodem.Fault{ID: id, Probability: 1})
		_, err := x.channelAsk(ch, "AT")
		require.Error(f.t, err)
		f.clear()
		got, err := x.channelAsk(ch, "AT")
		require.NoError(f.t, err)
		require.Contains(f.t, got, "OK")
		x.mux.Close()
	},
	"F91": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		x := startMux(f, nil)
		first, second := x.open(1), x.open(2)
		_, err := x.channelAsk(second, "AT")
		require.Error(f.t, err)
		_, err = x.channelAsk(first, "AT")
		require.NoError(f.t, err)
		_, err = x.channelAsk(second, "AT")
		require.NoError(f.t, err)
		x.mux.Close()
	},
	"F92": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		x := startMux(f, nil)
		ch := x.open(1)
		b := make([]byte, 12)
		_, err := io.ReadFull(ch, b)
		require.NoError(f.t, err)
		require.Equal(f.t, "\r\n+CREG: 1\r\n", string(b))
		x.mux.Close()
	},
}

func TestMultiplexerFaults(t *testing.T) {
	for id, effect := range muxFaults {
		t.Run(id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
				defer n.Close()
				m := n.NewModem(fakemodem.SIM800)
				f := &faulty{t: t, n: n, m: m, terminal: newTerminal(t, m), phone: n.Phone("+15550100")}
				time.Sleep(20 * time.Second)
				f.ask("ATE0+CMEE=1")
				effect(f, id)
				f.line.Close()
				m.ClearFaults()
				m.Reset()
				time.Sleep(20 * time.Second)
				f.terminal = newTerminal(t, m)
				require.Contains(t, f.ask("AT"), ok, "well again")
				f.line.Close()
			})
		})
	}
}
