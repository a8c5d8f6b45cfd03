package fakemodem_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

func TestSIMFiles(t *testing.T) {
	inBubble(t, fakemodem.EC25, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0+CMEE=1")
		for _, c := range []struct{ why, send, want string }{
			{"EF ICCID", "176,12258,0,0,10", `+CRSM: 144,0,"988800000000000010F6"`},
			{"a part of it", "176,12258,0,1,2", `+CRSM: 144,0,"8800"`},
			{"more than there is", "176,12258,0,8,9", `+CRSM: 103,0,""`},
			{"EF IMSI", "176,28423,0,0,9", `+CRSM: 144,0,"080910100000000010"`},
			{"EF SPN", "176,28486,0,0,17", `+CRSM: 144,0,"0154656C656D6F64656DFFFFFFFFFFFFFF"`},
			{"EF AD: two digits of network", "176,28589,0,0,4", `+CRSM: 144,0,"00000002"`},
			{"EF SMSP: the service centre", "178,28482,1,4,40", `+CRSM: 144,0,"FFFFFFFFFFFFFFFFFFFFFFFFFDFFFFFFFFFFFFFFFFFFFFFFFF07915155009099F9FFFFFFFFFFFFFF"`},
			{"no second record", "178,28482,2,4,40", `+CRSM: 148,2,""`},
			{"the header of a file", "192,28539", `+CRSM: 144,0,"0000000C6F7B040000000001020000"`},
			{"no such file", "176,1,0,0,0", `+CRSM: 106,130,""`},
			{"not ours to write", `214,28423,0,0,1,"00"`, `+CRSM: 152,4,""`},
			{"a wrong length", `214,28539,0,0,12,"FF"`, `+CRSM: 103,0,""`},
			{"no hexadecimal digits", `214,28539,0,0,1,"XX"`, "+CME ERROR: 50"},
		} {
			require.Contains(t, u.ask("AT+CRSM="+c.send), "\r\n"+c.want+"\r\n", c.why)
		}
	})
}

// TestForbiddenNetwork: reject cause 11 outlasts the operator's mistake, on
// the SIM, until the host clears the list.
func TestForbiddenNetwork(t *testing.T) {
	const empty = `+CRSM: 144,0,"FFFFFFFFFFFFFFFFFFFFFFFF"`
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0")
		for _, begin := range []func(){
			func() { n.Cell().Refuse(11); n.Cell().Refuse(0) },
			func() { m.Inject(fakemodem.Fault{ID: "F57", Text: "forbidden"}) },
		} {
			require.Contains(t, u.ask("AT+CRSM=176,28539,0,0,12"), empty)
			begin()
			m.Reset()
			u.wait("a restart", "RDY")
			time.Sleep(time.Minute)
			u.ask("ATE0")
			u.got = ""
			require.Contains(t, u.ask("AT+CREG?"), "+CREG: 0,3\r\n", "a restart does not help")
			require.Contains(t, u.ask("AT+CRSM=176,28539,0,0,12"), `+CRSM: 144,0,"00F110FFFFFFFFFFFFFFFFFF"`)
			require.Contains(t, u.ask(`AT+CRSM=214,28539,0,0,12,"FFFFFFFFFFFFFFFFFFFFFFFF"`), "OK")
			time.Sleep(time.Minute)
			require.Contains(t, u.ask("AT+CREG?"), "+CREG: 0,1\r\n", "clearing does")
		}
	})
}
