package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// bench is a control page on a server, and the modem behind it.
type bench struct {
	t       *testing.T
	control *control
	events  *hub
	url     string
	end     context.CancelFunc
}

func newBench(t *testing.T) *bench {
	network := fakemodem.NewNetwork(nil)
	t.Cleanup(func() { network.Close() })
	b := &bench{t: t, events: newHub(), control: newControl(network, options{kind: "SIM800"})}
	t.Cleanup(b.control.modem.Watch(newDialogue(b.events, "").take))
	ctx, end := context.WithCancel(t.Context())
	b.end = end
	server := httptest.NewServer((&page{control: b.control, events: b.events, ended: ctx.Done()}).handler())
	b.url = server.URL
	t.Cleanup(server.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	t.Cleanup(end)
	return b
}

// post does what the page does and returns the answer.
func (b *bench) post(path, body string) (code int, text string) {
	b.t.Helper()
	answer, err := http.Post(b.url+path, "application/json", strings.NewReader(body))
	require.NoError(b.t, err)
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	require.NoError(b.t, err)
	return answer.StatusCode, string(all)
}

// act does what must succeed and returns the state that it leads to.
func (b *bench) act(path, body string) (s state) {
	b.t.Helper()
	code, text := b.post(path, body)
	require.Equal(b.t, http.StatusOK, code, text)
	require.NoError(b.t, json.Unmarshal([]byte(text), &s))
	return s
}

// terminal is a program at the modem's line.
type terminal struct {
	t    *testing.T
	line *fakemodem.Line
	in   *bufio.Reader
}

func newTerminal(t *testing.T, m *fakemodem.Modem) *terminal {
	line := m.Line()
	t.Cleanup(func() { line.Close() })
	return &terminal{t, line, bufio.NewReader(line)}
}

// ask sends a command and reads up to a line that begins with want.
func (x *terminal) ask(command, want string) string {
	x.t.Helper()
	_, err := x.line.Write([]byte(command + "\r"))
	require.NoError(x.t, err)
	return x.wait(want)
}

func (x *terminal) wait(want string) string {
	x.t.Helper()
	require.NoError(x.t, x.line.SetReadDeadline(time.Now().Add(10*time.Second)))
	for {
		line, err := x.in.ReadString('\n')
		require.NoError(x.t, err, "waiting for %q", want)
		if line = strings.TrimSpace(line); strings.HasPrefix(line, want) {
			return line
		}
	}
}

// registered waits until the modem is on the network.
func (b *bench) registered() {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		circuit, packet := b.control.modem.Registered()
		return circuit && packet
	}, 5*time.Second, time.Millisecond)
}

func TestFiles(t *testing.T) {
	b := newBench(t)
	for path, kind := range map[string]string{"/": "text/html", "/page.css": "text/css", "/page.js": "javascript"} {
		answer, err := http.Get(b.url + path)
		require.NoError(t, err)
		all, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		answer.Body.Close()
		require.Equal(t, http.StatusOK, answer.StatusCode, path)
		require.Contains(t, answer.Header.Get("Content-Type"), kind)
		require.Contains(t, answer.Header.Get("Content-Security-Policy"), "default-src 'none'")
		require.NotRegexp(t, `https?://|src="//`, string(all), "nothing comes from elsewhere")
	}
}

func TestSignalEndpoint(t *testing.T) {
	b := newBench(t)
	term := newTerminal(t, b.control.modem)
	require.Equal(t, "+CSQ: 17,0", term.ask("AT+CSQ", "+CSQ"))
	for dBm, want := range map[string]string{"-113": "+CSQ: 0,0", "-95": "+CSQ: 9,0", "-51": "+CSQ: 31,0"} {
		b.act("/signal", `{"dBm":`+dBm+`}`)
		require.Equal(t, want, term.ask("AT+CSQ", "+CSQ"))
	}
	b.act("/signal", `{"dBm":-95}`)
	for _, bad := range []string{`{"dBm":-114}`, `{"dBm":-50}`, `{}`, `{"dBm":"loud"}`, `{"rssi":3}`, ``, `[`} {
		code, text := b.post("/signal", bad)
		require.Equal(t, http.StatusBadRequest, code, bad)
		require.NotEmpty(t, text)
	}
	require.Equal(t, -95, b.control.state().Signal, "what was refused changed nothing")
}

func TestCoverageEndpoint(t *testing.T) {
	b := newBench(t)
	for name, want := range map[string][2]bool{"none": {false, false}, "voice": {true, false}, "data": {false, true}, "full": {true, true}} {
		s := b.act("/coverage", `{"coverage":"`+name+`"}`)
		require.Equal(t, name, s.Coverage)
		require.Eventually(t, func() bool {
			circuit, packet := b.control.modem.Registered()
			return [2]bool{circuit, packet} == want
		}, 5*time.Second, time.Millisecond, name)
	}
	require.Equal(t, 99, b.act("/coverage", `{"coverage":"none"}`).RSSI)
	code, _ := b.post("/coverage", `{"coverage":"some"}`)
	require.Equal(t, http.StatusBadRequest, code)
}

