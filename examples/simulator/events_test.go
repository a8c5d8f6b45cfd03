package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// streamReader reads a page's event stream.
type streamReader struct {
	t     *testing.T
	lines *bufio.Scanner
	end   context.CancelFunc
}

func openStream(t *testing.T, url, lastID string) *streamReader {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events", nil)
	require.NoError(t, err)
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { answer.Body.Close() })
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	return &streamReader{t, bufio.NewScanner(answer.Body), cancel}
}

// next returns the next event of a name as its id and data.
func (s *streamReader) next(name string) (id, data string) {
	s.t.Helper()
	found := false
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch {
		case field == "id":
			id = value
		case field == "event":
			found = value == name
		case field == "data" && found:
			return id, value
		}
	}
	require.Fail(s.t, "the stream has ended", "without an event %q: %v", name, s.lines.Err())
	return "", ""
}

func TestStream(t *testing.T) {
	b := newBench(t)
	b.events.publish(eventMessage, "before")
	s := openStream(t, b.url, "")
	_, data := s.next(eventState)
	require.Contains(t, data, b.control.modem.Number(), "a page begins with the state")
	id, data := s.next(eventMessage)
	require.Equal(t, `"before"`, data, "and with what it has missed")

	b.events.publish(eventMessage, "now")
	_, data = s.next(eventMessage)
	require.Equal(t, `"now"`, data)
	require.NoError(t, b.control.setSignal(-101))
	_, data = s.next(eventState)
	require.Contains(t, data, `"signal":-101`, "a change of the state comes by itself")

	again := openStream(t, b.url, id)
	_, data = again.next(eventMessage)
	require.Equal(t, `"now"`, data, "a page that comes back gets what came since")
	other := openStream(t, b.url, "999999")
	_, data = other.next(eventMessage)
	require.Equal(t, `"before"`, data, "an id of another run counts for nothing")
}

// TestStreamEnds: with its client, and with the simulator.
func TestStreamEnds(t *testing.T) {
	b := newBench(t)
	first, second := openStream(t, b.url, ""), openStream(t, b.url, "")
	first.next(eventState)
	second.next(eventState)
	require.Equal(t, 2, b.events.open())
	first.end()
	require.Eventually(t, func() bool { return b.events.open() == 1 }, 5*time.Second, 5*time.Millisecond, "a page was closed")
	b.end()
	for second.lines.Scan() {
	}
	require.NoError(t, second.lines.Err(), "the server ends the stream in order")
	require.Eventually(t, func() bool { return b.events.open() == 0 }, 5*time.Second, 5*time.Millisecond)
}

// TestStreamsAreBounded: so many pages at one time and no more.
func TestStreamsAreBounded(t *testing.T) {
	h := newHub()
	for range maxPages {
		_, _, ok := h.subscribe(0)
		require.True(t, ok)
	}
	p := &page{events: h}
	w := httptest.NewRecorder()
	p.serveEvents(w, httptest.NewRequest(http.MethodGet, "/events", nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
}

// slowWriter is a page that reads nothing until its gate is opened.
type slowWriter struct {
	*httptest.ResponseRecorder
	gate chan struct{}
	lost chan struct{} // closed when it was told of a loss
}

func (w *slowWriter) Write(p []byte) (int, error) {
	<-w.gate
	if strings.HasPrefix(string(p), "event: "+eventLost) {
		close(w.lost)
	}
	return w.ResponseRecorder.Write(p)
}

// TestLostIsTold: a page that was too slow learns how much it has missed.
func TestLostIsTold(t *testing.T) {
	b := newBench(t)
	ended := make(chan struct{})
	p := &page{control: b.control, events: b.events, ended: ended}
	w := &slowWriter{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.serveEvents(w, httptest.NewRequest(http.MethodGet, "/events", nil))
	}()
	require.Eventually(t, func() bool { return b.events.open() == 1 }, 5*time.Second, time.Millisecond)
	for i := range queueEvents + 25 {
		b.events.publish(eventDialogue, i)
	}
	close(w.gate)
	<-w.lost
	close(ended)
	<-done
	require.Contains(t, w.Body.String(), "event: lost\ndata: 25\n\n")
}

// TestSlowPage: a page that reads nothing holds nobody up, and what is kept
// for it is bounded.
func TestSlowPage(t *testing.T) {
	h := newHub()
	_, slow, ok := h.subscribe(0)
	require.True(t, ok)
	for i := range queueEvents + 25 {
		h.publish(eventDialogue, i)
	}
	require.Len(t, slow.queue, queueEvents)
	require.Equal(t, 25, h.takeLost(slow))
	require.Zero(t, h.takeLost(slow), "it is told once")

	kept, _, _ := h.subscribe(0)
	require.Len(t, kept, keptEvents, "only the newest are kept for later")
	require.Equal(t, fmt.Sprint(queueEvents+25-1), string(kept[keptEvents-1].data))
	h.publish(eventMessage, "a message")
	for range keptEvents {
		h.publish(eventDialogue, 0)
	}
	kept, _, _ = h.subscribe(0)
	require.Equal(t, eventMessage, kept[0].name, "a long dialogue drives no message out")
	h.unsubscribe(slow)
	h.unsubscribe(slow)
}
