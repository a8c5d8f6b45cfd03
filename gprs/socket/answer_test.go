package socket

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
)

// scripted answers each command with lines: information up to a final result,
// then the lines of the stages. Counted blocks follow their heads as the Body
// rules say.
type scripted struct {
	lines []string
	asked []string
}

func (s *scripted) Handle(string, func(at.Notification)) func() { return func() {} }

func (s *scripted) Command(_ context.Context, cmd at.Command) (at.Response, error) {
	s.asked = append(s.asked, cmd.Text)
	var res at.Response
	for len(s.lines) > 0 {
		line := s.lines[0]
		s.lines = s.lines[1:]
		if failed := s.final(cmd, line); failed != nil {
			return res, &at.CommandError{Command: "AT" + cmd.Text, Progress: at.DataWritten, Err: failed}
		}
		if line == "OK" || isOneOf(line, cmd.Finals) {
			res.Final = line
			return s.stages(cmd, res)
		}
		info := at.Info{Text: line}
		if cmd.Accept != nil && !cmd.Accept(line) {
			continue
		}
		if cmd.Body != nil {
			if b := cmd.Body(line); b.Octets > 0 && len(s.lines) > 0 {
				info.Body = []byte(s.lines[0])
				info.Body = info.Body[:min(len(info.Body), b.Octets)]
				s.lines = s.lines[1:]
			}
		}
		res.Info = append(res.Info, info)
	}
	return res, &at.CommandError{Command: "AT" + cmd.Text, Progress: at.DataWritten, Err: at.ErrNoAnswer}
}

// final tells the failure that a line is.
func (s *scripted) final(cmd at.Command, line string) error {
	var code int
	switch {
	case line == "ERROR", line == "NO CARRIER", isOneOf(line, cmd.Fails):
		return at.ResultError{Result: line}
	case strings.HasPrefix(line, "+CME ERROR: "):
		fmt.Sscanf(line, "+CME ERROR: %d", &code)
		return at.CMEError{Code: code}
	}
	return nil
}

func (s *scripted) stages(cmd at.Command, res at.Response) (at.Response, error) {
	for _, stage := range cmd.Stages {
		for {
			if len(s.lines) == 0 {
				return res, &at.CommandError{Command: "AT" + cmd.Text, Progress: at.DataWritten, Err: at.ErrNoAnswer}
			}
			line := s.lines[0]
			s.lines = s.lines[1:]
			matched, err := stage.Match(line)
			if err != nil {
				return res, &at.CommandError{Command: "AT" + cmd.Text, Progress: at.DataWritten, Err: err}
			}
			if matched {
				break
			}
		}
	}
	return res, nil
}

// isOneOf: a Final that ends in a colon is a prefix, as the engine has it.
func isOneOf(line string, list []string) bool {
	for _, f := range list {
		if line == f || strings.HasSuffix(f, ":") && strings.HasPrefix(line, f) {
			return true
		}
	}
	return false
}

// bareStack is one that nobody has opened.
func bareStack(cfg Config) *Stack {
	return &Stack{cfg: cfg, sockets: make(map[int]*conn), stop: func() {}, done: make(chan struct{})}
}

// socketOf is a socket 0 of a driver that answers as scripted.
func socketOf(dialect Dialect, network, host string, cfg Config, lines ...string) (driver, *conn) {
	stack := bareStack(cfg)
	stack.driver = dialect.make(&scripted{lines: lines}, &stack.cfg)
	k := newConn(stack, network, host, 80)
	k.id = 0
	return stack.driver, k
}

var sentPiece = piece{data: []byte("hello world!")}

