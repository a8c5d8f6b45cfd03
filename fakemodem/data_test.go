package fakemodem_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/netstack"
	"github.com/telemodem/telemodem/gprs/ppp"
)

// dial brings a data call up on a terminal and PPP on top of it.
func (u *terminal) dial(ctx context.Context, config *ppp.Config) *ppp.Conn {
	u.t.Helper()
	u.ask("ATE0")
	u.send("ATD*99***1#\r")
	u.want("the call", "\r\nCONNECT\r\n")
	u.line.SetReadDeadline(time.Time{})
	conn, err := ppp.Dial(ctx, u.line, config)
	require.NoError(u.t, err)
	return conn
}

func TestDataCallBetweenModems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
		defer n.Close()
		a, b := newTerminal(t, n.NewModem(fakemodem.SIM800)), newTerminal(t, n.NewModem(fakemodem.SIM800))
		time.Sleep(20 * time.Second)
		p, q := a.dial(ctx, nil), b.dial(ctx, nil)
		require.Equal(t, []netip.Addr{n.GatewayAddr()}, p.DNS())
		packet := ipv4(p.LocalAddr(), q.LocalAddr(), "hello")
		require.NoError(t, p.WritePacket(packet))
		got := make([]byte, 1500)
		k, err := q.ReadPacket(got)
		require.NoError(t, err)
		require.Equal(t, packet, got[:k])

		require.NoError(t, p.Close())
		require.Equal(t, "\r\nOK\r\n", a.afterCall(), "command mode behind the call")
		require.NoError(t, q.Close())
		a.line.Close()
		b.line.Close()
	})
}

// afterCall asks for a sign of life behind a data call; PPP may have taken the
// NO CARRIER for itself.
func (u *terminal) afterCall() string {
	return u.lastAnswer("AT")
}

// ipv4 makes a packet without a meaning.
func ipv4(from, to netip.Addr, text string) []byte {
	p := make([]byte, 20, 20+len(text))
	p[0], p[3], p[8], p[9] = 0x45, byte(20+len(text)), 64, 253 // RFC 3692: for experiments
	copy(p[12:], from.AsSlice())
	copy(p[16:], to.AsSlice())
	return append(p, text...)
}

func TestEscapeSequence(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		conn := u.dial(t.Context(), &ppp.Config{EchoInterval: -1})
		time.Sleep(5 * time.Second)
		u.send("+++")
		time.Sleep(500 * time.Millisecond)
		u.send("x")
		time.Sleep(5 * time.Second)
		select {
		case <-conn.Done():
			t.Fatal("+++ without silence behind it is data")
		default:
		}
		require.NoError(t, conn.Close())
		require.Equal(t, "\r\nOK\r\n", u.afterCall())

		u.send("ATD*99#\r")
		u.want("a call", "\r\nCONNECT\r\n")
		time.Sleep(1100 * time.Millisecond)
		u.got = ""
		u.send("+++")
		time.Sleep(time.Second)
		u.wait("silence, +++, silence", "\r\nOK\r\n")
		require.Equal(t, "\r\n+CSQ: 17,0\r\n\r\nOK\r\n", u.ask("AT+CSQ"))
		u.send("ATO\r")
		u.wait("back to the call", "\r\nCONNECT\r\n")
		time.Sleep(1100 * time.Millisecond)
		u.send("+++")
		time.Sleep(time.Second)
		u.wait("and out of it", "\r\nOK\r\n")
		require.Equal(t, "\r\nOK\r\n", u.ask("ATH"))
		require.Equal(t, "\r\nNO CARRIER\r\n", u.ask("ATO"), "there is no call any more")
		require.False(t, m.Addr().IsValid())
	})
}

// TestHeldNotifications: what the modem has to say during a data call comes
// behind it.
func TestHeldNotifications(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0+CNMI=2,1")
		u.send("ATD*99#\r")
		u.want("a call", "\r\nCONNECT\r\n")
		require.NoError(t, n.Phone("+15550100").Send(m.Number(), "hello"))
		time.Sleep(5 * time.Second)
		require.Len(t, m.Messages("SM"), 1)
		require.NoError(t, u.line.SetDTR(false))
		u.wait("the end", "\r\nNO CARRIER\r\n")
		u.want("and then the notification", "\r\n+CMTI: \"SM\",1\r\n")
	})
}

