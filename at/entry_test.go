package at

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// F22: an OK that nobody waits for any more comes before the data of the next
// command are written. It is not that command's: nothing has left, and the entry
// that is open is closed.
func TestF22ALateOKBeforeTheData(t *testing.T) {
	for why, prompted := range map[string]bool{"before the prompt": false, "between the prompt and the data": true} {
		t.Run(why, func(t *testing.T) {
			dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
				cmd := cmgs("0011")
				cmd.Prompt.Gap = 50 * time.Millisecond
				send := start(t, m, cmd)
				s.wantLine("", "AT+CMGS=2")
				if prompted {
					s.raw("\r\n> ")
				}
				s.send("OK")
				send.wantErr("nothing was sent", ErrNoAnswer, CommandWritten)
				if prompted {
					s.want("the entry is ended", "\x1b")
				} else {
					s.want("the entry may open yet", "\x1b")
					s.raw("\r\n> ")
					s.want("the entry is ended", "\x1b")
				}
				s.send("OK")
				s.answerProbe()
				exchangeOK(t, s, m)
			})
		})
	}
}

// An entry that nobody knows of swallows the probes and asks for more; it is
// ended as soon as that shows.
func TestAnUnknownEntryIsEnded(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ", Timeout: time.Second})
		s.wantLine("", "AT+CSQ")
		s.raw("\r\n> ")
		csq.wantErr("no answer", ErrNoAnswer, CommandWritten)
		time.Sleep(250 * time.Millisecond)
		s.wantLine("a probe", "AT+CMEE?")
		s.raw("\r\n> ")
		s.want("the entry is ended", "\x1b")
		s.send("OK")
		time.Sleep(250 * time.Millisecond)
		s.wantLine("another probe", "AT+CREG?")
		s.send("+CREG: 0,1", "OK")
		time.Sleep(150 * time.Millisecond)
		exchangeOK(t, s, m)
	})
}

// F41 before a prompt: the result of a call ends a command whose entry may open
// yet. What the engine writes to find its place must not become data: an entry
// that ESC ends is ended, one by count is filled with the data that were meant.
func TestF41ResultOfACallBeforeAPrompt(t *testing.T) {
	t.Run("ended by ESC", func(t *testing.T) {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			send := start(t, m, cmgs("0011"))
			s.wantLine("", "AT+CMGS=2")
			s.send("NO CARRIER")
			send.wantErr("", ResultError{"NO CARRIER"}, CommandWritten)
			s.want("the entry may open yet", "\x1b")
			s.raw("\r\n> ")
			s.want("the entry is ended", "\x1b")
			s.send("OK")
			s.answerProbe()
			exchangeOK(t, s, m)
		})
	})
	t.Run("by count", func(t *testing.T) {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			send := start(t, m, Command{Text: "+QISEND=0,4", Prompt: &Prompt{Data: []byte("data"), Fixed: true}})
			s.wantLine("", "AT+QISEND=0,4")
			s.send("NO CARRIER")
			send.wantErr("in doubt", ResultError{"NO CARRIER"}, DataWritten)
			s.wantIdle("no ESC, which would be data")
			s.raw("\r\n> ")
			s.want("nothing but the data", "data")
			s.send("SEND OK")
			s.answerProbe()
			exchangeOK(t, s, m)
		})
	})
}

// The result of a call is not the end of a command whose caller has left, either:
// its answer is nobody else's.
func TestF41ResultOfACallAfterTheCallerLeft(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("", "AT+CSQ")
		csq.cancel()
		csq.wantErr("", context.Canceled, CommandWritten)
		s.send("BUSY")
		next := start(t, m, Command{Text: "+CNMI=2,1"})
		s.wantIdle("the place is looked for first")
		s.send("+CSQ: 17,0", "OK")
		next.wantWaiting("that was not its result")
		s.answerProbe()
		s.wantLine("", "AT+CNMI=2,1")
		s.send("OK")
		next.wantOK("")
	})
}

