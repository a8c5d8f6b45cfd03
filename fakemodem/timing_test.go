package fakemodem_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// With TimingInstant the clock stands still while a modem boots, registers,
// looks for operators and sends a message.
func TestInstant(t *testing.T) {
	for _, kind := range []*fakemodem.Personality{fakemodem.SIM800, fakemodem.E173} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingInstant})
			defer n.Close()
			phone := n.Phone("+15555550123")
			u := newTerminal(t, n.NewModem(kind))
			synctest.Wait()
			u.ask("ATE0+CMGF=1")
			require.Contains(t, u.ask("AT+CREG?"), "+CREG: 0,1")
			require.Contains(t, u.ask("AT+COPS=?"), "Telemodem")
			u.send("AT+CMGS=\"+15555550123\"\r")
			u.wait("the prompt", "> ")
			u.send("level 3.2 m\x1a")
			u.wait("sent", "OK\r\n")
			synctest.Wait()
			require.Len(t, phone.Inbox(), 1)
			require.Zero(t, time.Since(begin))
			u.line.Close()
		})
	}
}
