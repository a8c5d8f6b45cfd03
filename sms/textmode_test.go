package sms_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
	"github.com/telemodem/telemodem/sms/tpdu"
)

// textBench has a modem that refuses PDU mode.
func textBench(t *testing.T, charset string) *bench {
	return textBenchWith(t, &sms.Config{Quirks: sms.Quirks{CharacterSet: charset}})
}

func textBenchWith(t *testing.T, cfg *sms.Config) *bench {
	return textBenchOn(t, fakemodem.SIM800, cfg)
}

func textBenchOn(t *testing.T, kind *fakemodem.Personality, cfg *sms.Config) *bench {
	cfg.Quirks.TextMode = true
	b := benchOn(t, kind, cfg)
	b.fake.OnCommand("+CMGF", func(c *fakemodem.Call) fakemodem.Result {
		if c.Op == fakemodem.Set && c.Text == "0" {
			return fakemodem.CMS(303)
		}
		return fakemodem.Default
	})
	return b
}

var charsets = []string{"GSM", "IRA", "UCS2"}

func TestTextModeSend(t *testing.T) {
	for _, test := range []struct {
		name, text string
		charsets   string // that carry it
	}{
		{"ASCII", "Level 3.2 m, pump on", "GSM IRA UCS2"},
		{"every result code", "OK\nERROR\n> +CMTI: \"SM\",1\nAT", "GSM IRA UCS2"},
		{"160 characters", strings.Repeat("a", 160), "GSM IRA UCS2"},
		{"161 characters", strings.Repeat("a", 161), ""},
		{"nothing", "", "GSM IRA UCS2"},
		{"GSM alphabet", "ÄÖÜ à £ @_$", "GSM IRA UCS2"},
		{"behind ESC", "[3 €]", "GSM IRA UCS2"},
		{"Ctrl-Z in GSM", "Ξ", "GSM IRA UCS2"},
		{"backspace in GSM", "perònospora", "GSM IRA UCS2"},
		{"CR", "a\rb", "GSM IRA UCS2"},
		{"ESC and Ctrl-Z", "\x1b\x1a", "GSM IRA UCS2"},
		{"Cyrillic", "Уровень 3,2 м 🚰", "GSM IRA UCS2"},
		{"71 behind ESC", strings.Repeat("€", 71), "UCS2"},
		{"71 Cyrillic", strings.Repeat("я", 71), ""},
	} {
		for _, charset := range charsets {
			t.Run(test.name+" in "+charset, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := textBench(t, charset)
					written := 0
					defer b.fake.Watch(func(fakemodem.Trace) { written++ })()
					receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: test.text})
					if !strings.Contains(test.charsets, charset) {
						require.ErrorIs(t, err, sms.ErrInvalidMessage)
						require.ErrorIs(t, err, sms.ErrTextMode)
						require.Zero(t, written)
						return
					}
					require.NoError(t, err)
					require.Len(t, receipt.Parts, 1)
					got, err := b.phone.Receive(t.Context())
					require.NoError(t, err)
					require.Equal(t, test.text, got.Text)
					require.Equal(t, b.fake.Number(), got.From)
				})
			})
		}
	}
}

// Promise 9 in text mode: what it cannot carry is refused before anything is
// written, and whether a message is at fault or text mode is told.
func TestPromise9TextMode(t *testing.T) {
	for _, charset := range append(charsets, "") {
		for name, m := range map[string]sms.Message{
			"injected command": {To: "1\"\r\nAT+CFUN=0\r", Text: "x"},
			"no recipient":     {Text: "x"},
			"broken UTF-8":     {To: "123", Text: "\xff"},
			"long":             {To: "123", Text: strings.Repeat("x", 161)},
			"141 octets":       {To: "123", Data: make([]byte, 141)},
			"ports":            {To: "123", Text: "x", Ports: &tpdu.Ports{Destination: 1}},
			"data to a port":   {To: "123", Data: []byte("x"), Ports: &tpdu.Ports{Destination: 1}},
			"indications":      {To: "123", Text: "x", Indications: []tpdu.Indication{{Count: 1}}},
			"service centre":   {To: "123", Text: "x", ServiceCentre: "456"},
			"a name":           {To: "pump", Named: true, Text: "x"},
			"another alphabet": {To: "123", Text: "ş", Encoding: tpdu.OnlyGSM7, Single: tpdu.LanguageSet(tpdu.Turkish)},
		} {
			t.Run(name+" in "+charset, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := textBench(t, charset)
					written := 0
					defer b.fake.Watch(func(fakemodem.Trace) { written++ })()
					_, err := b.service.Send(t.Context(), m)
					require.ErrorIs(t, err, sms.ErrInvalidMessage)
					_, inPDUMode := sms.Parts(m)
					require.Equal(t, inPDUMode == nil, errors.Is(err, sms.ErrTextMode), err)
					require.Zero(t, written)
				})
			})
		}
	}
}