// Answers to a send, as real modems print them.
func TestSendAnswers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		dialect Dialect
		lines   []string
		taken   int
		err     error
	}{
		{"SIM800: all", SIM800, []string{"DATA ACCEPT:0,12"}, 12, nil},
		{"SIM800: a part", SIM800, []string{"DATA ACCEPT:0,5"}, 5, nil},
		{"SIM800: nothing now", SIM800, []string{"0, SEND FAIL"}, 0, errLater},
		{"SIM800: closed", SIM800, []string{"ERROR"}, 0, ErrSocketGone},
		{"SIM800: of another socket", SIM800, []string{"DATA ACCEPT:1,12"}, 0, ErrSendFailed},
		{"SIM800: more than there was", SIM800, []string{"DATA ACCEPT:0,13"}, 0, ErrSendFailed},
		{"SIM800: no figure", SIM800, []string{"DATA ACCEPT:"}, 0, ErrSendFailed},
		{"SIM7600: all", SIM7600, []string{"OK", "+CIPSEND: 0,12,12"}, 12, nil},
		{"SIM7600: a part", SIM7600, []string{"OK", "+CIPSEND: 0,12,7"}, 7, nil},
		{"SIM7600: the link is dead", SIM7600, []string{"OK", "+CIPSEND: 0,12,-1"}, 0, ErrSocketGone},
		{"SIM7600: no client", SIM7600, []string{"+IP ERROR: No active client", "ERROR"}, 0, ErrSocketGone},
		{"Quectel: all", Quectel, []string{"SEND OK"}, 12, nil},
		{"Quectel: the buffer is full", Quectel, []string{"SEND FAIL"}, 0, errLater},
		{"Quectel: not connected", Quectel, []string{"ERROR"}, 0, ErrSocketGone},
		{"u-blox: all", UBlox, []string{"+USOWR: 0,12", "OK"}, 12, nil},
		{"u-blox: a part", UBlox, []string{"+USOWR: 0,9", "OK"}, 9, nil},
		{"u-blox: OK alone", UBlox, []string{"OK"}, 0, nil},
		{"u-blox: gone", UBlox, []string{"+CME ERROR: 3"}, 0, ErrSocketGone},
		{"u-blox: more than there was", UBlox, []string{"+USOWR: 0,99", "OK"}, 0, nil},
		{"Telit: all", Telit, []string{"OK"}, 12, nil},
		{"Telit: an error, but all was sent", Telit, []string{"ERROR", "#SI: 1,12,0,0,12", "OK"}, 12, nil},
		{"Telit: a part", Telit, []string{"+CME ERROR: 563", "#SI: 1,5,0,0,5", "OK"}, 5, nil},
		{"Telit: nothing, and it lives", Telit, []string{"ERROR", "#SI: 1,0,0,0,0", "OK", "#SS: 1,2,10.0.0.1,1024,93.184.216.34,80", "OK"}, 0, errLater},
		{"Telit: nothing, and it is closed", Telit, []string{"ERROR", "#SI: 1,0,0,0,0", "OK", "#SS: 1,0", "OK", "#SLASTCLOSURE: 1,1", "OK"}, 0, ErrSocketGone},
		{"Telit: of another socket", Telit, []string{"ERROR", "#SI: 2,12,0,0,0", "OK"}, 0, ErrSocketGone},
		{"Telit: more than there was", Telit, []string{"ERROR", "#SI: 1,13,0,0,0", "OK"}, 0, ErrSocketGone},
		{"Telit: no counter", Telit, []string{"ERROR", "ERROR"}, 0, ErrSocketGone},
		{"Telit: interrupted, no counter", Telit, []string{"NO CARRIER", "ERROR"}, 0, errTelitInterrupted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, k := socketOf(tt.dialect, "tcp", "example.org", Config{}, tt.lines...)
				n, err := d.send(t.Context(), k, sentPiece)
				require.Equal(t, tt.taken, n)
				require.ErrorIs(t, err, tt.err)
			})
		})
	}
}

