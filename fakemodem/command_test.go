package fakemodem_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/telemodem/telemodem/fakemodem"
)

// inBubble runs fn with a network and a modem that has registered.
func inBubble(t *testing.T, kind *fakemodem.Personality, fn func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal), options ...fakemodem.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
		defer n.Close()
		m := n.NewModem(kind, options...)
		u := newTerminal(t, m)
		time.Sleep(20 * time.Second)
		fn(t, n, m, u)
		u.line.Close()
	})
}

func TestCommandLines(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		for _, c := range []struct{ why, send, want string }{
			{"the empty command", "AT\r", "AT\r\r\nOK\r\n"},
			{"small letters", "at\r", "at\r\r\nOK\r\n"},
			{"noise before AT is ignored", "xx\x1bAT\r", "xx\x1bAT\r\r\nOK\r\n"},
			{"echo off is answered with the echo of itself", "ATE0\r", "ATE0\r\r\nOK\r\n"},
			{"no echo now", "AT\r", "\r\nOK\r\n"},
			{"a line end of CR LF", "AT\r\n", "\r\nOK\r\n"},
			{"a correction", "ATXQ\b\bE0\r", "\r\nOK\r\n"},
			{"no AT, no answer, and the next line is fine", "hello\rAT\r", "\r\nOK\r\n"},
			{"an unknown command", "AT+NOSUCH\r", "\r\nERROR\r\n"},
			{"identification", "ATI\r", "\r\nSIM800 R14.18\r\n\r\nOK\r\n"},
			{"test form", "AT+CMEE=?\r", "\r\n+CMEE: (0-2)\r\n\r\nOK\r\n"},
			{"two commands on a line", "AT+CMEE=1;+CMEE?\r", "\r\n+CMEE: 1\r\n\r\nOK\r\n"},
			{"basic and extended without a semicolon", "ATE0+CMEE?\r", "\r\n+CMEE: 1\r\n\r\nOK\r\n"},
			{"an error ends the line", "AT+CMEE=7;+CMEE=2\r", "\r\n+CME ERROR: 50\r\n"},
			{"A/ repeats the line, without CR", "A/", "\r\n+CME ERROR: 50\r\n"},
			{"an S register", "ATS7=30S7?\r", "\r\n030\r\n\r\nOK\r\n"},
			{"numbers for words", "ATV0\r", "0\r"},
			{"numbers for errors", "AT+CMEE=0;+X\r", "4\r"},
			{"information without line ends in front", "AT+CMEE?\r", "+CMEE: 0\r\n0\r"},
			{"words again", "ATV1\r", "\r\nOK\r\n"},
			{"no results", "ATQ1\r", ""},
			{"results again", "ATQ0\r", "\r\nOK\r\n"},
			{"factory settings", "AT&F\r", "\r\nOK\r\n"},
			{"echo is back, errors are off", "AT+CMEE?\r", "AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n"},
		} {
			u.send(c.send)
			u.want(c.why, c.want)
			u.quiet(c.why, time.Millisecond)
		}
	})
}

func TestRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
		defer n.Close()
		u := newTerminal(t, n.NewModem(fakemodem.SIM800))
		defer u.line.Close()
		u.ask("ATE0+CREG=2")
		time.Sleep(2 * time.Second)
		u.want("it searches once the SIM is ready", "\r\n+CREG: 2\r\n")
		require.Equal(t, "\r\n+CREG: 2,2\r\n\r\nOK\r\n", u.ask("AT+CREG?"))
		time.Sleep(10 * time.Second)
		u.want("it registers by itself", "\r\n+CREG: 1,\"1816\",\"D04E\"\r\n")
		require.Equal(t, "\r\n+CSQ: 17,0\r\n\r\nOK\r\n", u.ask("AT+CSQ"))
		require.Equal(t, "\r\n+COPS: 0,0,\"Telemodem\"\r\n\r\nOK\r\n", u.ask("AT+COPS?"))
		n.SetCoverage(fakemodem.NoCoverage)
		u.want("a loss shows at once", "\r\n+CREG: 2\r\n")
		require.Equal(t, "\r\n+CSQ: 99,99\r\n\r\nOK\r\n", u.ask("AT+CSQ"))
		n.SetCoverage(fakemodem.FullCoverage)
		u.wait("it comes back", "+CREG: 1,")
	})
}

func TestPIN(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0+CMEE=1")
		require.Equal(t, "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n", u.ask("AT+CPIN?"))
		require.Equal(t, "\r\n+CME ERROR: 11\r\n", u.ask("AT+CIMI"))
		require.Equal(t, "\r\n+CMS ERROR: 311\r\n", u.ask("AT+CMGS=20"))
		require.Equal(t, "\r\n+CME ERROR: 16\r\n", u.ask(`AT+CPIN="0000"`), "a wrong PIN")
		require.Equal(t, "\r\n+SPIC: 2,3,10,10\r\n\r\nOK\r\n", u.ask("AT+SPIC"))
		require.Equal(t, "\r\nOK\r\n", u.ask(`AT+CPIN="1234"`))
		left, _ := m.PINAttempts()
		require.Equal(t, 3, left, "the right PIN gives all attempts back")
		u.wait("the SIM is ready behind the OK", "\r\n+CPIN: READY\r\n")
		time.Sleep(10 * time.Second)
		circuit, _ := m.Registered()
		require.True(t, circuit)
		m.Reset()
		u.wait("a restart", "RDY")
		time.Sleep(20 * time.Second)
		u.got = ""
		for range 3 {
			u.ask(`AT+CPIN="9999"`)
		}
		u.ask("ATE0+CMEE=1")
		require.Equal(t, "\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n", u.ask("AT+CPIN?"))
		require.Equal(t, "\r\nOK\r\n", u.ask(`AT+CPIN="12345678","4321"`))
		pin, puk := m.PINAttempts()
		require.Equal(t, []int{3, 10}, []int{pin, puk})
	}, fakemodem.WithPIN("1234"))
}

func TestOnCommand(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0")
		m.OnCommand("+CSQ", fakemodem.Answer("+CSQ: 31,0"))
		require.Equal(t, "\r\n+CSQ: 31,0\r\n\r\nOK\r\n", u.ask("AT+CSQ"))
		m.OnCommand("+CSQ", func(c *fakemodem.Call) fakemodem.Result {
			if c.Op == fakemodem.Test {
				return fakemodem.Default
			}
			time.Sleep(3 * time.Second)
			m.Emit("+CSQN: 1,0")
			return fakemodem.CME(14)
		})
		u.ask("AT+CMEE=1")
		require.Equal(t, "\r\n+CSQ: (0-31,99),(0-7,99)\r\n\r\nOK\r\n", u.ask("AT+CSQ=?"), "the default behaviour")
		require.Equal(t, "\r\n+CSQN: 1,0\r\n\r\n+CME ERROR: 14\r\n", u.ask("AT+CSQ"), "a handler may wait and may use the modem")
		m.OnCommand("+CSQ", nil)
		require.Equal(t, "\r\n+CSQ: 17,0\r\n\r\nOK\r\n", u.ask("AT+CSQ"))
	})
}
