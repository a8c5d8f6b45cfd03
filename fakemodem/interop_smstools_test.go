//go:build linux

package fakemodem_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// smstoolsConfig is for one modem whose status reports are in the storage SR.
// Folders and the port are put in.
const smstoolsConfig = `devices = GSM1
outgoing = %[1]s/out
checked = %[1]s/checked
incoming = %[1]s/in
sent = %[1]s/sent
failed = %[1]s/failed
report = %[1]s/report
logfile = %[1]s/log
infofile = %[1]s/info
pidfile = %[1]s/pid
loglevel = 7
delaytime = 1
errorsleeptime = 1
blocktime = 1
autosplit = 3
incoming_utf8 = yes
[GSM1]
device = %[2]s
init = AT+CNMI=2,1,0,2,0
primary_memory = SM
secondary_memory = SR
secondary_memory_max = 10
incoming = yes
report = yes
baudrate = 115200
decode_unicode_text = yes
internal_combine = yes
`

// TestHonestySmstools: smsd takes what waits in the modem, sends what is put
// into its spool folder, and gets the status reports.
func TestHonestySmstools(t *testing.T) {
	h := newHonesty(t, fakemodem.Telit, "smsd 3.1.21", "smsd")
	config := h.write("smsd.conf", fmt.Sprintf(smstoolsConfig, h.folder, h.path))
	for _, folder := range []string{"out", "checked", "in", "sent", "failed", "report"} {
		require.NoError(t, os.Mkdir(filepath.Join(h.folder, folder), 0o755))
	}
	h.send(allTexts...)
	to := "To: " + strings.TrimPrefix(peerNumber, "+") + "\nReport: yes\n"
	h.write("out/plain", to+"Alphabet: UTF-8\n\n"+plainText)
	h.write("out/unicode", to+"Alphabet: UCS2\n\n"+toUTF16(unicodeText))
	h.write("out/long", to+"Alphabet: UTF-8\n\n"+longText)
	stop := h.daemon("smsd", "-t", "-c"+config, "-l"+h.folder+"/log", "-p"+h.folder+"/pid", "-i"+h.folder+"/info")
	require.ElementsMatch(t, allTexts, h.received(3), "what was in the spool folder is at the phone")
	h.poll("the sent messages are filed", func() bool { return len(h.files("sent")) == 3 })
	delivered := func() bool {
		return strings.Count(strings.Join(h.files("report"), ""), "Status: 0,Ok") >= 3
	}
	h.poll("the status reports have come", delivered)
	for _, text := range allTexts {
		h.poll(fmt.Sprintf("%.10q is in the inbox", text), func() bool {
			return strings.Contains(strings.Join(h.files("in"), "\x00"), "\n\n"+text)
		})
	}
	require.Empty(t, h.files("failed"))
	d := h.rec.end()
	stop()
	d.keep(t, "smstools")
}

// toUTF16 is a text in UCS-2, the high octet first.
func toUTF16(text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return string(b)
}
