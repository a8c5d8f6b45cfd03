package gprs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/at/cmux"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
)

// muxed is an EC25 behind the multiplexer: commands on channel 1, data on 2.
func muxed(t *testing.T, cfg gprs.BearerConfig) *bench {
	b := &bench{t: t, n: fakemodem.NewNetwork(nil)}
	b.fake = b.n.NewModem(fakemodem.EC25)
	engine := at.New(b.fake.Line(), nil)
	const command = "+CMUX=0,0,5,127,10,3,30,10,2"
	parameters, err := cmux.ParseCommand(command)
	require.NoError(t, err)
	line, err := engine.Handover(t.Context(), at.Command{Text: command})
	require.NoError(t, err)
	settings := parameters.Config()
	mux := cmux.New(line, &settings)
	open := func(dlci int) *at.Modem {
		ch, err := mux.Open(t.Context(), dlci)
		require.NoError(t, err)
		m := at.New(ch, nil)
		_, err = at.Exec(t.Context(), m, "E0")
		require.NoError(t, err)
		return m
	}
	b.modem = open(1)
	data := open(2)
	b.radio = gprs.NewRadio(b.modem, &gprs.RadioConfig{Hold: 5 * time.Second})
	cfg.Control, cfg.Radio = b.modem, b.radio
	b.bearer = gprs.NewBearer(data, &cfg)
	t.Cleanup(func() {
		b.bearer.Close()
		b.radio.Close()
		data.Close()
		b.modem.Close()
		mux.Close()
		b.n.Close()
	})
	require.NoError(t, b.radio.Init(t.Context()))
	_, err = b.radio.WaitRegistered(t.Context())
	require.NoError(t, err)
	return b
}

// Behind the multiplexer commands and events go on while data flows.
func TestCommandsBesideTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := muxed(t, gprs.BearerConfig{})
		for range 3 {
			c := b.connect()
			b.inCommandMode()
			_, err := b.radio.Signal(t.Context())
			require.NoError(t, err)
			addresses, err := gprs.NewContexts(b.modem, nil).Addresses(t.Context(), 1)
			require.NoError(t, err)
			require.Equal(t, c.Link().LocalAddr(), addresses.Local[0])
			require.NoError(t, b.bearer.Disconnect(t.Context()))
			require.True(t, c.Report().CommandMode)
		}
	})
}

// F66 on the control channel: the word of a context that is lost ends the call,
// but only if it is so.
func TestF66WordOnTheControlChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := muxed(t, gprs.BearerConfig{})
		c := b.connect()
		b.fake.Emit(`+CGEV: NW DEACT "IP","10.0.0.1",1`) // of the call before, late
		time.Sleep(time.Minute)
		require.NoError(t, c.Err(), "the modem says that the context is active")
		b.fake.Deactivate(1)
		<-c.Done()
		require.Error(t, c.Err())
		require.True(t, c.Report().CommandMode)
		b.connect()
	})
}

// F66: the modem says that the context is gone, keeps the call open and its LCP
// answering: nothing else tells.
func TestF66WordAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := muxed(t, gprs.BearerConfig{})
		c := b.connect()
		b.fake.OnCommand("+CGACT", func(c *fakemodem.Call) fakemodem.Result {
			if c.Op != fakemodem.Read {
				return fakemodem.Default
			}
			c.Info("+CGACT: 1,0")
			return fakemodem.OK
		})
		b.fake.Emit(`+CGEV: NW DEACT "IP","10.0.0.1",1`)
		start := time.Now()
		<-c.Done()
		require.ErrorIs(t, c.Err(), gprs.ErrContextLost)
		require.Less(t, time.Since(start), time.Minute)
		require.True(t, c.Report().CommandMode)
		b.fake.OnCommand("+CGACT", nil)
		b.connect()
	})
}

// The registration is lost during the call: after the hold time the call ends,
// although LCP says nothing.
func TestRegistrationLostDuringTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := muxed(t, gprs.BearerConfig{})
		c := b.connect()
		clear := b.inject(fakemodem.Fault{ID: "F57", Code: 2})
		start := time.Now()
		<-c.Done()
		require.Error(t, c.Err())
		require.Less(t, time.Since(start), time.Minute)
		clear()
		_, err := b.radio.WaitRegistered(t.Context())
		require.NoError(t, err)
		b.connect()
	})
}
