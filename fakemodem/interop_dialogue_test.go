package fakemodem_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// What a program nobody here wrote said to a modem, and what the modem
// answered, is kept in testdata/dialogues, one file a program. A file has
//
//	# a comment
//	modem SIM800          the personality
//	phone "text"          a text that a phone sends to the modem now
//	> "AT\r"              what the program sent, up to the end of a command
//	                      line or of the text behind a prompt
//	< "AT\r\r\nOK\r\n"    what the modem sent until the program went on
//	arrived "text"        a text that came to the phone; all at the end
//
// TELEMODEM_RECORD=1 writes the files anew with the programs that are
// installed.

// dialogue is such a file.
type dialogue struct {
	program string
	modem   string
	steps   []dialogueStep
	arrived []string // at the phone
}

// dialogueStep is a command line and its answer, or a text from the phone.
type dialogueStep struct {
	sent, answer string
	phone        string
}

const dialogueFolder = "testdata/dialogues"

// peerNumber is the telephone that all these programs write to.
const peerNumber = "+15550100"

// String is the dialogue as it stands in its file.
func (d *dialogue) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\nmodem %s\n", d.program, d.modem)
	for _, s := range d.steps {
		if s.phone != "" {
			fmt.Fprintf(&b, "phone %q\n", s.phone)
			continue
		}
		fmt.Fprintf(&b, "> %q\n< %q\n", s.sent, s.answer)
	}
	for _, text := range d.arrived {
		fmt.Fprintf(&b, "arrived %q\n", text)
	}
	return b.String()
}

// parseDialogue reads a file.
func parseDialogue(text string) (*dialogue, error) {
	d := new(dialogue)
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		value := rest
		if word != "#" && word != "modem" {
			var err error
			if value, err = strconv.Unquote(rest); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		}
		switch word {
		case "#":
			d.program = value
		case "modem":
			d.modem = value
		case "phone":
			d.steps = append(d.steps, dialogueStep{phone: value})
		case "arrived":
			d.arrived = append(d.arrived, value)
		case ">":
			d.steps = append(d.steps, dialogueStep{sent: value})
		case "<":
			if len(d.steps) == 0 {
				return nil, fmt.Errorf("line %d: an answer without a command", i+1)
			}
			d.steps[len(d.steps)-1].answer = value
		default:
			return nil, fmt.Errorf("line %d: unknown word %q", i+1, word)
		}
	}
	return d, nil
}

// recorder writes a dialogue down while it happens.
type recorder struct {
	mu       sync.Mutex
	dialogue dialogue
	sent     []byte         // the command line so far
	answer   []byte         // what came since it began
	complete bool           // sent has come to its end
	prompt   bool           // the modem has printed > and waits for text
	calls    []dialogueStep // of the phone, during the command line
}

// record begins to write down what goes over the modem's AT port.
func record(program string, m *fakemodem.Modem) (r *recorder, stop func()) {
	r = &recorder{dialogue: dialogue{program: program, modem: m.Personality().Name}}
	return r, m.Watch(func(t fakemodem.Trace) {
		if t.Port != "AT" {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if t.Direction == fakemodem.FromHost {
			r.host(t.Data)
		} else {
			r.answer = append(r.answer, t.Data...)
		}
	})
}

// host takes what the program sent.
func (r *recorder) host(b []byte) {
	for _, c := range b {
		if r.complete && (c == '\n' || c == '\r' && !finished(string(r.answer))) { // belongs to the CR or Ctrl-Z before
			r.sent = append(r.sent, c)
			continue
		}
		if r.complete {
			r.flush()
		}
		r.sent = append(r.sent, c)
		end := byte('\r')
		if r.prompt {
			end = 0x1a // Ctrl-Z, 3GPP TS 27.005 clause 3.5.1
		}
		r.complete = c == end
	}
}

// flush ends a step.
func (r *recorder) flush() {
	if len(r.sent) > 0 {
		r.dialogue.steps = append(r.dialogue.steps, dialogueStep{sent: string(r.sent), answer: string(r.answer)})
		r.prompt = prompts(string(r.answer))
	}
	r.dialogue.steps = append(r.dialogue.steps, r.calls...)
	r.sent, r.answer, r.complete, r.calls = nil, nil, false, nil
}

// phone notes that the phone sent a text.
func (r *recorder) phone(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, dialogueStep{phone: text})
	if len(r.sent) == 0 || r.complete && finished(string(r.answer)) {
		r.flush()
	}
}

// arrived notes that a text came to the phone.
func (r *recorder) arrived(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dialogue.arrived = append(r.dialogue.arrived, text)
}

// end returns the dialogue so far.
func (r *recorder) end() *dialogue {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.complete && finished(string(r.answer)) {
		r.flush()
	}
	d := r.dialogue
	return &d
}

// keep is the last word of an interop test: every command had its final
// result. With TELEMODEM_RECORD=1 the dialogue becomes the test data.
func (d *dialogue) keep(t *testing.T, name string) {
	t.Helper()
	d.wantFinals(t)
	path := filepath.Join(dialogueFolder, name+".txt")
	if os.Getenv("TELEMODEM_RECORD") == "1" {
		require.NoError(t, os.WriteFile(path, []byte(d.String()), 0o644))
		return
	}
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	kept, err := parseDialogue(string(b))
	require.NoError(t, err)
	known := make(map[string]bool)
	for _, s := range kept.steps {
		known[s.shape()] = true
	}
	for _, s := range d.steps {
		if !known[s.shape()] && s.isCommand() {
			t.Logf("%s is not in %s: another version of the program? Record it with TELEMODEM_RECORD=1", s.sent, path)
		}
	}
}

