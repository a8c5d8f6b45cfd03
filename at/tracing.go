package at

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"time"
)

// traceState is what an engine knows of its traces.
type traceState struct {
	recorders []*Recorder
	warnings  *Recorder // the one of the logger

	// While a sensitive command runs, and as long as its echo may come late,
	// received bytes are looked at line by line.
	secret string // text of the last sensitive command
	stale  int    // commands sent since
	line   []byte
}

// sinks sets up the recorders of a configuration.
func (t *traceState) sinks(c *Config) {
	if c.Trace != nil {
		t.recorders = append(t.recorders, c.Trace)
	}
	if c.Logger != nil {
		t.warnings = newRecorder(func(chunks []Chunk, lost int) error {
			logChunks(c.Logger, chunks, lost)
			return nil
		})
		t.recorders = append(t.recorders, t.warnings)
	}
}

// warning is the direction of what the engine itself has to say to the log.
const warning Direction = '!'

func logChunks(l *slog.Logger, chunks []Chunk, lost int) {
	ctx := context.Background()
	for _, c := range chunks {
		if c.Dir == warning {
			l.LogAttrs(ctx, slog.LevelWarn, "at: "+string(c.Data))
			continue
		}
		l.LogAttrs(ctx, slog.LevelDebug, "at", slog.String("dir", string(rune(c.Dir))), slog.String("data", string(c.Data)))
	}
	if lost > 0 {
		l.LogAttrs(ctx, slog.LevelWarn, "at: log too slow", slog.Int("lost", lost))
	}
}

// warn tells the log what the engine has to repair.
func (m *Modem) warn(text string) {
	if m.trace.warnings != nil {
		m.trace.warnings.Record(Chunk{Time: time.Now(), Dir: warning, Data: []byte(text)})
	}
}

func (t *traceState) record(c Chunk) {
	for _, r := range t.recorders {
		r.Record(c)
	}
}

// traceOut records bytes that go out; if some of them are those of a sensitive
// command, they are masked behind its name.
func (m *Modem) traceOut(p []byte, secret *exchange) {
	t := &m.trace
	if bytes.HasPrefix(p, []byte("AT")) {
		t.stale++
	}
	if secret != nil {
		t.secret, t.stale = secret.cmd.Text, 0
		keep := 0
		if name := "AT" + secret.asked.first.name; bytes.HasPrefix(p, []byte(name)) {
			keep = len(name)
		}
		p = append(bytes.Clone(p[:keep]), mask(p[keep:])...)
	}
	t.record(Chunk{Time: time.Now(), Dir: ToModem, Data: p})
}

// traceIn records bytes that came in.
func (m *Modem) traceIn(p []byte) {
	t := &m.trace
	if len(t.recorders) == 0 {
		return
	}
	if t.secret == "" && len(t.line) == 0 {
		t.record(Chunk{Time: time.Now(), Dir: FromModem, Data: p})
		return
	}
	for len(p) > 0 {
		end := bytes.IndexAny(p, "\r\n")
		if end < 0 {
			t.line = append(t.line, p...)
			break
		}
		t.line = append(t.line, p[:end]...)
		m.traceSecretLine(t.line, p[end:end+1])
		t.line = t.line[:0]
		p = p[end+1:]
	}
	if rest := string(bytes.TrimSpace(t.line)); rest == ">" || rest == "@" || len(t.line) > m.cfg.LineLimit {
		m.traceSecretLine(t.line, nil)
		t.line = t.line[:0]
	}
	if t.stale > len(m.echo.recent) && len(t.line) == 0 {
		t.secret = ""
	}
}

// traceSecretLine records a line that may hold a secret: while its command
// runs, only results and prompts are shown.
func (m *Modem) traceSecretLine(line, end []byte) {
	shown := bytes.Clone(line)
	o, _ := finalResult(line, m.cfg.Finals)
	plain := o != notFinal || len(bytes.Trim(line, ">@ ")) == 0
	running := m.run != nil && m.run.cmd.Sensitive
	if !plain && (running || strings.Contains(string(line), m.trace.secret)) {
		shown = mask(line)
	}
	m.trace.record(Chunk{Time: time.Now(), Dir: FromModem, Data: append(shown, end...)})
}

// mask returns as many stars as p has octets; line ends and the end of an SMS
// entry stay.
func mask(p []byte) []byte {
	masked := bytes.Repeat([]byte{'*'}, len(p))
	for i, c := range p {
		if c == '\r' || c == '\n' || c == 0x1A {
			masked[i] = c
		}
	}
	return masked
}
