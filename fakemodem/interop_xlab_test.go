//go:build linux

package fakemodem_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xlab/at"
	"github.com/xlab/at/sms"

	"github.com/telemodem/telemodem/fakemodem"
)

// TestHonestyXlab: the driver for Huawei's dongles, which takes notifications
// from a second port only.
func TestHonestyXlab(t *testing.T) {
	h := newHonesty(t, fakemodem.E173, "github.com/xlab/at v1.0.0")
	_, err := h.m.Inject(fakemodem.Fault{ID: "F25"})
	require.NoError(t, err)
	device := &at.Device{
		CommandPort: h.path, NotifyPort: h.terminalPair(h.m.NotificationLine()), Timeout: programLimit,
	}
	require.NoError(t, device.Open())
	watched := make(chan struct{})
	defer func() {
		device.Close()
		<-watched
	}()
	profile := new(at.DefaultProfile)
	err = device.Init(profile)
	go func() {
		defer close(watched)
		device.Watch()
	}()
	require.NoError(t, err)
	require.Equal(t, "E173", device.State.ModelName)
	require.Equal(t, h.m.IMEI(), device.State.IMEI)
	require.Equal(t, at.ServiceStates.Valid, device.State.ServiceState)

	for _, text := range []string{plainText, unicodeText} {
		require.NoError(t, device.SendSMS(text, sms.PhoneNumber(peerNumber)))
		require.Equal(t, []string{text}, h.received(1), "what it sent is at the phone")
		// The driver sends CR, LF and ESC behind the text and takes their
		// echo for an answer to its next command unless that is this one.
		_, err := device.Send(at.NoopCmd)
		require.NoError(t, err)
		h.send(text)
		got := nextMessage(t, device)
		require.Equal(t, text, got.Text, "what the phone sent is read")
		require.Equal(t, sms.PhoneNumber(peerNumber), got.Address)
	}
	long := strings.Repeat("Level 3.7 m, pump on. ", 15)
	h.send(long)
	joined := ""
	for range 3 { // the driver leaves it to its user to join parts and to cut off headers, seven septets here
		joined += string([]rune(nextMessage(t, device).Text)[7:])
	}
	require.Equal(t, long, joined)
	require.Empty(t, h.m.Messages("ME"), "all are deleted")
	h.finish("xlab")
}

func nextMessage(t *testing.T, device *at.Device) *sms.Message {
	t.Helper()
	select {
	case msg := <-device.IncomingSms():
		return msg
	case <-time.After(programLimit):
		t.Fatal("no message has come to the driver")
		return nil
	}
}
