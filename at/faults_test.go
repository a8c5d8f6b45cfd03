package at

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The faults of the catalogue that concern the engine, by their ids. Those
// whose remedy is a policy (retry, read back, ladder) are shown as far as the
// engine goes: it says what happened, and is in step afterwards.

// exchangeOK shows that the engine is in step.
func exchangeOK(t *testing.T, s *script, m *Modem) {
	t.Helper()
	csq := start(t, m, Command{Text: "+CSQ"})
	s.wantLine("in step", "AT+CSQ")
	s.send("+CSQ: 17,0", "OK")
	csq.wantOK("in step", "+CSQ: 17,0")
}

func TestF01GarbageAtBoot(t *testing.T) {
	for why, garbage := range map[string]string{
		"LilyGO T-Call SIM800": "\x00\xff\x66\x60",
		"a break":              "\x00\x00\x00\xff",
		"with line ends":       "\x80\x81\r\x07\n\xff\xfe\r\n",
	} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			all := collect(m, "")
			s.raw(garbage)
			at := start(t, m, Command{})
			s.wantLine("", "AT")
			s.raw("\x80\xffAT\r\r\nOK\r\n") // glued to the first echo
			at.wantOK(why)
			require.Empty(t, all(), why)
			exchangeOK(t, s, m)
		})
	}
}

func TestF02NULBytes(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		cereg := start(t, m, Command{Text: "+CEREG?"})
		s.wantLine("", "AT+CEREG?")
		s.raw("\x00\x00\r\n+CEREG: 4,5,\"6A33\",\"7F0B50F\",7\r\n\r\nOK\r\n") // u-blox SARA-R4
		cereg.wantOK("", `+CEREG: 4,5,"6A33","7F0B50F",7`)

		read := start(t, m, Command{Text: "+QIRD=0,10", Body: octets("+QIRD: ")})
		s.wantLine("", "AT+QIRD=0,10")
		s.raw("\r\n+QIRD: 3\r\n\x00a\x00\r\n\r\nOK\r\n")
		resp, err := read.wait()
		require.NoError(t, err)
		require.Equal(t, "\x00a\x00", string(resp.Info[0].Body), "but never inside a block")
	})
}

// octets is the Body rule of `+QIRD: 12` and its like.
func octets(name string) func(string) Body {
	return func(line string) Body {
		var n int
		fmt.Sscanf(strings.TrimPrefix(line, name), "%d", &n)
		return Body{Octets: n}
	}
}

func TestF03FirstCharacterLost(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		at := start(t, m, Command{Timeout: 500 * time.Millisecond})
		s.wantLine("", "AT")
		at2 := start(t, m, Command{Timeout: 10 * time.Second})
		time.Sleep(500 * time.Millisecond) // T arrives, nothing comes back
		at.wantErr("", ErrNoAnswer, CommandWritten)
		s.answerProbe()
		s.wantLine("awake", "AT")
		s.send("OK")
		at2.wantOK("")
	})
}

func TestF04F08ShortBlock(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		read := start(t, m, Command{Text: "+QIRD=0,1500", Timeout: 5 * time.Second, Body: octets("+QIRD: ")})
		s.wantLine("", "AT+QIRD=0,1500")
		s.raw("\r\n+QIRD: 37\r\nonly this\r\n\r\nOK\r\n")
		time.Sleep(5 * time.Second)
		read.wantErr("octets got lost", ErrNoAnswer, CommandWritten)
		s.answerProbe()
		exchangeOK(t, s, m)
	})
}

func TestF05FlippedBits(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		all := collect(m, "")
		csq := start(t, m, Command{Text: "+CSQ", Timeout: time.Second})
		s.wantLine("", "AT+CSQ")
		s.raw("\x8d\n+C\xd3Q: 17,0\r\n\r\nO\xcb\r\n")
		time.Sleep(time.Second)
		csq.wantErr("", ErrNoAnswer, CommandWritten)
		s.answerProbe()
		exchangeOK(t, s, m)
		require.Empty(t, all(), "noise is for nobody")
		require.Positive(t, m.Stats().Noise)
	})
}

func TestF06AnySplit(t *testing.T) {
	answer := "AT+CMGR=1;+CSQ\r\r\n+CMGR: 0,,4\r\n0001020304\r\n\r\n+CSQ: 1,2\r\n\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n"
	for cut := 0; cut <= len(answer); cut++ {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			mti := collect(m, "+CMTI")
			cmd := start(t, m, Command{Text: "+CMGR=1;+CSQ", Body: func(line string) Body {
				if strings.HasPrefix(line, "+CMGR") {
					return MessageBody(line)
				}
				return Body{}
			}})
			s.wantLine("", "AT+CMGR=1;+CSQ")
			if cut == len(answer) {
				s.line.in.most = 1 // one byte at a time
			}
			s.raw(answer[:cut])
			s.raw(answer[cut:])
			resp, err := cmd.wait()
			require.NoError(t, err)
			require.Equal(t, []Info{{"+CMGR: 0,,4", []byte("0001020304")}, {"+CSQ: 1,2", nil}}, resp.Info, cut)
			require.Len(t, mti(), 1)
		})
	}
}

