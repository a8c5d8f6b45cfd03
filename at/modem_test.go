package at

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlainCommand(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("the command line ends in CR alone", "AT+CSQ")
		s.send("+CSQ: 17,0", "OK")
		csq.wantOK("the answer is its information", "+CSQ: 17,0")
	})
}

func TestCommandsInOrder(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		one := start(t, m, Command{Text: "+ONE"})
		two := start(t, m, Command{Text: "+TWO"})
		three := start(t, m, Command{Text: "+THREE", Priority: PriorityAcknowledge})
		s.wantLine("one at a time", "AT+ONE")
		s.send("OK")
		one.wantOK("")
		s.wantLine("higher priority first", "AT+THREE")
		s.send("ERROR")
		three.wantErr("", ResultError{"ERROR"}, CommandWritten)
		s.wantLine("then in order", "AT+TWO")
		s.send("+CME ERROR: 14")
		two.wantErr("", CMEError{Code: 14}, CommandWritten)
	})
}

// Known failure 4 of other drivers: a late answer taken for the next command's.
func TestLateAnswer(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		late := collect(m, "")
		scan := start(t, m, Command{Text: "+COPS=?", Timeout: time.Minute})
		s.wantLine("the scan goes out", "AT+COPS=?")
		scan.cancel()
		scan.wantErr("the caller is free at once", context.Canceled, CommandWritten)
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantIdle("a cancelled command still owns the line")
		s.send("+COPS: ", "OK")
		s.wantLine("its OK frees the line", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		csq.wantOK("and nothing of the scan is in the answer", "+CSQ: 1,2")
		require.Equal(t, []Notification{{Line: "+COPS:", Kind: KindLate}, {Line: "OK", Kind: KindLate}}, late())
	})
}

func TestTimeoutFindsPlaceAgain(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		reg := start(t, m, Command{Text: "+CREG?", Timeout: time.Second})
		s.wantLine("", "AT+CREG?")
		time.Sleep(time.Second)
		reg.wantErr("no answer", ErrNoAnswer, CommandWritten)
		csq := start(t, m, Command{Text: "+CSQ"})
		time.Sleep(100 * time.Millisecond)
		s.send("+CREG: 2,1", "OK")
		s.wantIdle("the late answer does not free the line")
		s.answerProbe()
		s.wantLine("in step again", "AT+CSQ")
		s.send("+CSQ: 9,9", "OK")
		csq.wantOK("", "+CSQ: 9,9")
	})
}

// A probe's answer counts only when a silence of 100 ms follows it (R1).
func TestSilenceBehindTheProbe(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		one := start(t, m, Command{Text: "+X", Timeout: time.Second})
		s.wantLine("", "AT+X")
		time.Sleep(1201 * time.Millisecond)
		one.wantErr("", ErrNoAnswer, CommandWritten)
		s.wantLine("", "AT+CMEE?")
		s.send("+CMEE: 1", "OK")
		next := start(t, m, Command{Text: "+CSQ"})
		time.Sleep(90 * time.Millisecond)
		s.send("OK")
		time.Sleep(90 * time.Millisecond)
		s.wantIdle("something came, so the silence begins again")
		time.Sleep(11 * time.Millisecond)
		s.wantLine("", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		next.wantOK("", "+CSQ: 1,2")
	})
}

func TestSMSPrompt(t *testing.T) {
	for _, prompt := range []string{"\r\n> ", "\r\n>", "\r\n>\r\n", ">", "\r\n> \r\n"} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			send := start(t, m, Command{Text: "+CMGS=19", Prompt: &Prompt{Data: []byte("0011"), End: []byte{0x1A}}})
			s.wantLine("", "AT+CMGS=19")
			s.raw(prompt)
			s.want("", "0011\x1a")
			s.send("+CMGS: 12", "OK")
			send.wantOK("", "+CMGS: 12")
		})
	}
}

