package at

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The known failures of other drivers, by their numbers in the list.

func cmgs(data string) Command {
	return Command{Text: fmt.Sprintf("+CMGS=%d", len(data)/2), Timeout: time.Minute,
		Prompt: &Prompt{Data: []byte(data), End: []byte{0x1A}}}
}

func TestKnownFailure1NotificationInAnswerToo(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		mt, all := collect(m, "+CMT"), collect(m, "")
		list := start(t, m, Command{Text: "+CMGL=4", FreeText: true, Body: MessageBody})
		s.wantLine("", "AT+CMGL=4")
		s.raw("\r\n+CMGL: 1,1,,2\r\n000102\r\n+CMT: ,2\r\n000304\r\n+CMGL: 2,1,,2\r\n000506\r\n\r\nOK\r\n")
		resp, err := list.wait()
		require.NoError(t, err)
		require.Equal(t, []Info{{"+CMGL: 1,1,,2", []byte("000102")}, {"+CMGL: 2,1,,2", []byte("000506")}}, resp.Info)
		require.Equal(t, []Notification{{Line: "+CMT: ,2", Body: []byte("000304")}}, mt())
		require.Empty(t, all())
	})
}

func TestKnownFailure2NotificationsInOrder(t *testing.T) {
	const many = 100_000
	config := &Config{QueueLimit: many}
	line := memoryLine{newHalfPipe(), newHalfPipe()}
	m := New(line, config)
	defer m.Close()
	done := make(chan string, 1)
	next := 0
	m.Handle("+N", func(n Notification) {
		if want := fmt.Sprintf("+N: %d", next); n.Line != want || n.Lost > 0 {
			done <- fmt.Sprintf("%+v in place of %q", n, want)
		}
		if next++; next == many {
			done <- ""
		}
	})
	for i := range many {
		fmt.Fprintf(line.in, "\r\n+N: %d\r\n", i)
	}
	require.Empty(t, <-done)
}

// 3, an acknowledgment before the message is safe, is proven in package sms:
// the engine never acknowledges by itself.
func TestKnownFailure3NothingIsAcknowledgedByTheEngine(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		mt := collect(m, "+CMT")
		s.raw("\r\n+CMT: ,2\r\n000304\r\n")
		require.Len(t, mt(), 1)
		time.Sleep(time.Minute)
		s.wantIdle("+CNMA is for whoever has the message on disk")
	})
}

func TestKnownFailure4LateAnswerTakenForTheNext(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		all := collect(m, "")
		reg := start(t, m, Command{Text: "+CREG?", Timeout: time.Second})
		s.wantLine("", "AT+CREG?")
		time.Sleep(time.Second)
		reg.wantErr("", ErrNoAnswer, CommandWritten)
		csq := start(t, m, Command{Text: "+CSQ", Timeout: 20 * time.Second})
		time.Sleep(201 * time.Millisecond)
		s.wantLine("nothing came, so a probe", "AT+CMEE?")
		s.send("+CREG: 2,1", "OK")
		time.Sleep(time.Second)
		s.wantIdle("that OK was the late one; another round begins")
		time.Sleep(201 * time.Millisecond)
		s.wantLine("with a name that neither the first probe nor the lost command has", "AT+CSCS?")
		s.send("+CMEE: 1", "OK")
		s.wantIdle("late again")
		s.send(`+CSCS: "GSM"`, "OK")
		time.Sleep(101 * time.Millisecond)
		s.wantLine("in step", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		csq.wantOK("", "+CSQ: 1,2")
		require.Equal(t, []string{"+CREG: 2,1", "OK", "+CMEE: 1", "OK"}, lines(all()))
	})
}

// The late answer of a command that is answered by OK alone is no answer to the
// probe that is out.
func TestKnownFailure4LateOK(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		cnmi := start(t, m, Command{Text: "+CNMI=2,1", Timeout: time.Second})
		s.wantLine("", "AT+CNMI=2,1")
		cnmi.wantErr("", ErrNoAnswer, CommandWritten)
		csq := start(t, m, Command{Text: "+CSQ"})
		time.Sleep(201 * time.Millisecond)
		s.wantLine("a probe", "AT+CMEE?")
		s.send("OK")
		time.Sleep(500 * time.Millisecond)
		s.wantIdle("it names nothing")
		s.send("+CMEE: 1", "OK")
		time.Sleep(101 * time.Millisecond)
		s.wantLine("in step", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		csq.wantOK("", "+CSQ: 1,2")
	})
}

