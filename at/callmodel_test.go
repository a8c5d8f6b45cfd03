package at

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// callModem is a modem that dials, escapes, resumes and hangs up as ITU-T V.250
// says: late at times, deaf to a +++ at times, and its calls drop at times. It
// tells the test what no modem should be sent: a command in data mode, data in
// command mode.
type callModem struct {
	t    *testing.T
	line memoryLine // the engine's end
	rand *rand.Rand
	came chan string // from the engine

	command string // what has come of a command line
	last    time.Time
	deaf    bool // to the +++ before
	escape  *time.Timer
	dropped time.Time // the last time that a call ended by itself

	mu        sync.Mutex
	connected bool // the call exists
	online    bool // the line carries its data
}

func (p *callModem) set(connected, online bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.connected, p.online = connected, online
}

func (p *callModem) state() (connected, online bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connected, p.online
}

// run plays the modem until the line ends.
func (p *callModem) run() {
	p.escape = time.NewTimer(time.Hour)
	p.escape.Stop()
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() { listen(p.line, p.came) })
	for {
		moment := time.NewTimer(p.upTo(20 * time.Second))
		select {
		case text, ok := <-p.came:
			if !ok {
				return
			}
			p.heard(text)
		case <-p.escape.C:
			connected, _ := p.state()
			p.set(connected, false)
			p.pause(1500*time.Millisecond, false)
			p.say("OK")
		case <-moment.C:
			p.byItself()
		}
		moment.Stop()
	}
}

func (p *callModem) upTo(d time.Duration) time.Duration {
	return time.Duration(p.rand.Int64N(int64(d)))
}

func (p *callModem) say(line string) { p.line.in.Write([]byte("\r\n" + line + "\r\n")) }

// byItself is what happens without a command.
func (p *callModem) byItself() {
	_, online := p.state()
	switch {
	case !online:
		p.say("+CSQN: 17,0")
	case p.rand.IntN(8) == 0:
		p.escape.Stop()
		p.set(false, false)
		p.dropped = time.Now()
		p.say("NO CARRIER")
	default:
		p.line.in.Write([]byte("some data"))
	}
}

// pause waits and tells whether it was ended by an octet, which stops a command
// that can be stopped.
func (p *callModem) pause(most time.Duration, stops bool) (stopped bool) {
	wait := time.NewTimer(p.upTo(most))
	defer wait.Stop()
	if !stops {
		<-wait.C
		return false
	}
	select {
	case text, ok := <-p.came:
		if ok && strings.Trim(text, "\r\x1b") != "" {
			p.t.Errorf("%q while the modem dials", text)
		}
		return true
	case <-wait.C:
		return false
	}
}

func (p *callModem) heard(text string) {
	if _, online := p.state(); online {
		p.heardData(text)
		return
	}
	for _, c := range text {
		switch c {
		case '\x1b':
		case '\r':
			_, command, isCommand := strings.Cut(p.command, "AT") // ITU-T V.250 clause 5.2.1
			p.command = ""
			if isCommand {
				p.answer(command)
			}
		case 'd':
			if time.Since(p.dropped) > 3*time.Second {
				p.t.Errorf("data in command mode")
			}
		default:
			p.command += string(c)
		}
	}
}

// heardData takes what comes in data mode: d, of which all data consist, and the
// CR that was to stop the dialling.
func (p *callModem) heardData(text string) {
	silent := time.Since(p.last)
	p.last = time.Now()
	p.escape.Stop()
	switch {
	case text == "+++" && silent >= time.Second && (p.deaf || p.rand.IntN(4) > 0):
		p.deaf = false
		p.escape.Reset(time.Second)
	case text == "+++":
		p.deaf = true
	case strings.Trim(text, "d\r") != "":
		p.t.Errorf("%q in data mode", text)
	}
}

