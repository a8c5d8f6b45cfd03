//go:build linux

package fakemodem_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// TestHonestyGnokii: gnokii identifies the modem, sends and reads. It writes
// the PDU and takes the reference only from a modem that echoes it.
func TestHonestyGnokii(t *testing.T) {
	h := newHonesty(t, fakemodem.M95, "gnokii 0.6.30", "gnokii")
	config := h.write("gnokiirc", "[global]\nport = "+h.path+"\nmodel = AT\nconnection = serial\nserial_baudrate = 115200\nuse_locking = no\n"+
		"[sms]\ntimeout = 20\n")
	gnokii := func(input string, args ...string) string {
		return h.run(input, "gnokii", append([]string{"--config", config}, args...)...)
	}
	h.send(allTexts...)
	out := gnokii("", "--identify")
	require.Contains(t, out, h.m.IMEI())
	require.Contains(t, out, "M95")

	for _, text := range []string{plainText, unicodeText, longText} {
		out = gnokii(text, "--sendsms", peerNumber, "--long", "600")
		require.Contains(t, out, "with reference")
		require.Equal(t, []string{text}, h.received(1), "what it sent is at the phone")
	}
	out = gnokii("", "--getsms", "SM", "1", "5")
	require.Contains(t, out, plainText)
	require.Contains(t, out, unicodeText)
	require.Contains(t, out, "Linked (3/3)")
	require.Contains(t, out, longText[:100], "the first part")
	out = gnokii("", "--deletesms", "SM", "1", "5")
	require.Empty(t, h.m.Messages("SM"), "all are deleted: %s", out)
	h.finish("gnokii")
}