func TestKnownFailure4bNextSMSReportedSentThoughNeverWritten(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		one := start(t, m, cmgs("0001"))
		s.wantLine("", "AT+CMGS=2")
		s.raw("\r\n> ")
		s.want("", "0001\x1a")
		time.Sleep(time.Minute)
		one.wantErr("in doubt", ErrNoAnswer, DataWritten)
		two := start(t, m, cmgs("000203"))
		s.want("ESC in case the entry is open", "\x1b")
		s.send("+CMGS: 7", "OK") // the late answer of the first
		two.wantWaiting("")
		s.answerProbe()
		s.wantLine("", "AT+CMGS=3")
		two.wantWaiting("nothing of it is written")
		s.raw("\r\n> ")
		s.want("", "000203\x1a")
		s.send("+CMGS: 8", "OK")
		two.wantOK("", "+CMGS: 8")
	})
}

// Numbers of concurrent senders, and 5, references of long messages, are a test of
// package sms. Here: concurrent commands do not mix.
func TestKnownFailure6ConcurrentCommandsDoNotMix(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		var calls []*running
		for i := range 10 {
			calls = append(calls, start(t, m, cmgs(strings.Repeat("0", 20+2*i))))
		}
		for i, c := range calls {
			s.wantLine("", fmt.Sprintf("AT+CMGS=%d", 10+i))
			s.raw("\r\n> ")
			s.want("", strings.Repeat("0", 20+2*i)+"\x1a")
			s.send(fmt.Sprintf("+CMGS: %d", i), "OK")
			c.wantOK("", fmt.Sprintf("+CMGS: %d", i))
		}
	})
}

func TestKnownFailure7LongLine(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		all := collect(m, "")
		clac := start(t, m, Command{Text: "+CLAC"})
		s.wantLine("", "AT+CLAC")
		long := "+CLAC: " + strings.Repeat("x", 65_536-7)
		s.send(long, "OK")
		clac.wantOK("the limit itself", long)

		clac = start(t, m, Command{Text: "+CLAC"})
		s.wantLine("", "AT+CLAC")
		s.send(long+"x", "OK")
		clac.wantErr("beyond the limit", ErrTooLong, CommandWritten)
		s.send(strings.Repeat("y", 70_000))

		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("the engine lives", "AT+CSQ")
		s.send(strings.Repeat("z", 70_000), "+CSQ: 1,2", "OK")
		csq.wantOK("", "+CSQ: 1,2")
		require.Empty(t, all())
		require.Equal(t, 3, m.Stats().Overlong)
	})
}

// zeroReads is a port that returns 0 bytes at its read time-out.
type zeroReads struct {
	memoryLine
	reads atomic.Int64
}

func (z *zeroReads) Read(p []byte) (int, error) {
	if z.reads.Add(1)%10 != 0 {
		return 0, nil
	}
	return z.memoryLine.Read(p)
}

func TestKnownFailure8ReadReturnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := &zeroReads{memoryLine: memoryLine{newHalfPipe(), newHalfPipe()}}
		s := &script{t: t, line: line.memoryLine}
		m := New(line, nil)
		defer m.Close()
		time.Sleep(time.Minute)
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		csq.wantOK("", "+CSQ: 1,2")
	})
}

func TestKnownFailure9LimitCoversQueueingAndWriting(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		begin := time.Now()
		scan := start(t, m, Command{Text: "+COPS=?", Timeout: 3 * time.Minute})
		s.wantLine("", "AT+COPS=?")
		csq := start(t, m, Command{Text: "+CSQ", Timeout: 2 * time.Second})
		csq.wantErr("queueing", ErrNoAnswer, NothingWritten)
		require.Equal(t, 2*time.Second, time.Since(begin))
		s.send("OK")
		scan.wantOK("")

		s.line.out.setStuck(true)
		begin = time.Now()
		csq = start(t, m, Command{Text: "+CSQ", Timeout: 2 * time.Second})
		csq.wantErr("writing", ErrNoAnswer, CommandWritten)
		require.Equal(t, 2*time.Second, time.Since(begin))
		s.line.out.setStuck(false)
	})
}

func TestKnownFailure10ModemTalksWhileWeWrite(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		seen := collect(m, "+CREG")
		s.line.out.setStuck(true) // the modem does not read before it has talked
		csq := start(t, m, Command{Text: "+CSQ"})
		s.raw(strings.Repeat("\r\n+CREG: 1\r\n", 400))
		require.Len(t, seen(), 400)
		s.line.out.setStuck(false)
		s.wantLine("", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		csq.wantOK("", "+CSQ: 1,2")
	})
}

