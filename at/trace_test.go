package at

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTraceRoundTrip(t *testing.T) {
	when := time.Date(2026, 11, 21, 2, 44, 6, 12, time.UTC)
	for data, want := range map[string]string{
		"\r\nOK\r\n":     `2026-11-21T02:44:06.000000012Z < "\r\nOK\r\n"`,
		"\x00\xff\"é\\~": `2026-11-21T02:44:06.000000012Z < "\x00\xff\"\u00e9\\~"`,
	} {
		c := Chunk{Time: when, Dir: FromModem, Data: []byte(data)}
		require.Equal(t, want, c.String())
		again, err := ParseChunk(want)
		require.NoError(t, err)
		require.Equal(t, c, again)
	}
	for _, line := range []string{"", "x", `2026 < "a"`, `2026-11-21T02:44:06Z = "a"`, `2026-11-21T02:44:06Z < a`, `2026-11-21T02:44:06Z < "a`} {
		_, err := ParseChunk(line)
		require.Error(t, err, line)
	}
	_, err := ReadTrace(strings.NewReader("# head\n\n2026-11-21T02:44:06Z > \"AT\\r\"\nnonsense here too\n"))
	require.ErrorContains(t, err, "line 4")
}

// Promise 10: a PIN is in no error, log or trace, echoed or not, early or late.
func TestPromise10SecretsStaySecret(t *testing.T) {
	for _, echo := range []string{"AT+CPIN=\"1234\"\r", "", "T+CPIN=\"1234\"\r", "+CPIN=\"1234\"\r"} {
		var log, file bytes.Buffer
		var mu sync.Mutex
		logger := slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
		recorder := NewRecorder(&file)
		dialogue(t, &Config{Logger: logger, Trace: recorder}, func(t *testing.T, s *script, m *Modem) {
			pin := start(t, m, Command{Text: `+CPIN="1234"`, Sensitive: true})
			s.wantLine("", `AT+CPIN="1234"`)
			for _, c := range echo { // torn at every byte
				s.raw(string(c))
			}
			s.raw("\r\n+CME ERROR: 16\r\n")
			pin.wantErr("", CMEError{Code: 16}, CommandWritten)
			require.Equal(t, "AT+CPIN…: +CME ERROR: 16 (incorrect password)", pin.err.Error())
			next := start(t, m, Command{Text: "+CSQ"})
			s.wantLine("", "AT+CSQ")
			s.raw(echo + "\r\n+CSQ: 1,2\r\n\r\nOK\r\n") // F12: late
			next.wantOK("", "+CSQ: 1,2")
			send := start(t, m, Command{Text: "+CMGS=1", Sensitive: true, Prompt: &Prompt{Data: []byte("1234"), End: []byte{0x1A}}})
			s.wantLine("", "AT+CMGS=1")
			s.raw("AT+CMGS=1\r\r\n> ")
			s.want("", "1234\x1a")
			s.raw("1234\x1a\r\n+CMGS: 1\r\n\r\nOK\r\n")
			send.wantOK("", "+CMGS: 1")
			for range 6 {
				exchangeOK(t, s, m)
			}
			m.Close()
		})
		require.NoError(t, recorder.Flush())
		mu.Lock()
		defer mu.Unlock()
		for _, text := range []string{log.String(), file.String()} {
			require.NotContains(t, text, "1234", echo)
			require.Contains(t, text, "+CPIN")
			require.Contains(t, text, "+CME ERROR: 16")
			require.Contains(t, text, "+CSQ: 17,0")
		}
		chunks, err := ReadTrace(strings.NewReader(file.String()))
		require.NoError(t, err)
		require.Equal(t, "AT+CPIN*******\r", string(chunks[0].Data), "of the same length, so that it can be replayed")
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// brokenWriter blocks until it is released, then fails.
type brokenWriter chan struct{}

func (b brokenWriter) Write([]byte) (int, error) {
	<-b
	return 0, errors.New("disk full")
}

func TestTraceNeverDelaysTheEngine(t *testing.T) {
	release := make(brokenWriter)
	recorder := NewRecorder(release)
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) { exchangeOK(t, s, m) })
	line := memoryLine{newHalfPipe(), newHalfPipe()}
	go responder(line, csqAnswer)
	m := New(line, &Config{Trace: recorder})
	for range 100 {
		_, err := m.Exec(t.Context(), "+CSQ")
		require.NoError(t, err)
	}
	recorder.Record(Chunk{Data: make([]byte, recorderLimit)}) // does not fit, is counted
	require.NoError(t, m.Close())
	close(release)
	require.EqualError(t, recorder.Flush(), "disk full")
}