// F07 is TestKnownFailure7LongLine.

func TestF09PayloadLooksLikeResults(t *testing.T) {
	payload := "\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n\r\nRING\r\n> >AT\r"
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		all := collect(m, "")
		read := start(t, m, Command{Text: "+CIPRXGET=2,1,1460", Body: func(string) Body { return Body{Octets: len(payload)} }})
		s.wantLine("", "AT+CIPRXGET=2,1,1460")
		s.raw(fmt.Sprintf("\r\n+CIPRXGET: 2,1,%d,0\r\n%s\r\nOK\r\n", len(payload), payload))
		resp, err := read.wait()
		require.NoError(t, err)
		require.Equal(t, payload, string(resp.Info[0].Body))
		require.Empty(t, all())
		s.wantIdle("")
	})
}

// F10, the character set, is the business of package sms: the engine hands on
// octets as they came.
func TestF10OctetsAreHandedOnAsTheyCame(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		read := start(t, m, Command{Text: "+CMGR=1", Body: MessageBody})
		s.wantLine("", "AT+CMGR=1")
		s.raw("\r\n+CMGR: \"REC READ\",\"+1\",\"\",\"26/11/21,03:44:48+04\"\r\n\xe4\\15\x11\r\n\r\nOK\r\n")
		resp, err := read.wait()
		require.NoError(t, err)
		require.Equal(t, "\xe4\\15\x11", string(resp.Info[0].Body))
	})
}

func TestF11EchoOnAgain(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		for range 2 { // on, off, on
			csq := start(t, m, Command{Text: "+CSQ"})
			s.wantLine("", "AT+CSQ")
			s.raw("AT+CSQ\r\r\n+CSQ: 1,2\r\n\r\nOK\r\n")
			csq.wantOK("", "+CSQ: 1,2")
			exchangeOK(t, s, m)
		}
		free := start(t, m, Command{Text: "I"})
		s.wantLine("", "ATI")
		s.raw("ATI\r\r\nSIM800 R11.08\r\n\r\nOK\r\n")
		free.wantOK("an echo is no free text", "SIM800 R11.08")
	})
}

func TestF11EchoOfAnEntry(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		send := start(t, m, Command{Text: `+CMGS="+1"`, Prompt: &Prompt{Data: []byte("OK\rERROR\r+CMGS: 9"), End: []byte{0x1A}}})
		s.wantLine("", `AT+CMGS="+1"`)
		s.raw("AT+CMGS=\"+1\"\r\r\n> ")
		s.want("", "OK\rERROR\r+CMGS: 9\x1a")
		s.raw("OK\r\n> ERROR\r\n")
		send.wantWaiting("these are the text")
		s.raw("\r\n+CMGS: 34\r\n\r\nOK\r\n")
		send.wantOK("", "+CMGS: 34")
	})
}

func TestF11EchoSetOffAgainWhenThePlaceIsFound(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		off := start(t, m, Command{Text: "E0"})
		s.wantLine("", "ATE0")
		s.send("OK")
		off.wantOK("")
		csq := start(t, m, Command{Text: "+CSQ", Timeout: time.Second})
		s.wantLine("", "AT+CSQ")
		time.Sleep(1201 * time.Millisecond)
		csq.wantErr("", ErrNoAnswer, CommandWritten)
		s.wantLine("", "AT+CMEE?")
		s.raw("AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n")
		time.Sleep(101 * time.Millisecond)
		s.wantLine("the echo shows that ATE0 got lost", "ATE0")
		s.raw("ATE0\r\r\nOK\r\n")
		exchangeOK(t, s, m)
	})
}

func TestF12LateEcho(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		all := collect(m, "")
		off := start(t, m, Command{Text: "E0"})
		s.wantLine("", "ATE0")
		s.raw("ATE0\r\r\nOK\r\n")
		off.wantOK("")
		gmi := start(t, m, Command{Text: "+CGMI"})
		s.wantLine("", "AT+CGMI")
		s.raw("ATE0\r\r\nhuawei\r\n\r\nOK\r\n")
		gmi.wantOK("", "huawei")
		require.Empty(t, all())
	})
}

