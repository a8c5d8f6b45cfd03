package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// spoke is a line in short: ">" from the host, "<" from the modem.
func spoke(t *testing.T, events *hub) (lines []string) {
	for _, e := range events.kept[eventDialogue] {
		var s spoken
		require.NoError(t, json.Unmarshal(e.data, &s))
		mark := "<"
		if s.From == "host" {
			mark = ">"
		}
		lines = append(lines, mark+s.Text)
	}
	return lines
}

// feed takes pieces in the same short form.
func feed(events *hub, pin string, pieces ...string) {
	d := newDialogue(events, pin)
	for _, p := range pieces {
		direction := fakemodem.FromModem
		if p[0] == '>' {
			direction = fakemodem.FromHost
		}
		d.take(fakemodem.Trace{Port: "AT", Direction: direction, Data: []byte(p[1:])})
	}
}

func TestDialogue(t *testing.T) {
	long := strings.Repeat("x", lineLimit)
	for name, c := range map[string]struct {
		pieces, want []string
	}{
		"lines":              {[]string{">AT+CSQ\r", "<AT+CSQ\r\r\n+CSQ: 17,0\r\n\r\nOK\r\n"}, []string{">AT+CSQ", "<AT+CSQ", "<+CSQ: 17,0", "<OK"}},
		"octet by octet":     {[]string{">A", "<A", ">T", "<T", ">\r", "<\r", "<\r\nOK\r\n"}, []string{">AT", "<AT", "<OK"}},
		"corrected typing":   {[]string{">ATX\b\b\bAT\r"}, []string{">AT"}},
		"a prompt":           {[]string{"<\r\n> ", ">hello\x1a"}, []string{"<> ", `>hello\x1A`}},
		"unprintable octets": {[]string{"<\x00\xffOK\r\n"}, []string{`<\x00\xFFOK`}},
		"no line end":        {[]string{"<" + long + "yz\r"}, []string{"<" + long, "<yz"}},
		"PPP":                {[]string{">~\xff}#~", "<~\xff}#", "<abc~", "<\r\nNO CARRIER\r\n"}, []string{">(PPP: 5 octets)", "<(PPP: 4 octets)", "<(PPP: 4 octets)", "<NO CARRIER"}},
		"PPP torn off":       {[]string{"<~\xff}#", "<\r\nNO CARRIER\r\n"}, []string{"<(PPP: 4 octets)", "<NO CARRIER"}},
		"multiplexer":        {[]string{">\xf9\x03?\x01\x1c\xf9"}, []string{">(multiplexer: 6 octets)"}},
	} {
		t.Run(name, func(t *testing.T) {
			events := newHub()
			feed(events, "", c.pieces...)
			require.Equal(t, c.want, spoke(t, events))
		})
	}
}

// TestDialogueMasksSecrets: neither PIN nor password is on the page, whichever
// way they come back.
func TestDialogueMasksSecrets(t *testing.T) {
	for name, pieces := range map[string][]string{
		"the PIN":             {">AT+CPIN=4711\r", "<AT+CPIN=4711\r\r\nOK\r\n"},
		"octet by octet":      {">AT+CPI", ">N=47", ">11\r", "<AT+CPIN=4", "<711\r"},
		"in quotes":           {">at+cpin = \"4711\"\r"},
		"behind others":       {">AT+CMEE=2;+CPIN=4711;+CSQ\r"},
		"a PUK and a new PIN": {">AT+CPIN=\"12345678\",\"4711\"\r"},
		"a lock":              {`>AT+CLCK="SC",1,"4711"` + "\r"},
		"another PIN":         {`>AT+CPWD="SC","0000","4711"` + "\r"},
		"a password":          {`>AT+CGAUTH=1,1,"user","4711"` + "\r"},
		"by keys":             {">ATD**04*0000*4711*4711#;\r"},
		"a late echo":         {">AT+CPIN=4711\r", ">AT\r", "<IN=4711\r"},
		"of the flag":         {"<+XPIN: 4711\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			events, pin := newHub(), ""
			if name == "of the flag" {
				pin = "4711"
			}
			feed(events, pin, pieces...)
			lines := strings.Join(spoke(t, events), "\n")
			require.NotContains(t, lines, "4711")
			require.Contains(t, lines, "****")
		})
	}
	events := newHub()
	feed(events, "", ">AT+CPIN=4711\r", ">AT+CPIN?\r", "<+CPIN: READY\r\n", ">AT+CPIN=?\r")
	require.Equal(t, []string{">AT+CPIN=****", ">AT+CPIN?", "<+CPIN: READY", ">AT+CPIN=?"}, spoke(t, events), "what is no secret stays")
}

// TestDialogueForgetsSecrets: digits that happen to be in a secret of long ago
// are shown.
func TestDialogueForgetsSecrets(t *testing.T) {
	events := newHub()
	pieces := []string{">AT+CPIN=4711\r"}
	for range echoWindow {
		pieces = append(pieces, ">AT\r")
	}
	feed(events, "", append(pieces, "<+CNUM: ,\"+155547110\"\r\n")...)
	lines := spoke(t, events)
	require.Equal(t, `<+CNUM: ,"+155547110"`, lines[len(lines)-1])
}
