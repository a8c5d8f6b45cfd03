package at

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// tornLine takes the first three bytes of its first Write before it waits.
type tornLine struct {
	deadlineLine
	torn bool
}

func (l *tornLine) Write(p []byte) (int, error) {
	if l.torn {
		return l.deadlineLine.Write(p)
	}
	l.torn = true
	l.out.mu.Lock()
	l.out.buf = append(l.out.buf, p[:3]...)
	l.out.mu.Unlock()
	n, err := l.deadlineLine.Write(p[3:])
	return 3 + n, err
}

// selfWriting runs a test on a line on which callers write themselves.
func selfWriting(t *testing.T, f func(t *testing.T, s *script, m *Modem)) {
	synctest.Test(t, func(t *testing.T) {
		line := &tornLine{deadlineLine: deadlineLine{memoryLine{newHalfPipe(), newHalfPipe()}}}
		m := New(line, nil)
		t.Cleanup(func() { m.Close() })
		f(t, &script{t: t, line: line.memoryLine}, m)
	})
}

// startEndless runs a command whose context has no end.
func startEndless(t *testing.T, m *Modem, cmd Command) *running {
	r := &running{t: t, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.resp, r.err = m.Command(context.Background(), cmd)
	}()
	synctest.Wait()
	return r
}

func TestSelfWriteNeedsNoWriter(t *testing.T) {
	selfWriting(t, func(t *testing.T, s *script, m *Modem) {
		for range 3 {
			csq := startEndless(t, m, Command{Text: "+CSQ"})
			s.wantLine("", "AT+CSQ")
			s.send("+CSQ: 17,0", "OK")
			csq.wantOK("", "+CSQ: 17,0")
		}
		require.False(t, m.out.started, "the writer's goroutine")
	})
}

// A Write that waits ends with its command, and the modem gets the rest of the
// line before anything else.
func TestSelfWriteEndsAtTheLimit(t *testing.T) {
	selfWriting(t, func(t *testing.T, s *script, m *Modem) {
		s.line.out.setStuck(true)
		begin := time.Now()
		csq := startEndless(t, m, Command{Text: "+CSQ", Timeout: 2 * time.Second})
		creg := startEndless(t, m, Command{Text: "+CREG?", Timeout: time.Minute})
		csq.wantErr("writing", ErrNoAnswer, CommandWritten)
		require.Equal(t, 2*time.Second, time.Since(begin))
		s.line.out.setStuck(false)
		s.want("the rest, once", "AT+CSQ\r")
		s.answerProbe()
		s.wantLine("", "AT+CREG?")
		s.send("+CREG: 0,1", "OK")
		creg.wantOK("", "+CREG: 0,1")
	})
}

// What others have to say waits for the end of the line that is being written.
func TestSelfWriteKeepsTheOrder(t *testing.T) {
	selfWriting(t, func(t *testing.T, s *script, m *Modem) {
		s.line.out.setStuck(true)
		scan := startEndless(t, m, Command{Text: "+COPS=?", Abortable: true})
		ack := startEndless(t, m, Command{Text: "+CNMA", Priority: PriorityAcknowledge})
		s.want("only the beginning", "AT+")
		s.line.out.setStuck(false)
		s.want("the abort behind it", "COPS=?\r\r")
		s.send("OK")
		s.wantLine("", "AT+CNMA")
		s.send("OK")
		ack.wantOK("")
		s.wantLine("again", "AT+COPS=?")
		s.send("OK")
		scan.wantOK("")
	})
}

func TestSelfWriteEndsWithTheEngine(t *testing.T) {
	for name, end := range map[string]func(*script, *Modem){
		"close":     func(_ *script, m *Modem) { m.Close() },
		"line gone": func(s *script, _ *Modem) { s.line.in.end(context.Canceled) },
	} {
		t.Run(name, func(t *testing.T) {
			selfWriting(t, func(t *testing.T, s *script, m *Modem) {
				s.line.out.setStuck(true)
				csq := startEndless(t, m, Command{Text: "+CSQ", Timeout: -1})
				end(s, m)
				_, err := csq.wait()
				require.ErrorIs(t, err, m.Err())
			})
		})
	}
}

// A Write that outlasts its command's answer ends when another command needs
// the line, or else at the limit; what it has left goes out first.
func TestSelfWriteOutlastsTheAnswer(t *testing.T) {
	t.Run("until another command", func(t *testing.T) {
		selfWriting(t, func(t *testing.T, s *script, m *Modem) {
			s.line.out.setStuck(true)
			csq := startEndless(t, m, Command{Text: "+CSQ"})
			s.send("+CSQ: 17,0", "OK")
			csq.wantWaiting("its Write goes on")
			begin := time.Now()
			creg := startEndless(t, m, Command{Text: "+CREG?"})
			csq.wantOK("", "+CSQ: 17,0")
			require.Zero(t, time.Since(begin))
			s.want("only the beginning", "AT+")
			s.line.out.setStuck(false)
			s.want("the rest, and the next", "CSQ\rAT+CREG?\r")
			s.send("+CREG: 0,1", "OK")
			creg.wantOK("", "+CREG: 0,1")
		})
	})
	t.Run("until the limit", func(t *testing.T) {
		selfWriting(t, func(t *testing.T, s *script, m *Modem) {
			s.line.out.setStuck(true)
			begin := time.Now()
			csq := startEndless(t, m, Command{Text: "+CSQ", Timeout: 2 * time.Second})
			s.send("+CSQ: 17,0", "OK")
			csq.wantOK("", "+CSQ: 17,0")
			require.Equal(t, 2*time.Second, time.Since(begin))
			s.line.out.setStuck(false)
			s.want("once", "AT+CSQ\r")
		})
	})
	t.Run("without a limit", func(t *testing.T) {
		selfWriting(t, func(t *testing.T, s *script, m *Modem) {
			s.line.out.setStuck(true)
			csq := startEndless(t, m, Command{Text: "+CSQ", Timeout: -1})
			s.send("+CSQ: 17,0", "OK")
			csq.wantOK("at once", "+CSQ: 17,0")
		})
	})
}

// F97: a Write of the caller's that fails ends the engine.
func TestSelfWriteFails(t *testing.T) {
	selfWriting(t, func(t *testing.T, s *script, m *Modem) {
		s.line.out.end(context.Canceled)
		csq := startEndless(t, m, Command{Text: "+CSQ"})
		_, err := csq.wait()
		require.ErrorIs(t, err, ErrLineGone)
		<-m.Done()
	})
}
