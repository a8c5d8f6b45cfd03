package fakemodem_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/ppp"
)

func TestIncomingCall(t *testing.T) {
	for _, c := range []struct {
		kind *fakemodem.Personality
		clip string
	}{
		{fakemodem.SIM800, `+CLIP: "+15550100",145,"",0,"",0`},
		{fakemodem.EC25, `+CLIP: "+15550100",145,,,,0`},
	} {
		t.Run(c.kind.Name, func(t *testing.T) {
			inBubble(t, c.kind, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
				phone := n.Phone("+15550100")
				u.ask("ATE0+CLIP=1")
				call, err := phone.Call(m.Number())
				require.NoError(t, err)
				u.want("it rings", "\r\nRING\r\n\r\n"+c.clip+"\r\n")
				require.True(t, u.line.RI())
				require.Equal(t, "\r\n+CLCC: 1,1,4,0,0,\"+15550100\",145\r\n\r\nOK\r\n", u.ask("AT+CRC=1;+CLCC"))
				u.wait("and rings again", "\r\n+CRING: VOICE\r\n\r\n"+c.clip+"\r\n")
				_, err = phone.Call(m.Number())
				require.Error(t, err, "a phone makes one call at a time")
				second, err := n.Phone("+15550101").Call(m.Number())
				require.NoError(t, err)
				require.ErrorIs(t, second.Answered(t.Context()), fakemodem.ErrBusy)
				require.Equal(t, "\r\nOK\r\n", u.ask("ATA"))
				require.NoError(t, call.Answered(t.Context()))
				require.False(t, u.line.RI())
				u.quiet("no more rings", time.Minute)
				require.Equal(t, "\r\n+CLCC: 1,1,0,0,0,\"+15550100\",145\r\n\r\nOK\r\n", u.ask("AT+CLCC"))
				call.HangUp()
				call.HangUp()
				u.want("the caller goes", "\r\nNO CARRIER\r\n")
				require.Equal(t, "\r\nOK\r\n", u.ask("AT+CLCC"))
				require.Equal(t, "\r\nNO CARRIER\r\n", u.ask("ATA"), "nobody rings")
			})
		})
	}
}

func TestIncomingCallRefusedOrMissed(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		phone := n.Phone("+15550100")
		u.ask("ATE0")
		for _, command := range []string{"ATH", "AT+CHUP"} {
			call, _ := phone.Call(m.Number())
			u.want("a ring", "\r\nRING\r\n")
			require.Equal(t, "\r\nOK\r\n", u.ask(command))
			require.ErrorIs(t, call.Answered(t.Context()), fakemodem.ErrBusy)
			u.quiet("no more rings", time.Minute)
		}
		call, _ := phone.Call(m.Number())
		u.want("a ring", "\r\nRING\r\n")
		call.HangUp()
		require.ErrorIs(t, call.Answered(t.Context()), fakemodem.ErrCallEnded)
		u.want("missed", "\r\nNO CARRIER\r\n")
		u.ask("ATS0=2")
		call, _ = phone.Call(m.Number())
		require.NoError(t, call.Answered(t.Context()), "it answers by itself")
		u.want("after two rings", "\r\nRING\r\n\r\nRING\r\n")
		n.SetCoverage(fakemodem.NoCoverage)
		<-call.Done()
		u.want("the call is lost with the coverage", "\r\nNO CARRIER\r\n")
		call, _ = phone.Call(m.Number())
		require.ErrorIs(t, call.Answered(t.Context()), fakemodem.ErrCallEnded, "not reached")
		require.Nil(t, phone.CurrentCall())
	})
}

