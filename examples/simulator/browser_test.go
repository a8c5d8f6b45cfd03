package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// browserLimit bounds a test in a browser: its start takes most of it.
const browserLimit = 90 * time.Second

// browser is a headless Chromium with one page, driven by the DevTools
// protocol over a pair of pipes: JSON objects that end with a NUL octet.
type browser struct {
	t       *testing.T
	ctx     context.Context
	to      io.Writer
	from    *bufio.Reader
	last    int
	session string
}

// newBrowser starts Chromium on an address, or skips the test without it.
func newBrowser(t *testing.T, url string) *browser {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: ", err)
	}
	profile, err := os.MkdirTemp("", "simulator")
	require.NoError(t, err)
	t.Cleanup(func() { // the browser's children write into it a little longer
		require.Eventually(t, func() bool { return os.RemoveAll(profile) == nil }, 10*time.Second, 20*time.Millisecond)
	})
	ctx, cancel := context.WithTimeout(context.Background(), browserLimit) // not of t, which ends before the browser is asked to
	command := exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--user-data-dir="+profile, "--remote-debugging-pipe", "about:blank")
	command.Env = append(os.Environ(), "TMPDIR="+profile)
	in, to, err := os.Pipe() // the browser's descriptor 3
	require.NoError(t, err)
	from, out, err := os.Pipe() // and 4
	require.NoError(t, err)
	command.ExtraFiles = []*os.File{in, out}
	require.NoError(t, command.Start())
	in.Close()
	out.Close()
	b := &browser{t: t, ctx: ctx, to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		b.quit()
		command.Wait() // quit has asked for it, and the limit kills it otherwise
		cancel()
		to.Close()
		from.Close()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": url}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	return b
}

// quit lets the browser end.
func (b *browser) quit() {
	b.session = ""
	b.send("Browser.close", nil)
	io.Copy(io.Discard, b.from)
}

func (b *browser) send(method string, params any) error {
	b.last++
	request := map[string]any{"id": b.last, "method": method}
	if params != nil {
		request["params"] = params
	}
	if b.session != "" {
		request["sessionId"] = b.session
	}
	data, err := json.Marshal(request)
	if err != nil {
		return err
	}
	_, err = b.to.Write(append(data, 0))
	return err
}

// call does something and reads the result.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	require.NoError(b.t, b.send(method, params))
	for {
		data, err := b.from.ReadBytes(0)
		require.NoError(b.t, err, "%s: %v", method, b.ctx.Err())
		var answer struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		require.NoError(b.t, json.Unmarshal(data[:len(data)-1], &answer))
		if answer.ID != b.last {
			continue // an event
		}
		require.Nil(b.t, answer.Error, method)
		require.NoError(b.t, json.Unmarshal(answer.Result, result))
		return
	}
}

// eval evaluates an expression on the page, whose value is a text.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var answer struct {
		Result struct {
			Value any
		}
		ExceptionDetails any
	}
	b.call("Runtime.evaluate", map[string]any{"expression": "String(" + expression + ")"}, &answer)
	require.Nil(b.t, answer.ExceptionDetails, expression)
	text, _ := answer.Result.Value.(string)
	return text
}

// eventually waits until the text of an element contains something.
func (b *browser) eventually(id, want string) {
	b.t.Helper()
	for b.eval(`document.readyState === "complete" && document.getElementById(`+strconv.Quote(id)+`)?.textContent.includes(`+strconv.Quote(want)+`)`) != "true" {
		select {
		case <-b.ctx.Done():
			require.Fail(b.t, "the page does not show it", "%q in %s", want, id)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestPageInBrowser: what a user does on the page reaches the modem, and what
// the modem does is on the page.
func TestPageInBrowser(t *testing.T) {
	b := newBench(t)
	b.registered()
	term := newTerminal(t, b.control.modem)
	page := newBrowser(t, b.url)

	page.eventually("number", b.control.modem.Number())
	page.eventually("connection", "live")
	page.eventually("fault", "a brown-out")
	require.Equal(t, "true true", page.eval(`circuit.className.includes("on") + " " + packet.className.includes("on")`), "registered")

	require.Equal(t, "+CSQ: 17,0", term.ask("AT+CSQ", "+CSQ"))
	page.eventually("dialogue", "+CSQ: 17,0")
	page.eval(`(s => { s.value = -101; s.dispatchEvent(new Event("input")); s.dispatchEvent(new Event("change")) })(document.getElementById("signal"))`)
	page.eventually("strength", "-101 dBm, +CSQ 6")
	require.Equal(t, "+CSQ: 6,0", term.ask("AT+CSQ", "+CSQ"), "the slider moved the signal")

	term.ask("AT+CMGF=1;+CNMI=2,1", "OK")
	page.eval(`(document.getElementById("text").value = "open <b>the</b> valve", document.querySelector("#sms button").click())`)
	term.wait("+CMTI")
	require.Equal(t, "open <b>the</b> valve", term.ask("AT+CMGR=1", "open"))
	page.eventually("dialogue", "open <b>the</b> valve") // as text, not as HTML
	b.events.publish(eventMessage, message{time.Now(), b.control.modem.Number(), "4.2 <i>m</i>"})
	page.eventually("messages", "4.2 <i>m</i>")

	page.eval(`(document.getElementById("fault").value = "F62", document.getElementById("parameters").value = "text=88,88", document.querySelector("#inject button").click())`)
	page.eventually("active", "F62 the signal is unknown for ever")
	term.ask("AT+CSQ", "+CSQ: 88,88")
	page.eval(`document.querySelector("#active button").click()`)
	page.eventually("active", "none")
	term.ask("AT+CSQ", "+CSQ: 6,0")

	page.eval(`document.querySelector("[data-coverage=none]").click()`)
	page.eventually("strength", "+CSQ 99")
	page.eval(`(document.getElementById("parameters").value = "speed=3", document.querySelector("#inject button").click())`)
	page.eventually("trouble", `"speed=3" is not name=value`)
	page.eval(`document.querySelector("[data-post=power][data-body*=false]").click()`)
	page.eventually("power", "off")
	require.False(t, b.control.modem.On())
}
