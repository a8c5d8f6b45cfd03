package profile

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/at/cmux"
)

func TestEveryProfileIsWellFormed(t *testing.T) {
	for _, p := range append([]*Profile{Standard, Unidentified}, All...) {
		t.Run(p.Name, func(t *testing.T) {
			requireNotifications(t, p)
			requireCommands(t, p)
			requireTemplates(t, p)
			requireMultiplexer(t, p)
			for _, mode := range p.SMS.IndicationModes {
				require.Contains(t, []int{0, 1, 2, 3}, mode, "3GPP TS 27.005 clause 3.4.1")
			}
			for _, storage := range p.SMS.Storages {
				require.Regexp(t, `^[A-Z]{2}$`, storage, "3GPP TS 27.005 clause 3.2.2")
			}
			for name, d := range map[string]int64{"BootTime": int64(p.BootTime), "Pacing": int64(p.Pacing),
				"PromptGap": int64(p.SMS.PromptGap), "SIMSettle": int64(p.Data.SIMSettle), "DialPause": int64(p.Data.DialPause)} {
				require.GreaterOrEqual(t, d, int64(0), name)
			}
		})
	}
}

// requireNotifications checks that each prefix can begin a line and can never
// be a result code.
func requireNotifications(t *testing.T, p *Profile) {
	seen := make(map[string]bool)
	for _, rule := range p.Notifications {
		prefix := rule.Prefix
		require.Regexp(t, `^[!-~]( ?[!-~])*$`, prefix, "printable, no blank at an end, none doubled")
		require.NotContains(t, prefix, ":", "the colon is not part of a name")
		require.GreaterOrEqual(t, len(prefix), 3, "%q", prefix)
		require.False(t, seen[prefix], "%q twice", prefix)
		seen[prefix] = true
		for _, result := range []string{"OK", "ERROR", "CONNECT", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "+CME ERROR", "+CMS ERROR"} {
			require.False(t, strings.HasPrefix(result, prefix), "%q begins the result %s", prefix, result)
		}
	}
	for _, text := range p.BootMessages {
		require.Regexp(t, `^[!-~]( ?[!-~])*$`, text)
		require.NotEqual(t, "OK", text)
	}
}

// commandForm is a command without AT: a name behind one of the symbols of
// makers, then its tail.
var commandForm = regexp.MustCompile(`^[+^#!$*%][A-Z0-9_]+(\?|=\?|=[ -~]+)?$`)

func requireCommands(t *testing.T, p *Profile) {
	commands := append([]string{}, p.Setup...)
	for _, one := range []string{p.RadioOff, p.RadioOn, p.Restart, p.Data.Tries.Command, p.Data.ClockCommand} {
		if one != "" {
			commands = append(commands, one)
		}
	}
	commands = append(commands, p.Data.SignalCommands...)
	commands = append(commands, p.Data.ICCIDCommands...)
	commands = append(commands, p.Data.CDMA...)
	for _, list := range append(p.Data.RegisterSteps, p.Data.Reports...) {
		require.NotEmpty(t, list)
		commands = append(commands, list...)
	}
	if p.Multiplexer != nil {
		commands = append(commands, p.Multiplexer.Command)
	}
	for _, text := range commands {
		require.Regexp(t, commandForm, text)
		require.Zero(t, strings.Count(text, `"`)%2, "quotes of %s", text)
	}
	require.Equal(t, p.RadioOff == "", p.RadioOn == "", "a way off needs a way on")
}

var placeholder = regexp.MustCompile(`\{[^}]*\}?|\}`)

func requireTemplates(t *testing.T, p *Profile) {
	known := []string{"{cid}", "{type}", "{auth}", "{apn}", "{user}", "{password}"}
	for _, text := range placeholder.FindAllString(p.Data.Auth, -1) {
		require.Contains(t, known, text)
	}
	if p.Data.Auth != "" {
		require.Contains(t, p.Data.Auth, "{password}")
		require.False(t, p.Data.NoAuth, "one or the other")
	}
	for _, text := range placeholder.FindAllString(p.Data.Dial, -1) {
		require.Equal(t, "{cid}", text)
	}
	if p.Data.Dial != "" {
		require.Regexp(t, `^(D[*#]|\+CGDATA=)`, p.Data.Dial)
	}
}