// Answers to a read.
func TestReceiveAnswers(t *testing.T) {
	from := netip.MustParseAddrPort("10.1.1.1:5000")
	for _, tt := range []struct {
		name    string
		dialect Dialect
		network string
		host    string
		lines   []string
		want    piece
		err     error
	}{
		{"SIM800", SIM800, "tcp", "example.org", []string{"+CIPRXGET: 2,0,4,0", "\r\nOK", "OK"}, piece{data: []byte("\r\nOK")}, nil},
		{"SIM800 behind a notice", SIM800, "tcp", "example.org", []string{"+CIPRXGET: 1,1", "+CIPRXGET: 2,0,4,9", "data", "OK"}, piece{data: []byte("data")}, nil},
		{"SIM800: nothing", SIM800, "tcp", "example.org", []string{"+CIPRXGET: 2,0,0,0", "OK"}, piece{}, nil},
		{"SIM800: not connected", SIM800, "tcp", "example.org", []string{"ERROR"}, piece{}, ErrSocketGone},
		{"SIM7600", SIM7600, "tcp", "example.org", []string{"+CIPRXGET: 2,0,4,0", "data", "OK"}, piece{data: []byte("data")}, nil},
		{"EC25", Quectel, "tcp", "example.org", []string{"+QIRD: 4", "test", "", "OK"}, piece{data: []byte("test")}, nil},
		{"EC25: nothing", Quectel, "tcp", "example.org", []string{"+QIRD: 0", "OK"}, piece{}, nil},
		{"BG96, UDP service", Quectel, "udp", "", []string{`+QIRD: 4,"10.1.1.1",5000`, "test", "OK"}, piece{[]byte("test"), from}, nil},
		{"BG96, UDP service, no sender", Quectel, "udp", "", []string{`+QIRD: 4`, "test", "OK"}, piece{data: []byte("test")}, nil},
		{"SARA-R4", UBlox, "tcp", "example.org", []string{`+USORD: 0,4,"`, "te\"t", "OK"}, piece{data: []byte("te\"t")}, nil},
		{"SARA-R4: nothing", UBlox, "tcp", "example.org", []string{`+USORD: 0,""`, "OK"}, piece{}, nil},
		{"SARA-R5: nothing", UBlox, "tcp", "example.org", []string{`+USORD: 0,0`, "OK"}, piece{}, nil},
		{"SARA-R4: gone", UBlox, "tcp", "example.org", []string{"+CME ERROR: 3"}, piece{}, ErrSocketGone},
		{"SARA-R4, UDP", UBlox, "udp", "", []string{`+USORF: 0,"10.1.1.1",5000,4,"`, "test", "OK"}, piece{[]byte("test"), from}, nil},
		{"HE910", Telit, "tcp", "example.org", []string{"#SRECV: 1,4", "\r\nOK", "", "OK"}, piece{data: []byte("\r\nOK")}, nil},
		{"Telit without a blank", Telit, "tcp", "example.org", []string{"#SRECV:1,4", "data", "OK"}, piece{data: []byte("data")}, nil},
		{"Telit: nothing", Telit, "tcp", "example.org", []string{"#SRECV: 1,0", "OK"}, piece{}, nil},
		{"LE910: nothing", Telit, "tcp", "example.org", []string{"ERROR", "#SI: 1,0,9,0,0", "OK"}, piece{}, nil},
		{"LE910: something, and yet an error", Telit, "tcp", "example.org", []string{"ERROR", "#SI: 1,0,9,9,0", "OK"}, piece{}, ErrSocketGone},
		{"ME310: dead", Telit, "tcp", "example.org", []string{"#SRECV: 1,4294967295", "OK"}, piece{}, ErrSocketGone},
		{"Telit: interrupted, nothing was read", Telit, "tcp", "example.org", []string{"NO CARRIER", "#SI: 1,0,0,9,0", "OK"}, piece{}, errLater},
		{"Telit: interrupted, it cannot be told", Telit, "tcp", "example.org", []string{"NO CARRIER", "#SI: 1,0,9,9,0", "OK"}, piece{}, errTelitInterrupted},
		{"Telit: interrupted, something was read", Telit, "tcp", "example.org", []string{"NO CARRIER", "#SI: 1,0,9,0,0", "OK"}, piece{}, errTelitInterrupted},
		{"ME910, UDP", Telit, "udp", "", []string{"#SRECV: 10.1.1.1,5000,1,4,0", "test", "OK"}, piece{[]byte("test"), from}, nil},
		{"ME310, UDP, between quotes", Telit, "udp", "", []string{`#SRECV: "10.1.1.1",5000,1,4,0`, "test", "OK"}, piece{[]byte("test"), from}, nil},
		{"ME910, UDP, longer than the read", Telit, "udp", "10.1.1.1", []string{"#SRECV: 10.1.1.1,5000,1,4,3", "test", "OK", "#SRECV: 10.1.1.1,5000,1,3,0", "ing", "OK"}, piece{data: []byte("test")}, nil},
		{"SARA-U2, UDP with one peer", UBloxPSD, "udp", "10.1.1.1", []string{`+USORF: 0,"10.1.1.1",5000,4,"`, "test", "OK"}, piece{data: []byte("test")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, k := socketOf(tt.dialect, tt.network, tt.host, Config{}, tt.lines...)
			got, err := d.receive(t.Context(), k, 1000)
			require.Equal(t, tt.want, got)
			require.ErrorIs(t, err, tt.err)
		})
	}
}

