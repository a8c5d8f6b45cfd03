package fakemodem_test

import (
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// faulty is a modem with a fault, and what is around it.
type faulty struct {
	*terminal
	t     *testing.T
	n     *fakemodem.Network
	m     *fakemodem.Modem
	phone *fakemodem.Phone
	clear func()
}

// inject lets a fault happen.
func (f *faulty) inject(fault fakemodem.Fault) {
	f.t.Helper()
	clear, err := f.m.Inject(fault)
	require.NoError(f.t, err)
	f.clear = clear
}

// answers expects the answer to a command, all of it.
func (f *faulty) answers(command, want string) {
	f.t.Helper()
	require.Equal(f.t, want, f.ask(command), command)
}

// silent sends a command and expects nothing back for some time.
func (f *faulty) silent(command string, d time.Duration) {
	f.t.Helper()
	f.send(command + "\r")
	f.quiet(command, d)
}

// all reads what comes in the next ten seconds.
func (f *faulty) all() string {
	f.line.SetReadDeadline(time.Now().Add(10 * time.Second))
	got := f.got
	f.got = ""
	b := make([]byte, 4096)
	for {
		k, err := f.line.Read(b)
		got += string(b[:k])
		if err != nil {
			return got
		}
	}
}

// text sends a message from the modem.
func (f *faulty) text(body string) string {
	f.ask("AT+CMGF=1")
	f.send("AT+CMGS=\"+15550100\"\r")
	f.wait("a prompt", ">")
	f.send(body + "\x1a")
	return f.all()
}

const (
	ok    = "\r\nOK\r\n"
	csq   = "\r\n+CSQ: 17,0\r\n"
	csqOK = csq + ok
)

// plain injects a fault by its id alone and looks at the answer to one command.
func plain(command, want string) func(*faulty, string) {
	return func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers(command, want)
	}
}