// No text, whatever is in it, makes the modem see an end of the entry, an ESC
// or a command in it, in any character set.
func TestPromise9NothingIsInjectedInTextMode(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for r := rune(0); r < 0x250; r++ {
		all.WriteRune(r)
	}
	all.WriteString("€ΔΦΓΛΩΠΨΣΘΞ\u2028\ufeff🚰")
	for _, charset := range append(charsets, "") {
		bubble(t, func(t *testing.T) {
			b := textBenchWith(t, &sms.Config{Quirks: sms.Quirks{CharacterSet: charset, TextHeaders: true}})
			require.NoError(t, b.service.Setup(t.Context()))
			var entered []byte
			defer b.fake.Watch(func(x fakemodem.Trace) {
				if x.Direction == fakemodem.FromHost && !bytes.HasPrefix(x.Data, []byte("AT")) {
					entered = append(entered, x.Data...)
				}
			})()
			for _, r := range all.String() {
				entered = nil
				_, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "a" + string(r) + "b"})
				require.NoError(t, err)
				require.Equal(t, 1, bytes.Count(entered, []byte{0x1A}), "%U in %s", r, charset)
				require.Equal(t, byte(0x1A), entered[len(entered)-1], "%U in %s", r, charset)
				require.False(t, bytes.ContainsAny(entered, "\x1b\b\r"), "%U in %s: %q", r, charset, entered)
				got, err := b.phone.Receive(t.Context())
				require.NoError(t, err)
				require.Equal(t, "a"+string(r)+"b", got.Text, "%U in %s", r, charset)
			}
		})
	}
}

// The first of the character sets that the modem offers and takes is used.
func TestTextModeCharacterSetIsChosen(t *testing.T) {
	for _, test := range []struct{ offered, refused, want string }{
		{`("IRA","GSM","UCS2","HEX")`, "", "UCS2"},
		{`("IRA","GSM")`, "", "GSM"},
		{`("8859-1","IRA")`, "", "IRA"},
		{`("GSM","UCS2")`, "UCS2", "GSM"},
		{"", "", "UCS2"}, // it has no test form
		{`("PCCP437","8859-1")`, "", ""},
	} {
		t.Run(test.offered+test.refused, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := textBench(t, "")
				now := "GSM"
				b.fake.OnCommand("+CSCS", func(c *fakemodem.Call) fakemodem.Result {
					switch {
					case c.Op == fakemodem.Test && test.offered == "":
						return fakemodem.ERROR
					case c.Op == fakemodem.Test:
						c.Info("+CSCS: " + test.offered)
					case c.Op == fakemodem.Read:
						c.Info(`+CSCS: "` + now + `"`)
					case test.refused != "" && strings.Contains(c.Text, test.refused): // in silence
					default:
						now = strings.Trim(c.Text, `"`)
						return fakemodem.Default
					}
					return fakemodem.OK
				})
				_, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "[3 €] Ω"})
				if test.want == "" {
					require.ErrorIs(t, err, sms.ErrNotSent)
					require.ErrorContains(t, err, "none is known")
					return
				}
				require.NoError(t, err)
				require.Equal(t, test.want, now)
				got, err := b.phone.Receive(t.Context())
				require.NoError(t, err)
				require.Equal(t, "[3 €] Ω", got.Text)
			})
		})
	}
}

