package gprs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
)

// cdma is what a profile says of a CDMA modem.
var cdma = &gprs.Quirks{
	CDMA:     []string{"^SYSINFO", "+CSS?", "+CAD?"},
	Dial:     gprs.Dial777,
	NoDefine: true, NoAuth: true, NoAttach: true,
	SignalCommands: []string{"^HDRCSQ", "+CSQ"},
}

// Every personality with what the standard says alone, at the times that real
// modems take: unlock, register, read, connect, disconnect.
func TestEveryPersonality(t *testing.T) {
	for _, kind := range fakemodem.Personalities() {
		t.Run(kind.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
				defer n.Close()
				isCDMA := kind == fakemodem.CDMA
				var quirks *gprs.Quirks
				options := []fakemodem.Option{fakemodem.WithPIN("2468")}
				if isCDMA {
					quirks, options = cdma, nil
				}
				fake := n.NewModem(kind, options...)
				modem := at.New(fake.Line(), nil)
				defer modem.Close()
				_, err := at.Exec(ctx, modem, "E0")
				require.NoError(t, err)
				radio := gprs.NewRadio(modem, &gprs.RadioConfig{Quirks: quirks})
				defer radio.Close()
				require.NoError(t, radio.Init(ctx))
				if !isCDMA {
					err := radio.Unlock(ctx, "2468")
					if kind == fakemodem.Plain { // it cannot tell: no PIN is risked
						require.ErrorIs(t, err, gprs.ErrTriesUnknown)
						return
					}
					require.NoError(t, err)
				}
				reg, err := radio.WaitRegistered(ctx)
				require.NoError(t, err)
				require.True(t, reg.State.Registered())
				if isCDMA {
					require.Equal(t, gprs.TechnologyEVDO, reg.Technology)
				}
				s, err := radio.Signal(ctx)
				require.NoError(t, err)
				require.True(t, s.RSSI.Known || s.RSRP.Known || s.Percent > 0, "%+v", s)
				if !isCDMA {
					_, err = radio.ICCID(ctx)
					require.NoError(t, err)
					_, err = radio.IMSI(ctx)
					require.NoError(t, err)
					op, err := radio.Operator(ctx)
					require.NoError(t, err)
					require.Equal(t, "Telemodem", op.Long)
					found, err := radio.Scan(ctx)
					require.NoError(t, err)
					require.Equal(t, "00101", found[0].Code)
					require.NoError(t, radio.SelectAutomatically(ctx))
					_, err = radio.SMSC(ctx)
					require.NoError(t, err)
				}
				bearer := gprs.NewBearer(modem, &gprs.BearerConfig{Quirks: quirks})
				defer bearer.Close()
				for range 2 {
					c, err := bearer.Connect(ctx)
					require.NoError(t, err)
					require.True(t, c.Link().LocalAddr().IsValid())
					time.Sleep(time.Minute)
					require.NoError(t, c.Err())
					require.NoError(t, bearer.Disconnect(ctx))
				}
			})
		})
	}
}
