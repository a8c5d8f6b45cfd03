package fakemodem_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// dialogues are exchanges that tell one maker from another, from the manuals
// and drivers that each personality names.
var dialogues = map[string][]struct{ send, want string }{
	"SIM800": {
		{"AT+GMM", "\r\nSIMCOM_SIM800L\r\n" + ok}, {"AT+SPIC", "\r\n+SPIC: 3,3,10,10\r\n" + ok}, {"AT+CEREG?", "\r\nERROR\r\n"},
		{"AT+CMGR=7", ok}, {"AT+CREG=2;+CREG?", "\r\n+CREG: 2,1,\"1816\",\"D04E\"\r\n" + ok},
		{"AT+CNMI=?", "\r\n+CNMI: (0-3),(0-3),(0,2),(0,1),(0,1)\r\n" + ok},
	},
	"SIM7600": {
		{"AT+CNSMOD?", "\r\n+CNSMOD: 0,8\r\n" + ok}, {"AT+CMGR=7", "\r\n+CMS ERROR: Invalid memory index\r\n"},
		{"AT+CREG=2;+CREG?", "\r\n+CREG: 2,1,\"1816\",\"D04E\",7\r\n" + ok}, {"AT+CFUN=9", "\r\n+CME ERROR: incorrect parameters\r\n"},
	},
	"M95":  {{"AT+CGMM", "\r\nQuectel_M95\r\n" + ok}, {"AT+QINISTAT", "\r\n+QINISTAT: 3\r\n" + ok}, {"AT+CEREG?", "\r\nERROR\r\n"}},
	"EC25": {{"AT+QPINC?", "\r\n+QPINC: \"SC\",3,10\r\n\r\n+QPINC: \"P2\",3,10\r\n" + ok}, {"AT+CNMI?", "\r\n+CNMI: 2,1,0,0,0\r\n" + ok}, {"AT+CPMS?", "\r\n+CPMS: \"ME\",0,255,\"ME\",0,255,\"ME\",0,255\r\n" + ok}, {"AT+CNMI=3,1", "\r\n+CMS ERROR: 302\r\n"}, {"AT+QCSQ", "\r\n+QCSQ: \"LTE\",-79,-108,195,-10\r\n" + ok}},
	"BG96": {
		{"AT+QCFG=\"nwscanmode\",3,1", ok}, {"AT+QCFG=\"nwscanmode\"", "\r\n+QCFG: \"nwscanmode\",3,1\r\n" + ok}, {"AT+QCSQ", "\r\n+QCSQ: \"eMTC\",-79,-108,195,-10\r\n" + ok},
	},
	"SARA-U201": {{"AT+UPINCNT", "\r\n+UPINCNT: 3,3,10,10\r\n" + ok}, {"AT+CGMI", "\r\nu-blox\r\n" + ok}},
	"SARA-R410": {{"AT+CEREG?", "\r\n+CEREG: 0,1\r\n" + ok}, {"AT+UPSV?", "\r\n+UPSV: 0\r\n" + ok}},
	"SARA-R510": {{"AT+CGMM", "\r\nSARA-R510S\r\n" + ok}},
	"E173":      {{"AT+NOSUCH", "\r\nCOMMAND NOT SUPPORT\r\n"}, {"AT^CPIN?", "\r\n^CPIN: READY,,10,3,10,3\r\n" + ok}, {"AT+CNMA", "\r\nCOMMAND NOT SUPPORT\r\n"}, {"AT^CURC=0", ok}},
	"E3372":     {{"AT^HCSQ?", "\r\n^HCSQ: \"LTE\",34,30,58\r\n" + ok}},
	"Telit":     {{"AT#QSS?", "\r\n#QSS: 2,3\r\n" + ok}, {"AT#CCID", "\r\n#CCID: 8988000000000000016\r\n" + ok}},
	"Cinterion": {{"AT+CNMI=2,1,0,0,1", ok}, {"AT+CNMI=2,1,0,0,0", "\r\n+CMS ERROR: 302\r\n"}, {"AT^SPIC?", "\r\n^SPIC: 3\r\n" + ok}},
	"Sierra":    {{"AT+CPINC?", "\r\n+CPINC: 3,3,10,10\r\n" + ok}, {"AT*CNTI=0", "\r\n*CNTI: 0,LTE\r\n" + ok}},
	"ZTE":       {{"AT+ZPAS?", "\r\n+ZPAS: \"UMTS\",\"CS_PS\"\r\n" + ok}, {"ATE0+CPMS?", "\r\n+CPMS: \"SM\",0,15,\"SM\",0,15,\"SM\",0,15\r\n" + ok}},
	"Plain":     {{"AT+CPINR=\"SIM PIN\"", "\r\n+CPINR: SIM PIN,3\r\n" + ok}, {"AT^SYSINFO", "\r\nERROR\r\n"}},
	"CDMA":      {{"AT+CPIN?", "\r\nERROR\r\n"}, {"AT+CAD?", "\r\n+CAD: 1\r\n" + ok}},
}

