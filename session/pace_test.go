package session_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
)

// Until it is known which modem is on the line, commands keep the pause of the
// slowest family; afterwards that of its own, also without a multiplexer.
func TestPauseBetweenCommandsIsTheProfiles(t *testing.T) {
	for _, c := range []struct {
		kind *fakemodem.Personality
		want time.Duration
	}{
		{fakemodem.SIM800, 0},
		{fakemodem.SARAU201, 50 * time.Millisecond},
		{fakemodem.SARAR410, 100 * time.Millisecond},
		{fakemodem.SARAR510, 20 * time.Millisecond},
	} {
		t.Run(c.kind.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := newNetwork(t)
				cfg := on(network.NewModem(c.kind))
				cfg.NoMultiplexer, cfg.CheckInterval = true, -1
				s := open(t, cfg)
				time.Sleep(time.Minute) // the pause behind the last command of the start is over
				synctest.Wait()
				began := time.Now()
				for range 10 {
					_, err := at.Exec(t.Context(), s, "+CSQ")
					require.NoError(t, err)
				}
				require.Equal(t, 9*c.want, time.Since(began).Round(time.Millisecond))
			})
		})
	}
}

// wire is a line that keeps a rate of its own and does not make Write wait for
// it, as a UART behind a deep buffer.
type wire struct {
	*fakemodem.Line
	bitsPerSecond int
}

func (w wire) Speed() int { return w.bitsPerSecond }

// What the line tells of its speed paces the multiplexer, so that a command
// does not wait behind bulk data in a buffer.
func TestMultiplexerKeepsTheLinesSpeed(t *testing.T) {
	took := func(speed int) (took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			fake := newNetwork(t).NewModem(fakemodem.SIM800)
			s := open(t, session.Config{CheckInterval: -1, Open: func(context.Context) (io.ReadWriteCloser, error) {
				return wire{fake.Line(), speed}, nil
			}})
			require.True(t, s.Status().Multiplexed)
			time.Sleep(time.Minute)
			began := time.Now()
			for range 10 {
				_, err := at.Exec(t.Context(), s, "+CSQ")
				require.NoError(t, err)
			}
			took = time.Since(began)
		})
		return took
	}
	require.Zero(t, took(0), "not known: the line's Write keeps the pace")
	require.Greater(t, took(1200), 500*time.Millisecond, "ten commands of seven octets in frames, at 120 octets a second")
}
