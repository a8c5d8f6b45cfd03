package fakemodem_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

func TestUSSD(t *testing.T) {
	menu := func(from, text string) (string, bool) {
		if text == "*100#" {
			return "1 balance", true
		}
		return from + " has 5 €", false
	}
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		n.HandleUSSD("*100#", menu)
		u.ask("ATE0+CMEE=1")
		require.Equal(t, ok, u.ask(`AT+CUSD=1,"*100#",15`), "OK comes first")
		u.want("a menu", "\r\n+CUSD: 1,\"1 balance\",15\r\n")
		u.ask(`AT+CSCS="UCS2"`)
		u.ask(`AT+CUSD=1,"0031",15`)
		u.want("the end, in the character set", "\r\n+CUSD: 0,\"002B0031003500350035003000300030003000300030003100200068006100730020003500"+"2020AC\",15\r\n")
		u.ask(`AT+CSCS="GSM"`)
		u.ask(`AT+CUSD=1,"*999#"`)
		u.want("nobody answers", "\r\n+CUSD: 4\r\n")
		m.PushUSSD("hello", nil)
		u.want("from the network", "\r\n+CUSD: 0,\"hello\",15\r\n")
	})
	inBubble(t, fakemodem.E173, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		n.HandleUSSD("*100#", menu)
		u.ask("ATE0")
		require.Equal(t, "\r\nERROR\r\n", u.ask(`AT+CUSD=1,"*100#",15`), "this maker wants packed septets")
		require.Equal(t, ok, u.ask(`AT+CUSD=1,"AA180C3602",15`))
		require.Contains(t, u.wait("packed septets", "\",15\r\n"), "+CUSD: 1,\"3190")
	})
}

func TestBroadcast(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0+CMGF=1")
		n.Cell().Broadcast(1, 50, "nobody asked")
		u.quiet("no subscription", time.Minute)
		u.ask(`AT+CNMI=2,1,2,0,0;+CSCB=0,"50-55,919",""`)
		n.Cell().Broadcast(0x10, 919, "flood")
		u.want("a page", "\r\n+CBM: 16,919,1,1,1\r\nflood\r\n")
		n.Cell().Broadcast(0x10, 56, "other")
		u.quiet("not its identifier", time.Minute)
		u.ask("AT+CMGF=0")
		n.Cell().Broadcast(0x10, 50, "x")
		page := u.wait("a page of 88 octets", "46A3D100\r\n")
		require.Contains(t, page, "\r\n+CBM: 88\r\n001000320111F846A3D1")
		require.Len(t, page, len("\r\n+CBM: 88\r\n\r\n")+2*88)
	})
}

func TestPhoneBook(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0+CMEE=1")
		u.ask(`AT+CPBW=,"15550100",145,"office"`)
		u.ask(`AT+CPBW=7,"123",129,"desk"`)
		require.Equal(t, "\r\n+CPBR: 1,\"+15550100\",145,\"office\"\r\n\r\n+CPBR: 7,\"123\",129,\"desk\"\r\n"+ok, u.ask("AT+CPBR=1,250"))
		require.Equal(t, "\r\n+CPBF: 7,\"123\",129,\"desk\"\r\n"+ok, u.ask(`AT+CPBF="de"`))
		u.ask("AT+CPBW=7")
		require.Equal(t, "\r\n+CPBS: \"SM\",1,250\r\n"+ok, u.ask("AT+CPBS?"))
	})
}

// TestStatusReport: the sender hears of delivery and of its failure.
func TestStatusReport(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		phone := n.Phone("+15550100")
		u.ask("ATE0+CMGF=1;+CSMP=49,0,0,0;+CNMI=2,1,0,1,0") // 49: report wanted, validity 5 min
		send := func() {
			u.send("AT+CMGS=\"+15550100\"\r")
			u.wait("a prompt", "> ")
			u.send("hi\x1a")
			u.wait("sent", ok)
		}
		send()
		require.Contains(t, u.wait("a report", ",0\r\n"), `+CDS: 6,1,"+15550100",145,`)
		phone.SetOff(true)
		send()
		u.quiet("not yet", 4*time.Minute)
		time.Sleep(2 * time.Minute)
		require.Contains(t, u.wait("expired", ",70\r\n"), `+CDS: 6,2,"+15550100",145,`)
	})
}

// TestSMSC: what the service centre does to messages.
func TestSMSC(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		phone := n.Phone("+15550100")
		send := func(k int) {
			for range k {
				require.NoError(t, phone.Send(phone.Number(), "x"))
			}
			time.Sleep(time.Hour)
		}
		n.SMSC().Configure(fakemodem.SMSCConfig{Loss: 0.5})
		send(100)
		require.InDelta(t, 50, len(phone.Inbox()), 20)
		lost := n.SMSC().Stats().Lost
		require.Equal(t, 100, len(phone.Inbox())+lost)
		n.SMSC().Configure(fakemodem.SMSCConfig{Duplicate: 1, Delay: time.Minute})
		send(10)
		require.Len(t, phone.Inbox(), 100-lost+20)
		n.SMSC().Configure(fakemodem.SMSCConfig{Inspect: func(s *fakemodem.Submission) fakemodem.Verdict { return fakemodem.Refuse }})
		require.Error(t, phone.Send(m.Number(), "barred"))
		n.SMSC().Configure(fakemodem.SMSCConfig{})
		phone.SetOff(true)
		send(1)
		require.Equal(t, 1, n.SMSC().Stats().Waiting)
		phone.SetOff(false)
		require.Zero(t, n.SMSC().Stats().Waiting, "it comes as soon as the phone is on")
	})
}

// A modem whose storage was full says that it has room when another one is
// chosen for new messages, and does not wait for the next try.
func TestRoomElsewhere(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask(`ATE0+CPMS="SM","SM","SM"`)
		n.SMSC().Configure(fakemodem.SMSCConfig{Retry: time.Hour})
		phone := n.Phone("+15550100")
		for range 25 {
			require.NoError(t, phone.Send(m.Number(), "x"))
		}
		time.Sleep(time.Minute)
		require.Equal(t, 5, n.SMSC().Stats().Waiting)
		u.ask(`AT+CPMS="SM","SM","ME"`)
		time.Sleep(time.Minute)
		require.Zero(t, n.SMSC().Stats().Waiting)
	})
}