func TestSMSEndpoint(t *testing.T) {
	b := newBench(t)
	b.registered()
	term := newTerminal(t, b.control.modem)
	term.ask("AT+CMGF=1;+CNMI=2,1", "OK")
	b.act("/sms", `{"text":"open the valve"}`)
	term.wait("+CMTI")
	require.Equal(t, "open the valve", term.ask("AT+CMGR=1", "open"))
	code, text := b.post("/sms", `{"text":""}`)
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, text, "empty")
	code, _ = b.post("/sms", `{"text":"`+strings.Repeat("x", bodyLimit)+`"}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, code)
}

func TestPowerAndSIMEndpoints(t *testing.T) {
	b := newBench(t)
	b.registered()
	require.False(t, b.act("/power", `{"on":false}`).On)
	b.act("/power", `{"on":true}`)
	require.Eventually(t, func() bool { return b.control.state().On }, 5*time.Second, time.Millisecond)
	b.registered()

	term := newTerminal(t, b.control.modem)
	require.False(t, b.act("/sim", `{"in":false}`).SIM.In)
	term.ask("AT+CMEE=1;+CPIN?", "+CME ERROR: 10")
	require.True(t, b.act("/sim", `{"in":true}`).SIM.In)
	term.ask("AT+CPIN?", "+CPIN: READY")

	require.False(t, b.act("/faults", `{"fault":"F60"}`).SIM.In, "a fault took it away")
	require.True(t, b.act("/sim", `{"in":true}`).SIM.In)
	term.ask("AT+CPIN?", "+CPIN: READY")
	card := b.control.state().SIM
	require.Equal(t, simState{In: true, State: "READY", PINLeft: 3, PUKLeft: 10, ICCID: card.ICCID}, card)
	require.NotEmpty(t, card.ICCID)
	require.Equal(t, "SIM PUK", b.act("/faults", `{"fault":"F60:text=puk"}`).SIM.State)
	for _, path := range []string{"/power", "/sim"} {
		code, _ := b.post(path, `{}`)
		require.Equal(t, http.StatusBadRequest, code, path)
	}
}

func TestFaultEndpoints(t *testing.T) {
	b := newBench(t)
	term := newTerminal(t, b.control.modem)
	s := b.act("/faults", `{"fault":"F62:text=99,99"}`)
	require.Equal(t, []faultState{{"F62", "the signal is unknown for ever"}}, s.Faults)
	term.ask("AT+CSQ", "+CSQ: 99,99")
	b.act("/faults", `{"fault":"F32:on=+COPS"}`)
	require.Len(t, b.act("/faults/clear", `{"id":"F62"}`).Faults, 1, "only that one")
	term.ask("AT+CSQ", "+CSQ: 17,0")
	require.Empty(t, b.act("/faults/clear", `{"id":""}`).Faults, "all")

	b.act("/faults", `{"fault":"F97"}`)
	require.False(t, b.control.state().Plugged)
	require.True(t, b.act("/plug", `{}`).Plugged)

	code, text := b.post("/faults", `{"fault":"F999"}`)
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, text, "F999")
	for range maxFaults {
		b.act("/faults", `{"fault":"F62"}`)
	}
	code, text = b.post("/faults", `{"fault":"F62"}`)
	require.Equal(t, http.StatusBadRequest, code, "faults are bounded")
	require.Contains(t, text, "clear some")

	answer, err := http.Get(b.url + "/faults")
	require.NoError(t, err)
	defer answer.Body.Close()
	var list []fakemodem.FaultInfo
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&list))
	require.Equal(t, fakemodem.Faults(), list)
}

// TestOtherSites: a site that is open in the same browser changes nothing, nor
// does a name of its own that leads here.
func TestOtherSites(t *testing.T) {
	b := newBench(t)
	try := func(header, value string) int {
		r, err := http.NewRequest(http.MethodPost, b.url+"/signal", strings.NewReader(`{"dBm":-51}`))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		if r.Header.Set(header, value); header == "Host" {
			r.Host = value
		}
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		answer.Body.Close()
		return answer.StatusCode
	}
	require.Equal(t, http.StatusForbidden, try("Origin", "http://evil.example"))
	require.Equal(t, http.StatusForbidden, try("Origin", "null"))
	require.Equal(t, http.StatusForbidden, try("Sec-Fetch-Site", "cross-site"))
	require.Equal(t, http.StatusForbidden, try("Sec-Fetch-Site", "same-site"), "another port of this machine")
	require.Equal(t, http.StatusForbidden, try("Host", "evil.example"), "a name that leads to loopback")
	require.Equal(t, http.StatusUnsupportedMediaType, try("Content-Type", "text/plain"), "what a form can send")
	require.Equal(t, usual, b.control.state().Signal)
	require.Equal(t, http.StatusOK, try("Origin", b.url))
	require.Equal(t, http.StatusOK, try("Host", "localhost:8080"), "as behind a forwarded port")

	r, err := http.NewRequest(http.MethodGet, b.url+"/state", nil)
	require.NoError(t, err)
	r.Host = "evil.example"
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, http.StatusForbidden, answer.StatusCode, "it reads nothing either")
	answer, err = http.Get(b.url + "/signal")
	require.NoError(t, err)
	answer.Body.Close()
	require.NotEqual(t, http.StatusOK, answer.StatusCode, "reading changes nothing")
}