// What +CSMP carries: class, validity of both kinds, protocol, reply path, data,
// and the wish for a report.
func TestTextModeParameters(t *testing.T) {
	day := time.Date(2000, 1, 3, 12, 0, 0, 0, time.FixedZone("", -5*60*60))
	for name, test := range map[string]struct {
		m    sms.Message
		want string
	}{
		"plain":             {sms.Message{}, "+CSMP=1,167,0,0"},
		"class 0":           {sms.Message{Class: tpdu.Class0}, "+CSMP=1,167,0,16"},
		"class 2, UCS-2":    {sms.Message{Text: "ы", Class: tpdu.Class2}, "+CSMP=1,167,0,26"},
		"a day":             {sms.Message{Validity: 24 * time.Hour}, "+CSMP=17,167,0,0"},
		"an hour":           {sms.Message{Validity: time.Hour}, "+CSMP=17,11,0,0"},
		"until":             {sms.Message{ValidUntil: day}, `+CSMP=25,"00/01/03,12:00:00-20",0,0`},
		"protocol":          {sms.Message{ProtocolID: 0x41}, "+CSMP=1,167,65,0"},
		"reply path":        {sms.Message{ReplyPath: true}, "+CSMP=129,167,0,0"},
		"status report":     {sms.Message{StatusReport: true}, "+CSMP=33,167,0,0"},
		"data":              {sms.Message{Data: []byte{0, 0x1A, 0x1B, 0xFF}}, "+CSMP=1,167,0,4"},
		"voicemail waiting": {sms.Message{Waiting: &tpdu.Waiting{Active: true, Store: true}}, "+CSMP=1,167,0,216"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := textBench(t, "")
				set := ""
				b.fake.OnCommand("+CSMP", func(c *fakemodem.Call) fakemodem.Result {
					set = "+CSMP=" + c.Text
					return fakemodem.Default
				})
				m := test.m
				m.To = b.phone.Number()
				_, err := b.service.Send(t.Context(), m)
				require.NoError(t, err)
				require.Equal(t, test.want, set)
				got, err := b.phone.Receive(t.Context())
				require.NoError(t, err)
				require.Equal(t, m.Data, got.Data)
			})
		})
	}
}

// Status reports come by +CDS and are found stored, in text mode too, in every
// character set.
func TestTextModeStatusReports(t *testing.T) {
	for _, charset := range charsets {
		for _, stored := range []bool{false, true} {
			t.Run(charset+map[bool]string{false: " by +CDS", true: " stored"}[stored], func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := textBenchOn(t, fakemodem.EC25, &sms.Config{Quirks: sms.Quirks{CharacterSet: charset}})
					if stored {
						b.fake.OnCommand("+CNMI", func(c *fakemodem.Call) fakemodem.Result {
							if c.Op == fakemodem.Test {
								c.Info("+CNMI: (0-2),(0,1),(0),(0,2),(0)")
								return fakemodem.OK
							}
							return fakemodem.Default
						})
					}
					arrived := b.receive(t, nil)
					time.Sleep(time.Minute)
					receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "did it arrive?", StatusReport: true})
					require.NoError(t, err)
					known, err := receipt.Wait(t.Context())
					require.NoError(t, err)
					require.Equal(t, sms.Delivered, known[0].State)
					in := <-arrived
					require.NoError(t, in.Err)
					require.NotNil(t, in.Report)
					require.Equal(t, b.phone.Number(), in.Report.To)
					require.Equal(t, receipt.Parts[0].Reference, in.Report.Reference)
					time.Sleep(time.Hour)
					synctest.Wait()
					require.Empty(t, arrived, "once is enough")
					require.Empty(t, b.fake.Messages("ME"))
				})
			})
		}
	}
}

// With headers, long messages and ports work in text mode.
func TestTextModeHeaders(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := textBenchWith(t, &sms.Config{Quirks: sms.Quirks{TextHeaders: true}})
		for _, text := range []string{threeParts, strings.Repeat("Уровень 🚰 ", 20)} {
			receipt, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: text})
			require.NoError(t, err)
			require.Greater(t, len(receipt.Parts), 1)
			got, err := b.phone.Receive(t.Context())
			require.NoError(t, err)
			require.Equal(t, text, got.Text)
		}
		data := bytes.Repeat([]byte{0x1A, 0x1B, '\r', 0}, 50)
		_, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Data: data, Ports: &tpdu.Ports{Destination: 5683, Source: 1}})
		require.NoError(t, err)
		got, err := b.phone.Receive(t.Context())
		require.NoError(t, err)
		require.Equal(t, data, got.Data)
		_, err = b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: threeParts, Encoding: tpdu.OnlyGSM7})
		require.ErrorIs(t, err, sms.ErrTextMode)
	})
}

