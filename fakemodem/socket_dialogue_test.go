package fakemodem_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/telemodem/telemodem/fakemodem"
)

// step is a line of a dialogue: what the host sends and what comes back, with
// ~ for the modem's own address.
type step struct{ why, send, want string }

func (u *terminal) play(m *fakemodem.Modem, steps []step) {
	u.t.Helper()
	for _, c := range steps {
		own := m.Addr().String()
		u.send(strings.ReplaceAll(c.send, "~", own))
		u.want(c.why, strings.ReplaceAll(c.want, "~", own))
		u.quiet(c.why, 100*time.Millisecond)
	}
}

// The dialogues of sockets for datagrams, octet by octet as the makers print
// them. Each modem sends to itself.
func TestDatagramDialogues(t *testing.T) {
	for _, c := range []struct {
		kind   *fakemodem.Personality
		option fakemodem.Option
		steps  []step
	}{
		{fakemodem.BG96, fakemodem.WithSockets(fakemodem.SocketsQuectel), []step{
			{"echo off", "ATE0\r", "ATE0\r\r\nOK\r\n"},
			{"the context", "AT+QICSGP=1,1,\"internet\",\"\",\"\",0\r", "\r\nOK\r\n"},
			{"is activated", "AT+QIACT=1\r", "\r\nOK\r\n"},
			{"a UDP service", "AT+QIOPEN=1,2,\"UDP SERVICE\",\"127.0.0.1\",0,5000,0\r", "\r\nOK\r\n\r\n+QIOPEN: 2,0\r\n"},
			{"its port is taken", "AT+QIOPEN=1,3,\"UDP SERVICE\",\"127.0.0.1\",0,5000,0\r", "\r\nOK\r\n\r\n+QIOPEN: 3,556\r\n"},
			{"it is listed", "AT+QISTATE=1,2\r", "\r\n+QISTATE: 2,\"UDP SERVICE\",\"\",0,5087,2,1,2,0,\"uart1\"\r\n\r\nOK\r\n"},
			{"a datagram needs a peer", "AT+QISEND=2,4\r", "\r\nERROR\r\n"},
			{"to itself", "AT+QISEND=2,4,\"~\",5000\r", "\r\n> "},
			{"the data, and the notice of it", "test", "\r\nSEND OK\r\n\r\n+QIURC: \"recv\",2\r\n"},
			{"with its sender", "AT+QIRD=2,1500\r", "\r\n+QIRD: 4,\"~\",5000\r\ntest\r\n\r\nOK\r\n"},
			{"nothing more", "AT+QIRD=2,1500\r", "\r\n+QIRD: 0\r\n\r\nOK\r\n"},
			{"closed", "AT+QICLOSE=2\r", "\r\nOK\r\n"},
			{"and gone", "AT+QIRD=2,1500\r", "\r\nERROR\r\n"},
		}},
		{fakemodem.SARAR410, fakemodem.WithSockets(fakemodem.SocketsUblox), []step{
			{"echo off", "ATE0\r", "ATE0\r\r\nOK\r\n"},
			{"a socket with a port", "AT+USOCR=17,5000\r", "\r\n+USOCR: 0\r\n\r\nOK\r\n"},
			{"to itself", "AT+USOST=0,\"~\",5000,4\r", "@"},
			{"the data, and the notice of it", "test", "\r\n+USOST: 0,4\r\n\r\nOK\r\n\r\n+UUSORF: 0,4\r\n"},
			{"with its sender", "AT+USORF=0,1024\r", "\r\n+USORF: 0,\"~\",5000,4,\"test\"\r\n\r\nOK\r\n"},
			{"nothing more", "AT+USORF=0,1024\r", "\r\n+USORF: 0,\"\"\r\n\r\nOK\r\n"},
			{"the protocol", "AT+USOCTL=0,0\r", "\r\n+USOCTL: 0,0,17\r\n\r\nOK\r\n"},
			{"closed", "AT+USOCL=0\r", "\r\nOK\r\n"},
			{"and gone", "AT+USORF=0,1024\r", "\r\nERROR\r\n"},
		}},
		{fakemodem.SARAR410, fakemodem.WithSockets(fakemodem.SocketsUbloxPSD), []step{
			{"echo off", "ATE0\r", "ATE0\r\r\nOK\r\n"},
			{"no profile is active", "AT+UPSND=2,8\r", "\r\n+UPSND: 2,8,0\r\n\r\nOK\r\n"},
			{"the access point", "AT+UPSD=2,1,\"internet\"\r", "\r\nOK\r\n"},
			{"a profile that there is not", "AT+UPSD=7,1,\"internet\"\r", "\r\nERROR\r\n"},
			{"nor a connection without one", "AT+USOCR=6\r", "\r\n+USOCR: 0\r\n\r\nOK\r\n"},
			{"is made", "AT+USOCO=0,\"10.65.0.9\",7\r", "\r\nERROR\r\n"},
			{"the profile is", "AT+UPSDA=2,3\r", "\r\nOK\r\n\r\n+UUPSDA: 0,\"10.64.0.2\"\r\n"},
			{"active now", "AT+UPSND=2,8\r", "\r\n+UPSND: 2,8,1\r\n\r\nOK\r\n"},
			{"with an address", "AT+UPSND=2,0\r", "\r\n+UPSND: 2,0,\"~\"\r\n\r\nOK\r\n"},
			{"no form that does not wait", "AT+USOCO=0,\"10.65.0.9\",7,1\r", "\r\nERROR\r\n"},
			{"deactivated by the host without a word", "AT+UPSDA=2,4\r", "\r\nOK\r\n"},
			{"once", "AT+UPSDA=2,4\r", "\r\nERROR\r\n"},
		}},
	} {
		t.Run(c.kind.Name, func(t *testing.T) {
			inBubble(t, c.kind, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
				u.play(m, c.steps)
			}, c.option)
		})
	}
}