// 11, routing re-armed after a notification that cannot be read, is package
// sms; here such a notification reaches it, body and all.
func TestKnownFailure11UnreadableNotificationIsDelivered(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		mt := collect(m, "+CMT")
		s.raw("\r\n+CMT: ,99\r\n0011\r\n\r\n+CMT: x\r\nanything\r\n")
		require.Equal(t, []Notification{{Line: "+CMT: ,99", Body: []byte("0011")}, {Line: "+CMT: x", Body: []byte("anything")}}, mt())
	})
}

func TestKnownFailure12AcknowledgmentBehindAScan(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		scan := start(t, m, Command{Text: "+COPS=?", Abortable: true, Timeout: 5 * time.Minute})
		s.wantLine("", "AT+COPS=?")
		normal := start(t, m, Command{Text: "+CSQ", Timeout: 5 * time.Minute})
		s.wantIdle("a normal command waits")
		ack := start(t, m, Command{Text: "+CNMA", Priority: PriorityAcknowledge})
		s.want("any character aborts", "\r")
		s.send("OK")
		s.wantLine("the acknowledgment comes first", "AT+CNMA")
		s.send("OK")
		ack.wantOK("")
		s.wantLine("the scan again", "AT+COPS=?")
		scan.wantWaiting("")
		s.send(`+COPS: (2,"op","op","26201",0)`, "OK")
		scan.wantOK("", `+COPS: (2,"op","op","26201",0)`)
		s.wantLine("", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		normal.wantOK("", "+CSQ: 1,2")
	})
}

func TestKnownFailure13BodyLinePrompt(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		text := Command{Text: `+CMGS="+15555550123"`, Prompt: &Prompt{Data: []byte("one\r>\rtwo"), End: []byte{0x1A}}}
		send := start(t, m, text)
		s.wantLine("", `AT+CMGS="+15555550123"`)
		s.raw("\r\n> ")
		s.want("", "one\r>\rtwo\x1a")
		s.raw("\r\n> \r\n> ") // the modem asks for each line
		s.wantIdle("the data goes out once")
		s.send("+CMGS: 1", "OK")
		send.wantOK("", "+CMGS: 1")

		read := start(t, m, Command{Text: "+CMGR=1", Body: MessageBody})
		s.wantLine("", "AT+CMGR=1")
		s.raw("\r\n+CMGR: \"REC READ\",\"+1\",\"\",\"26/11/21,03:44:48+04\"\r\n> hello\r\n\r\nOK\r\n")
		resp, err := read.wait()
		require.NoError(t, err)
		require.Equal(t, "> hello", string(resp.Info[0].Body))
		s.wantIdle("")
	})
}

func TestKnownFailure14BodyTextEndsCommand(t *testing.T) {
	for _, body := range []string{"OK", "ERROR", "NO CARRIER", "RDY", "+CMS ERROR: 500", "> hello", "AT+CMGR=1", "0"} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			read := start(t, m, Command{Text: "+CMGR=1", Body: MessageBody})
			s.wantLine("", "AT+CMGR=1")
			s.raw("\r\n+CMGR: \"REC READ\",\"+1\",\"\",\"26/11/21,03:44:48+04\"\r\n" + body + "\r\n\r\nOK\r\n")
			resp, err := read.wait()
			require.NoError(t, err)
			require.Equal(t, body, string(resp.Info[0].Body))

			read = start(t, m, Command{Text: "+CMGR=1", Body: MessageBody}) // AT+CSDH=1
			s.wantLine("", "AT+CMGR=1")
			text := body + "\r\nOK\r\n" + body
			s.raw(fmt.Sprintf("\r\n+CMGR: \"REC READ\",\"+1\",\"\",\"26/11/21,03:44:48+04\",145,4,0,0,\"+2\",145,%d\r\n%s\r\n\r\nOK\r\n", len(text), text))
			resp, err = read.wait()
			require.NoError(t, err)
			require.Equal(t, text, string(resp.Info[0].Body))
		})
	}
}

func TestKnownFailure15ResultsOfAnyCommand(t *testing.T) {
	for _, result := range []string{"ERROR", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE", "ABORTED",
		"COMMAND NOT SUPPORT", "TOO MANY PARAMETERS", "MODEM ERROR: 5"} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			csq := start(t, m, Command{Text: "+CSQ"})
			s.wantLine("", "AT+CSQ")
			s.send(result)
			csq.wantErr("", ResultError{result}, CommandWritten)
		})
	}
}

// 16, no data mode, is TestDataCall and its neighbours.