// wantFinals makes sure that no command was left without a final result.
func (d *dialogue) wantFinals(t *testing.T) {
	t.Helper()
	commands := 0
	for _, s := range d.steps {
		if s.isCommand() {
			commands++
			require.True(t, finished(s.answer), "%q got no final result: %q", s.sent, s.answer)
		}
	}
	require.NotZero(t, commands, "the program said nothing")
}

// isCommand tells whether a modem must answer: a command line with AT, or the
// text behind a prompt. A line without AT is noise (ITU-T V.250 clause 5.2.1).
func (s dialogueStep) isCommand() bool {
	return strings.Contains(strings.ToUpper(s.sent), "AT") || strings.Contains(s.sent, "\x1a")
}

var finalResult = regexp.MustCompile(`\r\n(OK|ERROR|NO CARRIER|COMMAND NOT SUPPORT|\+CM[ES] ERROR: [^\r]+)\r\n`)

// finished tells whether an answer has its final result, or a prompt.
func finished(answer string) bool {
	return finalResult.MatchString(answer) || prompts(answer)
}

// prompts tells whether an answer is a prompt, behind which the LF of a
// program that ends its lines with CR and LF may be echoed.
func prompts(answer string) bool {
	return strings.HasSuffix(strings.TrimSuffix(answer, "\n"), "\r\n> ")
}

var (
	notices = regexp.MustCompile(`^(\+CMTI|\+CDSI|\+CMT|\+CDS|\+CREG|RING)\b`)
	pdu     = regexp.MustCompile(`^[0-9A-F]{20,}$`)
	quoted  = regexp.MustCompile(`"[^"]*"`)
	digits  = regexp.MustCompile(`[0-9A-Fa-f]*[0-9][0-9A-Fa-f]*`)
)

// shape is the form of an answer: its lines with numbers, texts and PDUs made
// alike. Notifications come when they come and are left out.
func (s dialogueStep) shape() string {
	command := strings.Trim(s.sent, lineNoise)
	lines := []string{command}
	if strings.Contains(s.sent, "\x1a") {
		lines[0] = "text"
	}
	body := false // of a notification with two lines
	for _, line := range strings.Split(s.answer, "\r\n") {
		line = strings.Trim(line, lineNoise)
		unasked := notices.MatchString(line) && !strings.Contains(command, "CREG?")
		switch {
		case line == "":
		case line == command:
			lines[0] += " (echoed)"
		case unasked || body:
			body = strings.HasPrefix(line, "+CMT:") || strings.HasPrefix(line, "+CDS:")
		case pdu.MatchString(line):
			lines = append(lines, "PDU")
		default:
			lines = append(lines, digits.ReplaceAllString(quoted.ReplaceAllString(line, `""`), "0"))
		}
	}
	return strings.Join(lines, "\n")
}

// lineNoise stands around lines: their ends, and what ends a text.
const lineNoise = "\r\n\x1a\x1b"

// TestHonestyDialogues says to the modem what those programs said, without
// them: every command gets its final result, in the form that the program got,
// and the same messages come to the phone.
func TestHonestyDialogues(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(dialogueFolder, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			d, err := parseDialogue(string(b))
			require.NoError(t, err)
			require.Equal(t, string(bytes.TrimSpace(b)), strings.TrimSpace(d.String()), "the file reads and writes alike")
			synctest.Test(t, func(t *testing.T) { d.replay(t) })
		})
	}
}

// replay is the program's side of the dialogue.
func (d *dialogue) replay(t *testing.T) {
	kind, ok := fakemodem.FindPersonality(d.modem)
	require.True(t, ok, d.modem)
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	m := n.NewModem(kind)
	phone := n.Phone(peerNumber)
	u := newTerminal(t, m)
	time.Sleep(time.Minute) // it registers
	for i, want := range d.steps {
		if want.phone != "" {
			require.NoError(t, phone.Send(m.Number(), want.phone))
			time.Sleep(time.Minute) // it arrives
			continue
		}
		got := dialogueStep{sent: want.sent}
		u.send(want.sent)
		if want.isCommand() {
			u.fill(func() bool { return finished(u.got) })
			require.True(t, finished(u.got), "step %d: %q got no final result but %q", i, want.sent, u.got)
		}
		time.Sleep(time.Minute) // whatever else comes of it
		u.drain()
		got.answer, u.got = u.got, ""
		require.Equal(t, want.shape(), got.shape(), "step %d: %q was answered\n%q\nnow it is\n%q", i, want.sent, want.answer, got.answer)
	}
	var arrived []string
	for _, msg := range phone.Inbox() {
		arrived = append(arrived, msg.Text)
	}
	require.Equal(t, d.arrived, arrived, "the same messages come to the phone")
}

// drain takes what has come already.
func (u *terminal) drain() {
	b := make([]byte, 4096)
	for {
		u.line.SetReadDeadline(time.Now())
		k, err := u.line.Read(b)
		u.got += string(b[:k])
		if err != nil {
			return
		}
	}
}