// A modem that follows TS 27.005 clause 3.1 gives user data with a header in
// hexadecimal digits, and the parts become a message again.
func TestTextModeReassembly(t *testing.T) {
	for _, text := range []string{threeParts, strings.Repeat("Уровень 🚰 ", 20)} {
		bubble(t, func(t *testing.T) {
			b := textBench(t, "GSM")
			arrived := b.receive(t, nil)
			time.Sleep(time.Minute)
			parts, err := tpdu.Split(text, &tpdu.SplitConfig{Reference: 7})
			require.NoError(t, err)
			for i := range parts.Len() {
				ud := parts.At(i)
				body := append(append([]byte{byte(len(ud.Header))}, ud.Header...), ud.Body...)
				b.fake.Emit(fmt.Sprintf("+CMT: \"+15550100\",,\"26/11/21,07:00:0%d+04\",145,68,0,%d,\"\",145,%d\r\n%X", i, parts.DCS(0), 2*len(body), body))
				time.Sleep(time.Minute)
			}
			in := <-arrived
			require.NoError(t, in.Err)
			require.Equal(t, text, in.Text)
			require.Empty(t, arrived)
		})
	}
}

func TestTextModeReceive(t *testing.T) {
	for _, text := range []string{
		"report now", "a,\"b\",c", "", "[3 €] à", "Уровень 🚰",
		"OK", "\r\nOK\r\n", "AT\r\nOK\r\nERROR\r\n+CMTI: \"SM\",1\r\n> ",
	} {
		for _, charset := range append(charsets, "") {
			if charset == "IRA" && strings.ContainsAny(text, "à€") {
				continue // the fake modem does not replace what ASCII lacks
			}
			t.Run(text+" in "+charset, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := textBench(t, charset)
					arrived := b.receive(t, nil)
					time.Sleep(time.Minute)
					require.NoError(t, b.phone.Send(b.fake.Number(), text))
					sent := time.Now()
					in := <-arrived
					require.NoError(t, in.Err)
					require.Equal(t, text, in.Text)
					require.Equal(t, b.phone.Number(), in.From)
					require.WithinDuration(t, sent, in.Sent, 2*time.Second)
					time.Sleep(time.Hour)
					synctest.Wait()
					require.Empty(t, arrived, "once is enough")
					require.Empty(t, b.fake.Messages("ME"))
				})
			})
		}
	}
}

// The faults about texts that look like the modem's own words, and about a
// character set that changes, in text mode.
func TestTextModeFaults(t *testing.T) {
	t.Parallel()
	for id, want := range map[string][]string{
		"F09": {"\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n\r\nRING\r\n> "},
		"F56": {"OK", "AT\r\nOK\r\nERROR"},
		"F10": nil,
	} {
		for _, charset := range charsets {
			t.Run(id+" in "+charset, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := textBench(t, charset)
					arrived := b.receive(t, nil)
					time.Sleep(time.Minute)
					_, err := b.fake.Inject(fakemodem.Fault{ID: id})
					require.NoError(t, err)
					require.NoError(t, b.phone.Send(b.fake.Number(), "and the next"))
					for _, text := range append(want, "and the next") {
						in := <-arrived
						require.NoError(t, in.Err)
						require.Equal(t, text, in.Text)
					}
					_, err = b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "both ways"})
					require.NoError(t, err)
					got, err := b.phone.Receive(t.Context())
					require.NoError(t, err)
					require.Equal(t, "both ways", got.Text)
				})
			})
		}
	}
}

// A modem that says it took a character set and did not is not used.
func TestTextModeReadBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := textBench(t, "UCS2")
		b.fake.OnCommand("+CSCS", func(c *fakemodem.Call) fakemodem.Result {
			if c.Op == fakemodem.Set {
				return fakemodem.OK
			}
			return fakemodem.Default
		})
		require.ErrorContains(t, b.service.Setup(t.Context()), "+CSCS")
		_, err := b.service.Send(t.Context(), sms.Message{To: b.phone.Number(), Text: "x"})
		require.ErrorIs(t, err, sms.ErrNotSent)
	})
}
