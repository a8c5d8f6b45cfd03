package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/telemodem/telemodem/fakemodem"
)

//go:embed page
var files embed.FS

// bodyLimit bounds what a page may send, in octets.
const bodyLimit = 16 << 10

// page is the control page: files, the JSON endpoints behind its buttons and
// the event stream.
type page struct {
	control *control
	events  *hub
	ended   <-chan struct{} // closed when the simulator ends
}

// handler serves the page to browsers on this machine, and to no other site
// that is open in them.
func (p *page) handler() http.Handler {
	mux := http.NewServeMux()
	static, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // a name of our own
	}
	mux.Handle("GET /", http.FileServerFS(static))
	mux.HandleFunc("GET /events", p.serveEvents)
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.control.state()) })
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { answer(w, fakemodem.Faults()) })
	p.handleActions(mux)
	return guard(http.NewCrossOriginProtection().Handler(mux))
}

// handleActions adds what changes something.
func (p *page) handleActions(mux *http.ServeMux) {
	c := p.control
	mux.Handle("POST /signal", action(c, func(in struct{ DBm *int }) error {
		if in.DBm == nil {
			return errors.New(`"dBm" is missing`)
		}
		return c.setSignal(*in.DBm)
	}))
	mux.Handle("POST /coverage", action(c, func(in struct{ Coverage string }) error { return c.setCoverage(in.Coverage) }))
	mux.Handle("POST /sms", action(c, func(in struct{ Text string }) error { return c.send(in.Text) }))
	mux.Handle("POST /power", action(c, func(in struct{ On *bool }) error {
		if in.On == nil {
			return errors.New(`"on" is missing`)
		}
		c.setPower(*in.On)
		return nil
	}))
	mux.Handle("POST /sim", action(c, func(in struct{ In *bool }) error {
		if in.In == nil {
			return errors.New(`"in" is missing`)
		}
		c.setSIM(*in.In)
		return nil
	}))
	mux.Handle("POST /plug", action(c, func(struct{}) error { c.plug(); return nil }))
	mux.Handle("POST /faults", action(c, func(in struct{ Fault string }) error {
		f, err := parseFault(in.Fault)
		if err != nil {
			return err
		}
		return c.inject(f)
	}))
	mux.Handle("POST /faults/clear", action(c, func(in struct{ ID string }) error { c.clear(in.ID); return nil }))
}

// action reads a JSON object, does something with it and answers with the
// modem's new state.
func action[T any](c *control, do func(in T) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
			http.Error(w, "the body must be application/json", http.StatusUnsupportedMediaType)
			return
		}
		var in T
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
		d.DisallowUnknownFields()
		err := d.Decode(&in)
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		if err == nil {
			err = do(in)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(w, c.state())
	})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(v) // a client that has gone wants no answer
}

// guard refuses requests by another name than loopback's, with which a site
// whose name leads here could reach the page, and tells browsers to load
// nothing from elsewhere and to show the page in no frame.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			http.Error(w, fmt.Sprintf("%q is not this machine's loopback", r.Host), http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// isLoopback tells whether a Host header names this machine's loopback.
func isLoopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// pageServer serves a page until it is closed.
type pageServer struct {
	url    string
	server *http.Server
	end    context.CancelFunc
	done   chan struct{}
}

// closeLimit bounds the wait for requests that are being answered.
const closeLimit = 2 * time.Second

// servePage serves the page at a loopback address; event streams end with ctx.
func servePage(ctx context.Context, address string, c *control, events *hub) (*pageServer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("control page: %w; -http 127.0.0.1:0 takes a free port", err)
	}
	ctx, end := context.WithCancel(ctx)
	p := &page{control: c, events: events, ended: ctx.Done()}
	s := &pageServer{url: "http://" + listener.Addr().String() + "/", end: end, done: make(chan struct{})}
	s.server = &http.Server{Handler: p.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	go func() {
		defer close(s.done)
		s.server.Serve(listener) // ends by close
	}()
	return s, nil
}

// close ends the streams and waits for the rest.
func (s *pageServer) close() {
	s.end()
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		s.server.Close()
	}
	<-s.done
}