func TestEchoPartlyLost(t *testing.T) {
	for _, echo := range []string{"T+CGMI", "+CGMI", "AT+CMI", "A+CGMI"} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			gmi := start(t, m, Command{Text: "+CGMI"})
			s.wantLine("", "AT+CGMI")
			s.raw(echo + "\r\r\nhuawei\r\n\r\nOK\r\n")
			gmi.wantOK(echo, "huawei")
		})
	}
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		s.raw("AT+CSQ+CSQ: 1,2\r\nOK\r\n")
		csq.wantOK("its line end lost", "+CSQ: 1,2")
	})
}

// F13 is TestSMSPrompt; other prompts here.
func TestF13PromptShapes(t *testing.T) {
	for _, test := range []struct{ mark, comes string }{
		{"@", "\r\n@"},
		{"CONNECT", "\r\nCONNECT\r\n"},
		{">", "AT+X\r\r\n> "},
		{">>>", "\r\n>>>"},
	} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			s.line.in.most = 1
			x := start(t, m, Command{Text: "+X", Prompt: &Prompt{Mark: test.mark, Data: []byte("\x1ab\x1b"), Fixed: true}})
			s.wantLine("", "AT+X")
			s.raw(test.comes)
			s.want(test.mark, "\x1ab\x1b")
			s.raw("\r\n+X: 3\r\n\r\nOK\r\n")
			x.wantOK("", "+X: 3")
		})
	}
}

func TestF14PromptNeverComes(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		send := start(t, m, cmgs("0011"))
		s.wantLine("", "AT+CMGS=2")
		begin := time.Now()
		send.wantErr("not sent", ErrNoAnswer, CommandWritten)
		require.Equal(t, 10*time.Second, time.Since(begin), "in seconds, not in the minute that sending may take")
		s.want("", "\x1b")
		s.raw("\r\n> ") // now it comes
		s.want("the entry is ended", "\x1b")
		s.send("OK")
		s.answerProbe()
		exchangeOK(t, s, m)
	})
}

func TestPromptOfACancelledCommand(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		send := start(t, m, cmgs("0011"))
		s.wantLine("", "AT+CMGS=2")
		send.cancel()
		<-send.done
		next := start(t, m, Command{Text: "+CSQ"})
		s.raw("\r\n> ")
		s.want("not a byte of the message", "\x1b")
		s.send("OK")
		s.wantLine("", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		next.wantOK("", "+CSQ: 1,2")
	})
}

func TestFixedEntryIsFilledUp(t *testing.T) {
	cmd := Command{Text: "+QISEND=0,5", Prompt: &Prompt{Data: []byte("hello"), Fixed: true, Gap: 50 * time.Millisecond}}
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		send := start(t, m, cmd)
		s.wantLine("", "AT+QISEND=0,5")
		send.cancel()
		<-send.done
		require.Equal(t, DataWritten, send.err.(*CommandError).Progress, "it will be")
		s.wantIdle("ESC would be data")
		s.raw("\r\n> ")
		s.want("", "hello")
		s.send("SEND OK", "OK")
		exchangeOK(t, s, m)

		send = start(t, m, cmd)
		s.wantLine("", "AT+QISEND=0,5")
		s.raw("\r\n> ")
		s.wantIdle("F15: the gap")
		send.cancel()
		<-send.done
		s.want("cancelled in the gap", "hello")
		s.send("OK")
		exchangeOK(t, s, m)
	})
}

func TestF15GapBeforeData(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		send := start(t, m, Command{Text: "+USOWR=0,5", Prompt: &Prompt{Mark: "@", Data: []byte("hello"), Fixed: true, Gap: 50 * time.Millisecond}})
		s.wantLine("", "AT+USOWR=0,5")
		s.raw("\r\n@")
		time.Sleep(49 * time.Millisecond)
		s.wantIdle("too early: u-blox would lose it")
		time.Sleep(time.Millisecond)
		s.want("", "hello")
		s.send("+USOWR: 0,5", "OK")
		send.wantOK("", "+USOWR: 0,5")
	})
}