func (p *callModem) answer(command string) {
	connected, _ := p.state()
	var text strings.Builder
	switch command {
	case "D*99#", "O":
		stopped := p.pause(3*time.Second, true)
		if p.rand.IntN(4) == 0 || stopped && p.rand.IntN(2) == 0 || command == "O" && !connected {
			p.set(false, false)
			p.say("NO CARRIER")
			return
		}
		p.last = time.Now()
		p.set(true, true)
		p.say("CONNECT")
		return
	case "H":
		p.pause(3*time.Second, false)
		p.set(false, false)
	default:
		p.pause(time.Second, false)
		for name := range strings.SplitSeq(command, ";") {
			switch name {
			case "+CSQ":
				text.WriteString("\r\n+CSQ: 17,0\r\n")
			case "+CREG?":
				text.WriteString("\r\n+CREG: 0,1\r\n")
			case "+CMEE?", "+CSCS?":
				fmt.Fprintf(&text, "\r\n%s: 1\r\n", strings.TrimSuffix(name, "?"))
			default:
				p.t.Errorf("an unknown command %q", command)
			}
		}
	}
	p.line.in.Write([]byte(text.String()))
	p.say("OK")
}

// callUser uses data calls as a program might that loses its patience at times.
type callUser struct {
	t    *testing.T
	m    *Modem
	seed uint64
	rand *rand.Rand
}

// patience returns a context that ends soon, or does not.
func (u *callUser) patience() (context.Context, context.CancelFunc) {
	if u.rand.IntN(2) == 0 {
		return context.WithCancel(u.t.Context())
	}
	return context.WithTimeout(u.t.Context(), time.Duration(u.rand.Int64N(int64(6*time.Second))))
}

// something does one thing with a call.
func (u *callUser) something(c *DataCall) {
	ctx, cancel := u.patience()
	defer cancel()
	switch u.rand.IntN(5) {
	case 0:
		if suspended := c.Suspend(ctx) == nil; suspended {
			u.exec(ctx)
		}
	case 1:
		c.Resume(ctx)
	case 2:
		u.exec(ctx)
	case 3:
		time.Sleep(time.Duration(u.rand.Int64N(int64(5 * time.Second))))
	case 4:
		c.SetReadDeadline(time.Now().Add(time.Second))
		c.Read(make([]byte, 100))
	}
}

// exec runs a command, which has its answer or an error.
func (u *callUser) exec(ctx context.Context) error {
	resp, err := u.m.Exec(ctx, "+CSQ")
	if err == nil && (len(resp.Info) != 1 || resp.Info[0].Text != "+CSQ: 17,0") {
		u.t.Errorf("AT+CSQ was answered by %v", resp)
	}
	return err
}

// call makes a call, does this and that, and ends it.
func (u *callUser) call() {
	ctx, cancel := u.patience()
	defer cancel()
	c, err := u.m.Dial(ctx, Command{Text: "D*99#"})
	if err != nil {
		return
	}
	var using sync.WaitGroup
	using.Go(func() {
		for {
			if _, err := c.Write([]byte("ddd")); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	for range u.rand.IntN(6) {
		u.something(c)
	}
	if u.rand.IntN(2) == 0 { // and something else is going on at the end
		busy := &callUser{u.t, u.m, u.seed, rand.New(rand.NewPCG(u.rand.Uint64(), 0))}
		using.Go(func() { busy.something(c) })
		time.Sleep(time.Duration(u.rand.Int64N(int64(3 * time.Second))))
	}
	require.NoError(u.t, c.Close(), "seed %d", u.seed)
	using.Wait()
	_, err = c.Read(make([]byte, 1))
	require.True(u.t, errors.Is(err, ErrCallEnded) || errors.Is(err, io.EOF), "%v", err)
}

// Promise 6 against a model: whatever is given up and whenever, each call ends, the
// modem is in command mode, no data were a command and no command data.
func TestPromise6CallsEndInAModel(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			line := memoryLine{newHalfPipe(), newHalfPipe()}
			p := &callModem{t: t, line: line, rand: rand.New(rand.NewPCG(seed, 1)), came: make(chan string)}
			var playing sync.WaitGroup
			playing.Go(p.run)
			defer playing.Wait()
			m := New(line, &Config{AnswerTimeout: time.Minute})
			defer m.Close()
			u := &callUser{t, m, seed, rand.New(rand.NewPCG(seed, 2))}
			for range 20 {
				u.call()
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
			require.Eventually(t, func() bool { return u.exec(t.Context()) == nil }, 2*time.Minute, 10*time.Second)
			connected, online := p.state()
			require.False(t, connected || online, "a call goes on")
		})
	}
}
