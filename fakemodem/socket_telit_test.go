package fakemodem_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/telemodem/telemodem/fakemodem"
)

// A connection, octet by octet as Telit's manuals and transcripts of real
// modems have it, up to the peer's close and what is told of it.
func TestTelitDialogue(t *testing.T) {
	inBubble(t, fakemodem.Telit, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		far := accept(t, n)
		u.play(m, []step{
			{"echo off", "ATE0\r", "ATE0\r\r\nOK\r\n"},
			{"numeric errors", "AT+CMEE=1\r", "\r\nOK\r\n"},
			{"no connection without a context", "AT#SD=1,0,7,\"10.65.0.9\",0,0,1\r", "\r\n+CME ERROR: 3\r\n"},
			{"no context that no socket is for", "AT#SGACT=2,1\r", "\r\n+CME ERROR: 3\r\n"},
			{"its own one", "AT#SGACT=1,1\r", "\r\n#SGACT: 10.64.0.2\r\n\r\nOK\r\n"},
			{"once", "AT#SGACT=1,1\r", "\r\n+CME ERROR: 3\r\n"},
			{"which is told", "AT#SGACT?\r", "\r\n#SGACT: 1,1\r\n\r\n#SGACT: 2,0\r\n\r\n#SGACT: 3,0\r\n\r\n#SGACT: 4,0\r\n\r\n#SGACT: 5,0\r\n\r\nOK\r\n"},
			{"connected when it says OK", "AT#SD=1,0,7,\"10.65.0.9\",0,0,1\r", "\r\nOK\r\n"},
			{"in use", "AT#SD=1,0,7,\"10.65.0.9\",0,0,1\r", "\r\n+CME ERROR: 3\r\n"},
			{"nobody there", "AT#SD=2,0,8,\"10.65.0.9\",0,0,1\r", "\r\n+CME ERROR: 3\r\n"},
			{"online mode is not simulated", "AT#SD=2,0,7,\"10.65.0.9\",0,0,0\r", "\r\n+CME ERROR: 50\r\n"},
			{"nothing to read is an error", "AT#SRECV=1,1500\r", "\r\n+CME ERROR: 3\r\n"},
			{"a prompt with a blank", "AT#SSENDEXT=1,5\r", "\r\n> "},
			{"as many octets", "\x1a\x1b\r\nx", "\r\nOK\r\n"},
			{"which are counted", "AT#SI=1\r", "\r\n#SI: 1,5,0,0,0\r\n\r\nOK\r\n"},
		})
		conn := <-far
		got := make([]byte, 5)
		_, err := io.ReadFull(conn, got)
		require.NoError(t, err)
		require.Equal(t, "\x1a\x1b\r\nx", string(got))
		_, err = conn.Write([]byte("from"))
		require.NoError(t, err)
		u.want("data wait", "\r\nSRING: 1\r\n")
		u.play(m, []step{
			{"told by the state", "AT#SS\r", "\r\n#SS: 1,3,10.64.0.2,0,10.65.0.9,7\r\n" + closed(2, 6) + "\r\nOK\r\n"},
			{"a part", "AT#SRECV=1,3\r", "\r\n#SRECV: 1,3\r\nfro\r\n\r\nOK\r\n"},
			{"the rest", "AT#SRECV=1,1500\r", "\r\n#SRECV: 1,1\r\nm\r\n\r\nOK\r\n"},
		})
		require.NoError(t, conn.Close())
		u.want("some socket was closed", "\r\nNO CARRIER\r\n")
		u.play(m, []step{
			{"by the peer", "AT#SLASTCLOSURE=1\r", "\r\n#SLASTCLOSURE: 1,1\r\n\r\nOK\r\n"},
			{"it was this one", "AT#SS\r", closed(1, 6) + "\r\nOK\r\n"},
			{"the counters remain", "AT#SI=1\r", "\r\n#SI: 1,5,4,0,0\r\n\r\nOK\r\n"},
			{"closed", "AT#SH=1\r", "\r\nOK\r\n"},
			{"the other form", "AT#SCFGEXT2=1,0,0,0,0,2\r", "\r\nOK\r\n"},
			{"and length", "AT#SCFGEXT=1,1,0,0,0,0\r", "\r\nOK\r\n"},
			{"hexadecimal is not simulated", "AT#SCFGEXT=1,1,1,0,0,0\r", "\r\n+CME ERROR: 4\r\n"},
			{"connected anew", "AT#SD=1,0,7,\"10.65.0.9\",0,0,1\r", "\r\nOK\r\n"},
			{"all begins anew", "AT#SI=1\r", "\r\n#SI: 1,0,0,0,0\r\n\r\nOK\r\n"},
		})
		conn = <-far
		_, err = conn.Write([]byte("data"))
		require.NoError(t, err)
		u.want("with a length", "\r\nSRING: 1,4\r\n")
		m.Deactivate(1)
		u.want("the network takes the context away", "\r\nNO CARRIER: 1,4\r\n")
		u.play(m, []step{
			{"the cause", "AT#SLASTCLOSURE=1\r", "\r\n#SLASTCLOSURE: 1,4\r\n\r\nOK\r\n"},
			{"all are closed", "AT#SS\r", closed(1, 6) + "\r\nOK\r\n"},
			{"what was not read is gone", "AT#SRECV=1,4\r", "\r\n+CME ERROR: 3\r\n"},
		})
		conn.Close()
	})
}

