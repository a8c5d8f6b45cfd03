package at

import (
	"context"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// online returns a call that is up.
func online(t *testing.T, s *script, m *Modem, glued string) *DataCall {
	t.Helper()
	var c *DataCall
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err = m.Dial(t.Context(), Command{Text: "D*99#", Timeout: time.Minute})
	}()
	s.wantLine("", "ATD*99#")
	s.raw("\r\nCONNECT 150000000\r\n" + glued)
	<-done
	require.NoError(t, err)
	require.Equal(t, "CONNECT 150000000", c.Result())
	return c
}

func closing(c *DataCall) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- c.Close() }()
	return ended
}

func TestDialFails(t *testing.T) {
	for _, result := range []string{"NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "ERROR", "OK"} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, err = m.Dial(t.Context(), Command{Text: "D*99#"})
			}()
			s.wantLine("", "ATD*99#")
			s.send(result)
			<-done
			require.ErrorIs(t, err, ResultError{result})
			exchangeOK(t, s, m)
		})
	}
}

// A CONNECT that comes after the caller has left is a call that must end.
func TestDialCancelled(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := m.Dial(ctx, Command{Text: "D*99#"})
			ended <- err
		}()
		s.wantLine("", "ATD*99#")
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		s.want("any character stops the dialling", "\r")
		s.send("CONNECT")
		_, err := m.Exec(t.Context(), "+CSQ")
		require.ErrorIs(t, err, ErrDataMode)
		time.Sleep(1100 * time.Millisecond)
		s.want("too late: hang up", "+++")
		s.answerHangUp()
		exchangeOK(t, s, m)
	})
}

func TestUnexpectedConnect(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		open := start(t, m, Command{Text: "+QIOPEN=1,0"})
		s.wantLine("", "AT+QIOPEN=1,0")
		s.send("CONNECT")
		open.wantErr("nobody asked for a stream", ErrDataMode, CommandWritten)
		time.Sleep(1100 * time.Millisecond)
		s.want("", "+++")
		s.answerHangUp()
		exchangeOK(t, s, m)
	})
}

// F70, F71: hang-up in band, +++ ignored, data that keeps coming.
func TestF70HangUpByTheModem(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		s.raw("~text \r\nNO CARRIER\r\n in a frame~")
		time.Sleep(time.Minute)
		require.NoError(t, c.Err(), "more data followed at once")
		s.raw("end\r\nNO CARR")
		s.raw("IER\r\n")
		time.Sleep(2 * time.Second)
		require.ErrorIs(t, c.Err(), ErrCallEnded)
		data, err := io.ReadAll(c)
		require.NoError(t, err, "the end of the stream")
		require.True(t, strings.HasPrefix(string(data), "~text \r\nNO CARRIER\r\n in a frame~end"), "%q", data)
		ended := closing(c)
		s.want("", "\x1b")
		s.answerProbe()
		require.NoError(t, <-ended, "command mode is proven")
		exchangeOK(t, s, m)
	})
}

func TestF71EscapeIgnored(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		ended := closing(c)
		for range 2 {
			time.Sleep(1101 * time.Millisecond)
			s.want("", "+++")
			s.raw(strings.Repeat("data", 1000)) // keeps coming
			time.Sleep(3100 * time.Millisecond)
		}
		s.want("the third one", "+++")
		s.raw("\r\nNO CARRIER\r\n")
		s.want("", "\x1b")
		s.answerProbe()
		require.NoError(t, <-ended)
		require.NoError(t, c.Close(), "a second time")
		exchangeOK(t, s, m)
	})
}

// dtrLine is a line with modem lines.
type dtrLine struct {
	memoryLine
	dtr func(bool)
	dcd func() bool
}

func (l dtrLine) SetDTR(on bool) error { l.dtr(on); return nil }
func (l dtrLine) DCD() (bool, error)   { return l.dcd(), nil }

func TestHangUpByDTR(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := memoryLine{newHalfPipe(), newHalfPipe()}
		s := &script{t: t, line: line}
		var drops []bool
		var carrier atomic.Bool
		carrier.Store(true)
		m := New(dtrLine{line, func(on bool) { drops = append(drops, on) }, carrier.Load}, nil)
		defer m.Close()
		c := online(t, s, m, "")
		ended := closing(c)
		time.Sleep(12500 * time.Millisecond)
		s.want("+++ is ignored, so DTR is dropped; command mode must be proven", "+++++++++\x1bAT+CMEE?\r")
		require.Equal(t, []bool{false, true}, drops)
		s.send("+CMEE: 1", "OK")
		require.NoError(t, <-ended)
		exchangeOK(t, s, m)

		c = online(t, s, m, "")
		time.Sleep(1500 * time.Millisecond)
		carrier.Store(false)
		time.Sleep(1500 * time.Millisecond)
		require.ErrorIs(t, c.Err(), ErrCallEnded, "DCD went off")
		ended = closing(c)
		s.want("", "\x1b")
		s.answerProbe()
		require.NoError(t, <-ended)
	})
}

func TestCloseSaysWhyNot(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		begin := time.Now()
		err := c.Close() // the modem is dead
		require.ErrorIs(t, err, ErrDataMode)
		require.ErrorIs(t, err, ErrNoAnswer)
		require.ErrorContains(t, err, "+++ was sent 3 times")
		require.LessOrEqual(t, time.Since(begin), defaultHangupTimeout)
	})
}

