package at

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// halfPipe is one direction of a line in memory: Write never waits, Read waits
// for bytes.
type halfPipe struct {
	mu     sync.Mutex
	cond   *sync.Cond
	buf    []byte
	most   int // bytes a Read returns at most; 0 is no bound
	err    error
	stuck  bool // Write waits
	late   bool // the write deadline has passed
	writes int
}

func newHalfPipe() *halfPipe {
	p := &halfPipe{}
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *halfPipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 && p.err == nil {
		p.cond.Wait()
	}
	if len(p.buf) == 0 {
		return 0, p.err
	}
	if p.most > 0 {
		b = b[:min(len(b), p.most)]
	}
	n := copy(b, p.buf)
	p.buf = append(p.buf[:0], p.buf[n:]...)
	p.cond.Broadcast() // for writeBounded
	return n, nil
}

func (p *halfPipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stuck && p.err == nil && !p.late {
		p.cond.Wait()
	}
	if p.late {
		return 0, os.ErrDeadlineExceeded
	}
	if p.err != nil {
		return 0, io.ErrClosedPipe
	}
	p.buf = append(p.buf, b...)
	p.writes++
	p.cond.Broadcast()
	return len(b), nil
}

func (p *halfPipe) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	p.cond.Broadcast()
}

func (p *halfPipe) setStuck(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stuck = on
	p.cond.Broadcast()
}

// SetWriteDeadline knows the past and never, which is all that the engine asks for.
func (p *halfPipe) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late = !t.IsZero()
	p.cond.Broadcast()
	return nil
}

// deadlineLine is a memoryLine with write deadlines, as a net.Conn has them.
type deadlineLine struct{ memoryLine }

func (l deadlineLine) SetWriteDeadline(t time.Time) error { return l.out.SetWriteDeadline(t) }

// memoryLine is the engine's end of a line in memory.
type memoryLine struct{ in, out *halfPipe }

func (l memoryLine) Read(b []byte) (int, error)  { return l.in.Read(b) }
func (l memoryLine) Write(b []byte) (int, error) { return l.out.Write(b) }
func (l memoryLine) Close() error {
	l.in.end(io.ErrClosedPipe)
	l.out.end(io.EOF)
	return nil
}

// listen hands on what the engine writes until the line ends.
func listen(line memoryLine, came chan<- string) {
	defer close(came)
	buf := make([]byte, 4096)
	for {
		n, err := line.out.Read(buf)
		if err != nil {
			return
		}
		came <- string(buf[:n])
	}
}

// script is the modem's end of a line: a test reads as a dialogue.
type script struct {
	t    *testing.T
	line memoryLine
}

// newPair starts an engine on a line in memory. It must be called in a bubble.
func newPair(t *testing.T, config *Config) (*script, *Modem) {
	line := memoryLine{newHalfPipe(), newHalfPipe()}
	m := New(line, config)
	t.Cleanup(func() { m.Close() })
	return &script{t: t, line: line}, m
}

// take returns what the engine has written so far.
func (s *script) take() string {
	synctest.Wait()
	p := s.line.out
	p.mu.Lock()
	defer p.mu.Unlock()
	got := string(p.buf)
	p.buf = nil
	return got
}

// want checks that exactly these bytes have been written.
func (s *script) want(why, bytes string) {
	s.t.Helper()
	require.Equal(s.t, bytes, s.take(), why)
}

// wantLine checks that exactly this command line has been written.
func (s *script) wantLine(why, text string) {
	s.t.Helper()
	s.want(why, text+"\r")
}

// wantIdle checks that nothing has been written.
func (s *script) wantIdle(why string) {
	s.t.Helper()
	s.want(why, "")
}

// raw sends bytes as they are.
func (s *script) raw(bytes string) {
	p := s.line.in
	p.mu.Lock()
	p.buf = append(p.buf, bytes...)
	p.cond.Broadcast()
	p.mu.Unlock()
	synctest.Wait()
}

// send sends lines as a modem with echo off does (V1).
func (s *script) send(lines ...string) {
	s.raw("\r\n" + strings.Join(lines, "\r\n\r\n") + "\r\n")
}

// answerProbe plays a search that finds its place at once.
func (s *script) answerProbe() {
	s.t.Helper()
	time.Sleep(250 * time.Millisecond)
	s.wantLine("a probe that names itself", "AT+CMEE?")
	s.send("+CMEE: 1", "OK")
	time.Sleep(150 * time.Millisecond)
}

// answerHangUp plays the end of a call behind +++.
func (s *script) answerHangUp() {
	s.t.Helper()
	s.send("OK")
	s.wantLine("the call is hung up", "ATH")
	s.send("OK")
	s.want("an entry may be open", "\x1b")
	s.answerProbe()
}

// running is a command under way.
type running struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan struct{}
	resp   Response
	err    error
}

// start runs a command on a goroutine of its own.
func start(t *testing.T, m *Modem, cmd Command) *running {
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.resp, r.err = m.Command(ctx, cmd)
	}()
	synctest.Wait()
	return r
}

// wait waits for the end of the command.
func (r *running) wait() (Response, error) {
	r.t.Helper()
	<-r.done
	return r.resp, r.err
}

// wantOK waits for success and checks the information lines.
func (r *running) wantOK(why string, lines ...string) {
	r.t.Helper()
	<-r.done
	require.NoError(r.t, r.err, why)
	var got []string
	for _, info := range r.resp.Info {
		got = append(got, info.Text)
	}
	require.Equal(r.t, lines, got, why)
}

// wantErr waits for a failure of that cause and progress.
func (r *running) wantErr(why string, cause error, p Progress) {
	r.t.Helper()
	<-r.done
	require.ErrorIs(r.t, r.err, cause, why)
	var ce *CommandError
	require.ErrorAs(r.t, r.err, &ce, why)
	require.Equal(r.t, p, ce.Progress, why)
}

// wantWaiting checks that the command has not ended.
func (r *running) wantWaiting(why string) {
	r.t.Helper()
	synctest.Wait()
	select {
	case <-r.done:
		r.t.Fatalf("%s: the command has ended: %v %v", why, r.resp, r.err)
	default:
	}
}

// collect subscribes and returns what came.
func collect(m *Modem, prefix string) func() []Notification {
	var mu sync.Mutex
	var got []Notification
	m.Handle(prefix, func(n Notification) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, n)
	})
	return func() []Notification {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		taken := got
		got = nil
		return taken
	}
}

// lines returns the lines of notifications.
func lines(ns []Notification) []string {
	var out []string
	for _, n := range ns {
		out = append(out, n.Line)
	}
	return out
}

// dialogue runs a test in a bubble on a scripted line.
func dialogue(t *testing.T, config *Config, f func(t *testing.T, s *script, m *Modem)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, m := newPair(t, config)
		f(t, s, m)
	})
}
