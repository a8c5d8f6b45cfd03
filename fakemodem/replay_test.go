package fakemodem_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

const recording = `# two forms, mixed
   0  << RDY
  10  >> AT
  15  << OK
  20  >> AT+CSQ
2000  << +CSQ: 17,0
   1  << OK
2026-11-21T02:44:06Z > "AT+CSQ\r"
2026-11-21T02:44:07.5Z < "\r\n+CSQ: 18,0\r\n\r\nOK\r\n"
`

func TestReplay(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		strict := &fakemodem.Replay{Timing: true}
		require.NoError(t, m.Replay(strings.NewReader(recording), strict))
		u.want("what stands before the first command", "\r\nRDY\r\n")
		u.send("A")
		u.quiet("half a command", time.Second)
		u.send("T\r")
		u.want("the answer", ok)
		start := time.Now()
		u.send("AT+CSQ\r")
		u.want("the first time", csqOK)
		require.Equal(t, 2001*time.Millisecond, time.Since(start), "as long as then")
		require.NoError(t, strict.Err())
		u.send("AT+CREG?\r")
		u.quiet("something else", time.Hour)
		require.ErrorContains(t, strict.Err(), `the host sends "AT+CREG?\r" where "AT+CSQ\r" was recorded`)

		require.NoError(t, m.Replay(strings.NewReader(recording), &fakemodem.Replay{Tolerant: true}))
		u.want("at once", "\r\nRDY\r\n")
		u.send("at+csq\r\nAT+CREG?\rAT+CSQ\rAT+CSQ\rAT\r")
		u.want("in any order, in turn", csqOK+"\r\nERROR\r\n"+"\r\n+CSQ: 18,0\r\n"+ok+csqOK+ok)

		require.NoError(t, m.Replay(nil, nil))
		u.ask("ATE0")
		require.Equal(t, csqOK, u.ask("AT+CSQ"), "the modem is itself again")
		require.ErrorContains(t, m.Replay(strings.NewReader("\nnonsense\n"), nil), "line 2")
	})
}

// FuzzReplay: no recording can crash the modem that plays it, whatever the
// host sends.
func FuzzReplay(f *testing.F) {
	f.Add(recording, "AT\rAT+CSQ\r")
	f.Add(">>\n<< >>\n-1 << x\n9 >> \x1a", "\r\x1a\r\r")
	f.Add("2026-11-21T02:44:06Z > \"\"\n2026-11-21T02:44:06Z < \"\"", "x")
	f.Fuzz(func(t *testing.T, trace, sent string) {
		n := fakemodem.NewNetwork(nil)
		defer n.Close()
		m := n.NewModem(fakemodem.SIM800)
		line := m.Line()
		defer line.Close()
		for _, tolerant := range []bool{false, true} {
			if m.Replay(strings.NewReader(trace), &fakemodem.Replay{Tolerant: tolerant}) == nil {
				line.Write([]byte(sent))
			}
		}
	})
}
