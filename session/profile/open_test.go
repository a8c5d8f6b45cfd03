package profile_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/profile"
	"github.com/telemodem/telemodem/sms"
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
		t.Run(kind.Name, func(t *testing.T) { openOn(t, kind, want, useSIM) })
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
			openOn(t, &kind, c.want, nil)
		})
	}
}

// useSIM shows that what a profile says of SIM and messages suits the modem.
func useSIM(ctx context.Context, t *testing.T, network *fakemodem.Network, fake *fakemodem.Modem, s *session.Session) {
	p := profile.Find(fake.Personality().Manufacturer, fake.Personality().Model)
	if p.NoSIM {
		return
	}
	tries, err := s.Radio().Tries(ctx)
	require.NoError(t, err)
	require.Equal(t, 3, tries[gprs.SecretPIN], "asked by AT%s", p.Data.Tries.Command)
	id, err := s.Radio().ICCID(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, id)

	received := make(chan string)
	receiving, stop := context.WithCancel(ctx)
	done := make(chan error)
	go func() {
		done <- s.SMS().Receive(receiving, func(_ context.Context, in sms.Incoming) error {
			select {
			case received <- in.Text:
				return nil
			case <-receiving.Done():
				return receiving.Err()
			}
		})
	}()
	defer func() { stop(); <-done }()
	phone := network.Phone("+15555550199")
	_, err = s.SMS().Send(ctx, sms.Message{To: phone.Number(), Text: "reading 1"})
	require.NoError(t, err)
	out, err := phone.Receive(ctx)
	require.NoError(t, err)
	require.Equal(t, "reading 1", out.Text)
	require.NoError(t, phone.Send(fake.Number(), "again, please"))
	select {
	case text := <-received:
		require.Equal(t, "again, please", text)
	case <-ctx.Done():
		t.Fatal("no message came")
	}
}

// openOn opens a session on a modem of that kind, waits until it registers, and
// then does what use does.
func openOn(t *testing.T, kind *fakemodem.Personality, want string,
	use func(context.Context, *testing.T, *fakemodem.Network, *fakemodem.Modem, *session.Session),
) {
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
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		registration, err := s.Radio().WaitRegistered(ctx)
		require.NoError(t, err)
		require.True(t, registration.State.Registered())
		_, err = s.Radio().Signal(ctx)
		require.NoError(t, err)
		if use != nil {
			use(ctx, t, network, fake, s)
		}
	})
}