func requireMultiplexer(t *testing.T, p *Profile) {
	m := p.Multiplexer
	if m == nil {
		return
	}
	told, err := cmux.ParseCommand(m.Command)
	require.NoError(t, err)
	require.Equal(t, cmux.Basic, told.Option)
	require.Zero(t, told.Subset, "UIH frames")
	if told.N1 != 0 {
		require.Equal(t, told.N1, m.FrameSize)
	}
	require.NotZero(t, m.FrameSize)
	require.NotEqual(t, m.CommandChannel, m.DataChannel)
	for _, dlci := range []int{m.CommandChannel, m.DataChannel} {
		require.GreaterOrEqual(t, dlci, 1, "0 is the control channel")
		require.LessOrEqual(t, dlci, 61, "3GPP TS 27.010 clause 5.6")
	}
	config := m.Config()
	require.Equal(t, m.FrameSize, config.N1)
	require.GreaterOrEqual(t, config.MaxFrame, 2*m.FrameSize, "fault F83")
	require.Equal(t, m.Settle, config.Settle)
	require.Equal(t, m.Flush, config.Flush)
	require.Equal(t, m.LongLength, config.LongLength)
}

// An identity belongs to one family, and no name is used twice.
func TestIdentitiesAreUnique(t *testing.T) {
	names, owners := make(map[string]bool), make(map[string]string)
	for _, p := range All {
		require.NotEmpty(t, p.Name)
		require.NotContains(t, []string{Standard.Name, Unidentified.Name}, p.Name)
		require.False(t, names[p.Name], p.Name)
		names[p.Name] = true
		require.NotEmpty(t, p.Identities, p.Name)
		for _, id := range p.Identities {
			key := strings.ToUpper(id)
			require.Equal(t, strings.TrimSpace(id), id)
			require.GreaterOrEqual(t, len(id), 3, "%s: %q would fit too much", p.Name, id)
			require.Empty(t, owners[key], "%q of %s", id, p.Name)
			owners[key] = p.Name
			require.Same(t, p, Find("", id), "%q", id)
		}
	}
}

// A sibling's changes stay its own.
func TestSiblingsShareNothingTheyChange(t *testing.T) {
	require.Equal(t, fullMux, EC25.Multiplexer.Command)
	require.Equal(t, 31, LARAR6.Multiplexer.FrameSize)
	require.Equal(t, 128, SARAR5.Multiplexer.FrameSize)
	require.NotContains(t, SARAU2.Setup, "+CPSMS=0")
	require.Contains(t, SARAR5.Setup, "+CPSMS=0")
	require.Zero(t, EC25.Data.DialPause)
	mine := sibling(EC25, "mine", nil, func(p *Profile) { p.Multiplexer.DataChannel = 9 })
	require.Equal(t, 9, mine.Multiplexer.DataChannel)
	require.Equal(t, 2, EC25.Multiplexer.DataChannel)
}

func TestEngineCarriesTheProfile(t *testing.T) {
	config := SARAR4.Engine()
	require.Equal(t, at.Config{Notifications: SARAR4.Notifications, BootMessages: SARAR4.BootMessages,
		Pacing: SARAR4.Pacing, EscapeGuard: SARAR4.EscapeGuard}, config)
}

// What a profile leaves empty is the standard's (3GPP TS 27.007 clause 8.2).
func TestCommandsOfRecovery(t *testing.T) {
	for _, c := range []struct {
		p                *Profile
		off, on, restart string
	}{
		{Standard, "+CFUN=0", "+CFUN=1", "+CFUN=1,1"},
		{SIM7600, "+CFUN=4", "+CFUN=1", "+CRESET"},
		{Huawei, "+CFUN=7", "+CFUN=1", "^RESET"},
		{ZTE, "+ZOPRT=6", "+ZOPRT=5", "+CFUN=1,1"},
		{SARAR4, "+CFUN=4", "+CFUN=1", "+CFUN=15"},
	} {
		cycle := c.p.RadioCycle()
		require.Len(t, cycle, 2)
		require.Equal(t, c.off, cycle[0].Text, c.p.Name)
		require.Equal(t, c.on, cycle[1].Text, c.p.Name)
		require.True(t, cycle[1].Reboots, "fault F98")
		require.Equal(t, c.restart, c.p.RestartCommand(), c.p.Name)
	}
}
