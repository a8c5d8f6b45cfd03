package at

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// F70: the modem hangs up, and tells of the lost context and registration in
// the same breath. That is command mode, however the bytes are cut.
func TestF70HangUpWithNotifications(t *testing.T) {
	const said = "\r\nNO CARRIER\r\n\r\n+CGREG: 2\r\n\r\n+CGEV: NW DEACT \"IP\",\"10.64.0.2\",1\r\n\r\n+PDP: DEACT\r\n"
	for _, step := range []int{1, 7, len(said)} {
		dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
			var heard []string
			m.Handle("+CGREG", func(n Notification) { heard = append(heard, n.Line) })
			c := online(t, s, m, "")
			s.raw("last data")
			for text := said; text != ""; text = text[min(step, len(text)):] {
				s.raw(text[:min(step, len(text))])
			}
			start := time.Now()
			all, err := io.ReadAll(c)
			require.NoError(t, err)
			require.Equal(t, "last data", string(all))
			require.LessOrEqual(t, time.Since(start), 2*time.Second)
			require.ErrorIs(t, c.Err(), ErrCallEnded)
			synctest.Wait()
			require.Equal(t, []string{"+CGREG: 2"}, heard)
		})
	}
}

// F70: data that holds the words is data.
func TestF70NoCarrierInsideTheStream(t *testing.T) {
	for name, text := range map[string]string{
		"binary behind it": "\r\nNO CARRIER\r\n~\xff\x03",
		"prose behind it":  "\r\nNO CARRIER\r\nsaid the modem\r\n",
		"a flag behind it": "\r\nNO CARRIER\r\n+x~",
	} {
		t.Run(name, func(t *testing.T) {
			dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
				c := online(t, s, m, "")
				s.raw(text)
				time.Sleep(time.Minute)
				got := make([]byte, len(text))
				_, err := io.ReadFull(c, got)
				require.NoError(t, err)
				require.Equal(t, text, string(got))
				require.NoError(t, c.Err())
			})
		})
	}
}

// Data that wait behind a Write when the modem hangs up would be commands to it.
func TestDataAreNotWrittenInCommandMode(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		s.line.out.setStuck(true)
		for _, data := range []string{"on its way", "waiting"} {
			_, err := c.Write([]byte(data))
			require.NoError(t, err)
			synctest.Wait()
		}
		s.send("NO CARRIER")
		<-c.Done()
		s.line.out.setStuck(false)
		s.want("", "on its way")
		csq := start(t, m, Command{Text: "+CSQ"})
		s.answerProbe()
		s.wantLine("only after a proof", "AT+CSQ")
		s.send("+CSQ: 17,0", "OK")
		csq.wantOK("", "+CSQ: 17,0")
	})
}

// The guard time before +++ begins when the last data have gone out, however
// long they wait.
func TestEscapeWaitsForTheData(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		c := online(t, s, m, "")
		s.line.out.setStuck(true)
		_, err := c.Write([]byte("data"))
		require.NoError(t, err)
		ended := closing(c)
		time.Sleep(5 * time.Second)
		s.line.out.setStuck(false)
		s.want("", "data")
		time.Sleep(defaultEscapeGuard - time.Millisecond)
		s.wantIdle("the guard time")
		time.Sleep(time.Millisecond)
		s.want("", "+++")
		s.answerHangUp()
		require.NoError(t, <-ended)
	})
}
