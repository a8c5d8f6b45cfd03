package socket_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/socket"
)

// listening are the modems that tell who sent a datagram.
var listening = []struct {
	kind    *fakemodem.Personality
	dialect socket.Dialect
	theirs  fakemodem.SocketDialect
	most    int // octets in a datagram
}{
	{fakemodem.BG96, socket.Quectel, fakemodem.SocketsQuectel, 1460},
	{fakemodem.EC25, socket.Quectel, fakemodem.SocketsQuectel, 1460},
	{fakemodem.SARAR410, socket.UBlox, fakemodem.SocketsUblox, 1024},
	{fakemodem.SARAR410, socket.UBloxPSD, fakemodem.SocketsUbloxPSD, 1024},
	{fakemodem.Telit, socket.Telit, fakemodem.SocketsTelit, 1500},
}

// eachListening runs a test for each of them, with a Stack in r.
func eachListening(t *testing.T, fn func(t *testing.T, r *rig, most int)) {
	for _, m := range listening {
		t.Run(m.kind.Name+"/"+m.dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newOnline(t, m.kind, fakemodem.WithSockets(m.theirs))
				r.open(m.dialect)
				fn(t, r, m.most)
			})
		})
	}
}

// open brings the sockets of the rig's modem up.
func (r *rig) open(d socket.Dialect) {
	var err error
	r.stack, err = socket.Open(r.t.Context(), r.modem, d, &socket.Config{APN: "internet"})
	require.NoError(r.t, err)
	r.t.Cleanup(func() { r.stack.Close() })
}

// another is one more modem of the same network, with a Stack.
func (r *rig) another() *rig {
	other := (&rig{t: r.t, n: r.n}).join(fakemodem.BG96)
	other.open(socket.Quectel)
	return other
}

func udpAddr(r *rig, port int) *net.UDPAddr {
	return &net.UDPAddr{IP: r.fake.Addr().AsSlice(), Port: port}
}

// ReadFrom gives each datagram as it was sent, with the one who sent it, and
// WriteTo answers each of them.
func TestListenPacketTellsTheSender(t *testing.T) {
	eachListening(t, func(t *testing.T, r *rig, most int) {
		server, err := r.stack.ListenPacket(t.Context(), "udp", ":5000")
		require.NoError(t, err)
		require.Equal(t, "0.0.0.0:5000", server.LocalAddr().String())
		got := make([]byte, 2000)
		for i, other := range []*rig{r.another(), r.another()} {
			client, err := other.stack.ListenPacket(t.Context(), "udp4", fmt.Sprintf("0.0.0.0:%d", 6000+i))
			require.NoError(t, err)
			for _, size := range []int{1, most / 2, min(most, 1460)} { // what the others can send
				want := bytes.Repeat([]byte{'\r', '\n', 'O', 'K', byte('0' + i)}, most)[:size]
				_, err = client.WriteTo(want, udpAddr(r, 5000))
				require.NoError(t, err)
				n, from, err := server.ReadFrom(got)
				require.NoError(t, err)
				require.Equal(t, want, got[:n])
				require.Equal(t, udpAddr(other, 6000+i).String(), from.String())
				_, err = server.WriteTo([]byte("ack"), from)
				require.NoError(t, err)
				n, from, err = client.ReadFrom(got)
				require.NoError(t, err)
				require.Equal(t, "ack", string(got[:n]))
				require.Equal(t, udpAddr(r, 5000).String(), from.String())
			}
			require.NoError(t, client.Close())
		}
		require.NoError(t, server.Close())
		require.NoError(t, server.Close())
		_, _, err = server.ReadFrom(got)
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = server.WriteTo([]byte("x"), udpAddr(r, 1))
		require.ErrorIs(t, err, net.ErrClosed)
		require.Zero(t, r.fake.OpenSockets())
	})
}

