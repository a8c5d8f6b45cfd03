package sms_test

import (
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
	b := newBench(t, &sms.Config{Quirks: sms.Quirks{TextMode: true, CharacterSet: charset}})
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
		{"GSM alphabet", "ÄÖÜ à £ @_$", "GSM UCS2"},
		{"behind ESC", "[3 €]", "UCS2"},
		{"Ctrl-Z in GSM", "Ξ", "UCS2"},
		{"backspace in GSM", "perònospora", "UCS2"},
		{"CR", "a\rb", "UCS2"},
		{"ESC and Ctrl-Z", "\x1b\x1a", "UCS2"},
		{"Cyrillic", "Уровень 3,2 м 🚰", "UCS2"},
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
// written.
func TestPromise9TextMode(t *testing.T) {
	for name, m := range map[string]sms.Message{
		"injected command": {To: "1\"\r\nAT+CFUN=0\r", Text: "x"},
		"no recipient":     {Text: "x"},
		"data":             {To: "123", Data: []byte("x")},
		"ports":            {To: "123", Text: "x", Ports: &tpdu.Ports{Destination: 1}},
		"status report":    {To: "123", Text: "x", StatusReport: true},
		"service centre":   {To: "123", Text: "x", ServiceCentre: "456"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := textBench(t, "UCS2")
				written := 0
				defer b.fake.Watch(func(fakemodem.Trace) { written++ })()
				_, err := b.service.Send(t.Context(), m)
				require.ErrorIs(t, err, sms.ErrInvalidMessage)
				require.Zero(t, written)
			})
		})
	}
}

func TestTextModeReceive(t *testing.T) {
	for _, text := range []string{
		"report now", "a,\"b\",c", "", "[3 €] à", "Уровень 🚰",
		"OK", "\r\nOK\r\n", "AT\r\nOK\r\nERROR\r\n+CMTI: \"SM\",1\r\n> ",
	} {
		for _, charset := range charsets {
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