// TestPersonalities runs the same checks against every personality: it boots,
// says who it is, lists its commands, and carries messages and data calls.
func TestPersonalities(t *testing.T) {
	for _, kind := range fakemodem.Personalities() {
		t.Run(kind.Name, func(t *testing.T) {
			found, known := fakemodem.FindPersonality(strings.ToLower(kind.Name))
			require.True(t, known)
			require.Same(t, kind, found)
			synctest.Test(t, func(t *testing.T) {
				n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
				defer n.Close()
				m := n.NewModem(kind, fakemodem.PoweredOff())
				f := &faulty{t: t, n: n, m: m, terminal: newTerminal(t, m), phone: n.Phone("+15550100")}
				f.silent("AT", time.Second)
				m.PowerOn()
				time.Sleep(30 * time.Second)
				boot := f.all()
				for _, step := range kind.Boot {
					require.Contains(t, boot, step.Line)
				}
				f.ask("ATE0")
				for _, d := range dialogues[kind.Name] {
					f.send(d.send + "\r")
					require.Equal(t, d.want, f.all(), d.send)
				}
				require.NotEmpty(t, dialogues[kind.Name], "a personality without a dialogue")
				f.conforms(kind)
				f.line.Close()
			})
		})
	}
}

// conforms are the checks that every personality must pass.
func (f *faulty) conforms(kind *fakemodem.Personality) {
	t := f.t
	require.Contains(t, f.ask("AT+CGMM"), kind.Model)
	require.Contains(t, f.ask("AT+CGSN"), f.m.IMEI())
	list := f.ask("AT+CLAC")
	require.Contains(t, list, "+CMGS\r\n")
	for _, name := range kind.Refused {
		require.NotContains(t, list, name+"\r\n")
	}
	require.Contains(t, f.ask("AT+CREG?"), ",1")
	f.ask("AT+CMGF=0;+CNMI=2,1,0,0,1")
	f.phone.Send(f.m.Number(), longText)
	require.Equal(t, 3, strings.Count(f.all(), "+CMTI: "))
	require.Equal(t, 3, strings.Count(f.ask("AT+CMGL=4"), "+CMGL: "))
	require.Contains(t, f.text("from "+kind.Name), "+CMGS: ")
	msg, err := f.phone.Receive(t.Context())
	require.NoError(t, err)
	require.Equal(t, "from "+kind.Name, msg.Text)
	number := "ATD*99#\r"
	if kind == fakemodem.CDMA {
		number = "ATD#777\r"
	}
	f.send(number)
	f.wait("a data call", "\r\nCONNECT")
	require.True(t, f.m.Addr().IsValid())
	f.line.SetDTR(false)
	f.all()
	require.Contains(t, f.ask("AT"), ok)
}
