package at

import (
	"testing"
	"time"
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
