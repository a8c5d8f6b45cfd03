package fakemodem_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/telemodem/telemodem/fakemodem"
)

// terminal is a host that types commands by hand and reads what comes back.
type terminal struct {
	t    *testing.T
	line *fakemodem.Line
	got  string // read and not yet expected
}

// newTerminal opens a modem's line; in a bubble the time costs nothing.
func newTerminal(t *testing.T, m *fakemodem.Modem) *terminal {
	t.Helper()
	line := m.Line()
	t.Cleanup(func() { line.Close() })
	return &terminal{t: t, line: line}
}

// send writes octets as they are.
func (u *terminal) send(text string) {
	u.t.Helper()
	_, err := u.line.Write([]byte(text))
	require.NoError(u.t, err)
}

// want reads until exactly the text has come.
func (u *terminal) want(why, text string) {
	u.t.Helper()
	for len(u.got) < len(text) { // no octet more: what follows may be for PPP
		before := len(u.got)
		u.fillUpTo(len(text) - len(u.got))
		if len(u.got) == before {
			break
		}
	}
	k := min(len(text), len(u.got))
	require.Equal(u.t, text, u.got[:k], why)
	u.got = u.got[k:]
}

// wait reads until the text has come somewhere and returns all up to its end.
func (u *terminal) wait(why, text string) string {
	u.t.Helper()
	u.fill(func() bool { return strings.Contains(u.got, text) })
	i := strings.Index(u.got, text)
	require.GreaterOrEqual(u.t, i, 0, "%s: %q is not in %q", why, text, u.got)
	out := u.got[:i+len(text)]
	u.got = u.got[i+len(text):]
	return out
}

// quiet makes sure that nothing comes for some time.
func (u *terminal) quiet(why string, d time.Duration) {
	u.t.Helper()
	require.Empty(u.t, u.got, why)
	u.line.SetReadDeadline(time.Now().Add(d))
	b := make([]byte, 4096)
	k, err := u.line.Read(b)
	require.Empty(u.t, string(b[:k]), why)
	require.True(u.t, errors.Is(err, os.ErrDeadlineExceeded), "%s: %v", why, err)
}

// ask sends a command line and returns what comes up to the final result code.
func (u *terminal) ask(command string) string {
	u.t.Helper()
	u.send(command + "\r")
	u.fill(func() bool { return hasFinal(u.got) })
	out := u.got
	u.got = ""
	return out
}

func hasFinal(s string) bool {
	for _, line := range strings.Split(s, "\r\n") {
		if line == "OK" || line == "ERROR" || strings.HasPrefix(line, "+CM") && strings.Contains(line, " ERROR: ") || line == "NO CARRIER" {
			return strings.HasSuffix(s, "\r\n")
		}
	}
	return false
}

// fillUpTo reads once, at most k octets.
func (u *terminal) fillUpTo(k int) {
	u.line.SetReadDeadline(time.Now().Add(30 * time.Second))
	b := make([]byte, k)
	n, _ := u.line.Read(b)
	u.got += string(b[:n])
}

func (u *terminal) fill(enough func() bool) {
	u.t.Helper()
	limit := time.Now().Add(30 * time.Second)
	b := make([]byte, 4096)
	for !enough() {
		u.line.SetReadDeadline(limit)
		k, err := u.line.Read(b)
		u.got += string(b[:k])
		if err != nil {
			return
		}
	}
}
