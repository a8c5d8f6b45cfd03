package warthog_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	peer "github.com/warthog618/modem/at"
	"go.uber.org/goleak"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/at/warthog"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/sms"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// SMS both ways over the adapter, on a fake modem.
func TestSMSOverTheAdapter(t *testing.T) {
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	fake := network.NewModem(fakemodem.SIM800)
	line := fake.Line()
	defer line.Close()
	driver := peer.New(line)
	require.NoError(t, driver.Init())
	require.Eventually(t, func() bool {
		circuit, _ := fake.Registered()
		return circuit
	}, 20*time.Second, 10*time.Millisecond)
	service := sms.New(warthog.New(driver, nil), nil)
	phone := network.Phone("+15555550123")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	text := strings.Repeat("Level 3.2 m, pump on. ", 20)
	_, err := service.Send(ctx, sms.Message{To: phone.Number(), Text: text})
	require.NoError(t, err)
	got, err := phone.Receive(ctx)
	require.NoError(t, err)
	require.Equal(t, text, got.Text)

	arrived := make(chan sms.Incoming, 1)
	receiving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- service.Receive(receiving, func(_ context.Context, in sms.Incoming) error {
			arrived <- in
			return nil
		})
	}()
	for _, text := range []string{"report now", text} {
		require.NoError(t, phone.Send(fake.Number(), text))
		select {
		case in := <-arrived:
			require.NoError(t, in.Err)
			require.Equal(t, text, in.Text)
		case <-ctx.Done():
			t.Fatal("the message has not arrived")
		}
	}
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// scripted is a driver on a line whose far end answers by a table.
func scripted(t *testing.T, answers map[string]string) (*warthog.Modem, net.Conn) {
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	go func() {
		lines := bufio.NewReader(far)
		for {
			line, err := lines.ReadString('\r')
			if err != nil {
				return
			}
			io.WriteString(far, answers[strings.TrimSpace(line)])
		}
	}()
	return warthog.New(peer.New(near), nil), far
}

func TestAnswers(t *testing.T) {
	m, _ := scripted(t, map[string]string{
		"AT+CSQ":         "\r\n^RSSI:17\r\n\r\n+CSQ: 17,0\r\n\r\nOK\r\n",
		"AT+CMGR=1":      "\r\n+CMGR: 0,,23\r\n07911326040000F0\r\n\r\nOK\r\n",
		"AT+CGMI":        "\r\nSIMCOM_Ltd\r\n\r\nOK\r\n",
		"AT+CPIN?":       "\r\n+CME ERROR: 14\r\n",
		"AT+CMGD=1":      "\r\n+CMS ERROR: 321\r\n",
		"AT+FAIL":        "\r\nERROR\r\n",
		"AT+CREG?;+CSQ":  "\r\n+CREG: 0,1\r\n+CSQ: 1,2\r\n\r\nOK\r\n",
		`AT+CPIN="0000"`: "\r\n+CME ERROR: incorrect password\r\n",
	})
	run := func(cmd at.Command) ([]at.Info, error) {
		resp, err := m.Command(t.Context(), cmd)
		return resp.Info, err
	}
	info, err := run(at.Command{Text: "+CSQ"})
	require.NoError(t, err)
	require.Equal(t, []at.Info{{Text: "+CSQ: 17,0"}}, info, "without the notification in it")
	info, err = run(at.Command{Text: "+CMGR=1", Body: at.MessageBody})
	require.NoError(t, err)
	require.Equal(t, []at.Info{{Text: "+CMGR: 0,,23", Body: []byte("07911326040000F0")}}, info)
	info, err = run(at.Command{Text: "+CGMI"})
	require.NoError(t, err)
	require.Equal(t, []at.Info{{Text: "SIMCOM_Ltd"}}, info)
	info, err = run(at.Command{Text: "+CREG?;+CSQ"})
	require.NoError(t, err)
	require.Len(t, info, 2)
	_, err = run(at.Command{Text: "+CPIN?"})
	require.ErrorIs(t, err, at.CMEError{Code: 14})
	_, err = run(at.Command{Text: "+CMGD=1"})
	require.ErrorIs(t, err, at.CMSError{Code: 321})
	_, err = run(at.Command{Text: "+FAIL"})
	require.ErrorIs(t, err, at.ResultError{Result: "ERROR"})
	_, err = run(at.Command{Text: `+CPIN="0000"`, Sensitive: true})
	require.ErrorIs(t, err, at.CMEError{Code: 16})
	require.NotContains(t, err.Error(), "0000")
}

func TestRefusals(t *testing.T) {
	m, _ := scripted(t, nil)
	for _, test := range []struct {
		cmd  at.Command
		want error
	}{
		{at.Command{Text: "+X\r"}, at.ErrInvalid},
		{at.Command{Text: "+CMGS=1", Prompt: &at.Prompt{Data: []byte("a\x1a"), End: []byte{0x1a}}}, at.ErrInvalid},
		{at.Command{Text: "+QISEND=0,1", Prompt: &at.Prompt{Data: []byte("a"), Fixed: true}}, warthog.ErrUnsupported},
		{at.Command{Text: "+CIFSR", NoFinal: true}, warthog.ErrUnsupported},
	} {
		_, err := m.Command(t.Context(), test.cmd)
		require.ErrorIs(t, err, test.want)
		var ce *at.CommandError
		require.ErrorAs(t, err, &ce)
		require.Equal(t, at.NothingWritten, ce.Progress)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.Command(ctx, at.Command{Text: "+CSQ"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestTimeLimit(t *testing.T) {
	m, _ := scripted(t, nil)
	_, err := m.Command(t.Context(), at.Command{Text: "+CSQ", Timeout: 20 * time.Millisecond})
	require.ErrorIs(t, err, at.ErrNoAnswer)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = m.Command(ctx, at.Command{Text: "+CSQ", Timeout: 40 * time.Millisecond})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestNotifications(t *testing.T) {
	m, far := scripted(t, nil)
	got := make(chan at.Notification, 10)
	stop := m.Handle("+CMT", func(n at.Notification) { got <- n })
	m.Handle("+CMTI", func(n at.Notification) { got <- n })
	m.Handle("", func(n at.Notification) { t.Error("the empty prefix gets nothing here") })
	io.WriteString(far, "\r\n+CMT: ,23\r\n0791\r\n")
	require.Equal(t, at.Notification{Line: "+CMT: ,23", Body: []byte("0791")}, <-got)
	io.WriteString(far, "\r\n+CMTI: \"SM\",3\r\n")
	require.Equal(t, at.Notification{Line: `+CMTI: "SM",3`}, <-got)
	stop()
	io.WriteString(far, "\r\n+CMT: ,23\r\n0791\r\n\r\n+CMTI: \"SM\",4\r\n")
	require.Equal(t, at.Notification{Line: `+CMTI: "SM",4`}, <-got)
}