// Datagrams that wait at the modem stay apart and in order.
func TestListenPacketKeepsDatagramsApart(t *testing.T) {
	eachListening(t, func(t *testing.T, r *rig, most int) {
		server, err := r.stack.ListenPacket(t.Context(), "udp", ":5000")
		require.NoError(t, err)
		other := r.another()
		client, err := other.stack.DialContext(t.Context(), "udp", udpAddr(r, 5000).String())
		require.NoError(t, err)
		for i := range 5 {
			_, err := client.Write([]byte(fmt.Sprintf("datagram %d", i)))
			require.NoError(t, err)
		}
		time.Sleep(time.Second)
		got := make([]byte, 100)
		for i := range 5 {
			n, _, err := server.ReadFrom(got)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("datagram %d", i), string(got[:n]))
		}
		require.NoError(t, server.SetReadDeadline(time.Now().Add(time.Second)))
		_, _, err = server.ReadFrom(got)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

// A connection for datagrams hears its peer alone.
func TestDialledDatagramsComeFromThePeerAlone(t *testing.T) {
	eachListening(t, func(t *testing.T, r *rig, most int) {
		other := r.another()
		peer, err := other.stack.ListenPacket(t.Context(), "udp", ":7")
		require.NoError(t, err)
		stranger, err := other.stack.ListenPacket(t.Context(), "udp", ":8")
		require.NoError(t, err)
		c, err := r.stack.DialContext(t.Context(), "udp", udpAddr(other, 7).String())
		require.NoError(t, err)
		_, err = c.Write([]byte("question"))
		require.NoError(t, err)
		got := make([]byte, 100)
		_, from, err := peer.ReadFrom(got)
		require.NoError(t, err)
		_, err = stranger.WriteTo([]byte("forged"), from)
		require.NoError(t, err)
		_, err = peer.WriteTo([]byte("answer"), from)
		require.NoError(t, err)
		n, err := c.Read(got)
		require.NoError(t, err)
		require.Equal(t, "answer", string(got[:n]))
	})
}

// What cannot be one datagram is an error before anything is written.
func TestListenPacketRefusesWhatCannotBeSent(t *testing.T) {
	eachListening(t, func(t *testing.T, r *rig, most int) {
		server, err := r.stack.ListenPacket(t.Context(), "udp", ":0")
		require.NoError(t, err)
		require.NotZero(t, server.LocalAddr().(*net.UDPAddr).Port)
		asked := false
		for _, name := range []string{"+QISEND", "+USOST", "#SSENDUDPEXT"} {
			r.fake.OnCommand(name, func(*fakemodem.Call) fakemodem.Result { asked = true; return fakemodem.Default })
		}
		for _, p := range [][]byte{nil, make([]byte, most+1)} {
			_, err = server.WriteTo(p, udpAddr(r, 7))
			require.ErrorIs(t, err, socket.ErrTooLong)
		}
		for _, addr := range []net.Addr{nil, &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1)}, &net.UnixAddr{Name: "x"}} {
			_, err = server.WriteTo([]byte("x"), addr)
			require.Error(t, err, "%v", addr)
		}
		require.False(t, asked, "nothing is written")
		for _, address := range []string{"5000", ":99999", "10.0.0.1:5000", "[::]:5000"} {
			_, err = r.stack.ListenPacket(t.Context(), "udp", address)
			require.Error(t, err, address)
		}
		_, err = r.stack.ListenPacket(t.Context(), "udp6", ":5000")
		require.Error(t, err)
		_, err = r.stack.ListenPacket(t.Context(), "tcp", ":5000")
		require.Error(t, err)
	})
}

// A port that is taken is an error, and no number is left in use.
func TestListenPacketPortInUse(t *testing.T) {
	eachListening(t, func(t *testing.T, r *rig, most int) {
		_, err := r.stack.ListenPacket(t.Context(), "udp", ":5000")
		require.NoError(t, err)
		_, err = r.stack.ListenPacket(t.Context(), "udp", ":5000")
		require.Error(t, err)
		require.Equal(t, 1, r.fake.OpenSockets())
		var all []net.PacketConn
		for {
			c, err := r.stack.ListenPacket(t.Context(), "udp", ":0")
			if err != nil {
				require.ErrorIs(t, err, socket.ErrNoSocket)
				break
			}
			all = append(all, c)
		}
		require.NotEmpty(t, all)
		require.NoError(t, all[0].Close())
		_, err = r.stack.ListenPacket(t.Context(), "udp", ":0")
		require.NoError(t, err)
	})
}

