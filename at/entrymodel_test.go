package at

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// entryModem takes texts that are ended by Ctrl-Z (AT+CMGS) and pieces of a
// counted length (AT+QISEND): late at times, and refusing at times. It has no ear
// while it works, or keeps what comes too early, as real ones do.
type entryModem struct {
	t     *testing.T
	line  memoryLine // the engine's end
	rand  *rand.Rand
	keeps bool        // what comes while it works
	came  chan string // from the engine
	early string      // came while it worked

	taken  []string // texts and pieces
	number int      // of notifications
}

// next returns the next octet from the engine; ok is false at the end of the line.
func (p *entryModem) next() (c byte, ok bool) {
	if p.early == "" {
		text, ok := <-p.came
		if !ok {
			return 0, false
		}
		p.early = text
	}
	c, p.early = p.early[0], p.early[1:]
	return c, true
}

// work takes some time, at times much if the network has a part in it.
func (p *entryModem) work(network bool) {
	if !p.keeps {
		p.early = ""
	}
	most := 300 * time.Millisecond
	if network && p.rand.IntN(6) == 0 {
		most = 8 * time.Second
	}
	done := time.NewTimer(time.Duration(p.rand.Int64N(int64(most))))
	defer done.Stop()
	for {
		select {
		case text, ok := <-p.came:
			if p.keeps {
				p.early += text
			}
			if !ok {
				p.came = nil
			}
		case <-done.C:
			return
		}
	}
}

// say sends a line, at times with a notification before it.
func (p *entryModem) say(line string) {
	if p.rand.IntN(4) == 0 {
		p.number++
		line = fmt.Sprintf("+N: %d\r\n\r\n%s", p.number, line)
	}
	p.line.in.Write([]byte("\r\n" + line + "\r\n"))
}

// run plays the modem until the line ends.
func (p *entryModem) run() {
	var listening sync.WaitGroup
	defer listening.Wait()
	came := p.came
	listening.Go(func() { listen(p.line, came) })
	defer func() {
		for range came { // until it ends as well
		}
	}()
	var text string
	for p.came != nil {
		c, ok := p.next()
		switch {
		case !ok:
			return
		case c != '\r':
			text += string(c)
		default:
			_, command, isCommand := strings.Cut(text, "AT")
			text = ""
			if isCommand {
				p.answer(command)
			}
		}
	}
}

func (p *entryModem) answer(command string) {
	name, argument, _ := strings.Cut(command, "=")
	p.work(argument != "")
	switch {
	case (name == "+CMGS" || name == "+QISEND") && p.rand.IntN(10) == 0:
		p.say("+CME ERROR: 14")
	case name == "+CMGS":
		p.text()
	case name == "+QISEND":
		_, count, _ := strings.Cut(argument, ",")
		n, err := strconv.Atoi(count)
		require.NoError(p.t, err)
		p.piece(n)
	case name == "+CSQ":
		p.say("+CSQ: 17,0\r\n\r\nOK")
	default:
		for one := range strings.SplitSeq(command, ";") {
			p.say(map[string]string{"+CMEE?": "+CMEE: 1", "+CREG?": "+CREG: 0,1", "+CSCS?": `+CSCS: "GSM"`}[one])
		}
		p.say("OK")
	}
}

func (p *entryModem) prompt() { p.line.in.Write([]byte("\r\n> ")) }

// text takes an entry up to Ctrl-Z; ESC ends it for nothing.
func (p *entryModem) text() {
	p.prompt()
	var text string
	for {
		c, ok := p.next()
		switch {
		case !ok:
			return
		case c == '\x1b':
			p.say("OK")
			return
		case c == '\r':
			p.prompt()
			text += "\r"
		case c == '\x1a':
			p.take(text)
			p.say(fmt.Sprintf("+CMGS: %d\r\n\r\nOK", len(p.taken)%256))
			return
		default:
			text += string(c)
		}
	}
}

