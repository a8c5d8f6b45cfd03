package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/sms"
)

// With Config.Sockets the session's one function goes through the sockets
// inside the modem: no data call, and messages and commands beside them.
func TestDataThroughTheModemsSockets(t *testing.T) {
	t.Parallel()
	for _, personality := range []*fakemodem.Personality{fakemodem.SIM800, fakemodem.SIM7600, fakemodem.EC25, fakemodem.BG96, fakemodem.SARAR410, fakemodem.SARAR510, fakemodem.SARAU201, fakemodem.Telit} {
		t.Run(personality.Name, func(t *testing.T) {
			t.Parallel()
			network := newNetwork(t)
			address := echo(t, network)
			cfg := on(network.NewModem(personality))
			cfg.Sockets, cfg.Context = &socket.Config{}, gprs.Context{APN: "internet"}
			s := open(t, cfg)
			events := s.Events(t.Context())
			for range 2 {
				conn, err := s.DialContext(t.Context(), "tcp", address)
				require.NoError(t, err)
				ping(t, conn)
				require.True(t, s.Status().DataUp)
				require.False(t, s.Status().Multiplexed, "nothing occupies the line")
				phone := network.Phone("+15555550199")
				_, err = s.SMS().Send(t.Context(), sms.Message{To: phone.Number(), Text: "beside it"})
				require.NoError(t, err)
				_, err = s.Radio().Signal(t.Context())
				require.NoError(t, err)
				ping(t, conn)
				require.NoError(t, s.Disconnect(t.Context()))
				await(t, events, "data down", func(e session.Event) bool { return e.Kind == session.EventDataDown })
				require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
				_, err = conn.Read(make([]byte, 1))
				require.Error(t, err, "the connection has gone with the service")
			}
		})
	}
}

// A context that the network takes away ends what stands on it; the next dial
// brings it back.
func TestSocketsComeBack(t *testing.T) {
	t.Parallel()
	for _, personality := range []*fakemodem.Personality{fakemodem.EC25, fakemodem.Telit} {
		t.Run(personality.Name, func(t *testing.T) {
			t.Parallel()
			network := newNetwork(t)
			address := echo(t, network)
			fake := network.NewModem(personality)
			cfg := on(fake)
			cfg.Sockets, cfg.Context = &socket.Config{}, gprs.Context{APN: "internet"}
			s := open(t, cfg)
			events := s.Events(t.Context())
			conn, err := s.DialContext(t.Context(), "tcp", address)
			require.NoError(t, err)
			ping(t, conn)
			fake.Deactivate(1)
			await(t, events, "data down", func(e session.Event) bool { return e.Kind == session.EventDataDown })
			conn, err = s.DialContext(t.Context(), "tcp", address)
			require.NoError(t, err)
			ping(t, conn)
		})
	}
}

// A modem whose sockets nobody knows says so instead of making a data call.
func TestSocketsWithoutADialect(t *testing.T) {
	t.Parallel()
	network := newNetwork(t)
	cfg := on(network.NewModem(fakemodem.Plain))
	cfg.Sockets = &socket.Config{}
	s := open(t, cfg)
	_, err := s.DialContext(t.Context(), "tcp", "10.64.1.1:7")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "Config.Sockets")
	_, err = at.Exec(t.Context(), s, "+CSQ")
	require.NoError(t, err)
}