func TestF16BreaksAroundABody(t *testing.T) {
	for _, answer := range []string{
		"\r\n+CMGR: 0,,4\r\n\r\n0001020304\r\n\r\nOK\r\n",
		"\r\n+CMGR: 0,,4\r0001020304\r\nOK\r\n",
		"\r\r\n+CMGR: 0,,4\r\r\n0001020304\r\r\n\r\r\nOK\r\r\n",
		"\n+CMGR: 0,,4\n0001020304\n\nOK\n",
		"\r\n+CMGR: 0,,4\r\n 0001020304 \r\n\r\nOK\r\n",
	} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			read := start(t, m, Command{Text: "+CMGR=1", Body: MessageBody})
			s.wantLine("", "AT+CMGR=1")
			s.raw(answer)
			resp, err := read.wait()
			require.NoError(t, err)
			require.Equal(t, []Info{{"+CMGR: 0,,4", []byte("0001020304")}}, resp.Info, "%q", answer)
		})
	}
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		read := start(t, m, Command{Text: "+CMGR=1", Body: MessageBody})
		s.wantLine("", "AT+CMGR=1")
		s.raw("\r\n+CMGR: \"REC READ\",\"+1\",\"\",\"26/11/21,03:44:48+04\"\r\n\r\n\r\nOK\r\n")
		resp, err := read.wait()
		require.NoError(t, err)
		require.Empty(t, resp.Info[0].Body, "an empty text does not swallow the OK")
	})
}

func TestF17OKBeforeInformation(t *testing.T) {
	state := Stage{Match: func(line string) (bool, error) { return strings.HasPrefix(line, "STATE: "), nil }, Timeout: time.Second}
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		status := start(t, m, Command{Text: "+CIPSTATUS", Stages: []Stage{state}}) // SIM800
		s.wantLine("", "AT+CIPSTATUS")
		s.send("OK", "STATE: IP INITIAL")
		status.wantOK("", "STATE: IP INITIAL")

		status = start(t, m, Command{Text: "+CIPSTATUS", Stages: []Stage{state}})
		s.wantLine("", "AT+CIPSTATUS")
		s.send("STATE: IP START", "OK")
		status.wantOK("or the other way round", "STATE: IP START")

		status = start(t, m, Command{Text: "+CIPSTATUS", Stages: []Stage{state}})
		s.wantLine("", "AT+CIPSTATUS")
		s.send("OK")
		exchangeOK(t, s, m) // the line is free meanwhile
		begin := time.Now()
		status.wantErr("", ErrNoAnswer, CommandWritten)
		require.LessOrEqual(t, time.Since(begin), time.Second)
		exchangeOK(t, s, m) // and in step: the final result came
	})
}

func TestStageReportsFailure(t *testing.T) {
	open := Stage{Match: func(line string) (bool, error) {
		d := ParseArgs("+QIOPEN", line)
		id, result := d.Int(), d.Int()
		if d.Err() != nil || id != 0 {
			return false, nil
		}
		if result != 0 {
			return true, fmt.Errorf("socket error %d", result)
		}
		return true, nil
	}}
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		seen := collect(m, "+QIOPEN")
		cmd := Command{Text: `+QIOPEN=1,0,"TCP","203.0.113.9",8009,0,0`, Timeout: 150 * time.Second, Stages: []Stage{open}}
		call := start(t, m, cmd)
		s.take()
		s.send("OK", "+QIOPEN: 1,0")
		call.wantWaiting("that was another socket's")
		s.send("+QIOPEN: 0,566")
		<-call.done
		require.ErrorContains(t, call.err, "socket error 566")
		require.Equal(t, []string{"+QIOPEN: 1,0"}, lines(seen()))
		exchangeOK(t, s, m)
	})
}

func TestF18NoFinalResult(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		address := start(t, m, Command{Text: "+CIFSR", NoFinal: true, FreeText: true})
		s.wantLine("", "AT+CIFSR")
		s.send("10.64.12.7")
		address.wantOK("SIM800", "10.64.12.7")
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantIdle("an OK may follow even so")
		s.send("OK")
		time.Sleep(200 * time.Millisecond)
		s.wantLine("", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		csq.wantOK("", "+CSQ: 1,2")
		off := start(t, m, Command{Text: "+CPOWD=1", Finals: []string{"NORMAL POWER DOWN"}})
		s.wantLine("", "AT+CPOWD=1")
		s.send("NORMAL POWER DOWN")
		resp, err := off.wait()
		require.NoError(t, err)
		require.Equal(t, "NORMAL POWER DOWN", resp.Final)
	})
}

// F19, a command that worked in spite of its ERROR, can only be told: the
// error has the progress.
func TestF19ErrorAfterEffect(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		cops := start(t, m, Command{Text: "+COPS=0"})
		s.wantLine("", "AT+COPS=0")
		s.send("ERROR")
		cops.wantErr("", ResultError{"ERROR"}, CommandWritten)
	})
}

