package at

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHandover(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		streams := make(chan io.ReadWriteCloser, 1)
		go func() {
			stream, err := m.Handover(t.Context(), Command{Text: "+CMUX=0"})
			require.NoError(t, err)
			streams <- stream
		}()
		s.wantLine("", "AT+CMUX=0")
		s.raw("\r\nOK\r\n\xf9\x03\r\nNO CARRIER\r\n")
		stream := <-streams
		got := make([]byte, 16)
		_, err := io.ReadFull(stream, got)
		require.NoError(t, err)
		require.Equal(t, "\xf9\x03\r\nNO CARRIER\r\n", string(got), "all of it is the new owner's, at once")
		_, err = stream.Write([]byte{0xf9, 0x0a})
		require.NoError(t, err)
		s.want("", "\xf9\x0a")
		_, err = m.Exec(t.Context(), "+CSQ")
		require.ErrorIs(t, err, ErrDataMode)
		require.NoError(t, stream.Close())
		<-m.Done()
		_, err = stream.Read(got)
		require.Error(t, err)
	})
}

func TestHandoverRefused(t *testing.T) {
	dialogue(t, nil, func(t *testing.T, s *script, m *Modem) {
		failed := make(chan error, 1)
		go func() {
			_, err := m.Handover(t.Context(), Command{Text: "+CMUX=0"})
			failed <- err
		}()
		s.wantLine("", "AT+CMUX=0")
		s.send("ERROR")
		require.ErrorIs(t, <-failed, ResultError{Result: "ERROR"})
		csq := start(t, m, Command{Text: "+CSQ"})
		s.wantLine("the engine goes on", "AT+CSQ")
		s.send("+CSQ: 17,0", "OK")
		csq.wantOK("", "+CSQ: 17,0")
	})
}
