package fakemodem_test

import (
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// TestListedCommandsAreKnown: no modem lists by AT+CLAC what it then answers
// as an unknown command, and Commands declares the same ones.
func TestListedCommandsAreKnown(t *testing.T) {
	for _, kind := range fakemodem.Personalities() {
		t.Run(kind.Name, func(t *testing.T) {
			inBubble(t, kind, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
				u.ask("ATE0V1Q0")
				u.ask("AT+CMEE=1")
				unknown := u.lastAnswer("AT+NOSUCHCOMMAND")
				listed := strings.Split(strings.TrimSuffix(strings.TrimSpace(u.lastAnswer("AT+CLAC")), "\r\n\r\nOK"), "\r\n")
				var declared []string
				for _, info := range kind.Commands() {
					declared = append(declared, info.Name)
					require.Equal(t, info.Support == fakemodem.SupportPartial, info.Note != "", info.Name)
					found, ok := kind.FindCommand(info.Name)
					require.True(t, ok)
					require.Equal(t, info, found)
				}
				sort.Strings(listed)
				require.Equal(t, declared, listed)
				for _, name := range listed {
					if name[0] != '+' && name[0] != '^' && name[0] != '#' && name[0] != '$' && name[0] != '*' && name[0] != '!' {
						continue // basic commands have no test form (ITU-T V.250 clause 5.3.1)
					}
					got := u.ask("AT" + name + "=?")
					if got == unknown || !strings.HasSuffix(got, "OK\r\n") {
						got = u.ask("AT" + name + "?")
					}
					require.NotEqual(t, unknown, got, name)
					require.True(t, hasFinal(got), "%s: %q", name, got)
				}
			})
		})
	}
}

func TestCommandsDeclareTheirSupport(t *testing.T) {
	for _, c := range []struct {
		kind *fakemodem.Personality
		name string
		want fakemodem.Support
	}{
		{fakemodem.SIM800, "+CMGS", fakemodem.SupportFull}, {fakemodem.SIM800, "+CIPSTART", fakemodem.SupportFull},
		{fakemodem.SIM800, "+CRSM", fakemodem.SupportPartial}, {fakemodem.SIM800, "+CNETLIGHT", fakemodem.SupportKept},
		{fakemodem.EC25, "+ICF", fakemodem.SupportKept}, {fakemodem.E173, "^SYSCFG", fakemodem.SupportAnswered},
	} {
		info, ok := c.kind.FindCommand(c.name)
		require.True(t, ok, c.name)
		require.Equal(t, c.want, info.Support, c.name)
	}
	_, ok := fakemodem.SIM800.FindCommand("+QIOPEN")
	require.False(t, ok)
	_, ok = fakemodem.CDMA.FindCommand("+CPIN")
	require.False(t, ok)
}