// A connection on which nothing happens is closed after 90 s, unless the modem
// was told otherwise.
func TestTelitClosesASilentConnection(t *testing.T) {
	inBubble(t, fakemodem.Telit, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		far := accept(t, n)
		u.play(m, []step{
			{"echo off", "ATE0\r", "ATE0\r\r\nOK\r\n"},
			{"no end by silence for the second", "AT#SCFG=2,1,300,0,600,50\r", "\r\nOK\r\n"},
			{"the context", "AT#SGACT=1,1\r", "\r\n#SGACT: 10.64.0.2\r\n\r\nOK\r\n"},
			{"the first", "AT#SD=1,0,7,\"10.65.0.9\",0,0,1\r", "\r\nOK\r\n"},
			{"the second", "AT#SD=2,0,7,\"10.65.0.9\",0,0,1\r", "\r\nOK\r\n"},
		})
		u.quiet("for a while", 80*time.Second)
		time.Sleep(10 * time.Second)
		u.want("one was closed", "\r\nNO CARRIER\r\n")
		u.quiet("and no more", time.Hour)
		u.play(m, []step{{"since it was silent", "AT#SLASTCLOSURE=1\r", "\r\n#SLASTCLOSURE: 1,3\r\n\r\nOK\r\n"}})
		(<-far).Close()
		(<-far).Close()
	})
}

// closed are the lines of #SS of sockets that are closed.
func closed(from, to int) string {
	var lines strings.Builder
	for ; from <= to; from++ {
		lines.WriteString("\r\n#SS: " + string(rune('0'+from)) + ",0\r\n")
	}
	return lines.String()
}

// accept gives the far ends of connections to 10.65.0.9:7.
func accept(t *testing.T, n *fakemodem.Network) <-chan net.Conn {
	l, err := n.Listen("tcp", "10.65.0.9:7")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	far := make(chan net.Conn, 8)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			far <- conn
		}
	}()
	return far
}

// Datagrams: with their sender and what is left of them, and from anybody.
func TestTelitDatagrams(t *testing.T) {
	inBubble(t, fakemodem.Telit, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.play(m, []step{
			{"echo off", "ATE0\r", "ATE0\r\r\nOK\r\n"},
			{"the context", "AT#SGACT=1,1\r", "\r\n#SGACT: 10.64.0.2\r\n\r\nOK\r\n"},
			{"a peer that is not heard of again", "AT#SD=3,1,9,\"10.65.0.9\",0,5000,1\r", "\r\nOK\r\n"},
			{"its port is taken", "AT#SD=4,1,9,\"10.65.0.9\",0,5000,1\r", "\r\nERROR\r\n"},
			{"nobody", "AT#SD=4,1,1,\"127.0.0.1\",0,5001,1\r", "\r\nOK\r\n"},
			{"to nobody", "AT#SSENDEXT=4,4\r", "\r\nERROR\r\n"},
			{"to the first", "AT#SSENDUDPEXT=4,4,\"~\",5000\r", "\r\n> "},
			{"and the word of it", "test", "\r\nOK\r\n\r\nSRING: 3\r\n"},
			{"a part", "AT#SRECV=3,3,1\r", "\r\n#SRECV: ~,5001,3,3,1\r\ntes\r\n\r\nOK\r\n"},
			{"the rest", "AT#SRECV=3,3,1\r", "\r\n#SRECV: ~,5001,3,1,0\r\nt\r\n\r\nOK\r\n"},
			{"nothing more", "AT#SRECV=3,3,1\r", "\r\nERROR\r\n"},
			{"the state", "AT#SS\r", closed(1, 2) + "\r\n#SS: 3,2,~,5000,10.65.0.9,9\r\n\r\n#SS: 4,2,~,5001,,0\r\n" + closed(5, 6) + "\r\nOK\r\n"},
		})
		u.quiet("no more", time.Second)
	})
}