// Answers about the state of socket 0.
func TestStateAnswers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		dialect Dialect
		network string
		lines   []string
		want    state
	}{
		{"SIM800", SIM800, "tcp", []string{`+CIPSTATUS: 0,0,"TCP","93.184.216.34","80","CONNECTED"`, "OK"}, stateOpen},
		{"SIM800 remote closing", SIM800, "tcp", []string{`+CIPSTATUS: 0,0,"TCP","93.184.216.34","80","REMOTE CLOSING"`, "OK"}, stateClosed},
		{"SIM800 closed", SIM800, "tcp", []string{`+CIPSTATUS: 0,0,"TCP","93.184.216.34","80","CLOSED"`, "OK"}, stateClosed},
		{"SIM800 initial", SIM800, "tcp", []string{`+CIPSTATUS: 0,,"","","","INITIAL"`, "OK"}, stateGone},
		{"SIM800 of another", SIM800, "tcp", []string{`+CIPSTATUS: 1,0,"TCP","93.184.216.34","80","CONNECTED"`, "OK"}, stateGone},
		{"SIM800 refused", SIM800, "tcp", []string{"ERROR"}, stateGone},
		{"SIM7600", SIM7600, "tcp", []string{"+CIPCLOSE: 1,0,0,0,0,0,0,0,0,0", "OK"}, stateOpen},
		{"SIM7600 closed", SIM7600, "tcp", []string{"+CIPCLOSE: 0,1,0,0,0,0,0,0,0,0", "OK"}, stateClosed},
		{"Quectel", Quectel, "tcp", []string{`+QISTATE: 0,"TCP","220.180.239.212",8009,65514,2,1,0,0,"usbmodem"`, "OK"}, stateOpen},
		{"Quectel closing", Quectel, "tcp", []string{`+QISTATE: 0,"TCP","220.180.239.212",8009,65514,4,1,0,0,"usbmodem"`, "OK"}, stateClosed},
		{"Quectel by TLS", Quectel, "tcp", []string{`+QSSLSTATE: 0,"SSLClient","139.217.12.206",443,65344,2,1,4,0,"usbat",1`, "OK"}, stateOpen},
		{"Quectel: not listed", Quectel, "tcp", []string{"OK"}, stateGone},
		{"u-blox", UBlox, "tcp", []string{"+USOCTL: 0,10,4", "OK"}, stateOpen},
		{"u-blox close wait", UBlox, "tcp", []string{"+USOCTL: 0,10,7", "OK"}, stateClosed},
		{"u-blox gone", UBlox, "tcp", []string{"+CME ERROR: 3"}, stateGone},
		{"u-blox datagrams", UBlox, "udp", []string{"+USOCTL: 0,0,17", "OK"}, stateOpen},
		{"Telit", Telit, "tcp", []string{"#SS: 1,2,91.80.90.162,61119,88.37.127.146,10510", "#SS: 2,4,91.80.90.162,1000", "#SS: 3,0", "OK"}, stateOpen},
		{"Telit, data wait", Telit, "tcp", []string{"#SS: 1,3,91.80.90.162,61119,88.37.127.146,10510", "OK"}, stateOpen},
		{"LE910, connecting", Telit, "tcp", []string{"#SS: 1,7", "OK"}, stateOpen},
		{"Telit, listening for others", Telit, "tcp", []string{"#SS: 1,4,91.80.90.162,1000", "OK"}, stateGone},
		{"Telit, not listed", Telit, "tcp", []string{"OK"}, stateGone},
		{"Telit, closed by the peer", Telit, "tcp", []string{"#SS: 1,0", "OK", "#SLASTCLOSURE: 1,1", "OK"}, stateClosed},
		{"Telit, aborted", Telit, "tcp", []string{"#SS: 1,0", "OK", "#SLASTCLOSURE: 1,2", "OK", "#SGACT: 1,1", "OK"}, stateGone},
		{"Telit, no cause known", Telit, "tcp", []string{"#SS: 1,0", "OK", "ERROR", "#SGACT: 1,1", "OK"}, stateClosed},
		{"Telit, the context is gone", Telit, "tcp", []string{"#SS: 1,0", "OK", "#SLASTCLOSURE: 1,4", "OK", "#SGACT: 1,0", "#SGACT: 2,1", "OK"}, stateGone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, k := socketOf(tt.dialect, tt.network, "example.org", Config{}, tt.lines...)
			got, err := d.state(t.Context(), k)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

// Answers to an opening, and what was asked.
func TestOpenAnswers(t *testing.T) {
	secure := Config{Context: 2, TLS: &TLS{Profile: 3}}
	for _, tt := range []struct {
		name    string
		dialect Dialect
		cfg     Config
		network string
		lines   []string
		asked   []string
		err     error
	}{
		{"SIM800", SIM800, Config{}, "tcp", []string{"OK", "0, CONNECT OK"}, []string{`+CIPSTART=0,"TCP","example.org",80`}, nil},
		{"SIM800 of another", SIM800, Config{}, "udp", []string{"OK", "1, CONNECT FAIL", "0, CONNECT OK"}, []string{`+CIPSTART=0,"UDP","example.org",80`}, nil},
		{"SIM800 fails", SIM800, Config{}, "tcp", []string{"OK", "0, CONNECT FAIL"}, []string{`+CIPSTART=0,"TCP","example.org",80`}, ErrRefused},
		{"SIM800 in use", SIM800, Config{}, "tcp", []string{"OK", "0, ALREADY CONNECT"}, []string{`+CIPSTART=0,"TCP","example.org",80`}, ErrRefused},
		{"SIM7600", SIM7600, Config{}, "tcp", []string{"OK", "+CIPOPEN: 0,0"}, []string{`+CIPOPEN=0,"TCP","example.org",80`}, nil},
		{"SIM7600: no name", SIM7600, Config{}, "tcp", []string{"OK", "+CIPOPEN: 0,11"}, []string{`+CIPOPEN=0,"TCP","example.org",80`}, ErrRefused},
		{"SIM7600 UDP", SIM7600, Config{}, "udp", []string{"OK", "+CIPOPEN: 0,0"}, []string{`+CIPOPEN=0,"UDP",,,50000`}, nil},
		{"Quectel", Quectel, Config{}, "tcp", []string{"OK", "+QIOPEN: 1,566", "+QIOPEN: 0,0"}, []string{`+QIOPEN=1,0,"TCP","example.org",80,0,0`}, nil},
		{"Quectel fails", Quectel, Config{}, "tcp", []string{"OK", "+QIOPEN: 0,565"}, []string{`+QIOPEN=1,0,"TCP","example.org",80,0,0`}, ErrRefused},
		{"Quectel by TLS", Quectel, secure, "tcp", []string{"OK", "+QSSLOPEN: 0,0"}, []string{`+QSSLOPEN=2,3,0,"example.org",80,0`}, nil},
		{"Quectel UDP beside TLS", Quectel, secure, "udp", []string{"OK", "+QIOPEN: 0,0"}, []string{`+QIOPEN=2,0,"UDP","example.org",80,0,0`}, nil},
		{"SARA-R4", UBlox, Config{}, "tcp", []string{"+USOCR: 0", "OK", "OK", "+UUSOCO: 0,0"}, []string{"+USOCR=6", `+USOCO=0,"example.org",80,1`}, nil},
		{"SARA-R4 fails", UBlox, Config{}, "tcp", []string{"+USOCR: 0", "OK", "OK", "+UUSOCO: 0,110"}, []string{"+USOCR=6", `+USOCO=0,"example.org",80,1`}, ErrRefused},
		{"SARA-R4 by TLS", UBlox, secure, "tcp", []string{"+USOCR: 0", "OK", "OK", "OK", "OK", "OK", "+UUSOCO: 0,0"},
			[]string{"+USOCR=6", `+USECPRF=3,4,"example.org"`, `+USECPRF=3,10,"example.org"`, "+USOSEC=0,1,3", `+USOCO=0,"example.org",80,1`}, nil},
		{"SARA-G3", UBloxPSD, Config{}, "udp", []string{"+USOCR: 0", "OK", "OK"}, []string{"+USOCR=17", `+USOCO=0,"example.org",80`}, nil},
		{"SARA-G3 fails", UBloxPSD, Config{}, "tcp", []string{"+USOCR: 0", "OK", "ERROR"}, []string{"+USOCR=6", `+USOCO=0,"example.org",80`}, ErrRefused},
		{"Telit", Telit, Config{}, "tcp", []string{"OK"}, []string{`#SD=1,0,80,"example.org",0,0,1`}, nil},
		{"Telit, datagrams", Telit, Config{}, "udp", []string{"OK", "#SS: 1,2,10.0.0.2,49153,93.184.216.34,80", "OK"}, []string{`#SD=1,1,80,"example.org",0,49153,1`, "#SS"}, nil},
		{"Telit fails", Telit, Config{}, "tcp", []string{"+CME ERROR: 559", "#SGACT: 1,1", "OK"}, []string{`#SD=1,0,80,"example.org",0,0,1`, "#SGACT?"}, ErrRefused},
		{"u-blox: no number", UBlox, Config{}, "tcp", []string{"OK"}, []string{"+USOCR=6"}, ErrRefused},
		{"u-blox: a number that cannot be", UBlox, Config{}, "tcp", []string{"+USOCR: 7", "OK"}, []string{"+USOCR=6"}, ErrRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stack := bareStack(tt.cfg)
			modem := &scripted{lines: tt.lines}
			stack.driver = tt.dialect.make(modem, &stack.cfg)
			k := newConn(stack, tt.network, "example.org", 80)
			k.id = 0
			require.ErrorIs(t, stack.driver.open(t.Context(), k), tt.err)
			require.Equal(t, tt.asked, modem.asked)
		})
	}
}

// FuzzAnswers: whatever a modem answers is no panic, no octets that were not
// sent, no block beyond its limit and no number that cannot be.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"OK\n0, CONNECT OK", "DATA ACCEPT:0,12", "+CIPRXGET: 2,0,4,0\ndata\nOK", "+QIRD: 4,\"10.1.1.1\",5000\ntest\nOK",
		"+USORF: 0,\"10.1.1.1\",5000,4,\"\ntest\nOK", "+USOCR: 0\nOK\nOK\n+UUSOCO: 0,0", "+UPSND: 0,8,1\nOK", "+CIPCLOSE: 1,0\nOK",
		"+QISTATE: 0,\"TCP\",\"1.2.3.4\",8009,65514,2,1,0,0,\"usbmodem\"\nOK", "+QIACT: 1,1,1,\"10.7.157.1\"\nOK", "+NETOPEN: 0\nOK\n+NETOPEN: 0",
		"+CIPSEND: 0,12,-1\nOK", "+CME ERROR: 50", "SHUT OK\nOK\nOK", "+USOWR: 0,99999999999999999999\nOK", "0, CLOSE OK",
		"#SRECV: 1,4\ndata\nOK", "#SRECV: 10.1.1.1,5000,1,4,9\ndata\nOK\n#SRECV: 10.1.1.1,5000,1,4,0\ndata\nOK", "NO CARRIER\n#SI: 1,4,9,5,0\nOK",
		"#SS: 1,0\nOK\n#SLASTCLOSURE: 1,4\nOK\n#SGACT: 1,0\nOK", "OK\nOK\nOK\nOK\nOK\nOK\n#SCFG: 1,1,300,90,600,50\nOK",
	} {
		for op := range 7 {
			f.Add(uint8(op), seed)
		}
	}
	f.Fuzz(func(t *testing.T, op uint8, answers string) {
		for _, dialect := range []Dialect{SIM800, SIM7600, Quectel, UBlox, UBloxPSD, Telit} {
			for _, host := range []string{"example.org", ""} {
				fuzzAnswer(t, dialect, host, op, strings.Split(answers, "\n"))
			}
		}
	})
}