// A peer that cannot be reached is not the end of a socket that listens.
func TestListenPacketOutlivesARefusedDatagram(t *testing.T) {
	eachListening(t, func(t *testing.T, r *rig, most int) {
		c, err := r.stack.ListenPacket(t.Context(), "udp", ":5000")
		require.NoError(t, err)
		r.fake.SetSocketFaults(fakemodem.SocketFaults{MaxPiece: 3})
		_, err = c.WriteTo([]byte("longer"), udpAddr(r, 5000))
		require.ErrorIs(t, err, socket.ErrSendFailed)
		require.NotErrorIs(t, err, socket.ErrSocketGone)
		r.fake.SetSocketFaults(fakemodem.SocketFaults{})
		_, err = c.WriteTo([]byte("to myself"), udpAddr(r, 5000))
		require.NoError(t, err)
		got := make([]byte, 20)
		n, from, err := c.ReadFrom(got)
		require.NoError(t, err)
		require.Equal(t, "to myself", string(got[:n]))
		require.Equal(t, udpAddr(r, 5000).String(), from.String())
	})
}

// A datagram of which the modem takes a part is an error of that datagram, and
// the rest does not become another one.
func TestPartOfADatagramIsAnError(t *testing.T) {
	for _, m := range listening[2:] { // Quectel takes all or nothing
		synctest.Test(t, func(t *testing.T) {
			r := newOnline(t, m.kind, fakemodem.WithSockets(m.theirs))
			r.open(m.dialect)
			c, err := r.stack.ListenPacket(t.Context(), "udp", ":5000")
			require.NoError(t, err)
			r.fake.SetSocketFaults(fakemodem.SocketFaults{Partial: 4})
			_, err = c.WriteTo([]byte("reading 17"), udpAddr(r, 5000))
			require.ErrorIs(t, err, socket.ErrSendFailed)
			r.fake.SetSocketFaults(fakemodem.SocketFaults{})
			_, err = c.WriteTo([]byte("reading 18"), udpAddr(r, 5000))
			require.NoError(t, err)
			got := make([]byte, 20)
			for _, want := range []string{"read", "reading 18"} {
				n, _, err := c.ReadFrom(got)
				require.NoError(t, err)
				require.Equal(t, want, string(got[:n]))
			}
		})
	}
}

// What a modem's maker does not tell is an error that says so.
func TestListenPacketUnsupported(t *testing.T) {
	for _, d := range dialects[:2] { // SIM800, SIM7600
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, d.ours, d.theirs, nil)
			_, err := r.stack.ListenPacket(t.Context(), "udp", ":5000")
			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.Zero(t, r.fake.OpenSockets())
			for range d.ids { // its number is free again
				r.connect("tcp")
			}
		})
	}
}

// UDP to a server that is no modem: the network's name server.
func TestDatagramsToTheNameServer(t *testing.T) {
	eachListening(t, func(t *testing.T, r *rig, most int) {
		c, err := r.stack.DialContext(t.Context(), "udp", net.JoinHostPort(r.n.GatewayAddr().String(), "53"))
		require.NoError(t, err)
		question := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: 7},
			Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("nowhere.example."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		}
		packed, err := question.Pack()
		require.NoError(t, err)
		_, err = c.Write(packed)
		require.NoError(t, err)
		got := make([]byte, 512)
		n, err := c.Read(got)
		require.NoError(t, err)
		var answer dnsmessage.Message
		require.NoError(t, answer.Unpack(got[:n]))
		require.EqualValues(t, 7, answer.ID)
		require.Equal(t, dnsmessage.RCodeNameError, answer.RCode)
	})
}