// piece takes a counted number of octets, whatever they are.
func (p *entryModem) piece(n int) {
	p.prompt()
	var piece []byte
	for len(piece) < n {
		c, ok := p.next()
		if !ok {
			return
		}
		piece = append(piece, c)
	}
	p.take(string(piece))
	p.say("SEND OK")
}

func (p *entryModem) take(text string) {
	p.taken = append(p.taken, text)
	p.work(true)
}

// entryRun enters texts and pieces with more or less patience, and checks what
// the modem has taken against what was reported.
func entryRun(t *testing.T, seed uint64, keeps bool) {
	line := memoryLine{newHalfPipe(), newHalfPipe()}
	p := &entryModem{t: t, line: line, rand: rand.New(rand.NewPCG(seed, 1)), came: make(chan string), keeps: keeps}
	var playing sync.WaitGroup
	playing.Go(p.run)
	defer playing.Wait()
	m := New(line, nil)
	defer m.Close()
	m.Handle("+N", func(Notification) {})
	var must, may, never []string // what the modem has taken
	draw := rand.New(rand.NewPCG(seed, 2))
	for i := range 40 {
		cmd := cmgs(strings.Repeat(fmt.Sprintf("%04d", i), 1+draw.IntN(5)))
		if !keeps && draw.IntN(2) == 0 {
			data := []byte(fmt.Sprintf("piece %d OK\r\n> ", i))
			cmd = Command{Text: fmt.Sprintf("+QISEND=0,%d", len(data)), Finals: []string{"SEND OK"}, Prompt: &Prompt{Data: data, Fixed: true}}
		}
		cmd.Timeout = 15 * time.Second
		if draw.IntN(2) == 0 {
			cmd.Prompt.Gap = 50 * time.Millisecond
		}
		ctx, cancel := context.WithCancel(t.Context())
		switch draw.IntN(6) {
		case 0:
			cmd.Timeout = time.Duration(1 + draw.Int64N(int64(time.Second)))
		case 1:
			cmd.Prompt.Timeout = time.Duration(1 + draw.Int64N(int64(time.Second)))
		case 2:
			ctx, cancel = context.WithTimeout(ctx, time.Duration(draw.Int64N(int64(time.Second))))
		}
		_, err := m.Command(ctx, cmd)
		cancel()
		var failed *CommandError
		switch text := string(cmd.Prompt.Data); {
		case err == nil:
			must = append(must, text)
		case errors.As(err, &failed) && failed.Progress == DataWritten:
			may = append(may, text)
		default:
			never = append(never, text)
		}
		if draw.IntN(3) == 0 {
			resp, err := m.Exec(t.Context(), "+CSQ")
			if err == nil && (len(resp.Info) != 1 || resp.Info[0].Text != "+CSQ: 17,0") {
				t.Errorf("seed %d: AT+CSQ was answered by %v", seed, resp)
			}
		}
	}
	time.Sleep(time.Minute)
	for range 3 { // it may have to find its place
		if _, err := m.Exec(t.Context(), "+CSQ"); err == nil {
			break
		}
	}
	_, err := m.Exec(t.Context(), "+CSQ")
	require.NoError(t, err, "seed %d", seed)
	synctest.Wait()
	require.Subset(t, p.taken, must, "seed %d: reported, and not taken", seed)
	require.Subset(t, append(must, may...), p.taken, "seed %d: taken, and not as it was given", seed)
	for _, text := range never {
		require.NotContains(t, p.taken, text, "seed %d: said to be not even written", seed)
	}
	seen := map[string]bool{}
	for _, text := range p.taken {
		require.False(t, seen[text], "seed %d: %q was taken twice", seed, text)
		seen[text] = true
	}
}

// Promise 4 against a model: what is entered is taken whole, once, or as the error
// says, and nothing that the engine writes for itself gets into it.
func TestPromise4EntriesInAModel(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) { entryRun(t, seed, seed%2 == 0) })
	}
}
