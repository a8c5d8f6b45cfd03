package at

import (
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// fuzzCommands are the kinds of commands that may be in flight.
var fuzzCommands = []Command{
	{Text: "+CSQ"},
	{Text: "I", FreeText: true},
	{Text: "+CREG=2;+CREG?"},
	{Text: "+CMGL=4", Body: MessageBody},
	{Text: "+CMGS=4", Prompt: &Prompt{Data: []byte("00010203"), End: []byte{0x1A}}},
	{Text: "+QISEND=0,4", Prompt: &Prompt{Data: []byte("data"), Fixed: true, Gap: time.Millisecond}, Finals: []string{"SEND OK"}},
	{Text: "+QIRD=0,1500", Body: octets("+QIRD: ")},
	{Text: "+USORD=0,4", Body: func(string) Body { return Body{Octets: 4, Quoted: true} }},
	{Text: "+CIFSR", NoFinal: true, FreeText: true},
	{Text: "+COPS=?", Abortable: true},
	{Text: "+CIPSTATUS", Stages: []Stage{{Match: func(line string) (bool, error) { return line == "STATE: IP INITIAL", nil }, Timeout: time.Second}}},
	{Text: "+CFUN=1,1"},
}

// goodModem answers every command line, and +++.
func goodModem(line memoryLine) {
	p := &modelModem{line: line}
	buf := make([]byte, 4096)
	var text []byte
	for {
		n, err := line.out.Read(buf)
		if err != nil {
			return
		}
		for _, c := range buf[:n] {
			switch {
			case c == 0x1B:
				text = text[:0]
			case c == '\r':
				p.goodAnswer(string(text))
				text = text[:0]
			default:
				if text = append(text, c); string(text) == "+++" {
					io.WriteString(line.in, "\r\nOK\r\n")
					text = text[:0]
				}
			}
		}
	}
}

func (p *modelModem) goodAnswer(text string) {
	answers := map[string]string{"AT+CSQ": "+CSQ: 17,0", "AT+CMEE?": "+CMEE: 1", "AT+CREG?": "+CREG: 0,1", "AT+CSCS?": `+CSCS: "GSM"`}
	if a, ok := answers[text]; ok {
		io.WriteString(p.line.in, "\r\n"+a+"\r\n")
	}
	io.WriteString(p.line.in, "\r\nOK\r\n")
}

// FuzzModemBytes sends any bytes, split at any point, with any command in
// flight: no panic, no hang beyond the limit, the engine is usable afterwards.
func FuzzModemBytes(f *testing.F) {
	for i, seed := range []string{
		"\r\n+CSQ: 17,0\r\n\r\nOK\r\n", "\r\nCONNECT 115200\r\n~\xff}#\r\nNO CARRIER\r\n", "\r\n> \r\n+CMGS: 1\r\n\r\nOK\r\n",
		"\r\n+QIRD: 12\r\n\r\nOK\r\n", "\r\n+USORD: 0,4,\"a\"bc\"\r\n", "0\r", "\r\nRDY\r\n\r\n+CFUN: 1\r\n", "\x00\xff\x66\x60",
		"\r\n+CMT: ,23\r\n\r\n+CMT: \"+1\",,\"x\",145,4,0,0,\"+2\",145,400\r\nx", "\r\n+CMGL: 1,1,,4\r\n+CMGL: 1,1,,4\r\n00\r\n", "@\r\n>>>\r\n",
		"\r\n+QIRD: 99999999\r\n", "\r\n+CME ERROR: \r\n", "STATE: IP INITIAL\r\nOK\r\n", "ATI\rTI\r\n",
	} {
		f.Add([]byte(seed), uint8(i), uint16(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, which uint8, cut uint16) {
		synctest.Test(t, func(t *testing.T) {
			s, m := newPair(t, &Config{QueueLimit: 16})
			defer m.Close()
			m.Handle("", func(Notification) {})
			m.Handle("+CMT", func(Notification) {})
			call := start(t, m, fuzzCommands[int(which)%len(fuzzCommands)])
			at := min(int(cut), len(data))
			s.raw(string(data[:at]))
			s.raw(string(data[at:]))
			begin := time.Now()
			<-call.done
			if since := time.Since(begin); since > defaultAnswerTimeout {
				t.Fatalf("the command ended after %v", since)
			}
			s.take() // what the bytes made the engine write
			go goodModem(s.line)
			time.Sleep(time.Minute) // the modem is itself again, what is open is given up
			for range 3 {
				if resp, err := m.Exec(t.Context(), "+CSQ"); err == nil && len(resp.Info) == 1 && resp.Info[0].Text == "+CSQ: 17,0" {
					return
				}
			}
			_, err := m.Exec(t.Context(), "+CSQ")
			t.Fatalf("the engine is not usable: %v, %+v", err, m.place)
		})
	})
}

func FuzzCommandText(f *testing.F) {
	for _, text := range []string{"", ";;", "+CREG=2;+CREG?", "E0+CPMS?", "D*99#", `+X="a;b`, "&", "+"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_ = answersUnnamed(text)
		before := len(text)
		for text != "" {
			if _, text = nextPart(text); len(text) >= before {
				t.Fatal("no end")
			}
			before = len(text)
		}
	})
}

func FuzzArgs(f *testing.F) {
	f.Add("+CREG", `+CREG: 2,1,"1816","D04E"`)
	f.Add("+COPS", `+COPS: (2,"op","op","26201",0),,(0-4)`)
	f.Fuzz(func(t *testing.T, name, line string) {
		d := ParseArgs(name, line)
		for range 100 {
			d.Int()
			d.OptHex()
			d.OptString()
			d.Skip(1)
		}
		if d.More() {
			t.Error("no end")
		}
	})
}

func FuzzParseChunk(f *testing.F) {
	f.Add(`2026-11-21T02:44:06.000000012Z < "\r\nOK\r\n"`)
	f.Fuzz(func(t *testing.T, line string) {
		c, err := ParseChunk(line)
		if err != nil {
			return
		}
		again, err := ParseChunk(c.String())
		if err != nil || string(again.Data) != string(c.Data) || again.Dir != c.Dir {
			t.Errorf("%q became %q: %v", line, c.String(), err)
		}
	})
}
