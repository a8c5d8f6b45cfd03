package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/telemodem/telemodem/fakemodem"
)

// dialogue turns the octets on the modem's ports into lines for the page,
// with secrets masked. Frames of PPP and of the multiplexer are counted, not
// shown. Fakemodem calls it for one piece at a time.
type dialogue struct {
	events *hub
	flows  map[flow]*assembly
	secret redactor
}

// flow is one direction of one port.
type flow struct {
	port      string
	direction fakemodem.Direction
}

// spoken is a line of the dialogue.
type spoken struct {
	Time time.Time `json:"time"`
	Port string    `json:"port"`
	From string    `json:"from"` // "host" or "modem"
	Text string    `json:"text"`
}

// newDialogue publishes lines to events; pin is masked wherever it shows up.
func newDialogue(events *hub, pin string) *dialogue {
	d := &dialogue{events: events, flows: make(map[flow]*assembly)}
	if pin != "" {
		d.secret.always = pin
	}
	return d
}

// take is for Modem.Watch.
func (d *dialogue) take(t fakemodem.Trace) {
	f := flow{t.Port, t.Direction}
	a := d.flows[f]
	if a == nil { // a modem has a dozen of ports at most
		a = new(assembly)
		d.flows[f] = a
	}
	from := "modem"
	if t.Direction == fakemodem.FromHost {
		from = "host"
	}
	a.add(t.Data, func(line string, plain bool) {
		if !plain {
			line = d.secret.mask(line, t.Direction == fakemodem.FromHost)
		}
		d.events.publish(eventDialogue, spoken{Time: t.Time, Port: t.Port, From: from, Text: printable(line)})
	})
}

// assembly puts the lines of one flow together: octets may come one at a time.
type assembly struct {
	line  []byte
	frame byte // flag octet of a frame that has not ended
}

// lineLimit is where a line without an end is cut: more than a modem takes of
// a command line, so that no secret stands across the cut.
const lineLimit = 8 << 10

// Flag octets that frames begin and end with.
const (
	flagPPP  = 0x7E // RFC 1662 section 3.1
	flagCMUX = 0xF9 // 3GPP TS 27.010 clause 5.2.6.1
)

// Octets that a line is edited and a message entry ended with.
const (
	backspace = 0x08 // ITU-T V.250 clause 6.2.3, S5
	ctrlZ     = 0x1A // 3GPP TS 27.005 clause 3.5.1
	escape    = 0x1B
)

// add calls emit for each line that is complete; plain ones are ours and need
// no masking.
func (a *assembly) add(b []byte, emit func(line string, plain bool)) {
	if len(b) == 0 || a.framed(b, emit) {
		return
	}
	flush := func() {
		if len(a.line) > 0 {
			emit(string(a.line), false)
		}
		a.line = nil
	}
	for _, c := range b {
		switch {
		case c == '\r' || c == '\n':
			flush()
			continue
		case c == backspace:
			a.line = a.line[:max(len(a.line)-1, 0)]
			continue
		}
		a.line = append(a.line, c)
		if c == ctrlZ || c == escape || len(a.line) >= lineLimit {
			flush()
		}
	}
	if rest := strings.TrimSpace(string(a.line)); rest == ">" || rest == "@" { // prompts have no line end
		flush()
	}
}

// framed takes b if it belongs to frames.
func (a *assembly) framed(b []byte, emit func(string, bool)) bool {
	switch {
	case a.frame != 0 && (b[0] == '\r' || b[0] == '\n' || strings.HasPrefix(string(b), "AT")):
		a.frame = 0 // torn off
	case a.frame == 0 && len(a.line) == 0 && (b[0] == flagPPP || b[0] == flagCMUX):
		a.frame = b[0]
	}
	if a.frame == 0 {
		return false
	}
	name := "PPP"
	if a.frame == flagCMUX {
		name = "multiplexer"
	}
	emit(fmt.Sprintf("(%s: %d octets)", name, len(b)), true)
	if len(b) > 1 && b[len(b)-1] == a.frame {
		a.frame = 0
	}
	return true
}

// printable shows octets other than printable ASCII as \xNN.
func printable(line string) string {
	var out strings.Builder
	for i := range len(line) {
		if c := line[i]; c >= ' ' && c <= '~' {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, `\x%02X`, c)
		}
	}
	return out.String()
}

// secretCommand finds commands whose parameters are PINs or passwords: of the
// SIM (3GPP TS 27.007 clauses 8.3, 7.4 and 7.5), of packet contexts (clause
// 10.1.31 and the makers' own), and the SIM's by keys (3GPP TS 22.030 clause
// 6.6.2).
var secretCommand = regexp.MustCompile(`(?i)(?:(?:\+CPIN2?|\+CPWD|\+CLCK|\+CGAUTH|\+CSTT|\+QICSGP|\+UPSD|\+UAUTHREQ|\^AUTHDATA|\$QCPDPP)\s*=|\*\*0(?:4|42|5|52)\*)`)

// redactor masks secrets, in commands and where the modem repeats them.
type redactor struct {
	always string
	recent []string
	left   int // commands during which recent counts
}

// echoWindow is how many commands later a secret may still come back.
const echoWindow = 8

// mask masks a line with stars of the same number.
func (r *redactor) mask(line string, host bool) string {
	if host && r.left > 0 {
		if r.left--; r.left == 0 {
			r.recent = nil
		}
	}
	if at := secretCommand.FindStringIndex(line); at != nil && !strings.HasPrefix(line[at[1]:], "?") {
		if host {
			r.recent, r.left = secrets(line[at[1]:]), echoWindow
		}
		line = line[:at[1]] + strings.Repeat("*", len(line)-at[1])
	}
	for _, s := range append([]string{r.always}, r.recent...) {
		if s != "" {
			line = strings.ReplaceAll(line, s, strings.Repeat("*", len(s)))
		}
	}
	return line
}

// secrets are the parameters that are long enough for one.
func secrets(parameters string) (list []string) {
	for _, s := range strings.FieldsFunc(parameters, func(c rune) bool { return strings.ContainsRune(`,;"*# `, c) }) {
		if len(s) >= 4 && len(list) < echoWindow {
			list = append(list, s)
		}
	}
	return list
}