// A connection of u-blox by the form that does not wait.
func TestUbloxConnectsInTheBackground(t *testing.T) {
	inBubble(t, fakemodem.SARAR410, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		l, err := n.Listen("tcp", "10.65.0.9:7")
		require.NoError(t, err)
		defer l.Close()
		accepted := make(chan net.Conn, 1)
		go func() {
			if conn, err := l.Accept(); err == nil {
				accepted <- conn
			}
		}()
		m.SetSocketFaults(fakemodem.SocketFaults{SlowNames: 5 * time.Second})
		n.AddName("gateway.example", l.Addr().(*net.TCPAddr).AddrPort().Addr())
		u.play(m, []step{
			{"echo off", "ATE0\r", "ATE0\r\r\nOK\r\n"},
			{"a socket", "AT+USOCR=6\r", "\r\n+USOCR: 0\r\n\r\nOK\r\n"},
			{"the line is free at once", "AT+USOCO=0,\"gateway.example\",7,1\r", "\r\nOK\r\n"},
			{"for others", "AT+USOCTL=0,10\r", "\r\n+USOCTL: 0,10,0\r\n\r\nOK\r\n"},
		})
		u.want("connected", "\r\n+UUSOCO: 0,0\r\n")
		conn := <-accepted
		defer conn.Close()
		u.play(m, []step{{"the prompt has no line end", "AT+USOWR=0,5\r", "@"}, {"taken", "hello", "\r\n+USOWR: 0,5\r\n\r\nOK\r\n"}})
		got := make([]byte, 5)
		_, err = io.ReadFull(conn, got)
		require.NoError(t, err)
		require.Equal(t, "hello", string(got))
		u.play(m, []step{{"another", "AT+USOCR=6\r", "\r\n+USOCR: 1\r\n\r\nOK\r\n"}})
		u.send(fmt.Sprintf("AT+USOCO=1,%q,8,1\r", "10.65.0.9"))
		u.want("refused by the host", "\r\nOK\r\n\r\n+UUSOCO: 1,111\r\n")
	})
}
