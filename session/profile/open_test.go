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
	"SIM800": "SIM800", "SIM7600": "SIM7600", "M95": "M95", "EC25": "EC25", "BG96": "BG9x",
	"SARA-U201": "SARA-U2", "SARA-R410": "SARA-R4", "SARA-R510": "SARA-R5", "E173": "Huawei", "E3372": "E3372",
	"Telit": "Telit", "Sierra": "Sierra", "Cinterion": "Cinterion", "ZTE": "ZTE", "Plain": "standard", "CDMA": "CDMA",
}

// A session finds the right profile on each simulated modem, and with it the
// modem registers.
func TestSessionFindsTheProfileAndRegisters(t *testing.T) {
	for _, kind := range fakemodem.Personalities() {
		want, known := profileOf[kind.Name]
		if !known {
			want = profile.Find(kind.Manufacturer, kind.Model).Name
			require.NotEqual(t, profile.Standard.Name, want)
		}
		t.Run(kind.Name, func(t *testing.T) { openOn(t, kind, want) })
	}
}

// Families without a personality of their own: one that is near lends its body.
func TestSessionFindsTheSiblings(t *testing.T) {
	for _, c := range []struct {
		body                *fakemodem.Personality
		manufacturer, model string
		want                string
	}{
		{fakemodem.SIM7600, "SIMCOM INCORPORATED", "SIMCOM_SIM5360E", "SIM5360"},
		{fakemodem.SIM7600, "SIMCOM INCORPORATED", "SIMCOM_SIM7080G", "SIM7000"},
		{fakemodem.SIM7600, "INCORPORATED", "A7672E-FASE", "A76xx"},
		{fakemodem.EC25, "Quectel", "EG800Q-EU", "EG800Q"},
		{fakemodem.BG96, "Quectel", "BG95-M5", "BG9x"},
		{fakemodem.SARAR410, "u-blox", "SARA-R422M8S", "SARA-R422"},
		{fakemodem.SARAR510, "u-blox", "LARA-R6001", "LARA-R6"},
		{fakemodem.SARAR510, "u-blox", "LENA-R8001", "LENA-R8"},
		{fakemodem.Plain, "Sierra Wireless", "HL7800", "HL78xx"},
		{fakemodem.Plain, "Nordic Semiconductor ASA", "nRF9160-SICA", "nRF91"},
	} {
		t.Run(c.want, func(t *testing.T) {
			kind := *c.body
			kind.Manufacturer, kind.Model = c.manufacturer, c.model
			openOn(t, &kind, c.want)
		})
	}
}

// openOn opens a session on a modem of that kind and waits until it registers.
func openOn(t *testing.T, kind *fakemodem.Personality, want string) {
	synctest.Test(t, func(t *testing.T) {
		network := fakemodem.NewNetwork(nil)
		defer network.Close()
		fake := network.NewModem(kind)
		if profile.Find(kind.Manufacturer, kind.Model).NoSIM {
			fake.OnCommand("+CPIN", fakemodem.Answer("+CPIN: READY")) // for who asks all the same
		}
		s, err := session.Open(t.Context(), session.Config{Open: func(context.Context) (io.ReadWriteCloser, error) {
			return fake.Line(), nil
		}})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		require.Equal(t, want, s.Status().Profile)
		registration, err := s.Radio().WaitRegistered(t.Context())
		require.NoError(t, err)
		require.True(t, registration.State.Registered())
		_, err = s.Radio().Signal(t.Context())
		require.NoError(t, err)
	})
}
