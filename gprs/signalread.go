package gprs

import (
	"context"
	"time"

	"github.com/telemodem/telemodem/at"
)

// Signal asks for the signal: by each of the profile's commands until all
// that one of them tells is known. What no command tells stays unknown.
func (r *Radio) Signal(ctx context.Context) (Signal, error) {
	var s Signal
	var firstErr error
	for _, text := range r.quirks.signalCommands() {
		res, err := r.c.Command(ctx, at.Command{Text: text})
		if err != nil && !refused(err) {
			return s, err
		}
		if err != nil && firstErr == nil {
			firstErr = err
		}
		for _, info := range res.Info {
			if one, ok := ParseSignal(info.Text, r.quirks.CSQ); ok {
				s.fill(one)
				firstErr = nil
			}
		}
		if s.RSSI.Known {
			break
		}
	}
	s.At = time.Now()
	if s.known() {
		r.mu.Lock()
		r.signal = s
		r.mu.Unlock()
	}
	return s, firstErr
}

// LastSignal is the last signal that held a value, asked for or notified, with
// the time of it.
func (r *Radio) LastSignal() Signal {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.signal
}

// onSignal takes the levels of a notification over those known before; what
// it does not tell is too old to stand beside it and is dropped.
func (r *Radio) onSignal(line string) {
	s, ok := ParseSignal(line, r.quirks.CSQ)
	if !ok || !s.known() {
		return
	}
	s.At = time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signal = s
	r.publishLocked(Event{Kind: EventSignal, Signal: s})
}
