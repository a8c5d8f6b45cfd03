package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/telemetry"
)

// progress prints a line for each thing worth seeing. Goroutines may share it.
type progress struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
	last  map[string]string // what was said last of a subject, not to be said again
}

// Write prints what is not about anybody, as the table at the end.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func newProgress(out io.Writer) *progress {
	return &progress{out: out, start: time.Now(), last: make(map[string]string)}
}

// say prints a line about somebody.
func (p *progress) say(who, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%6.1fs  %-9s  %s\n", time.Since(p.start).Seconds(), who, fmt.Sprintf(format, args...))
}

// change prints a line about a subject unless it says what the last one said.
func (p *progress) change(who, subject, text string) {
	p.mu.Lock()
	known := p.last[who+subject] == text
	p.last[who+subject] = text
	p.mu.Unlock()
	if !known {
		p.say(who, "%s", text)
	}
}

// follow prints what happens to a session until it is closed.
func (p *progress) follow(who string, events <-chan session.Event) {
	for e := range events {
		switch {
		case e.Kind == session.EventRadio && e.Radio.Kind == gprs.EventRegistration:
			p.change(who, "registration", "registration: "+e.Radio.Registration.String())
		case e.Kind == session.EventRadio && e.Radio.Kind == gprs.EventSignal:
			p.change(who, "signal", "signal "+bars(e.Radio.Signal.RSSI))
		case e.Kind == session.EventRadio:
		case e.Kind == session.EventState && e.State == session.StateSearching:
		default:
			p.say(who, "%v", e)
		}
	}
}

// followLink prints over which bearer readings go.
func (p *progress) followLink(who string, events <-chan telemetry.Event) {
	for e := range events {
		switch e.Kind {
		case telemetry.EventSwitched:
			if e.Path == "" {
				p.say(who, "no bearer works: readings wait on disk")
			} else {
				p.say(who, "readings go over %s", e.Path)
			}
		case telemetry.EventPathDown:
			p.say(who, "%s failed: %v", e.Path, e.Err)
		case telemetry.EventPathUp:
			p.say(who, "%s works again", e.Path)
		case telemetry.EventHandlerFailed, telemetry.EventStoreFailed, telemetry.EventRefused, telemetry.EventSkipped:
			p.say(who, "%v: %v", e.Kind, e.Err)
		}
	}
}

// bars shows a signal as telephones do: one bar for each 12 dB above -113 dBm.
func bars(l gprs.Level) string {
	if !l.Known {
		return "unknown"
	}
	n := min(max(int(l.DB+113)/12+1, 1), 5)
	return strings.Repeat("#", n) + strings.Repeat(".", 5-n) + fmt.Sprintf(" %v dBm", l)
}
