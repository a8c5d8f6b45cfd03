package session_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/profile"
)

// failing makes data calls that fail, one a minute.
func failing(t *testing.T, s *session.Session, calls int) {
	t.Helper()
	for range calls {
		next := time.After(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		_, err := s.Connect(ctx)
		cancel()
		require.Error(t, err)
		<-next
	}
}

// Where there is no coverage for data, the modem is left in peace: it says itself
// that it has no packet service. Once that is back, calls that fail are trouble.
func TestNoCoverageForDataSpendsNoRung(t *testing.T) {
	for _, kind := range []*fakemodem.Personality{fakemodem.SIM800, fakemodem.EC25} {
		t.Run(kind.Name, func(t *testing.T) {
			inTime(t, func(t *testing.T, network *fakemodem.Network) {
				fake := network.NewModem(kind)
				s := open(t, powered(on(fake), fake))
				registers(t, s, 2*time.Minute)
				j := keepJournal(t, s)
				network.SetCoverage(fakemodem.VoiceCoverage)
				failing(t, s, 20)
				require.Empty(t, j.rungs())
				require.Equal(t, session.StateRegistered, s.Status().State, "messages can be sent")
				network.SetCoverage(fakemodem.FullCoverage)
				fake.Inject(fakemodem.Fault{ID: "F76", Times: -1})
				time.Sleep(2 * time.Minute)
				failing(t, s, 2)
				require.Empty(t, j.rungs(), "what failed for lack of coverage does not count")
				failing(t, s, 1)
				require.Equal(t, []session.Rung{session.RungAttach}, j.rungs())
			})
		})
	}
}

// The wait is limited: a modem that is stuck outside the packet service tells the
// same, and is helped.
func TestNoPacketServiceForLongIsTrouble(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		s := open(t, powered(on(fake), fake))
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		network.SetCoverage(fakemodem.VoiceCoverage)
		failing(t, s, 29)
		require.Empty(t, j.rungs())
		failing(t, s, 5)
		require.Equal(t, []session.Rung{session.RungAttach}, j.rungs())
	})
}

// The search for a network switches the radio as the profile says, with a pause
// behind each command.
func TestRegisterUsesTheRadioCommandsOfTheProfile(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		network.SetCoverage(fakemodem.NoCoverage)
		fake := network.NewModem(fakemodem.Plain)
		var radio []string
		var when []time.Time
		fake.OnCommand("+ZOPRT", func(c *fakemodem.Call) fakemodem.Result {
			radio, when = append(radio, c.Text), append(when, time.Now())
			return fakemodem.OK
		})
		own := *profile.ZTE
		cfg := on(fake)
		cfg.Profile, cfg.NoMultiplexer = &own, true
		s := open(t, cfg)
		cycles := 0
		fake.OnCommand("+CFUN", func(c *fakemodem.Call) fakemodem.Result {
			cycles++
			return fakemodem.OK
		})
		time.Sleep(10 * time.Minute)
		require.NotZero(t, s.Status().Rungs[session.RungSearch])
		require.GreaterOrEqual(t, len(radio), 2)
		require.Equal(t, []string{"6", "5"}, radio[:2])
		require.GreaterOrEqual(t, when[1].Sub(when[0]), time.Second)
		require.Zero(t, cycles, "not the commands of the standard")
		_, err := at.Exec(t.Context(), s, "+CSQ")
		require.NoError(t, err)
	})
}

// Each time without coverage has a wait of its own: one that ended hours ago, by
// a word of the modem or by a call that came up, does not count.
func TestEachTimeWithoutCoverageIsWaitedFor(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		s := open(t, powered(on(fake), fake))
		registers(t, s, 2*time.Minute)
		j := keepJournal(t, s)
		for range 3 {
			network.SetCoverage(fakemodem.VoiceCoverage)
			time.Sleep(time.Minute)
			failing(t, s, 4)
			network.SetCoverage(fakemodem.FullCoverage)
			time.Sleep(2 * time.Hour)
		}
		require.Empty(t, j.rungs())
	})
}

// A modem that does not tell of packet service is not waited for.
func TestModemThatTellsOfNoPacketServiceIsHelped(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		for _, name := range []string{"+CGREG", "+CEREG", "+C5GREG"} {
			fake.OnCommand(name, fakemodem.Answer("ERROR"))
		}
		s := open(t, powered(on(fake), fake))
		registers(t, s, time.Minute)
		j := keepJournal(t, s)
		fake.Inject(fakemodem.Fault{ID: "F76", Times: -1})
		failing(t, s, 4)
		require.Equal(t, []session.Rung{session.RungAttach}, j.rungs())
	})
}