// An entry that opens only when its caller has left is ended then, not before:
// an ESC ahead of the prompt would be lost.
func TestAnEntryWhoseCallerHasLeft(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		send := start(t, m, cmgs("0011"))
		s.wantLine("", "AT+CMGS=2")
		send.cancel()
		send.wantErr("nothing was sent", context.Canceled, CommandWritten)
		s.wantIdle("nothing to end yet")
		s.raw("\r\n> ")
		s.want("the entry is ended", "\x1b")
		s.send("OK")
		exchangeOK(t, s, m)
	})
}

// An entry that is given up in the gap before its data is ended at once.
func TestAnEntryGivenUpInTheGap(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		cmd := cmgs("0011")
		cmd.Prompt.Gap = time.Second
		send := start(t, m, cmd)
		s.wantLine("", "AT+CMGS=2")
		s.raw("\r\n> ")
		send.cancel()
		send.wantErr("nothing was sent", context.Canceled, CommandWritten)
		s.want("the entry is ended", "\x1b")
		s.send("OK")
		time.Sleep(time.Second)
		s.wantIdle("no data")
		exchangeOK(t, s, m)
	})
}

// An entry by count is filled with what it was opened for, whenever it opens, and
// whatever has been tried meanwhile: anything else would be taken for the data.
func TestAnEntryByCountIsFilled(t *testing.T) {
	cmd := Command{Text: "+QISEND=0,5", Timeout: time.Second, Sensitive: true, Finals: []string{"SEND OK"},
		Prompt: &Prompt{Data: []byte("s3cr3"), Fixed: true, Gap: 100 * time.Millisecond}}
	for why, prompt := range map[string]func(s *script){
		"its gap ends after the limit": func(s *script) {
			time.Sleep(950 * time.Millisecond)
			s.raw("\r\n> ")
			s.wantIdle("the gap")
			time.Sleep(50 * time.Millisecond)
		},
		"during a search": func(s *script) {
			time.Sleep(1200 * time.Millisecond)
			s.wantLine("", "AT+CMEE?")
			s.raw("\r\n> ")
		},
		"after a search without success": func(s *script) {
			time.Sleep(time.Minute)
			s.take()
			s.raw("\r\n> ")
		},
	} {
		t.Run(why, func(t *testing.T) {
			var trace bytes.Buffer
			recorder := NewRecorder(&trace)
			dialogue(t, &Config{Trace: recorder}, func(t *testing.T, s *script, m *Modem) {
				send := start(t, m, cmd)
				s.wantLine("", "AT+QISEND=0,5")
				prompt(s)
				send.wantErr("the data will be written", ErrNoAnswer, DataWritten)
				s.want("what the entry is for, in one piece", "s3cr3")
				s.send("SEND OK")
				csq := start(t, m, Command{Text: "+CSQ"})
				line := s.take()
				for range 200 { // until it has found its place
					if line == "AT+CSQ\r" {
						break
					}
					for name := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(line, "AT"), "\r"), ";") {
						if value, known := map[string]string{"+CMEE?": "1", "+CREG?": "0,1", "+CSCS?": "2"}[name]; known {
							s.send(strings.TrimSuffix(name, "?") + ": " + value)
						}
					}
					if line != "" {
						s.send("OK")
					}
					time.Sleep(100 * time.Millisecond)
					line = s.take()
				}
				require.Equal(t, "AT+CSQ\r", line)
				s.send("+CSQ: 17,0", "OK")
				csq.wantOK("", "+CSQ: 17,0")
				m.Close()
			})
			require.NoError(t, recorder.Flush())
			require.NotContains(t, trace.String(), "s3cr3")
		})
	}
}

// What an entry by count was to be filled with is nothing to another entry.
func TestAnEntryIsFilledOnce(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		piece := start(t, m, Command{Text: "+QISEND=0,5", Prompt: &Prompt{Data: []byte("hello"), Fixed: true}})
		s.wantLine("", "AT+QISEND=0,5")
		piece.cancel()
		s.send("ERROR")
		text := cmgs("0011")
		text.Timeout = time.Second
		send := start(t, m, text)
		s.wantLine("", "AT+CMGS=2")
		send.wantErr("", ErrNoAnswer, CommandWritten)
		s.want("the entry may be open", "\x1b")
		s.raw("\r\n> ")
		s.want("it is ended", "\x1b")
	})
}
