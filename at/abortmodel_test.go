package at

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// abortModem scans for operators, for long, unless any character stops it (ITU-T
// V.250 clause 5.6.1), which some modems answer by OK, some by ERROR, some by
// ABORTED, and some do not notice.
type abortModem struct {
	line memoryLine // the engine's end
	rand *rand.Rand
	came chan string // from the engine
	text string      // of which no line has been made yet
}

const operators = `+COPS: (2,"Example","EX","00101")`

func (p *abortModem) say(line string) { p.line.in.Write([]byte("\r\n" + line + "\r\n")) }

// run plays the modem until the line ends.
func (p *abortModem) run() {
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() { listen(p.line, p.came) })
	for {
		line, rest, whole := strings.Cut(p.text, "\r")
		if !whole {
			text, ok := <-p.came
			if !ok {
				return
			}
			p.text += text
			continue
		}
		p.text = rest
		if _, command, isCommand := strings.Cut(line, "AT"); isCommand {
			p.answer(command)
		}
	}
}

func (p *abortModem) answer(command string) {
	if command == "+COPS=?" {
		p.say(p.scan())
		return
	}
	time.Sleep(time.Duration(p.rand.IntN(100)) * time.Millisecond)
	for one := range strings.SplitSeq(command, ";") {
		name, value, isSet := strings.Cut(one, "=")
		switch {
		case one == "+CNMA":
		case isSet:
			p.say(name + ": " + value)
		default:
			p.say(strings.TrimSuffix(one, "?") + ": 1")
		}
	}
	p.say("OK")
}

// scan takes up to 20 s and returns its answer.
func (p *abortModem) scan() string {
	done := time.NewTimer(time.Duration(p.rand.Int64N(int64(20 * time.Second))))
	defer done.Stop()
	for {
		select {
		case <-done.C:
			return operators + "\r\n\r\nOK"
		case text, ok := <-p.came:
			if !ok {
				return ""
			}
			how := p.rand.IntN(4)
			if how == 3 { // nothing has happened
				p.text += text
				continue
			}
			p.text += text[1:] // the one that stopped it is lost
			time.Sleep(time.Duration(p.rand.IntN(500)) * time.Millisecond)
			return []string{"OK", "ERROR", "ABORTED"}[how]
		}
	}
}

// abortUser runs commands of one kind, some of them with little patience.
type abortUser struct {
	t    *testing.T
	m    *Modem
	seed uint64
	rand *rand.Rand
}

// command runs a command and checks that its answer, if it has one, is its own.
func (u *abortUser) command(cmd Command, want string) (answered bool) {
	ctx, cancel := context.WithCancel(u.t.Context())
	defer cancel()
	if u.rand.IntN(4) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(u.rand.Int64N(int64(3*time.Second))))
		defer cancel()
	}
	resp, err := u.m.Command(ctx, cmd)
	if err != nil {
		return false
	}
	var got []string
	for _, info := range resp.Info {
		got = append(got, info.Text)
	}
	if strings.Join(got, "|") != want {
		u.t.Errorf("seed %d: AT%s was answered by %q", u.seed, cmd.Text, got)
	}
	return true
}

// abortRun lets scans, acknowledgments and other commands meet.
func abortRun(t *testing.T, seed uint64) {
	line := memoryLine{newHalfPipe(), newHalfPipe()}
	p := &abortModem{line: line, rand: rand.New(rand.NewPCG(seed, 0)), came: make(chan string)}
	var playing, using sync.WaitGroup
	playing.Go(p.run)
	defer playing.Wait()
	m := New(line, nil)
	defer m.Close()
	var acknowledged, answered int
	kind := func(count *int, each int, pause time.Duration, ask func(u *abortUser, i int) bool) {
		number := uint64(each)
		using.Go(func() {
			u := &abortUser{t, m, seed, rand.New(rand.NewPCG(seed, number))}
			for i := range each {
				if ask(u, i) {
					*count++
				}
				time.Sleep(time.Duration(u.rand.Int64N(int64(pause))))
			}
		})
	}
	kind(new(int), 10, 5*time.Second, func(u *abortUser, _ int) bool {
		return u.command(Command{Text: "+COPS=?", Abortable: true, Priority: PriorityBackground, Timeout: 3 * time.Minute}, operators)
	})
	kind(&acknowledged, 15, 20*time.Second, func(u *abortUser, _ int) bool {
		return u.command(Command{Text: "+CNMA", Priority: PriorityAcknowledge, Timeout: time.Minute}, "")
	})
	kind(&answered, 50, 10*time.Second, func(u *abortUser, i int) bool {
		number := fmt.Sprintf("%d", i)
		return u.command(Command{Text: "+M=" + number, Timeout: time.Minute}, "+M: "+number)
	})
	using.Wait()
	resp, err := m.Command(t.Context(), Command{Text: "+COPS=?", Timeout: time.Minute})
	require.NoError(t, err, "seed %d: in peace", seed)
	require.Equal(t, []Info{{Text: operators}}, resp.Info, "seed %d: in peace", seed)
	require.Greater(t, acknowledged, 8, "seed %d", seed)
	require.Greater(t, answered, 25, "seed %d", seed)
}

// Promise 1 against a model of commands that stop one another: each has its own
// answer or none, and one that was stopped runs again to a whole answer.
func TestPromise1AbortsInAModel(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) { abortRun(t, seed) })
	}
}
