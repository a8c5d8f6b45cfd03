package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"sync"
	"time"
)

// Kinds of events that the page gets.
const (
	eventDialogue = "dialogue" // a line of the AT dialogue: spoken
	eventMessage  = "message"  // the phone got a message: message
	eventState    = "state"    // the modem's state has changed: state
	eventLost     = "lost"     // so many events found no room: a number
)

const (
	keptEvents  = 400 // of each kind, for pages that come later
	queueEvents = 512 // that wait for one page
	maxPages    = 16  // that are open at one time
)

// event is what is sent to a page.
type event struct {
	id   int64
	name string
	data []byte // JSON
}

// hub hands events to the pages that are open. It never waits for one: what
// finds no room in a page's queue is counted and told.
type hub struct {
	mu    sync.Mutex
	last  int64
	kept  map[string][]event
	pages map[*subscription]struct{}
}

// subscription is one open page's.
type subscription struct {
	queue chan event
	lost  int // guarded by the hub's lock
}

func newHub() *hub {
	return &hub{kept: make(map[string][]event), pages: make(map[*subscription]struct{})}
}

// publish sends a value to all pages.
func (h *hub) publish(name string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e := event{h.last, name, data}
	kept := append(h.kept[name], e)
	if len(kept) > keptEvents {
		kept = append(kept[:0], kept[len(kept)-keptEvents:]...)
	}
	h.kept[name] = kept
	for s := range h.pages {
		select {
		case s.queue <- e:
		default:
			s.lost++
		}
	}
}

// subscribe returns what is kept since an event and a subscription to what
// follows; ok is false when too many pages are open.
func (h *hub) subscribe(since int64) (kept []event, s *subscription, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.pages) >= maxPages {
		return nil, nil, false
	}
	if since > h.last { // of a simulator that ran before
		since = 0
	}
	for _, list := range h.kept {
		for _, e := range list {
			if e.id > since {
				kept = append(kept, e)
			}
		}
	}
	sort.Slice(kept, func(i, j int) bool { return kept[i].id < kept[j].id })
	s = &subscription{queue: make(chan event, queueEvents)}
	h.pages[s] = struct{}{}
	return kept, s, true
}

func (h *hub) unsubscribe(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.pages, s)
}

// open is the number of pages that are open.
func (h *hub) open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.pages)
}

// takeLost returns the number of events that s missed, and begins anew.
func (h *hub) takeLost(s *subscription) (k int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k, s.lost = s.lost, 0
	return k
}

const (
	stateEvery = 250 * time.Millisecond // the state is looked at
	quietLimit = 15 * time.Second       // then a comment shows whether the page is there
	writeLimit = 10 * time.Second       // for one write
)

// stream is one page's event stream, in the form of the WHATWG HTML standard,
// section 9.2 (server-sent events).
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	state   []byte // as last sent
	wrote   time.Time
}

// serveEvents sends events until the page is closed or the server ends.
func (p *page) serveEvents(w http.ResponseWriter, r *http.Request) {
	since, _ := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64) // absent: all
	kept, sub, ok := p.events.subscribe(since)
	if !ok {
		http.Error(w, fmt.Sprintf("there are %d pages open already: close some", maxPages), http.StatusServiceUnavailable)
		return
	}
	defer p.events.unsubscribe(sub)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	s := &stream{w: w, control: http.NewResponseController(w)}
	if s.sendState(p.control) != nil {
		return
	}
	for _, e := range kept {
		if s.send(e) != nil {
			return
		}
	}
	look := time.NewTicker(stateEvery)
	defer look.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return
		case <-p.ended:
			return
		case e := <-sub.queue:
			err = s.send(e)
		case <-look.C:
			err = s.sendState(p.control)
		}
		if k := p.events.takeLost(sub); err == nil && k > 0 {
			err = s.send(event{name: eventLost, data: strconv.AppendInt(nil, int64(k), 10)})
		}
		if err != nil {
			return
		}
	}
}

// sendState sends the state if it has changed, and a comment after a long quiet.
func (s *stream) sendState(c *control) error {
	data, err := json.Marshal(c.state())
	if err != nil {
		return err
	}
	if !bytes.Equal(data, s.state) {
		s.state = data
		return s.send(event{name: eventState, data: data})
	}
	if time.Since(s.wrote) > quietLimit {
		return s.write(": still here\n\n")
	}
	return nil
}

func (s *stream) send(e event) error {
	id := ""
	if e.id > 0 {
		id = fmt.Sprintf("id: %d\n", e.id)
	}
	return s.write(fmt.Sprintf("%sevent: %s\ndata: %s\n\n", id, e.name, e.data))
}

func (s *stream) write(text string) error {
	s.wrote = time.Now()
	s.control.SetWriteDeadline(s.wrote.Add(writeLimit)) // what cannot have one has no limit
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