func TestF20TwoFinalResults(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		at := start(t, m, Command{Text: "E0"})
		reg := start(t, m, Command{Text: "+CREG?"})
		s.wantLine("", "ATE0")
		s.send("OK", "OK") // in one read: the second is before the next command
		at.wantOK("")
		s.wantLine("", "AT+CREG?")
		s.send("+CREG: 0,1", "OK")
		reg.wantOK("", "+CREG: 0,1")

		at = start(t, m, Command{Text: "E0"})
		reg = start(t, m, Command{Text: "+CREG?"})
		s.wantLine("", "ATE0")
		s.send("OK")
		s.wantLine("", "AT+CREG?")
		s.send("OK") // the second comes later
		reg.wantWaiting("a question is not answered by OK alone")
		s.send("+CREG: 0,1", "OK")
		reg.wantOK("", "+CREG: 0,1")
		at.wantOK("")
	})
}

func TestF21SamePrefix(t *testing.T) {
	for _, test := range []struct{ text, urc, answer string }{
		{"+CREG?", "+CREG: 1", "+CREG: 0,1"},
		{"+CREG?", `+CREG: 1,"1816","D04E"`, `+CREG: 2,1,"1816","D04E"`},
		{"+CREG?", "+CREG: 1,000B,2816", "+CREG: 2,1,000B,2816,B,C2816"},
		{"+CGREG?", `+CGREG: 5,"00C3","0000FFFF",2`, "+CGREG:002,001,\"18d8\",\"ffff\""},
		{"+CEREG?", `+CEREG: 5,"2A1B","0B29C2A1",7`, "+CEREG: 2,10,2CA8,20,B5583D,7"},
		{"+CIPRXGET=2,0,1460", "+CIPRXGET: 1,0", "+CIPRXGET: 2,0,0,0"},
		{"+CIPRXGET=4,0", "+CIPRXGET: 1,0", "+CIPRXGET: 4,0,37"},
		{"+CUSD?", `+CUSD: 0,"balance 5",15`, "+CUSD: 1"},
		{"+CPIN?", "^RSSI:17", "+CPIN: READY"},
	} {
		name, _ := nextPart(test.text)
		urc := "\r\n" + test.urc + "\r\n"
		answer := []string{"\r\n" + test.answer + "\r\n", "\r\nOK\r\n"}
		for at := 0; at <= 2; at++ { // before the answer, inside it, behind it
			dialogue(t, &Config{Notifications: []NotificationRule{{Prefix: "^RSSI"}}}, func(t *testing.T, s *script, m *Modem) {
				all, named := collect(m, ""), collect(m, name.name)
				call := start(t, m, Command{Text: test.text})
				s.wantLine("", "AT"+test.text)
				for i, piece := range answer {
					if at == i {
						s.raw(urc)
					}
					s.raw(piece)
				}
				if at == 2 {
					s.raw(urc)
				}
				call.wantOK(test.text, test.answer)
				require.Equal(t, []string{test.urc}, append(lines(named()), lines(all())...))
			})
		}
	}
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := collect(m, "+CSQ")
		call := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		s.send("+CSQ: 17,0", "+CSQ: 18,0", "OK") // SIM7600 AUTOCSQ: the same shape
		call.wantOK("one answer", "+CSQ: 17,0")
		require.Equal(t, []string{"+CSQ: 18,0"}, lines(csq()))
		set := start(t, m, Command{Text: `+CPIN="1234"`, Sensitive: true})
		cpin := collect(m, "+CPIN")
		s.wantLine("", `AT+CPIN="1234"`)
		s.send("+CPIN: READY", "OK")
		set.wantOK("setting has no answer")
		require.Equal(t, []string{"+CPIN: READY"}, lines(cpin()))
		accept := start(t, m, Command{Text: "+CREG?", Accept: func(string) bool { return true }})
		s.wantLine("", "AT+CREG?")
		s.send("+CREG: 1", "OK") // u-blox LENA-R8 has no <n>
		accept.wantOK("the caller knows better", "+CREG: 1")
	})
}

// F22 is TestKnownFailure4LateAnswerTakenForTheNext.

func TestF23Burst(t *testing.T) {
	dialogue(t, &Config{QueueLimit: 10}, func(t *testing.T, s *script, m *Modem) {
		release := make(chan struct{})
		var got []Notification
		m.Handle("+ZUSIMR", func(n Notification) {
			<-release
			got = append(got, n)
		})
		quick := collect(m, "+ZUSIMR")
		for i := range 1000 {
			s.raw(fmt.Sprintf("\r\n+ZUSIMR:%d\r\n", i))
		}
		exchangeOK(t, s, m)
		require.Len(t, quick(), 1000, "the slow one delays nobody")
		close(release)
		synctest.Wait()
		require.Len(t, got, 11)
		require.Equal(t, Notification{Line: "+ZUSIMR:0"}, got[0])
		require.Equal(t, Notification{Line: "+ZUSIMR:990", Lost: 989}, got[1], "the oldest are lost, and told")
		require.Equal(t, 989, m.Stats().Lost)
	})
}

