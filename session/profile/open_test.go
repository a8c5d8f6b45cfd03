package profile_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/profile"
)

// profileOf tells which profile belongs to a personality of the fake modem. One
// that is not here must at least not end up with Standard.
var profileOf = map[string]string{
	"SIM800": "SIM800", "SIM7600": "SIM7600", "SIM7600E": "SIM7600", "SIM7000": "SIM7000",
	"M95": "M95", "EC25": "EC25", "BG95": "BG9x", "BG96": "BG9x",
	"SARA-U201": "SARA-U2", "SARA-R410M": "SARA-R4", "SARA-R4": "SARA-R4", "SARA-R510S": "SARA-R5",
	"E173": "Huawei", "E3372": "E3372", "LE910": "Telit", "EHS6": "Cinterion", "nRF9160": "nRF91",
}

// A session finds the right profile on each simulated modem, and with it the
// modem registers.
func TestSessionFindsTheProfileAndRegisters(t *testing.T) {
	for _, kind := range fakemodem.Personalities() {
		t.Run(kind.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := fakemodem.NewNetwork(nil)
				defer network.Close()
				fake := network.NewModem(kind)
				s, err := session.Open(t.Context(), session.Config{Open: func(context.Context) (io.ReadWriteCloser, error) {
					return fake.Line(), nil
				}})
				require.NoError(t, err)
				defer func() { require.NoError(t, s.Close()) }()
				registration, err := s.Radio().WaitRegistered(t.Context())
				require.NoError(t, err)
				require.True(t, registration.State.Registered())
				want, known := profileOf[kind.Name]
				if !known {
					want = profile.Find(kind.Manufacturer, kind.Model).Name
					require.NotEqual(t, profile.Standard.Name, want)
				}
				require.Equal(t, want, s.Status().Profile)
			})
		})
	}
}
