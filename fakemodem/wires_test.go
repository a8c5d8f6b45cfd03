package fakemodem_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

func TestRTSHoldsOutput(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0")
		require.NoError(t, u.line.SetRTS(false))
		require.Equal(t, "\r\nOK\r\n", u.ask("AT"), "without flow control the wire means nothing")
		u.send("AT+IFC=2,2\r")
		u.quiet("held from now on", time.Minute)
		m.Emit("+LATER: 1")
		u.quiet("notifications too", time.Minute)
		require.NoError(t, u.line.SetRTS(true))
		u.want("all in order", "\r\nOK\r\n\r\n+LATER: 1\r\n")
	})
}

func TestCTSHoldsWrites(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0+IFC=2,2")
		require.Contains(t, u.ask("AT+IFC?"), "+IFC: 2,2")
		m.HoldInput(true)
		require.False(t, u.line.CTS())
		require.True(t, u.line.DSR())
		written := make(chan error, 1)
		go func() {
			_, err := u.line.Write([]byte("AT+CSQ\r"))
			written <- err
		}()
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, written, "the write waits")
		m.HoldInput(false)
		require.NoError(t, <-written)
		require.True(t, u.line.CTS())
		u.want("and nothing is lost", "\r\n+CSQ: 17,0\r\n\r\nOK\r\n")

		m.HoldInput(true)
		go func() {
			_, err := u.line.Write([]byte("AT\r"))
			written <- err
		}()
		synctest.Wait()
		require.NoError(t, u.line.Close())
		require.Error(t, <-written, "Close ends it")
	})
}

func TestInputLostWithoutFlowControl(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0")
		m.HoldInput(true)
		u.send("AT+CSQ\r")
		m.HoldInput(false)
		require.Equal(t, "\r\nOK\r\n", u.ask("AT"))
	})
}

func TestXONXOFF(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0+IFC=1,1")
		u.send("AT\x13\r")
		u.quiet("XOFF holds the answer", time.Minute)
		u.send("\x11")
		u.want("XON lets it go, and neither is part of the command", "\r\nOK\r\n")
		m.HoldInput(true)
		u.want("the modem says so too", "\x13")
		m.HoldInput(false)
		u.want("and takes again", "\x11")
		require.Equal(t, "\r\nOK\r\n", u.ask("AT"))
		u.send("\x13")
		m.Reset()
		u.wait("a restart forgets XOFF", "RDY")
	})
}

func TestRingIndicatorForMessages(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0+CNMI=2,1")
		require.NoError(t, n.Phone("+15550100").Send(m.Number(), "hello"))
		u.want("a message", "\r\n+CMTI: \"SM\",1\r\n")
		require.True(t, u.line.RI())
		time.Sleep(121 * time.Millisecond)
		require.False(t, u.line.RI())
	})
}