func TestBinaryRead(t *testing.T) {
	body := func(line string) Body { return Body{Octets: 12} }
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		read := start(t, m, Command{Text: "+QIRD=0,1500", Body: body})
		s.wantLine("", "AT+QIRD=0,1500")
		s.raw("\r\n+QIRD: 12\r\n\r\nOK\r\n>+C\x00\n\r\n\r\nOK\r\n")
		resp, err := read.wait()
		require.NoError(t, err)
		require.Equal(t, "\r\nOK\r\n>+C\x00\n", string(resp.Info[0].Body)[:11])
	})
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		read := start(t, m, Command{Text: "+USORD=0,4", Body: func(string) Body { return Body{Octets: 4, Quoted: true} }})
		s.wantLine("", "AT+USORD=0,4")
		s.raw("\r\n+USORD: 0,4,\"\"\r\nO\"\r\n\r\nOK\r\n")
		resp, err := read.wait()
		require.NoError(t, err)
		require.Equal(t, []Info{{Text: `+USORD: 0,4,""`, Body: []byte("\"\r\nO")}}, resp.Info)
	})
}

func TestLineGone(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ"})
		waiting := start(t, m, Command{Text: "+CSQ"})
		s.line.in.end(io.EOF)
		csq.wantErr("", ErrLineGone, CommandWritten)
		waiting.wantErr("", ErrLineGone, NothingWritten)
		<-m.Done()
		require.ErrorIs(t, m.Err(), ErrLineGone)
		require.NoError(t, m.Close())
		require.NoError(t, m.Close())
	})
}

func TestDataCall(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		calls := make(chan *DataCall, 1)
		go func() {
			c, err := m.Dial(t.Context(), Command{Text: "D*99#"})
			require.NoError(t, err)
			calls <- c
		}()
		s.wantLine("", "ATD*99#")
		s.raw("\r\nCONNECT 115200\r\n~\x00glued")
		c := <-calls
		buf := make([]byte, 100)
		n, err := c.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "~\x00glued", string(buf[:n]))
		_, err = m.Exec(t.Context(), "+CSQ")
		require.ErrorIs(t, err, ErrDataMode)
		c.Write([]byte("hello"))
		s.want("", "hello")
		closed := make(chan error, 1)
		go func() { closed <- c.Close() }()
		s.wantIdle("guard time")
		time.Sleep(1100 * time.Millisecond)
		s.want("", "+++")
		s.raw("data\r\nOK\r\n")
		s.wantLine("", "ATH")
		s.send("NO CARRIER")
		s.want("an SMS prompt cannot be open, but ESC does no harm", "\x1b")
		s.answerProbe()
		require.NoError(t, <-closed)
		require.ErrorIs(t, c.Err(), ErrCallEnded)
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		s.send("OK")
		csq.wantOK("")
	})
}

// A command without a limit whose caller has left must not keep the line for ever.
func TestCommandWithoutALimitIsGivenUp(t *testing.T) {
	dialogue(t, &Config{AnswerTimeout: -1}, func(t *testing.T, s *script, m *Modem) {
		reg := start(t, m, Command{Text: "+CREG?"})
		s.wantLine("", "AT+CREG?")
		time.Sleep(time.Hour)
		reg.wantWaiting("as was asked for")
		reg.cancel()
		csq := start(t, m, Command{Text: "+CSQ"})
		time.Sleep(defaultAnswerTimeout)
		s.answerProbe()
		s.wantLine("", "AT+CSQ")
		s.send("+CSQ: 17,0", "OK")
		csq.wantOK("", "+CSQ: 17,0")
	})
}

// What is due for one thing is not due for another: a body is waited for though
// the limit of a command ends meanwhile.
func TestABodyHasItsOwnTime(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		mt := collect(m, "+CMT")
		csq := start(t, m, Command{Text: "+CSQ", Timeout: time.Second})
		s.wantLine("", "AT+CSQ")
		s.raw("\r\n+CMT: ,2\r\n")
		csq.wantErr("", ErrNoAnswer, CommandWritten)
		s.raw("000304\r\n")
		require.Equal(t, []Notification{{Line: "+CMT: ,2", Body: []byte("000304"), Kind: KindKnown}}, mt())
	})
}

