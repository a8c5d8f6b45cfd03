package fakemodem

import (
	"strings"
	"time"
)

// answer is what a command line prints at its end.
type answer struct {
	call  *Call
	info  []string
	final string // empty: none
	raw   []byte // printed instead of the above, if a fault has made it
	delay time.Duration
}

// printAnswer writes an answer in the form that E, Q and V ask for.
func (p *port) printAnswer(a *answer) {
	if a.raw == nil {
		a.raw = p.format(a.info, a.final)
	}
	if a.delay > 0 {
		raw := a.raw
		p.m.after(a.delay, func() { p.write(raw) })
		return
	}
	p.write(a.raw)
}

// format lays information lines and a final result code out (ITU-T V.250
// clauses 5.7.1 and 6.2.6).
func (p *port) format(info []string, final string) []byte {
	var b []byte
	for _, text := range info {
		if p.set.verbose {
			b = append(b, '\r', '\n')
		}
		b = append(b, text...)
		b = append(b, '\r', '\n')
	}
	if final == "" || p.set.quiet {
		return b
	}
	return append(b, p.result(final)...)
}

// result lays one result code out.
func (p *port) result(text string) []byte {
	if p.set.verbose {
		return []byte("\r\n" + text + "\r\n")
	}
	word := text
	if strings.HasPrefix(text, "CONNECT") {
		word = "CONNECT"
	}
	if code, ok := numericCodes[word]; ok {
		text = code
	}
	return []byte(text + "\r")
}

// print writes lines that are no answer: results or notifications.
func (p *port) print(lines []string, result bool) {
	if result && p.set.quiet {
		return
	}
	for _, line := range lines {
		p.write(p.result(line))
	}
}

// notify prints an unsolicited result code now, or when the port is back in
// command mode if it is in a data call or a prompt.
func (p *port) notify(line string) {
	if p.mode == modeData || p.mode == modePrompt {
		if len(p.held) < maxHeld {
			p.held = append(p.held, line)
		}
		return
	}
	p.print([]string{line}, false)
}

func (p *port) flushHeld() {
	held := p.held
	p.held = nil
	p.print(held, false)
}

// write sends octets towards the host through the faults of the line.
func (p *port) write(b []byte) {
	if p.out == nil || p.unplugged || len(b) == 0 {
		return
	}
	p.m.trace(p, FromModem, b)
	for _, piece := range p.m.faults.output(p, b) {
		if p.rate.Load() > 0 {
			start := piece.at
			if last := p.out.last(); last.After(start) {
				start = last
			}
			if start.IsZero() {
				start = time.Now()
			}
			piece.at = start.Add(p.duration(len(piece.data)))
		}
		p.out.put(piece)
	}
}