func TestKnownFailure16DataMode(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "in")
		_, err := m.Exec(t.Context(), "+CSQ")
		require.ErrorIs(t, err, ErrDataMode, "a command would be data")
		got := make([]byte, 2)
		_, err = io.ReadFull(c, got)
		require.NoError(t, err)
		require.Equal(t, "in", string(got))
		_, err = c.Write([]byte("out"))
		require.NoError(t, err)
		s.want("", "out")
		ended := closing(c)
		time.Sleep(defaultEscapeGuard)
		s.want("", "+++")
		s.answerHangUp()
		require.NoError(t, <-ended)
		exchangeOK(t, s, m)
	})
}

func TestKnownFailure17AnswerReportedAsNotification(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		reg, all := collect(m, "+CREG"), collect(m, "")
		read := start(t, m, Command{Text: "+CREG?"})
		s.wantLine("", "AT+CREG?")
		s.send(`+CREG: 1,"1816","D04E"`, "+CREG: 2,5", "OK")
		read.wantOK("", "+CREG: 2,5")
		require.Equal(t, []string{`+CREG: 1,"1816","D04E"`}, lines(reg()))
		require.Empty(t, all())
	})
}

func TestKnownFailure18Injection(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		for _, cmd := range []Command{
			{Text: "+CMGS=\"+1\r\nAT+CFUN=0\""},
			{Text: "+CSQ\x00"}, {Text: "+CSQ\x1a"}, {Text: "+CSQ\x7f"},
			{Text: "+CMGS=\"+1\"", Prompt: &Prompt{Data: []byte("hi\x1aAT+CFUN=0\r"), End: []byte{0x1A}}},
			{Text: "+CMGS=\"+1\"", Prompt: &Prompt{Data: []byte("hi\x1b"), End: []byte{0x1A}}},
		} {
			start(t, m, cmd).wantErr("", ErrInvalid, NothingWritten)
		}
		s.wantIdle("nothing was written")
	})
	for _, text := range []string{"a\"b", "a\rb", "a\nb", "a\x1ab", "ä", "\x7f"} {
		_, err := Quote(text)
		require.ErrorIs(t, err, ErrInvalid)
		require.NotContains(t, err.Error(), text)
	}
	quoted, err := Quote("internet;,")
	require.NoError(t, err)
	require.Equal(t, `"internet;,"`, quoted)
}

func TestKnownFailure19Oddities(t *testing.T) {
	for why, answer := range map[string]string{
		"CR CR LF":             "\r\r\n+GCAP: +CGSM, +DS\r\r\n\r\r\nOK\r\r\n",
		"NULs before":          "\x00\x00\r\n+GCAP: +CGSM, +DS\r\n\r\nOK\r\n",
		"NULs inside":          "\r\n+GCAP:\x00 +CGSM, +DS\r\n\x00\r\nO\x00K\r\n",
		"bare LF":              "\n+GCAP: +CGSM, +DS\n\nOK\n",
		"bare CR":              "\r+GCAP: +CGSM, +DS\rOK\r",
		"blanks around":        "\r\n +GCAP: +CGSM, +DS \r\nOK \r\n",
		"no break in front":    "+GCAP: +CGSM, +DS\r\nOK\r\n",
		"a lost body in front": "\r\n+CMT: ,23\r\n+GCAP: +CGSM, +DS\r\n\r\nOK\r\n",
	} {
		t.Run(why, func(t *testing.T) {
			dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
				mt := collect(m, "+CMT")
				cap := start(t, m, Command{Text: "+GCAP"})
				s.wantLine("", "AT+GCAP")
				s.raw(answer)
				cap.wantOK("", "+GCAP: +CGSM, +DS")
				if strings.Contains(answer, "+CMT") {
					require.Empty(t, mt(), "its body may come yet")
					time.Sleep(bodyTimeout)
					require.Equal(t, []Notification{{Line: "+CMT: ,23", Incomplete: true}}, mt())
				}
			})
		})
	}
}

// TestLateBodyAfterAVainSearch: octets of a body are no lines, even when their
// answer comes after the engine has given up looking for its place.
func TestLateBodyAfterAVainSearch(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		got := collect(m, "+N")
		read := start(t, m, Command{Text: "+QIRD=0", Timeout: time.Second, Body: func(string) Body { return Body{Octets: 9} }})
		s.wantLine("the command goes out", "AT+QIRD=0")
		read.wantErr("the modem is mute", ErrNoAnswer, CommandWritten)
		time.Sleep(time.Minute)
		s.take() // the probes, all in vain
		s.raw("\r\n+QIRD: 9\r\n\r\n+N: 1\r\n\r\nOK\r\n")
		require.Empty(t, got(), "what looks like a notification is data")
		s.send("+N: 2")
		require.Equal(t, []string{"+N: 2"}, lines(got()), "what comes behind is one")
	})
}
