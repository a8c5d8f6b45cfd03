package fakemodem

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Replay is a recorded dialogue that a modem plays in place of its own
// behaviour. See Modem.Replay.
type Replay struct {
	// Tolerant answers commands in any order: each with what followed it in
	// the recording, the next time round if it was recorded several times, and
	// ERROR if it was not recorded. Otherwise the host must send what was
	// recorded, octet by octet; at the first difference the modem falls silent
	// and Err tells.
	Tolerant bool
	// Timing lets the modem take as long as it took then.
	Timing bool

	// Guarded by the network's lock.
	m         *Modem
	exchanges []exchange
	next      int
	input     []byte
	err       error
}

// exchange is what the host sent and what came behind it.
type exchange struct {
	sent    []byte
	answers []recorded
}

// recorded is what the modem said, so long after what was before.
type recorded struct {
	after time.Duration
	data  []byte
}

// replayLimit bounds a line of a recording, in octets.
const replayLimit = 1 << 20

// Replay lets the modem play a recording from now on; what stands before the
// first command in it is printed at once. A nil trace ends it. Two formats are
// read, even mixed; empty lines and those that begin with # are passed over:
//
//	2026-11-21T02:44:06.000000012Z < "\r\nOK\r\n"     octets, as package at records them
//	   15  >> AT+CSQ                                  a line from the host, CR is added
//	   10  << +CSQ: 17,0                              a line from the modem, CR LF is added around it
//
// The number of the second form is the time in milliseconds since the line
// before; it may be left out.
func (m *Modem) Replay(trace io.Reader, r *Replay) error {
	if trace == nil {
		m.n.mu.Lock()
		defer m.n.mu.Unlock()
		m.port.replay = nil
		return nil
	}
	if r == nil {
		r = new(Replay)
	}
	exchanges, err := readRecording(trace)
	if err != nil {
		return err
	}
	m.n.mu.Lock()
	defer m.n.mu.Unlock()
	r.m, r.exchanges, r.next = m, exchanges, 1
	m.port.replay = r
	r.play(exchanges[0].answers)
	return nil
}

// Err tells at what the host left the recording; nil while it has not. It
// needs a Replay that a modem plays.
func (r *Replay) Err() error {
	r.m.n.mu.Lock()
	defer r.m.n.mu.Unlock()
	return r.err
}

// errRecording is a line of a recording that has no known form.
var errRecording = errors.New("fakemodem: not a line of a recording")

// readRecording reads exchanges; the first one has no command.
func readRecording(trace io.Reader) ([]exchange, error) {
	exchanges := []exchange{{}}
	var last time.Time
	heard := true // the modem spoke last
	lines := bufio.NewScanner(trace)
	lines.Buffer(nil, replayLimit)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		fromHost, data, after, when, err := parseRecorded(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %.60q", number, err, line)
		}
		if !when.IsZero() && !last.IsZero() {
			after = max(when.Sub(last), 0)
		}
		last = when
		current := &exchanges[len(exchanges)-1]
		switch {
		case !fromHost:
			current.answers = append(current.answers, recorded{after, data})
		case heard:
			exchanges = append(exchanges, exchange{sent: data})
		default:
			current.sent = append(current.sent, data...)
		}
		heard = !fromHost
	}
	return exchanges, lines.Err()
}

// parseRecorded reads one line of either form.
func parseRecorded(line string) (fromHost bool, data []byte, after time.Duration, when time.Time, err error) {
	if i := strings.Index(line, ">>"); i >= 0 && i < 12 {
		after, err = milliseconds(line[:i])
		return true, []byte(strings.TrimSpace(line[i+2:]) + "\r"), after, when, err
	}
	if i := strings.Index(line, "<<"); i >= 0 && i < 12 {
		after, err = milliseconds(line[:i])
		return false, []byte("\r\n" + strings.TrimSpace(line[i+2:]) + "\r\n"), after, when, err
	}
	fields := strings.SplitN(line, " ", 3)
	if len(fields) != 3 || fields[1] != "<" && fields[1] != ">" {
		return false, nil, 0, when, errRecording
	}
	when, err = time.Parse(time.RFC3339Nano, fields[0])
	if err != nil {
		return false, nil, 0, when, errRecording
	}
	text, err := strconv.Unquote(fields[2])
	if err != nil {
		return false, nil, 0, when, errRecording
	}
	return fields[1] == ">", []byte(text), 0, when, nil
}

func milliseconds(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	k, err := strconv.Atoi(text)
	if err != nil || k < 0 {
		return 0, errRecording
	}
	return time.Duration(k) * time.Millisecond, nil
}

// receive takes octets from the host.
func (r *Replay) receive(b []byte) {
	r.input = append(r.input, b...)
	if len(r.input) > replayLimit {
		r.input = nil
	}
	if r.Tolerant {
		r.tolerant()
	} else {
		r.strict()
	}
}

// strict compares with what was recorded and answers when it is complete.
func (r *Replay) strict() {
	for r.err == nil && len(r.input) > 0 {
		if r.next >= len(r.exchanges) {
			r.err = fmt.Errorf("fakemodem: the recording is over, and the host sends %.60q", r.input)
			return
		}
		want := r.exchanges[r.next].sent
		k := min(len(want), len(r.input))
		if !bytes.Equal(want[:k], r.input[:k]) {
			r.err = fmt.Errorf("fakemodem: the host sends %.60q where %.60q was recorded", r.input, want)
			return
		}
		if k < len(want) {
			return
		}
		r.input = r.input[k:]
		r.play(r.exchanges[r.next].answers)
		r.next++
	}
}

// tolerant answers line by line.
func (r *Replay) tolerant() {
	for {
		i := bytes.IndexAny(r.input, "\r\x1a")
		if i < 0 {
			return
		}
		line := normal(r.input[:i+1])
		r.input = r.input[i+1:]
		if line == "" {
			continue
		}
		found := r.find(line)
		if found == nil {
			r.m.port.write([]byte("\r\nERROR\r\n"))
			continue
		}
		r.play(found.answers)
	}
}

// find looks for a command from where the recording stands, and round again.
func (r *Replay) find(line string) *exchange {
	for i := range r.exchanges {
		k := (r.next + i) % len(r.exchanges)
		if k > 0 && normal(r.exchanges[k].sent) == line {
			r.next = k + 1
			return &r.exchanges[k]
		}
	}
	return nil
}

// normal is a command without line ends and in capitals.
func normal(b []byte) string {
	return strings.ToUpper(strings.Trim(string(b), "\r\n\x1a "))
}

// play prints answers at their times.
func (r *Replay) play(answers []recorded) {
	at := time.Duration(0)
	for _, a := range answers {
		at += a.after
		if !r.Timing || at <= 0 {
			r.m.port.write(a.data)
			continue
		}
		r.m.after(at, func() {
			if r.m.port.replay == r {
				r.m.port.write(a.data)
			}
		})
	}
}
