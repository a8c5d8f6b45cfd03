package fakemodem_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/warthog618/modem/at"
	"github.com/warthog618/modem/gsm"
	"github.com/warthog618/sms/encoding/gsm7"

	"github.com/telemodem/telemodem/fakemodem"
)

// longText needs three parts in the 7-bit alphabet.
var longText = strings.Repeat("All work and no play makes a dull modem, {1} @ 5 €. ", 8)

// TestHonestyWarthog drives the modem with a driver that nobody here wrote,
// on a line in memory.
func TestHonestyWarthog(t *testing.T) {
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	m := n.NewModem(fakemodem.SIM800)
	line := m.Line()
	defer line.Close()
	driveWarthog(t, n, m, gsm.New(at.New(line, at.WithTimeout(5*time.Second))))
}

// driveWarthog sends a long message with the driver and receives one.
func driveWarthog(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, driver *gsm.GSM) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	phone := n.Phone("+15550100")
	// The driver decodes on several goroutines, and its tables are made at
	// their first use without a lock: this is the first use.
	_, err := gsm7.Decode([]byte{0x1b, 0x65})
	require.NoError(t, err)
	require.NoError(t, driver.Init())
	waitRegistered(t, ctx, m)

	references, err := driver.SendLongMessage(phone.Number(), longText)
	require.NoError(t, err)
	require.Len(t, references, 3)
	got, err := phone.Receive(ctx)
	require.NoError(t, err)
	require.Equal(t, longText, got.Text)
	require.Equal(t, m.Number(), got.From)

	arrived := make(chan gsm.Message, 1)
	require.NoError(t, driver.StartMessageRx(
		func(msg gsm.Message) { arrived <- msg },
		func(err error) { t.Errorf("the driver could not read a message: %v", err) }))
	for _, text := range []string{"short", longText, "Grüße, Жук, 電波 " + strings.Repeat("☂", 90)} {
		require.NoError(t, phone.Send(m.Number(), text))
		select {
		case msg := <-arrived:
			require.Equal(t, text, msg.Message)
			require.Equal(t, phone.Number(), msg.Number)
		case <-ctx.Done():
			t.Fatalf("%.20q has not arrived", text)
		}
	}
	driver.StopMessageRx()
}

func waitRegistered(t *testing.T, ctx context.Context, m *fakemodem.Modem) {
	t.Helper()
	for {
		if circuit, packet := m.Registered(); circuit && packet {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("the modem has not registered")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