// F24 and F26, stale and lost notifications, are policies above the
// engine; it delivers what comes, in order.

func TestF27UnknownLines(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		all := collect(m, "")
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		s.send("+UNKNOWN: 1", "+CSQ: 1,2", "what is this", "OK", "+MORE")
		csq.wantOK("", "+CSQ: 1,2")
		require.Equal(t, []Notification{{Line: "+UNKNOWN: 1", Kind: KindUnknown}, {Line: "what is this", Kind: KindUnknown}, {Line: "+MORE", Kind: KindUnknown}}, all())
	})
}

func TestF28NotificationInsideABody(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		rssi, mt := collect(m, "^RSSI"), collect(m, "+CMT")
		list := start(t, m, Command{Text: "+CMGL=4", Body: MessageBody})
		s.wantLine("", "AT+CMGL=4")
		s.raw("\r\n+CMGL: 1,1,,4\r\n^RSSI:18\r\n0001020304\r\n+CMGL: 2,1,,4\r\n\r\n+CMT: ,3\r\n00010203\r\n0004030201\r\n\r\nOK\r\n")
		resp, err := list.wait()
		require.NoError(t, err)
		require.Equal(t, []Info{{"+CMGL: 1,1,,4", []byte("0001020304")}, {"+CMGL: 2,1,,4", []byte("0004030201")}}, resp.Info)
		require.Equal(t, []string{"^RSSI:18"}, lines(rssi()))
		require.Equal(t, []Notification{{Line: "+CMT: ,3", Body: []byte("00010203")}}, mt())
	})
}

func TestNotificationTornApart(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		mt, rssi := collect(m, "+CMT"), collect(m, "^RSSI")
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		s.raw("\r\n+CMT: ,3\r\n\r\n^RSSI:18\r\n\r\n+CSQ: 1,2\r\n\r\nOK\r\n00010203\r\n")
		csq.wantOK("", "+CSQ: 1,2")
		require.Equal(t, []Notification{{Line: "+CMT: ,3", Body: []byte("00010203")}}, mt())
		require.Len(t, rssi(), 1)
	})
}

func TestF29Coalesced(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		mti := collect(m, "+CMTI")
		pin := start(t, m, Command{Text: "+CPIN?"})
		s.wantLine("", "AT+CPIN?")
		s.raw("\r\n+CPIN: READY\r\n\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n")
		pin.wantOK("", "+CPIN: READY")
		require.Len(t, mti(), 1)
	})
}

func TestF30F31F33ClassesOfRefusals(t *testing.T) {
	for line, want := range map[string]Class{
		"+CME ERROR: 14": ClassTemporary, "+CME ERROR: 515": ClassTemporary, "+CME ERROR: SIM busy": ClassTemporary,
		"+CME ERROR: 3": ClassPermanent, "+CME ERROR: 4": ClassPermanent, "+CME ERROR: 11": ClassConfiguration,
		"+CMS ERROR: 500": ClassTemporary, "+CMS ERROR: 38": ClassTemporary, "+CMS ERROR: 42": ClassTemporary,
		"+CMS ERROR: 330": ClassConfiguration, "+CMS ERROR: 208": ClassStorage, "+CMS ERROR: 322": ClassStorage,
		"+CMS ERROR: 304": ClassPermanent, "+CMS ERROR: 302": ClassPermanent, "+CMS ERROR: 310": ClassConfiguration,
	} {
		switch err := ParseResult(line).(type) {
		case CMEError:
			require.Equal(t, want, err.Class(), line)
		case CMSError:
			require.Equal(t, want, err.Class(), line)
		default:
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestF34SendFail(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		send := start(t, m, Command{Text: "+QISEND=0,2", Finals: []string{"SEND OK"}, Fails: []string{"SEND FAIL"}, Prompt: &Prompt{Data: []byte("hi"), Fixed: true}})
		s.wantLine("", "AT+QISEND=0,2")
		s.raw("\r\n> ")
		s.want("", "hi")
		s.send("SEND FAIL")
		send.wantErr("", ResultError{"SEND FAIL"}, DataWritten)
		partial := start(t, m, Command{Text: "+CIPSEND=0,5", Finals: []string{"DATA ACCEPT:"}, Prompt: &Prompt{Data: []byte("hello"), Fixed: true}})
		s.wantLine("", "AT+CIPSEND=0,5")
		s.raw("\r\n> ")
		s.want("", "hello")
		s.send("DATA ACCEPT:0,3")
		resp, err := partial.wait()
		require.NoError(t, err)
		require.Equal(t, "DATA ACCEPT:0,3", resp.Final)
	})
}

// F32, F35 and F36 are policies: the same refusal for ever, lying states,
// settings without effect. The engine hands on what the modem says.

func TestF37TestFormInPlaceOfAValue(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		fun := start(t, m, Command{Text: "+CFUN?"})
		s.wantLine("", "AT+CFUN?")
		s.send("+CFUN: (0,1,4),(0,1)", "OK")
		resp, err := fun.wait()
		require.NoError(t, err)
		d := resp.Args("+CFUN")
		d.Int()
		require.EqualError(t, d.Err(), `+CFUN argument 1: "(0,1,4)" is not a number`)
	})
}