func fuzzAnswer(t *testing.T, dialect Dialect, host string, op uint8, lines []string) {
	network := map[bool]string{true: "udp", false: "tcp"}[host == "" || op&8 != 0]
	d, k := socketOf(dialect, network, host, Config{OpenTimeout: time.Second}, lines...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond) // of the pauses between looks
	defer cancel()
	switch op % 7 {
	case 0:
		n, err := d.send(ctx, k, sentPiece)
		if n < 0 || n > len(sentPiece.data) || n > 0 && err != nil {
			t.Fatalf("%v took %d: %v", dialect, n, err)
		}
	case 1:
		got, _ := d.receive(ctx, k, 1000)
		if len(got.data) > maxBlock {
			t.Fatalf("%v gave %d octets", dialect, len(got.data))
		}
		if got.addr.IsValid() && got.addr.Addr().Is4In6() {
			t.Fatalf("%v: sender %v", dialect, got.addr)
		}
	case 2:
		k.id = 0
		if err := d.open(ctx, k); err == nil && (k.id < 0 || k.id >= d.limits().ids) {
			t.Fatalf("%v opened %d", dialect, k.id)
		}
	case 3:
		if s, err := d.state(ctx, k); s > stateOpen || err != nil && s != stateGone {
			t.Fatalf("%v: state %d, %v", dialect, s, err)
		}
	case 4:
		_ = d.start(ctx)
	case 5:
		_ = d.listen(ctx, k)
	case 6:
		_, _ = d.stop(ctx), d.close(ctx, k)
	}
}

