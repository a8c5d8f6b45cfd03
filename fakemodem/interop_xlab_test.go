//go:build linux

package fakemodem_test

import (
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
	h.send("ME", "it waited")
	require.NoError(t, device.Open())
	watched := make(chan struct{})
	defer func() {
		device.Close()
		<-watched
	}()
	if err := device.Init(at.DeviceE173()); err != nil {
		close(watched)
		require.NoError(t, err)
	}
	go func() {
		defer close(watched)
		device.Watch()
	}()
	require.Equal(t, "E173", device.State.ModelName)
	require.Equal(t, h.m.IMEI(), device.State.IMEI)
	require.Equal(t, at.ServiceStates.Valid, device.State.ServiceState)
	require.Equal(t, "it waited", nextMessage(t, device).Text)

	for _, text := range []string{plainText, unicodeText} {
		require.NoError(t, device.SendSMS(text, sms.PhoneNumber(peerNumber)))
		require.Equal(t, []string{text}, h.received(1), "what it sent is at the phone")
		h.send("ME", text)
		got := nextMessage(t, device)
		require.Equal(t, text, got.Text, "what the phone sent is read")
		require.Equal(t, sms.PhoneNumber(peerNumber), got.Address)
	}
	h.send("ME", longText)
	joined := ""
	for range 3 { // the driver leaves the parts to its user
		joined += nextMessage(t, device).Text
	}
	require.Equal(t, longText, joined)
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