func TestF38ScanNeverEnds(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		scan := start(t, m, Command{Text: "+COPS=?", Abortable: true, Timeout: 5 * time.Minute})
		s.wantLine("", "AT+COPS=?")
		scan.cancel()
		<-scan.done
		s.want("a cancelled scan is aborted", "\r")
		csq := start(t, m, Command{Text: "+CSQ", Timeout: time.Minute})
		time.Sleep(abortTimeout)
		s.answerProbe()
		s.wantLine("the modem did not tell that it stopped", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		csq.wantOK("", "+CSQ: 1,2")
	})
}

// F39 is TestKnownFailure15ResultsOfAnyCommand.

func TestF40Silence(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		begin := time.Now()
		one := start(t, m, Command{Text: "+CSQ", Timeout: time.Second})
		two := start(t, m, Command{Text: "+CSQ", Timeout: time.Minute})
		one.wantErr("", ErrNoAnswer, CommandWritten)
		two.wantErr("told in seconds, not at the end of its limit", ErrNoAnswer, NothingWritten)
		require.Less(t, time.Since(begin), 6*time.Second)
		s.want("three probes, never a bare AT", "AT+CSQ\rAT+CMEE?\rAT+CREG?\rAT+CSCS?\r")
		three := start(t, m, Command{Text: "+CSQ"})
		time.Sleep(201 * time.Millisecond)
		s.wantLine("the next command tries again, with a question not asked yet", "AT+CMEE?;+CMEE?")
		s.send("+CMEE: 1", "OK", "+CREG: 0,1", "OK", `+CSCS: "GSM"`, "OK")
		three.wantWaiting("those were the first three")
		s.send("+CMEE: 1", "+CMEE: 1", "OK")
		time.Sleep(101 * time.Millisecond)
		s.wantLine("", "AT+CSQ")
		s.send("+CSQ: 1,2", "OK")
		three.wantOK("", "+CSQ: 1,2")
	})
}

func TestF41ResultOfACall(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		s.send("NO CARRIER") // of a call that ended just now
		csq.wantErr("", ResultError{"NO CARRIER"}, CommandWritten)
		s.send("+CSQ: 1,2", "OK")
		s.answerProbe() // so that the real answer is not the next command's
		exchangeOK(t, s, m)
	})
}

func TestF42TextInPlaceOfCode(t *testing.T) {
	for line, want := range map[string]error{
		"+CME ERROR: 14":                    CMEError{Code: 14},
		"+CME ERROR:14":                     CMEError{Code: 14},
		"+CME ERROR: SIM busy":              CMEError{Code: 14},
		"+CME ERROR: sim BUSY":              CMEError{Code: 14},
		"+CME ERROR: Operation not allowed": CMEError{Code: 3},
		"+CME ERROR: ":                      CMEError{Code: -1},
		"+CME ERROR: wobbly":                CMEError{Code: -1, Text: "wobbly"},
		"+CME ERROR: 1984":                  CMEError{Code: 1984},
		"+CMS ERROR: 310":                   CMSError{Code: 310},
		"+CMS ERROR: memory full":           CMSError{Code: 322},
	} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			x := start(t, m, Command{Text: "+X"})
			s.wantLine("", "AT+X")
			s.send(line)
			x.wantErr(line, want, CommandWritten)
		})
	}
	require.Equal(t, "+CME ERROR: 14 (SIM busy)", CMEError{Code: 14}.Error())
	require.Equal(t, "+CME ERROR: 1984", CMEError{Code: 1984}.Error())
}

func TestF104NotificationBeforeTheEcho(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		con := collect(m, "+CSCON")
		reg := start(t, m, Command{Text: "+CEREG?"})
		s.wantLine("", "AT+CEREG?")
		s.raw("\r\n+CSCON: 1\r\nAT+CEREG?\r\r\n+CEREG: 0,1\r\n\r\nOK\r\n")
		reg.wantOK("", "+CEREG: 0,1")
		require.Equal(t, []string{"+CSCON: 1"}, lines(con()))
	})
}

