package session

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
)

// Which modem gets messages, and why another does not.
func TestUnfit(t *testing.T) {
	registered := func(state gprs.RegistrationState) Status {
		return Status{State: StateRegistered, Registration: gprs.Registration{State: state}}
	}
	fit := registered(gprs.StateHome)
	for name, c := range map[string]struct {
		change func(*member, *Status)
		unfit  string
	}{
		"registered":           {func(*member, *Status) {}, ""},
		"roaming":              {func(_ *member, s *Status) { *s = registered(gprs.StateRoaming) }, ""},
		"for messages alone":   {func(_ *member, s *Status) { *s = registered(gprs.StateSMSOnlyHome); s.State = StateSearching }, ""},
		"refused":              {func(_ *member, s *Status) { *s = registered(gprs.StateDenied) }, "registration: " + gprs.StateDenied.String()},
		"recovering":           {func(_ *member, s *Status) { s.State = StateRecovering }, "recovering"},
		"failed":               {func(_ *member, s *Status) { s.State = StateFailed }, "failed"},
		"leaving":              {func(m *member, _ *Status) { m.leaving = true }, "being removed"},
		"being set up":         {func(m *member, _ *Status) { m.session.relay.hold(true) }, errAway.Error()},
		"without a modem":      {func(m *member, _ *Status) { m.session.relay.use(nil) }, errAway.Error()},
		"in a data call":       {func(_ *member, s *Status) { s.DataUp = true }, "a data call has the line"},
		"in one beside it":     {func(_ *member, s *Status) { s.DataUp, s.Multiplexed = true, true }, ""},
		"with its own sockets": {func(m *member, s *Status) { s.DataUp, m.session.cfg.Sockets = true, &socket.Config{} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, status := &member{session: &Session{relay: newRelay()}}, fit
			m.session.relay.use(&unit{commands: &recorder{}})
			c.change(m, &status)
			require.Equal(t, c.unfit, m.unfit(&status))
		})
	}
}