// FuzzBodyRules: a rule never announces more than its limit, and only for a
// line of its name.
func FuzzBodyRules(f *testing.F) {
	for _, seed := range []string{"+QIRD: 1500", "+CIPRXGET: 2,0,99999999999,0", `+USORD: 0,37,"`, `+USORF: 1,"10.1.1.1",5000,37,"`, `+USORD: 0,""`, `+USORD: 0,-1,"`, "#SRECV: 1,4294967295", "#SRECV: 10.1.1.1,5000,1,9,0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		for name, rule := range map[string]func(string) at.Body{
			"+QIRD": octets("+QIRD", 0), "+CIPRXGET": octets("+CIPRXGET", 2),
			"+USORD": quotedOctets("+USORD", 1), "+USORF": quotedOctets("+USORF", 3), "#SRECV": octets("#SRECV", 3),
		} {
			if b := rule(line); b.Octets < 0 || b.Octets > maxBlock || b.Octets > 0 && !bytes.HasPrefix([]byte(line), []byte(name+":")) {
				t.Fatalf("%q announces %d octets", line, b.Octets)
			}
		}
		if a := sender(line, 1); a.IsValid() && !a.Addr().IsValid() {
			t.Fatalf("%q comes from %v", line, a)
		}
	})
}

// What is left of a datagram that is longer than a read is not the next one.
func TestTelitDatagramLongerThanARead(t *testing.T) {
	d, k := socketOf(Telit, "udp", "10.1.1.1", Config{},
		"#SRECV: 10.1.1.1,5000,1,4,5", "long", "OK", "#SRECV: 10.1.1.1,5000,1,4,1", "er d", "OK", "#SRECV: 10.1.1.1,5000,1,1,0", "a", "OK",
		"#SRECV: 10.1.1.1,5000,1,4,0", "next", "OK")
	for _, want := range []string{"long", "next"} {
		got, err := d.receive(t.Context(), k, 4)
		require.NoError(t, err)
		require.Equal(t, want, string(got.data))
	}
}
