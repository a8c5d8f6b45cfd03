package fakemodem_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs/netstack"
)

// TestChaos: a profile strikes, the same way each time, and leaves a modem
// that can be used.
func TestChaos(t *testing.T) {
	run := func(t *testing.T, profile fakemodem.Chaos) (struck []string) {
		synctest.Test(t, func(t *testing.T) {
			n := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal, Seed: 7})
			defer n.Close()
			m := n.NewModem(fakemodem.SIM800)
			line := m.Line()
			stop := m.Chaos(profile, func(f fakemodem.Fault) { struck = append(struck, f.ID) })
			for range 24 * 60 {
				line.Write([]byte("AT+CSQ\r"))
				line.SetReadDeadline(time.Now().Add(time.Minute))
				io.ReadAll(line)
			}
			stop()
			line.Close()
			m.ClearFaults()
			m.Reset()
			u := newTerminal(t, m)
			time.Sleep(time.Minute)
			require.Contains(t, u.ask("AT"), "OK")
			u.line.Close()
		})
		return struck
	}
	for name, profile := range map[string]fakemodem.Chaos{"field": fakemodem.ChaosField, "line": fakemodem.ChaosLine} {
		first := run(t, profile)
		require.Greater(t, len(first), 50, name)
		require.Equal(t, first, run(t, profile), "the seed decides: %s", name)
	}
}

func TestJourney(t *testing.T) {
	inBubble(t, fakemodem.EC25, func(t *testing.T, n *fakemodem.Network, m *fakemodem.Modem, u *terminal) {
		abroad := n.AddCell(fakemodem.CellConfig{PLMN: "00102", Operator: "Elsewhere", Technology: fakemodem.GSM, Area: 0x0042})
		u.ask("ATE0+CREG=2")
		stop := m.Journey([]fakemodem.Place{
			{For: time.Hour, Coverage: fakemodem.FullCoverage, Signal: -113},
			{For: time.Hour, Coverage: fakemodem.NoCoverage},
			{Cell: abroad, Coverage: fakemodem.FullCoverage},
		}, false)
		defer stop()
		require.Equal(t, "\r\n+CSQ: 0,0\r\n"+ok, u.ask("AT+CSQ"))
		time.Sleep(90 * time.Minute)
		u.want("a tunnel", "\r\n+CREG: 2\r\n")
		time.Sleep(time.Hour)
		u.wait("roaming", "+CREG: 5,\"0042\",\"D04F\",0\r\n")
		require.Equal(t, "\r\n+COPS: 0,0,\"Elsewhere\",0\r\n"+ok, u.ask("AT+COPS?"))
		abroad.Refuse(11)
		u.wait("not allowed", "+CREG: 3\r\n")
	})
}

// TestForward reaches a real server of this machine over a data call.
func TestForward(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		if conn, err := server.Accept(); err == nil {
			io.Copy(conn, conn)
			conn.Close()
		}
	}()
	n := fakemodem.NewNetwork(nil)
	defer n.Close()
	require.NoError(t, n.Forward("10.9.9.9:80", server.Addr().String()))
	m := n.NewModem(fakemodem.EC25)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	waitRegistered(t, ctx, m)
	u := newTerminal(t, m)
	u.ask("ATE0X0")
	link := u.dial(ctx, nil)
	stack, err := netstack.New(link, nil)
	require.NoError(t, err)
	conn, err := stack.DialContext(ctx, "tcp", "10.9.9.9:80")
	require.NoError(t, err)
	_, err = conn.Write([]byte("out and back"))
	require.NoError(t, err)
	got := make([]byte, 12)
	_, err = io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, "out and back", string(got))
	conn.Close()
	require.NoError(t, stack.Close())
	link.Close()
}