func TestF105ForeignStream(t *testing.T) {
	dialogue(t, &Config{Notifications: []NotificationRule{{Prefix: "$GPGGA"}, {Prefix: "$GPRMC"}}}, func(t *testing.T, s *script, m *Modem) {
		all := collect(m, "")
		gmm := start(t, m, Command{Text: "+CGMM"})
		s.wantLine("", "AT+CGMM")
		s.raw("$GPGGA,123519,4807.038,N*47\r\n\r\nSIM7600\r\n$GPRMC,1*6A\r\n\r\nOK\r\n")
		gmm.wantOK("", "SIM7600")
		require.Len(t, all(), 2)
	})
}

func TestF106ErrorInPlaceOfThePrompt(t *testing.T) {
	for line, want := range map[string]error{"+CME ERROR: 1984": CMEError{Code: 1984}, "+CMS ERROR: 310": CMSError{Code: 310}} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			send := start(t, m, cmgs("0011"))
			s.wantLine("", "AT+CMGS=2")
			s.send(line)
			send.wantErr("not sent", want, CommandWritten)
			s.wantIdle("no data, no ESC")
			exchangeOK(t, s, m)
		})
	}
}

func TestF93RebootInTheMiddle(t *testing.T) {
	for _, boot := range []string{"RDY", "APP RDY", "^SYSSTART", "+CFUN: 1"} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			all := collect(m, "")
			csq := start(t, m, Command{Text: "+CSQ"})
			s.wantLine("", "AT+CSQ")
			s.send(boot)
			csq.wantErr("", ErrRebooted, CommandWritten)
			require.Equal(t, []Notification{{Line: boot, Kind: KindReboot}}, all())
			s.answerProbe()
			exchangeOK(t, s, m)
			require.Equal(t, 1, m.Stats().Reboots)
		})
	}
}

// Several messages of one start are one start; the same one again is another.
func TestF93OneStartHasSeveralMessages(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		s.send("RDY", "+CFUN: 1")
		require.Equal(t, 1, m.Stats().Reboots)
		s.send("RDY")
		require.Equal(t, 2, m.Stats().Reboots)
		time.Sleep(bootSettle)
		s.send("+CFUN: 1")
		require.Equal(t, 3, m.Stats().Reboots)
	})
}

// F93 between a line and its body: what follows is not that body.
func TestF93RebootBeforeABody(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		all := collect(m, "")
		read := start(t, m, Command{Text: "+CMGR=1", Body: MessageBody})
		s.wantLine("", "AT+CMGR=1")
		s.send("+CMGR: 0,,4", "RDY")
		read.wantErr("", ErrRebooted, CommandWritten)
		s.answerProbe()
		s.send("0001020304")
		require.Equal(t, []string{"RDY", "0001020304"}, lines(all()))
	})
}

func TestF98BootMessageAfterAskingForIt(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		all := collect(m, "")
		fun := start(t, m, Command{Text: "+CFUN=1,1"})
		s.wantLine("", "AT+CFUN=1,1")
		s.send("RDY")
		fun.wantOK("not an error")
		require.Equal(t, "RDY", fun.resp.Final)
		require.Equal(t, KindReboot, all()[0].Kind)
		s.send("+CFUN: 1")
		require.Equal(t, KindKnown, all()[0].Kind, "of the same start")
		s.answerProbe()
		read := start(t, m, Command{Text: "+CFUN?"})
		s.wantLine("", "AT+CFUN?")
		s.send("+CFUN: 1", "OK")
		read.wantOK("an answer", "+CFUN: 1")
		require.Empty(t, all())
	})
}

func TestF97WriteFails(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		s.line.out.end(io.EOF)
		csq := start(t, m, Command{Text: "+CSQ"})
		csq.wantErr("not a byte went out", ErrLineGone, NothingWritten)
		<-m.Done()
	})
}

func TestNumericResults(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		s.raw("+CSQ: 17,0\r\n0\r")
		csq.wantOK("ATV0", "+CSQ: 17,0")
		time.Sleep(201 * time.Millisecond)
		s.wantLine("back to words", "ATV1")
		s.send("OK")
		s.wantLine("", "AT+CMEE?")
		s.send("+CMEE: 1", "OK")
		time.Sleep(101 * time.Millisecond)
		gsn := start(t, m, Command{Text: "+X", FreeText: true})
		s.wantLine("", "AT+X")
		s.raw("\r\n0\r\n4\r\n\r\nOK\r\n")
		gsn.wantOK("a digit with LF is text", "0", "4")
	})
}