func TestOutgoingCall(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		phone, other := n.Phone("+15550100"), newTerminal(t, n.NewModem(fakemodem.EC25, fakemodem.WithNumber("+15550200")))
		time.Sleep(time.Minute)
		other.ask("ATE0")
		u.ask("ATE0S7=20")
		ask := func(command, want string) {
			t.Helper()
			u.send(command + "\r")
			u.wait(command, "\r\n"+want+"\r\n")
		}
		ask("ATD+15550100;", "OK")
		require.Equal(t, m.Number(), phone.CurrentCall().Number())
		ask("AT+CLCC", `+CLCC: 1,0,0,0,0,"+15550100",145`)
		u.wait("the end of it", "\r\nOK\r\n")
		ask("AT+VTS=5", "OK")
		call := phone.CurrentCall()
		ask("ATH", "OK")
		<-call.Done()
		phone.SetCallAnswer(fakemodem.RefuseCalls)
		ask("ATD+15550100;", "BUSY")
		phone.SetCallAnswer(fakemodem.IgnoreCalls)
		start := time.Now()
		ask("ATD+15550100;", "NO ANSWER")
		require.Equal(t, 23*time.Second, time.Since(start).Truncate(time.Second), "S7 behind the time to set up")
		phone.SetOff(true)
		ask("ATD+15550100;", "NO CARRIER")
		ask("ATD+15559999;", "NO CARRIER") // nobody has this number
		ask("ATD+15550200", "NO CARRIER")  // a data call by circuit
		u.send("ATD+15550200;\r")
		other.wait("another modem rings", "\r\nRING\r\n")
		other.send("ATA\r")
		other.wait("it answers", "\r\nOK\r\n")
		u.want("and that is the result", "\r\nOK\r\n")
		other.send("ATH\r")
		u.want("it hangs up", "\r\nNO CARRIER\r\n")
		u.send("ATD+15550200;\r")
		time.Sleep(time.Second)
		u.send("x")
		u.want("any character ends the attempt", "\r\nNO CARRIER\r\n")
		other.line.Close()
	})
}

// TestDialReturnsAtOnce: such modems notify what becomes of the call.
func TestDialReturnsAtOnce(t *testing.T) {
	inBubble(t, fakemodem.SIM7600, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		time.Sleep(time.Minute)
		phone := n.Phone("+15550100")
		u.got = ""
		u.line.SetReadDeadline(time.Now())
		u.line.Read(make([]byte, 4096))
		u.ask("ATE0")
		require.Equal(t, "\r\nOK\r\n", u.ask("ATD+15550100;"))
		u.want("the call", "\r\nVOICE CALL: BEGIN\r\n")
		phone.CurrentCall().HangUp()
		u.want("its end", "\r\nVOICE CALL: END\r\n\r\nNO CARRIER\r\n")
		phone.SetCallAnswer(fakemodem.RefuseCalls)
		require.Equal(t, "\r\nOK\r\n", u.ask("ATD+15550100;"))
		u.want("refused", "\r\nBUSY\r\n")
	})
}

// TestCallsDisturbData: a GSM modem carries no packets during a voice call,
// faults F55 and F80 stop the one or the other.
func TestCallsDisturbData(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		phone := n.Phone("+15550100")
		conn := u.dial(t.Context(), &ppp.Config{EchoInterval: -1})
		ping := func() { require.NoError(t, conn.WritePacket(ipv4(conn.LocalAddr(), n.GatewayAddr(), "?"))) }
		lost := func() int {
			before := n.GatewayStats().Packets
			ping()
			time.Sleep(time.Second)
			return before + 1 - n.GatewayStats().Packets
		}
		require.Zero(t, lost())
		clear, err := m.Inject(fakemodem.Fault{ID: "F55"})
		require.NoError(t, err)
		call, _ := phone.Call(m.Number())
		require.Error(t, call.Answered(t.Context()), "F55: calls do not come in")
		clear()
		call, _ = phone.Call(m.Number())
		require.True(t, u.line.RI())
		time.Sleep(time.Minute)
		require.Zero(t, lost(), "ringing disturbs nothing")
		call.HangUp()

		require.NoError(t, conn.Close())
		u.afterCall()
		u.ask("ATS0=1")
		conn = u.dial(t.Context(), &ppp.Config{EchoInterval: -1})
		call, _ = phone.Call(m.Number())
		require.NoError(t, call.Answered(t.Context()))
		require.Equal(t, 1, lost(), "no packets during a call")
		call.HangUp()
		require.Zero(t, lost(), "and again behind it")
		_, err = m.Inject(fakemodem.Fault{ID: "F80"})
		require.NoError(t, err)
		phone.Call(m.Number())
		<-conn.Done()
		require.ErrorIs(t, conn.Err(), ppp.ErrNoCarrier, "F80")
	})
}