// faultEffects shows for every fault of the catalogue what it does.
var faultEffects = map[string]func(f *faulty, id string){
	"F01": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.want("at once", "\x00\xff\x66\x60\xff")
		f.m.Reset()
		f.want("and at every start", "\x00\xff\x66\x60\xff\r\nRDY\r\n")
		f.all()
	},
	"F02": plain("AT+CSQ", "\x00\x00"+csqOK),
	"F03": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		time.Sleep(time.Minute)
		f.silent("AT", time.Second)
		f.answers("AT", ok)
	},
	"F04": func(f *faulty, id string) {
		whole := f.ask("AT+CLAC")
		f.inject(fakemodem.Fault{ID: id})
		require.Len(f.t, f.ask("AT+CLAC"), len(whole)-8)
		f.answers("AT+CSQ", csqOK)
	},
	"F05": func(f *faulty, id string) {
		whole := f.ask("AT+CLAC")
		f.inject(fakemodem.Fault{ID: id, Probability: 0.005})
		f.send("AT+CLAC\r")
		require.NotEqual(f.t, whole, f.all())
	},
	"F06": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.send("AT+CSQ\r")
		b := make([]byte, 100)
		for i := range csqOK {
			k, err := f.line.Read(b)
			require.NoError(f.t, err)
			require.Equal(f.t, csqOK[i:i+1], string(b[:k]))
		}
	},
	"F07": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		require.Equal(f.t, "\r\n+LONG: "+strings.Repeat("A", 8192), f.all())
	},
	"F08": func(f *faulty, id string) {
		f.ask("AT+CMGF=1")
		require.NoError(f.t, f.phone.Send(f.m.Number(), "hello world"))
		time.Sleep(time.Second)
		f.inject(fakemodem.Fault{ID: id})
		require.NotContains(f.t, f.ask("AT+CMGR=1"), "world")
		require.Contains(f.t, f.ask("AT+CMGR=1"), "hello world")
	},
	"F09": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		time.Sleep(time.Second)
		f.ask("AT+CMGF=1")
		f.send("AT+CMGR=1\r")
		require.Contains(f.t, f.all(), "\r\nOK\r\n\r\n+CMTI: \"SM\",1\r\n\r\nRING\r\n> \r\n")
	},
	"F10": plain("AT+CSCS?", "\r\n+CSCS: \"UCS2\"\r\n"+ok),
	"F11": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("ATE0", "ATE0\r"+ok)
		f.answers("AT", "AT\r"+ok)
	},
	"F12": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CSQ", csqOK)
		f.answers("AT", "AT+CSQ\r"+ok)
	},
	"F13": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.ask("AT+CMGF=1")
		f.send("AT+CMGS=\"+15550100\"\r")
		f.want("another prompt", "\r\n>\r\n")
		f.send("\x1b")
		f.want("it is one", ok)
	},
	"F14": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.ask("AT+CMGF=1")
		f.silent("AT+CMGS=\"+15550100\"", time.Minute)
		f.send("\x1b")
		f.want("ESC ends the wait", ok)
	},
	"F15": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.ask("AT+CMGF=1")
		f.send("AT+CMGS=\"+15550100\"\r")
		f.want("a prompt", "\r\n> ")
		f.send("too early")
		time.Sleep(60 * time.Millisecond)
		f.send("in time\x1a")
		f.all()
		msg, err := f.phone.Receive(f.t.Context())
		require.NoError(f.t, err)
		require.Equal(f.t, "in time", msg.Text)
	},
	"F16": plain("AT+CSQ", strings.ReplaceAll(csqOK, "\r\n", "\r\r\n")),
	"F17": plain("AT+CSQ", ok+csq),
	"F18": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.send("AT+CSQ\r")
		f.want("the information", csq)
		f.quiet("no result", time.Minute)
	},
	"F19": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id, On: "+CREG"})
		f.answers("AT+CREG=2", "\r\nERROR\r\n")
		require.Contains(f.t, f.ask("AT+CREG?"), "+CREG: 2,1,")
	},
	"F20": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.send("AT+CSQ\r")
		require.Equal(f.t, csqOK+ok, f.all())
	},
	"F106": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CMGS=20", "\r\n+CMS ERROR: 310\r\n")
	},
	"F21": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CREG?", "\r\n+CREG: 2\r\n\r\n+CREG: 0,1\r\n"+ok)
		f.answers("AT+CSQ", "\r\n+CSQ: 9,99\r\n"+csqOK)
	},
	"F22": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id, Delay: 3 * time.Second})
		f.silent("AT+CSQ", 2*time.Second)
		f.answers("AT", ok)
		f.want("the late answer", csqOK)
	},
	"F23": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		require.Equal(f.t, 300, strings.Count(f.all(), "+CREG: "))
	},
	"F24": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.want("a socket of former times", "\r\n+CIPRXGET: 1,5\r\n")
	},
	"F25": func(f *faulty, id string) {
		other := f.m.NotificationLine()
		f.inject(fakemodem.Fault{ID: id})
		f.m.Emit("RING")
		b := make([]byte, 100)
		k, err := other.Read(b)
		require.NoError(f.t, err)
		require.Equal(f.t, "\r\nRING\r\n", string(b[:k]))
		f.quiet("nothing here", time.Second)
		other.Close()
	},
	"F26": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.m.Emit("RING")
		f.m.Emit("RING 2")
		f.want("one is lost", "\r\nRING 2\r\n")
	},
	"F27": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT", "\r\n+XUNKNOWN: 7"+ok)
	},
	"F28": func(f *faulty, id string) {
		f.ask("AT+CMGF=1")
		f.phone.Send(f.m.Number(), "body")
		time.Sleep(time.Second)
		f.inject(fakemodem.Fault{ID: id})
		require.Contains(f.t, f.ask("AT+CMGR=1"), "\r\n^RSSI:18\r\nbody\r\n")
	},
	"F104": func(f *faulty, id string) {
		f.ask("ATE1")
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT", "\r\n+CSCON: 1\r\nAT\r"+ok)
	},
	"F105": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		require.GreaterOrEqual(f.t, strings.Count(f.all(), "$GPGGA"), 10)
	},
	"F29": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.send("AT\r")
		b := make([]byte, 100)
		k, err := f.line.Read(b)
		require.NoError(f.t, err)
		require.Equal(f.t, ok+"\r\n+CREG: 1\r\n", string(b[:k]))
	},
	"F30": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		for range 5 {
			f.answers("AT+IFC?", "\r\n+CME ERROR: 14\r\n")
		}
		f.answers("AT+CSQ", csqOK)
	},
	"F31": plain("AT+CSQ", "\r\n+CME ERROR: 515\r\n"),
	"F32": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		for range 10 {
			f.answers("AT+CGACT=1,1", "\r\n+CME ERROR: 3\r\n")
		}
	},
	"F33": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id, Code: 38})
		require.Contains(f.t, f.text("no"), "+CMS ERROR: 38")
		require.Zero(f.t, f.n.SMSC().Stats().Submitted, "what is refused does not arrive")
		require.Contains(f.t, f.text("yes"), "+CMGS: ")
	},
	"F34": func(f *faulty, id string) {
		f.m.OnCommand("+CIPSEND", func(*fakemodem.Call) fakemodem.Result { return fakemodem.Final("SEND OK") })
		f.inject(fakemodem.Fault{ID: id})
		f.send("AT+CIPSEND\r")
		require.Equal(f.t, "\r\nSEND FAIL\r\n", f.all())
	},
	"F35": func(f *faulty, id string) {
		conn := f.dial(f.t.Context(), &ppp.Config{EchoInterval: time.Second, EchoMisses: 2})
		f.inject(fakemodem.Fault{ID: id})
		<-conn.Done()
		require.True(f.t, f.m.Addr().IsValid(), "the context says that it lives")
		f.line.SetDTR(false)
	},
	"F36": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CNMI=2,1", ok)
		f.answers("AT+CNMI?", "\r\n+CNMI: 0,0,0,0,0\r\n"+ok)
	},
	"F37": plain("AT+CFUN?", "\r\n+CFUN: (0,1,4),(0,1)\r\n"+ok),
	"F38": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.silent("AT+COPS=?", 9*time.Minute)
		time.Sleep(time.Minute)
		f.want("at last", "\r\nERROR\r\n")
	},
	"F39": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id, On: "+CSQ", Text: "COMMAND NOT SUPPORT"})
		f.send("AT+CSQ\r")
		f.want("a refusal", "\r\nCOMMAND NOT SUPPORT\r\n")
	},
	"F40": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id, For: time.Minute})
		f.silent("AT", 59*time.Second)
		time.Sleep(2 * time.Second)
		f.answers("AT", ok)
	},
	"F41": plain("AT+CSQ", "\r\nNO CARRIER\r\n"),
	"F42": plain("AT+CSQ", "\r\n+CME ERROR: \r\n"),
	"F43": func(f *faulty, id string) {
		f.ask("AT+CNMI=2,1")
		f.inject(fakemodem.Fault{ID: id})
		require.Contains(f.t, f.ask("AT+CPMS?"), `"SM",20,20`)
		f.phone.Send(f.m.Number(), "no room")
		f.quiet("no notice", time.Hour+10*time.Second)
		f.answers("AT+CMGD=1", ok)
		f.want("room is made, the message comes at once", "\r\n+CMTI: \"SM\",1\r\n")
	},
	"F44": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.want("a lie", "\r\n+CMTI: \"SM\",20\r\n")
		f.answers("AT+CMGR=20", ok)
	},
	"F45": func(f *faulty, id string) {
		f.ask("AT+CNMI=2,1")
		f.inject(fakemodem.Fault{ID: id})
		f.phone.Send(f.m.Number(), "twice")
		require.Equal(f.t, "\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n", f.all())
	},
	"F46": func(f *faulty, id string) {
		f.phone.Send(f.m.Number(), "stays")
		time.Sleep(time.Second)
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CMGD=1", ok)
		require.Contains(f.t, f.ask("AT+CMGL=4"), "+CMGL: 1,")
	},
	"F47": func(f *faulty, id string) {
		f.ask("AT+CNMI=2,1")
		f.inject(fakemodem.Fault{ID: id})
		f.phone.Send(f.m.Number(), "waits")
		f.quiet("nothing comes", time.Hour)
		require.Contains(f.t, f.text("a send"), "+CMTI")
	},
	"F48": func(f *faulty, id string) {
		f.phone.Send(f.m.Number(), "here")
		time.Sleep(time.Second)
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CPMS?", "\r\n+CPMS: \"SM\",0,20,\"SM\",0,20,\"SM\",0,20\r\n"+ok)
	},
	"F49": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.phone.Send(f.m.Number(), longText)
		time.Sleep(time.Second)
		require.Len(f.t, f.m.Messages("SM"), 1)
	},
	"F50": func(f *faulty, id string) {
		f.ask("AT+CNMI=2,2")
		f.inject(fakemodem.Fault{ID: id})
		f.phone.Send(f.m.Number(), "acknowledge me")
		f.wait("a message", "+CMT: ")
		f.all()
		time.Sleep(time.Minute)
		require.Contains(f.t, f.ask("AT+CNMI?"), "+CNMI: 2,0,", "without +CNMA routing ends")
		require.Len(f.t, f.m.Messages("SM"), 1, "it comes again, to be stored")
	},
	"F51": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.want("a lie", "\r\n+CDSI: \"SR\",52\r\n")
	},
	"F52": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers(`AT+CPMS="ME"`, "\r\n+CMS ERROR: 302\r\n")
		require.Contains(f.t, f.ask(`AT+CPMS="ME","ME","ME"`), "+CPMS: 0,50")
	},
	"F53": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.send("AT+CMGS=150\r")
		f.wait("it restarts", "RDY")
		f.all()
	},
	"F54": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		require.Contains(f.t, f.text("one"), "+CMGS: 0\r\n")
		require.Contains(f.t, f.text("two"), "+CMGS: 0\r\n")
	},
	"F55": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		conn := f.dial(f.t.Context(), nil)
		f.phone.Send(f.m.Number(), "waits")
		time.Sleep(time.Hour)
		require.Empty(f.t, f.m.Messages("SM"))
		conn.Close()
		f.clear()
		time.Sleep(3 * time.Second)
		require.Len(f.t, f.m.Messages("SM"), 1)
	},
	"F56": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		time.Sleep(time.Second)
		f.ask("AT+CMGF=1")
		require.Contains(f.t, f.ask("AT+CMGR=1"), "\r\nOK\r\n\r\nOK\r\n")
	},
	"F103": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.phone.SetOff(true)
		for range 20 {
			f.text("x")
		}
		f.phone.SetOff(false)
		time.Sleep(time.Second)
		inbox := f.phone.Inbox()
		require.Len(f.t, inbox, 20)
		ordered := true
		for i := 1; i < len(inbox); i++ {
			ordered = ordered && !inbox[i].Sent.Before(inbox[i-1].Sent)
		}
		require.False(f.t, ordered)
	},
	"F57": func(f *faulty, id string) {
		f.ask("AT+CREG=1")
		f.inject(fakemodem.Fault{ID: id})
		f.want("denied", "\r\n+CREG: 3\r\n")
		f.clear()
		f.wait("allowed again", "+CREG: 1")
	},
	"F58": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CREG?;+CGATT?", "\r\n+CREG: 0,1\r\n\r\n+CGATT: 0\r\n"+ok)
	},
	"F59": func(f *faulty, id string) {
		f.ask("AT+CREG=1")
		f.inject(fakemodem.Fault{ID: id})
		require.Equal(f.t, 20, strings.Count(f.all(), "+CREG: "))
	},
	"F60": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.want("a notice", "\r\n+CPIN: NOT INSERTED\r\n")
		f.answers("AT+CPIN?", "\r\n+CME ERROR: 10\r\n")
		f.clear()
		for text, want := range map[string]string{"pin": "\r\n+CPIN: SIM PIN\r\n" + ok, "puk": "\r\n+CPIN: SIM PUK\r\n" + ok, "blocked": "\r\n+CME ERROR: 13\r\n", "failure": "\r\n+CME ERROR: 13\r\n"} {
			f.inject(fakemodem.Fault{ID: id, Text: text})
			f.all()
			f.answers("AT+CPIN?", want)
			f.clear()
		}
	},
	"F61": plain("AT+CNUM;+CREG?", "\r\n+CREG: 0,3\r\n"+ok),
	"F62": plain("AT+CSQ", "\r\n+CSQ: 99,99\r\n"+ok),
	"F63": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		require.Regexp(f.t, `\+CCLK: "5\d/\d\d/\d\d,\d\d:\d\d:\d\d\+128"`, f.ask("AT+CCLK?"))
	},
	"F64": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.text("when")
		msg, err := f.phone.Receive(f.t.Context())
		require.NoError(f.t, err)
		require.Greater(f.t, time.Until(msg.Sent), 49*time.Hour)
	},
	"F65": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		require.Contains(f.t, f.ask("AT+CPIN?"), "AT+CPIN?\r\r\n+CPIN: SIM PIN\r\n")
		f.ask(`AT+CPIN="1234"`)
	},
	"F66": func(f *faulty, id string) {
		f.ask("AT+CGEREP=1")
		conn := f.dial(f.t.Context(), nil)
		f.inject(fakemodem.Fault{ID: id})
		<-conn.Done()
		require.ErrorIs(f.t, conn.Err(), ppp.ErrNoCarrier)
	},
	"F67": func(f *faulty, id string) {
		conn := f.dial(f.t.Context(), &ppp.Config{EchoInterval: time.Second, EchoMisses: 2})
		f.inject(fakemodem.Fault{ID: id})
		<-conn.Done()
		require.False(f.t, f.m.Addr().IsValid())
		f.line.SetDTR(false)
	},
	"F68": func(f *faulty, id string) {
		conn := f.dial(f.t.Context(), nil)
		f.inject(fakemodem.Fault{ID: id})
		before := f.n.GatewayStats().Dropped
		conn.WritePacket(ipv4(conn.LocalAddr(), f.n.GatewayAddr(), "lost"))
		time.Sleep(time.Second)
		require.Equal(f.t, before+1, f.n.GatewayStats().Dropped)
		conn.Close()
	},
	"F69": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.send("ATD*99#\r")
		f.want("a call", "\r\nCONNECT\r\n")
		f.line.SetReadDeadline(time.Time{})
		_, err := ppp.Dial(f.t.Context(), f.line, nil)
		require.ErrorIs(f.t, err, ppp.ErrNoCarrier)
	},
	"F70": func(f *faulty, id string) {
		conn := f.dial(f.t.Context(), nil)
		f.inject(fakemodem.Fault{ID: id})
		<-conn.Done()
		require.ErrorIs(f.t, conn.Err(), ppp.ErrNoCarrier)
		require.True(f.t, f.line.DCD(), "the call goes on")
		f.line.SetDTR(false)
	},
	"F71": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.send("ATD*99#\r")
		f.want("a call", "\r\nCONNECT\r\n")
		for range 3 {
			require.True(f.t, f.line.DCD())
			time.Sleep(2 * time.Second)
			f.send("+++")
		}
		require.Contains(f.t, f.all(), ok, "the third one is heard")
		f.ask("ATH")
	},
	"F72": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.send("ATD*99#\r")
		f.want("a call", "\r\nCONNECT\r\n")
		f.all()
		f.answers("AT", ok)
	},
	"F73": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("ATD*99#", "\r\nNO CARRIER\r\n")
		f.send("ATD*99#\r")
		f.want("the next one", "\r\nCONNECT\r\n")
		f.line.SetDTR(false)
	},
	"F76": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CGACT=1,1", "\r\n+CME ERROR: 148\r\n")
		f.answers("AT+CGACT=1,1", ok)
	},
	"F77": func(f *faulty, id string) {
		conn := f.dial(f.t.Context(), nil)
		f.inject(fakemodem.Fault{ID: id, Count: 100})
		before := f.n.GatewayStats()
		conn.WritePacket(ipv4(conn.LocalAddr(), f.n.GatewayAddr(), strings.Repeat("x", 81)))
		conn.WritePacket(ipv4(conn.LocalAddr(), f.n.GatewayAddr(), strings.Repeat("x", 80)))
		time.Sleep(time.Second)
		after := f.n.GatewayStats()
		require.Equal(f.t, []int{before.Dropped + 1, before.Packets + 1}, []int{after.Dropped, after.Packets})
		conn.Close()
	},
	"F79": func(f *faulty, id string) {
		f.m.OnCommand("+CIPSTATUS", fakemodem.Answer("STATE: IP GPRSACT"))
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CIPSTATUS", "\r\n+CIPRXGET: 1,0\r\n\r\nSTATE: IP GPRSACT\r\n"+ok)
	},
	"F80": func(f *faulty, id string) {
		conn := f.dial(f.t.Context(), nil)
		f.inject(fakemodem.Fault{ID: id})
		f.phone.Send(f.m.Number(), "sorry")
		<-conn.Done()
		require.ErrorIs(f.t, conn.Err(), ppp.ErrNoCarrier)
	},
	"F93": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id, On: "+CSQ"})
		f.answers("AT", ok)
		f.send("AT+CSQ\r")
		f.wait("a restart in the middle", "\r\nRDY\r\n")
		f.all()
	},
	"F94": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id, After: 2})
		f.answers("AT", ok)
		f.answers("AT", ok)
		f.ask("AT")
		time.Sleep(time.Second)
		f.answers("AT+CMEE?", "AT+CMEE?\r\r\n+CMEE: 0\r\n"+ok)
	},
	"F95": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		_, err := f.line.Read(make([]byte, 1))
		require.Error(f.t, err)
		require.False(f.t, f.m.Plugged())
		time.Sleep(5 * time.Second)
		require.True(f.t, f.m.Plugged())
	},
	"F96": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.m.Reset()
		f.all()
		require.True(f.t, f.m.On())
		f.m.Reset()
		time.Sleep(9 * time.Second)
		require.False(f.t, f.m.On())
		time.Sleep(time.Second)
		require.True(f.t, f.m.On())
		f.all()
	},
	"F97": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		_, err := f.line.Write([]byte("AT\r"))
		require.Error(f.t, err)
		_, err = io.ReadAll(f.line)
		require.Error(f.t, err)
		f.m.Plug()
	},
	"F98": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CFUN=1", ok)
		f.wait("a restart", "RDY")
		f.all()
	},
	"F99": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.silent("AT", 24*time.Hour)
		f.m.Reset()
		f.wait("only the power helps", "RDY")
		f.all()
	},
	"F100": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.silent("AT", 4*time.Minute)
		time.Sleep(2 * time.Minute)
		f.answers("AT", ok)
	},
	"F101": func(f *faulty, id string) {
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CFUN=1,1", ok)
		time.Sleep(time.Minute)
		require.False(f.t, f.m.On())
		time.Sleep(2 * time.Minute)
		require.True(f.t, f.m.On())
		f.all()
	},
	"F102": func(f *faulty, id string) {
		f.ask("AT+CNMI=2,1")
		f.inject(fakemodem.Fault{ID: id})
		f.answers("AT+CMGF?;+CNMI?;+CSCS?", "\r\n+CMGF: 1\r\n\r\n+CNMI: 0,0,0,0,0\r\n\r\n+CSCS: \"UCS2\"\r\n"+ok)
	},
}

