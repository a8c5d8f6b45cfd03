package telemetry_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/at"
	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session/telemetry"
	"github.com/telemodem/telemodem/sms"
)

// smsEnd is an endpoint that is reached by short messages alone.
type smsEnd struct {
	fake     *fakemodem.Modem
	service  *sms.Service
	endpoint *telemetry.Endpoint
	got      chan string
}

func newSMSEnd(t *testing.T, network *fakemodem.Network, name string) *smsEnd {
	e := &smsEnd{fake: network.NewModem(fakemodem.SIM800), got: make(chan string, 100)}
	modem := at.New(e.fake.Line(), nil)
	t.Cleanup(func() { modem.Close() })
	e.service = sms.New(modem, nil)
	store, err := telemetry.OpenStore(filepath.Join(t.TempDir(), name))
	require.NoError(t, err)
	t.Cleanup(func() { store.Close() })
	e.endpoint, err = telemetry.Open(telemetry.Config{Name: name, Store: store,
		Handler: func(_ context.Context, m telemetry.Message) error {
			e.got <- string(m.Payload)
			return nil
		}})
	require.NoError(t, err)
	t.Cleanup(func() { e.endpoint.Close() })
	return e
}

// link makes other the peer of e and starts to receive.
func (e *smsEnd) link(t *testing.T, other *smsEnd, key telemetry.Key) *telemetry.Peer {
	bearer, err := telemetry.NewSMS(e.service, other.fake.Number(), 16001)
	require.NoError(t, err)
	peer, err := e.endpoint.AddPeer(telemetry.PeerConfig{Name: other.endpoint.Name(), Key: key,
		Paths: []telemetry.Path{{Name: "SMS", Bearer: bearer, Costly: true, Interval: -1}}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- e.service.Receive(ctx, func(_ context.Context, in sms.Incoming) error {
			taken, err := bearer.Take(e.endpoint, in)
			if !taken {
				t.Errorf("a message that is not for us: %+v", in)
			}
			return err
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return peer
}

func TestReadingsOverSMS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := fakemodem.NewNetwork(nil)
		t.Cleanup(func() { network.Close() })
		key := telemetry.NewKey()
		pump, station := newSMSEnd(t, network, "pump"), newSMSEnd(t, network, "station")
		peer := pump.link(t, station, key)
		station.link(t, pump, key)
		for i := range 20 {
			receipt, err := peer.Send(t.Context(), fmt.Appendf(nil, "reading %d", i))
			require.NoError(t, err)
			require.NoError(t, receipt.Wait(t.Context()))
			require.Equal(t, "SMS", receipt.Path())
			require.Equal(t, fmt.Sprintf("reading %d", i), <-station.got)
		}
		time.Sleep(time.Hour)
		require.Empty(t, station.got, "nothing comes twice")
	})
}

func TestSMSRefusesABadNumber(t *testing.T) {
	_, err := telemetry.NewSMS(nil, "123\"\r", 16001)
	require.Error(t, err)
}