func TestDTR(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		u.ask("ATE0")
		for _, c := range []struct {
			set, want string
			there     bool
		}{
			{"AT&D2", "\r\nNO CARRIER\r\n", false},
			{"AT&D1", "\r\nOK\r\n", true},
		} {
			u.ask(c.set)
			u.send("ATD*99#\r")
			u.want("a call", "\r\nCONNECT\r\n")
			require.True(t, u.line.DCD())
			require.NoError(t, u.line.SetDTR(false))
			u.wait(c.set, c.want)
			require.Equal(t, c.there, u.line.DCD(), "AT&C1 follows the call")
			require.NoError(t, u.line.SetDTR(true))
			u.ask("ATH")
		}
	})
}

func TestDataCoverageLost(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		phone := n.Phone("+15550100")
		u.ask("AT+CGREG=1;+CGEREP=1")
		conn := u.dial(t.Context(), nil)
		n.SetCoverage(fakemodem.VoiceCoverage)
		<-conn.Done()
		require.ErrorIs(t, conn.Err(), ppp.ErrNoCarrier)
		require.Equal(t, "\r\n+CGATT: 0\r\n\r\nOK\r\n", u.lastAnswer("AT+CGATT?"))
		u.ask("AT+CMGF=1")
		u.send("AT+CMGS=\"+15550100\"\r")
		u.wait("a prompt", "> ")
		u.send("still here\x1a")
		u.wait("sent without data coverage", "+CMGS: 1\r\n\r\nOK\r\n")
		msg, err := phone.Receive(t.Context())
		require.NoError(t, err)
		require.Equal(t, "still here", msg.Text)
		n.SetCoverage(fakemodem.FullCoverage)
		u.wait("data is back", "+CGREG: 1\r\n")
		conn = u.dial(t.Context(), nil)
		require.NoError(t, conn.Close())
	})
}

// lastAnswer is ask without what came before the command.
func (u *terminal) lastAnswer(command string) string {
	time.Sleep(10 * time.Second)
	u.line.SetReadDeadline(time.Now())
	u.line.Read(make([]byte, 4096))
	u.got = ""
	return u.ask(command)
}

func TestAuthentication(t *testing.T) {
	inBubble(t, fakemodem.SIM800, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		n.AddAPN(fakemodem.APN{Name: "telemetry", User: "meter", Password: "secret"})
		u.ask("ATE0")
		require.Equal(t, "\r\nNO CARRIER\r\n", u.ask("ATD*99#"), "an unknown access point")
		u.ask(`AT+CGDCONT=1,"IP","telemetry"`)
		u.send("ATD*99#\r")
		u.want("the call", "\r\nCONNECT\r\n")
		u.line.SetReadDeadline(time.Time{})
		_, err := ppp.Dial(t.Context(), u.line, &ppp.Config{User: "meter", Password: "wrong"})
		require.Error(t, err)
		require.Equal(t, "\r\nOK\r\n", u.afterCall())
		conn := u.dial(t.Context(), &ppp.Config{User: "meter", Password: "secret"})
		require.NoError(t, conn.Close())
	})
}

// TestListener reaches a listener inside the network over a data call: the
// whole way of a telemetry agent. It runs in real time, as gVisor must.
func TestListener(t *testing.T) {
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	m := n.NewModem(fakemodem.SIM800)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	waitRegistered(t, ctx, m)
	listener, err := n.Listen("tcp", "10.1.2.3:7000")
	require.NoError(t, err)
	n.AddName("collector.example", netip.MustParseAddr("10.1.2.3"))
	echoed := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, err = io.Copy(conn, conn)
			conn.Close()
		}
		echoed <- err
	}()

	u := newTerminal(t, m)
	link := u.dial(ctx, nil)
	stack, err := netstack.New(link, nil)
	require.NoError(t, err)
	conn, err := stack.DialContext(ctx, "tcp", "collector.example:7000")
	require.NoError(t, err)
	_, err = conn.Write([]byte("one reading"))
	require.NoError(t, err)
	require.NoError(t, conn.(interface{ CloseWrite() error }).CloseWrite())
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "one reading", string(got))
	require.NoError(t, <-echoed)
	require.Equal(t, m.Addr().String(), hostOf(conn.LocalAddr()))
	conn.Close()
	require.NoError(t, stack.Close())
	require.NoError(t, link.Close())
	require.NoError(t, listener.Close())
}

func hostOf(a net.Addr) string {
	host, _, _ := net.SplitHostPort(a.String())
	return host
}