// outsideEffects are faults whose effects the tests of other files show.
var outsideEffects = regexp.MustCompile(`^F(74|75|78|8[1-9]|9[0-2])$`)

// TestFaults shows what every fault of the catalogue does, and that the modem
// is well again afterwards.
func TestFaults(t *testing.T) {
	for _, info := range fakemodem.Faults() {
		t.Run(info.ID, func(t *testing.T) {
			effect := faultEffects[info.ID]
			if effect == nil {
				require.Regexp(t, outsideEffects, info.ID, "a fault without a test")
				return
			}
			synctest.Test(t, func(t *testing.T) {
				n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
				defer n.Close()
				m := n.NewModem(fakemodem.SIM800)
				f := &faulty{t: t, n: n, m: m, terminal: newTerminal(t, m), phone: n.Phone("+15550100")}
				time.Sleep(20 * time.Second)
				f.ask("ATE0+CMEE=1")
				effect(f, info.ID)
				f.clear()
				m.ClearFaults()
				require.Empty(t, m.ActiveFaults())
				f.line.Close()
				f.terminal = newTerminal(t, m)
				time.Sleep(3 * time.Minute)
				f.all()
				require.Contains(t, f.ask("AT"), ok, "well again")
				f.line.Close()
			})
		})
	}
}
