package at

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// modelModem answers correctly, one command after the other as real modems
// do, but late, in pieces, with numbered notifications between its lines and
// sometimes inside one.
type modelModem struct {
	line  memoryLine
	rand  *rand.Rand
	sent  int           // notifications
	worst time.Duration // how late an answer may be
	rough int           // one of so many exchanges is torn and late; 0 is none
}

// run answers until the line ends.
func (p *modelModem) run() {
	buf, line := make([]byte, 4096), []byte(nil)
	for {
		n, err := p.line.out.Read(buf)
		if err != nil {
			return
		}
		line = append(line, buf[:n]...)
		for {
			i := bytes.IndexByte(line, '\r')
			if i < 0 {
				break
			}
			text := string(bytes.Trim(line[:i], "\x1b"))
			line = append(line[:0], line[i+1:]...)
			p.answer(text)
		}
	}
}

// answer answers one command line.
func (p *modelModem) answer(text string) {
	rough := p.rough > 0 && p.rand.IntN(p.rough) == 0
	if rough && p.rand.IntN(4) == 0 {
		time.Sleep(time.Duration(p.rand.Int64N(int64(p.worst))))
	}
	var lines []string
	name, args, _ := strings.Cut(strings.TrimPrefix(text, "AT"), "=")
	switch {
	case name == "+M":
		lines = []string{"+M: " + args, "OK"}
	case name == "+B":
		// The octets look like results and notifications.
		lines = []string{"+B: " + args + ",12\r\n\r\nOK\r\n+N: 12", "OK"}
	case strings.HasSuffix(name, "?"):
		for _, name := range strings.Split(name, ";") {
			value := "1"
			if name == "+CREG?" {
				value = "0,1"
			}
			lines = append(lines, strings.TrimSuffix(name, "?")+": "+value)
		}
		lines = append(lines, "OK")
	default:
		lines = []string{"ERROR"}
	}
	var out strings.Builder
	for _, l := range lines {
		p.notifications(&out)
		if rough && !strings.HasPrefix(l, "+B") && p.rand.IntN(4) == 0 { // nothing tears into counted octets
			at := p.rand.IntN(len(l))
			p.sent++
			l = fmt.Sprintf("%s\r\n+N: %d\r\n%s", l[:at], p.sent, l[at:])
		}
		out.WriteString("\r\n" + l + "\r\n")
	}
	p.notifications(&out)
	p.send(out.String(), rough)
}

func (p *modelModem) notifications(out *strings.Builder) {
	for range p.rand.IntN(3) {
		p.sent++
		fmt.Fprintf(out, "\r\n+N: %d\r\n", p.sent)
	}
}

// send sends an answer, torn at any byte if it is a rough one.
func (p *modelModem) send(text string, rough bool) {
	for rough && len(text) > 0 && p.rand.IntN(8) > 0 {
		n := 1 + p.rand.IntN(len(text))
		io.WriteString(p.line.in, text[:n])
		text = text[n:]
		time.Sleep(time.Duration(p.rand.IntN(40)) * time.Millisecond)
	}
	io.WriteString(p.line.in, text)
}

// modelRun runs exchanges against the model and checks that each command got
// its own answer or none, and each notification came once and in order.
func modelRun(t *testing.T, seed uint64, exchanges, rough int) {
	line := memoryLine{newHalfPipe(), newHalfPipe()}
	p := &modelModem{line: line, rand: rand.New(rand.NewPCG(seed, 1)), worst: 5 * time.Second, rough: rough}
	m := New(line, &Config{QueueLimit: 1 << 20})
	t.Cleanup(func() { m.Close() })
	go p.run()
	heard, wrong := 0, 0
	m.Handle("+N", func(n Notification) {
		heard++
		if n.Line != "+N: "+strconv.Itoa(heard) {
			wrong++
		}
	})
	body := func(string) Body { return Body{Octets: 12} }
	draw := rand.New(rand.NewPCG(seed, 2))
	answered, torn := 0, 0
	for i := range exchanges {
		cmd := Command{Text: "+M=" + strconv.Itoa(i), Timeout: 30 * time.Second}
		binary := draw.IntN(4) == 0
		if binary {
			cmd.Text, cmd.Body = "+B="+strconv.Itoa(i), body
		}
		ctx, cancel := context.WithCancel(t.Context())
		if rough > 0 {
			switch draw.IntN(rough) {
			case 0:
				cmd.Timeout = time.Duration(1 + draw.Int64N(int64(time.Second)))
			case 1:
				stop := time.AfterFunc(time.Duration(draw.IntN(1e6)), cancel)
				defer stop.Stop()
			}
		}
		resp, err := m.Command(ctx, cmd)
		cancel()
		if err != nil {
			continue
		}
		answered++
		want := "+M: " + strconv.Itoa(i)
		if binary {
			want = "+B: " + strconv.Itoa(i) + ",12"
		}
		if len(resp.Info) == 1 && rough > 0 && len(resp.Info[0].Text) < len(want) && strings.HasPrefix(want, resp.Info[0].Text) {
			torn++ // its own, as far as the notification left it whole
			continue
		}
		if len(resp.Info) == 0 && rough > 0 && !binary {
			torn++ // not even the name was whole
			continue
		}
		if len(resp.Info) != 1 || resp.Info[0].Text != want || binary && string(resp.Info[0].Body) != "\r\nOK\r\n+N: 12" {
			t.Fatalf("seed %d: command %d got %q", seed, i, resp.Info)
		}
	}
	if answered < exchanges*8/10 || torn > answered/10 {
		t.Fatalf("seed %d: only %d of %d exchanges were answered, %d of them torn", seed, answered, exchanges, torn)
	}
	synctest.Wait()
	time.Sleep(10 * time.Second) // the last late lines
	synctest.Wait()
	m.Close()
	if wrong > 0 || heard != p.sent {
		t.Fatalf("seed %d: %d of %d notifications, %d out of order", seed, heard, p.sent, wrong)
	}
	t.Logf("seed %d: %d exchanges, %d answered, %d of them torn, 0 misattributed, %d notifications in order; %+v", seed, exchanges, answered, torn, heard, m.Stats())
}

// TestModel runs 1,000,000 exchanges, one of 16 of them late, torn, cut short or
// cancelled; under the race detector a twentieth of that.
func TestModel(t *testing.T) {
	exchanges := 1_000_000
	if raceEnabled {
		exchanges /= 20
	}
	if testing.Short() {
		exchanges = 10_000
	}
	synctest.Test(t, func(t *testing.T) { modelRun(t, 1, exchanges, 16) })
}

func FuzzModel(f *testing.F) {
	f.Add(uint64(1), uint8(0))
	f.Add(uint64(2), uint8(1))
	f.Add(uint64(3), uint8(4))
	f.Fuzz(func(t *testing.T, seed uint64, rough uint8) {
		synctest.Test(t, func(t *testing.T) { modelRun(t, seed, 200, int(rough)+10) })
	})
}