func TestIdentificationHasNoName(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		for _, text := range []string{"I", "I9", "i3", "+CGMM", "+cgsn", "&V"} {
			x := start(t, m, Command{Text: text})
			s.wantLine("", "AT"+text)
			s.send("SIM800 R14.18", "OK")
			x.wantOK(text, "SIM800 R14.18")
		}
	})
}

// The last probe that is tried repeats an earlier one, so its answer may be that
// one's. It counts only if no other answer follows, for as long as the modem took.
func TestAProbeThatIsRepeated(t *testing.T) {
	for why, another := range map[string]bool{"the answer of the modem": false, "the answer to an earlier one": true} {
		t.Run(why, func(t *testing.T) {
			dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
				cnmi := start(t, m, Command{Text: "+CNMI=2,1", Timeout: time.Second})
				s.wantLine("", "AT+CNMI=2,1")
				cnmi.wantErr("", ErrNoAnswer, CommandWritten)
				probes := func(names ...string) {
					t.Helper()
					for _, name := range names {
						time.Sleep(201 * time.Millisecond)
						s.wantLine("", "AT"+name)
						time.Sleep(time.Second)
					}
				}
				probes("+CMEE?", "+CREG?", "+CSCS?")
				csq := start(t, m, Command{Text: "+CSQ", Timeout: time.Minute})
				probes("+CMEE?;+CMEE?", "+CREG?;+CMEE?")
				time.Sleep(201 * time.Millisecond)
				s.wantLine("again, since the joined ones have no answer", "AT+CMEE?")
				s.send("+CMEE: 1", "OK")
				time.Sleep(5 * time.Second)
				s.wantIdle("the modem took 6 s for this")
				if another {
					s.send("+CREG: 0,1", "OK")
					csq.wantErr("the place is not found", ErrNoAnswer, NothingWritten)
					s.wantIdle("")
					return
				}
				time.Sleep(2 * time.Second)
				s.wantLine("silence", "AT+CSQ")
				s.send("+CSQ: 17,0", "OK")
				csq.wantOK("", "+CSQ: 17,0")
			})
		})
	}
}

// Before a probe is repeated, joined ones are tried: here, where a prompt makes
// the last round of a search longer.
func TestJoinedProbesBeforeARepeatedOne(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ", Timeout: time.Second})
		s.wantLine("", "AT+CSQ")
		csq.wantErr("", ErrNoAnswer, CommandWritten)
		for _, name := range []string{"+CMEE?", "+CREG?", "+CSCS?"} {
			time.Sleep(700 * time.Millisecond)
			s.wantLine("", "AT"+name)
			time.Sleep(500 * time.Millisecond)
		}
		s.raw("\r\n> ")
		s.want("the entry is ended", "\x1b")
		time.Sleep(201 * time.Millisecond)
		s.wantLine("", "AT+CMEE?;+CMEE?")
	})
}

// A command that is stopped before a byte of it has gone out waits for its turn again.
func TestAbortBeforeTheFirstByte(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		s.line.out.setStuck(true)
		first := start(t, m, Command{Text: "+CSQ", Timeout: time.Minute})
		s.send("+CSQ: 17,0", "OK") // though it is still being written
		first.wantOK("", "+CSQ: 17,0")
		scan := start(t, m, Command{Text: "+COPS=?", Abortable: true, Timeout: time.Minute})
		ack := start(t, m, Command{Text: "+CNMA", Priority: PriorityAcknowledge, Timeout: time.Minute})
		s.line.out.setStuck(false)
		s.want("no character to stop what has not begun", "AT+CSQ\rAT+CNMA\r")
		s.send("OK")
		ack.wantOK("")
		s.wantLine("", "AT+COPS=?")
		s.send("OK")
		scan.wantOK("")
	})
}