func TestSuspendAndResume(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "early")
		_, err := c.Write([]byte("up"))
		require.NoError(t, err)
		s.want("", "up")
		done := make(chan error, 1)
		go func() { done <- c.Suspend(t.Context()) }()
		time.Sleep(1100 * time.Millisecond)
		s.want("", "+++")
		s.raw("late\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n")
		require.NoError(t, <-done)
		exchangeOK(t, s, m)
		wrote := make(chan error, 1)
		go func() { _, err := c.Write([]byte("again")); wrote <- err }()
		s.wantIdle("data waits")
		go func() { done <- c.Resume(t.Context()) }()
		s.wantLine("", "ATO")
		s.raw("\r\nCONNECT\r\nmore")
		require.NoError(t, <-done)
		require.NoError(t, <-wrote)
		s.want("", "again")
		buf := make([]byte, 100)
		n, _ := c.Read(buf)
		require.Equal(t, "earlylatemore", string(buf[:n]), "nothing lost, no OK in it")

		go func() { done <- c.Suspend(t.Context()) }()
		time.Sleep(1100 * time.Millisecond)
		s.want("", "+++")
		s.raw("\r\nOK\r\n")
		require.NoError(t, <-done)
		require.ErrorIs(t, c.Suspend(t.Context()), ErrInvalid)
		go func() { done <- c.Resume(t.Context()) }()
		s.wantLine("", "ATO")
		s.send("NO CARRIER") // espressif/esp-idf#6005
		require.ErrorIs(t, <-done, ResultError{"NO CARRIER"})
		require.ErrorIs(t, c.Err(), ErrCallEnded)
		ended := closing(c)
		s.want("", "\x1b")
		s.answerProbe()
		require.NoError(t, <-ended)
	})
}

func TestReadDeadline(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		begin := time.Now()
		require.NoError(t, c.SetReadDeadline(begin.Add(time.Second)))
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))
		s.raw("x")
		n, err := c.Read(make([]byte, 8))
		require.NoError(t, err, "what is there is given even so")
		require.Equal(t, 1, n)
		require.NoError(t, c.SetReadDeadline(time.Time{}))
		s.raw("y")
		n, _ = c.Read(make([]byte, 8))
		require.Equal(t, 1, n)
		s.line.in.end(io.EOF)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, ErrLineGone)
		_, err = c.Write([]byte("z"))
		require.ErrorIs(t, err, ErrLineGone)
		require.NoError(t, c.Close(), "no line, no data mode")
	})
}

// The reader waits for whoever reads the stream, so that flow control reaches
// the modem; Close ends that wait.
func TestBackPressure(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		s.raw(strings.Repeat("x", 3*receiveLimit))
		s.line.in.mu.Lock()
		left := len(s.line.in.buf)
		s.line.in.mu.Unlock()
		require.Greater(t, left, receiveLimit, "not read without bound")
		total := 0
		buf := make([]byte, 1000)
		for total < 3*receiveLimit {
			n, err := c.Read(buf)
			require.NoError(t, err)
			total += n
		}
		s.raw(strings.Repeat("x", 3*receiveLimit))
		ended := closing(c)
		time.Sleep(1100 * time.Millisecond)
		s.want("", "+++")
		s.answerHangUp()
		require.NoError(t, <-ended)
	})
}

func TestLeaveDataMode(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		done := make(chan error, 1)
		go func() { done <- m.LeaveDataMode(t.Context()) }()
		csq.wantErr("", ErrDataMode, CommandWritten)
		s.raw("~\xff}#left open by a program that died")
		time.Sleep(1100 * time.Millisecond)
		s.want("", "+++")
		s.answerHangUp()
		require.NoError(t, <-done)
		exchangeOK(t, s, m)
	})
}

// A command that waited when the end of an unknown call began is not sent into
// the call, nor between +++ and ATH: it waits for the end.
func TestQueuedCommandsWaitForTheEndOfACall(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		creg := start(t, m, Command{Text: "+CREG?"})
		done := make(chan error, 1)
		go func() { done <- m.LeaveDataMode(t.Context()) }()
		csq.wantErr("", ErrDataMode, CommandWritten)
		s.raw("data")
		s.wantIdle("the guard time goes on")
		time.Sleep(1100 * time.Millisecond)
		s.want("nothing but the escape", "+++")
		s.send("OK")
		s.wantLine("the call is hung up first", "ATH")
		creg.wantWaiting("it waits")
		s.send("OK")
		s.want("", "\x1b")
		s.answerProbe()
		require.NoError(t, <-done)
		s.wantLine("now it goes out", "AT+CREG?")
		s.send("+CREG: 0,1", "OK")
		creg.wantOK("and has its answer", "+CREG: 0,1")
	})
}

func TestResync(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		done := make(chan error, 1)
		resync := func(ctx context.Context) {
			go func() { done <- m.Resync(ctx) }()
		}
		resync(t.Context())
		s.want("", "\x1b")
		s.answerProbe()
		require.NoError(t, <-done)

		scan := start(t, m, Command{Text: "+COPS=?"})
		s.wantLine("", "AT+COPS=?")
		ctx, cancel := context.WithCancel(t.Context())
		resync(ctx)
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		require.Empty(t, m.place.waiters, "nobody is kept who has left")
		resync(t.Context())
		s.wantIdle("the line is not free")
		s.send("OK")
		scan.wantOK("")
		s.want("now it is", "\x1b")
		s.answerProbe()
		require.NoError(t, <-done)

		resync(t.Context())
		require.ErrorIs(t, <-done, ErrNoAnswer)
	})
}
