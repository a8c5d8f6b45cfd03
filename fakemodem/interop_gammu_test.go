//go:build linux

package fakemodem_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// TestHonestyGammu: gammu identifies the modem, sends, reads everything and
// deletes it, as a person at a shell does it.
func TestHonestyGammu(t *testing.T) {
	h := newHonesty(t, fakemodem.SIM800, "gammu 1.42.0", "gammu")
	config := h.write("gammurc", "[gammu]\ndevice="+h.path+"\nconnection=at115200\n")
	h.send(allTexts...)
	batch := h.write("batch", strings.Join([]string{
		"identify",
		sendCommand(plainText), sendCommand(unicodeText) + " -unicode", sendCommand(longText) + " -len 600",
		"getallsms", "geteachsms", "deleteallsms 1",
	}, "\n")+"\n")
	out := h.run("", "gammu", "-c", config, "batch", batch)

	require.Contains(t, out, "SIM800", "the model")
	require.Contains(t, out, h.m.IMEI())
	require.Equal(t, allTexts, h.received(3), "what it sent is at the phone")
	for _, text := range allTexts {
		require.Contains(t, out, text, "what the phone sent is read")
	}
	require.Contains(t, out, "part 3 of 3")
	require.Contains(t, out, peerNumber)
	require.Empty(t, h.m.Messages("SM"), "all are deleted")
	h.finish("gammu")
}

func sendCommand(text string) string {
	return fmt.Sprintf("sendsms TEXT %s -textutf8 %q", peerNumber, text)
}

// TestHonestyGammuSMSD: the daemon takes what waits in the modem, sends what
// is put into its spool folder, and takes what comes later.
func TestHonestyGammuSMSD(t *testing.T) {
	h := newHonesty(t, fakemodem.EC25, "gammu-smsd 1.42.0", "gammu-smsd", "gammu-smsd-inject")
	folders := map[string]string{"inboxpath": "in", "outboxpath": "out", "sentsmspath": "sent", "errorsmspath": "error"}
	config := "[gammu]\ndevice=" + h.path + "\nconnection=at115200\n[smsd]\nservice=files\nlogfile=" + h.folder + "/log\n" +
		"inboxformat=standard\ntransmitformat=auto\ncommtimeout=1\nreceivefrequency=1\nsendtimeout=20\nstatusfrequency=1\nmultiparttimeout=5\n"
	for name, folder := range folders {
		config += name + "=" + h.folder + "/" + folder + "/\n"
		require.NoError(t, os.Mkdir(filepath.Join(h.folder, folder), 0o755))
	}
	rc := h.write("smsdrc", config)
	for _, text := range allTexts {
		args := []string{"-c", rc, "TEXT", peerNumber, "-textutf8", text}
		switch text {
		case unicodeText:
			args = append(args, "-unicode")
		case longText:
			args = append(args, "-len", "600")
		}
		h.run("", "gammu-smsd-inject", args...)
	}
	h.send(allTexts...)
	stop := h.daemon("gammu-smsd", "-c", rc)
	require.ElementsMatch(t, allTexts, h.received(3), "what was in the spool folder is at the phone")
	h.poll("the sent messages are filed", func() bool { return len(h.files("sent")) == 3 })
	h.send("and later")
	h.poll("the inbox has all messages", func() bool { return len(h.files("in")) == 6 })
	inbox := func() string { return strings.Join(h.files("in"), "") }
	h.poll("the last file is written", func() bool { return strings.HasSuffix(inbox(), "and later") })
	require.Equal(t, strings.Join(allTexts, "")+"and later", inbox())
	require.Empty(t, h.files("error"))
	d := h.rec.end()
	stop()
	d.keep(t, "gammu-smsd")
}
