package metrics_test

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/metrics"
	"github.com/telemodem/telemodem/session/telemetry"
	"github.com/telemodem/telemodem/sms"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func on(name string, fake *fakemodem.Modem) session.Config {
	return session.Config{Name: name, NoMultiplexer: true,
		Open: func(context.Context) (io.ReadWriteCloser, error) { return fake.Line(), nil }}
}

// inTime runs a test in a bubble, on a network that takes the times of a real one.
func inTime(t *testing.T, test func(t *testing.T, network *fakemodem.Network)) {
	synctest.Test(t, func(t *testing.T) {
		network := fakemodem.NewNetwork(&fakemodem.Config{Timing: fakemodem.TimingReal})
		t.Cleanup(func() { network.Close() })
		test(t, network)
	})
}

// scrape is what Prometheus sees: values by name and labels, as in
// `telemodem_modem_state{modem="a",state="failed"}`.
func scrape(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	values := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+`="`+l.GetValue()+`"`)
			}
			value := m.GetGauge().GetValue()
			if m.Counter != nil {
				value = m.GetCounter().GetValue()
			}
			values[family.GetName()+"{"+strings.Join(labels, ",")+"}"] = value
		}
	}
	return values
}

func registryOf(t *testing.T, sources metrics.Sources) *prometheus.Registry {
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(metrics.New(sources)))
	return registry
}

// wire carries frames to another endpoint in the same process, while it is whole.
type wire struct {
	mu  sync.Mutex
	to  *telemetry.Endpoint
	end *wire // that of the other endpoint
	cut bool
}

func (w *wire) MTU() int { return 1000 }
func (w *wire) SendFrame(_ context.Context, frame []byte) error {
	w.mu.Lock()
	to, cut := w.to, w.cut
	w.mu.Unlock()
	if cut {
		return io.ErrClosedPipe
	}
	return to.Receive(w.end, frame)
}
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

// link opens two endpoints and a link between them.
func link(t *testing.T, w *wire) (pump, collector *telemetry.Endpoint, peer *telemetry.Peer) {
	key := telemetry.NewKey()
	endpoint := func(name string, handler func(context.Context, telemetry.Message) error) *telemetry.Endpoint {
		store, err := telemetry.OpenStore(filepath.Join(t.TempDir(), name))
		require.NoError(t, err)
		e, err := telemetry.Open(telemetry.Config{Name: name, Store: store, Handler: handler})
		require.NoError(t, err)
		t.Cleanup(func() {
			require.NoError(t, e.Close())
			require.NoError(t, store.Close())
		})
		return e
	}
	pump = endpoint("pump", nil)
	collector = endpoint("collector", func(context.Context, telemetry.Message) error { return nil })
	back := &wire{to: pump, end: w}
	w.to, w.end = collector, back
	peer, err := pump.AddPeer(telemetry.PeerConfig{Name: "collector", Key: key, Paths: []telemetry.Path{{Name: "wire", Bearer: w}}})
	require.NoError(t, err)
	_, err = collector.AddPeer(telemetry.PeerConfig{Name: "pump", Key: key, Paths: []telemetry.Path{{Name: "wire", Bearer: back}}})
	require.NoError(t, err)
	return pump, collector, peer
}

// All that there can be, in one registry: nothing to complain of.
func TestMetricsKeepTheConventions(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		bank, err := session.OpenBank(nil, on("a", network.NewModem(fakemodem.SIM800)), on("b", network.NewModem(fakemodem.EC25)))
		require.NoError(t, err)
		defer bank.Close()
		lone, err := session.Open(t.Context(), on("lone", network.NewModem(fakemodem.SIM7600)))
		require.NoError(t, err)
		defer lone.Close()
		pump, collector, _ := link(t, new(wire))
		time.Sleep(2 * time.Minute)
		registry := registryOf(t, metrics.Sources{
			Sessions: []*session.Session{lone}, Banks: []*session.Bank{bank}, Endpoints: []*telemetry.Endpoint{pump, collector},
		})
		problems, err := testutil.GatherAndLint(registry)
		require.NoError(t, err)
		require.Empty(t, problems)
		require.NotZero(t, scrape(t, registry)[`telemodem_modem_signal_rssi_dbm{modem="lone"}`])
	})
}

// Trouble shows: a modem that is unplugged, recovered, and messages of each fate.
func TestMetricsFollowABank(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		bank, err := session.OpenBank(nil, on("a", fake))
		require.NoError(t, err)
		defer bank.Close()
		registry := registryOf(t, metrics.Sources{Banks: []*session.Bank{bank}})
		value := func(name string) float64 {
			t.Helper()
			values := scrape(t, registry)
			require.Contains(t, values, name)
			return values[name]
		}
		require.Zero(t, value(`telemodem_modem_registered{modem="a"}`))
		require.NotContains(t, scrape(t, registry), `telemodem_modem_signal_rssi_dbm{modem="a"}`, "not known is not 0")
		time.Sleep(2 * time.Minute)
		require.Equal(t, 1., value(`telemodem_modem_registered{modem="a"}`))
		require.Equal(t, 1., value(`telemodem_modem_state{modem="a",state="registered"}`))
		require.Equal(t, 1., value(`telemodem_modem_fit{modem="a"}`))
		require.Equal(t, 1., value(`telemodem_modem_starts_total{modem="a"}`))
		require.Less(t, value(`telemodem_modem_signal_rssi_dbm{modem="a"}`), -50.)
		require.Zero(t, value(`telemodem_modem_recoveries_total{modem="a",rung="reopen"}`))

		send := func() { bank.Send(t.Context(), sms.Message{To: "+15555550199", Text: "x"}) }
		send()
		fake.Inject(fakemodem.Fault{ID: "F33", Code: 50})
		send()
		fake.Inject(fakemodem.Fault{ID: "F18", On: "+CMGS"})
		send()
		for _, outcome := range []string{"sent", "not_sent", "in_doubt"} {
			require.Equal(t, 1., value(`telemodem_modem_messages_total{modem="a",outcome="`+outcome+`"}`), outcome)
		}
		require.Positive(t, value(`telemodem_modem_unanswered_commands_total{modem="a"}`))
		require.Positive(t, value(`telemodem_modem_lost_places_total{modem="a"}`))

		time.Sleep(2 * time.Minute)
		fake.Inject(fakemodem.Fault{ID: "F97"})
		time.Sleep(time.Second)
		require.Equal(t, 1., value(`telemodem_modem_state{modem="a",state="recovering"}`))
		require.Zero(t, value(`telemodem_modem_state{modem="a",state="registered"}`))
		require.Zero(t, value(`telemodem_modem_fit{modem="a"}`))
		fake.Plug()
		time.Sleep(10 * time.Minute)
		require.Positive(t, value(`telemodem_modem_recoveries_total{modem="a",rung="reopen"}`))
		require.Equal(t, 2., value(`telemodem_modem_starts_total{modem="a"}`))
		require.NoError(t, bank.Remove(t.Context(), "a"))
		require.Empty(t, scrape(t, registry))
	})
}

func TestMetricsFollowALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		pump, collector, peer := link(t, w)
		registry := registryOf(t, metrics.Sources{Endpoints: []*telemetry.Endpoint{pump, collector}})
		w.set(true)
		_, err := peer.Send(t.Context(), []byte("2.4 bar"))
		require.NoError(t, err)
		time.Sleep(time.Hour)
		values := scrape(t, registry)
		const of = `{endpoint="pump",peer="collector"}`
		require.Equal(t, 1., values["telemodem_link_outstanding_readings"+of])
		require.Equal(t, 3600., values["telemodem_link_oldest_reading_age_seconds"+of])
		require.Zero(t, values["telemodem_link_connected"+of])
		require.Zero(t, values[`telemodem_path_up{endpoint="pump",path="wire",peer="collector"}`])
		w.set(false)
		time.Sleep(time.Hour)
		values = scrape(t, registry)
		require.Zero(t, values["telemodem_link_outstanding_readings"+of])
		require.Zero(t, values["telemodem_link_oldest_reading_age_seconds"+of])
		require.Equal(t, 1., values["telemodem_link_acknowledged_readings_total"+of])
		require.Equal(t, 1., values[`telemodem_link_handled_readings_total{endpoint="collector",peer="pump"}`])
		require.Equal(t, 1., values[`telemodem_path_active{endpoint="pump",path="wire",peer="collector"}`])
		require.Positive(t, values[`telemodem_path_failures_total{endpoint="pump",path="wire",peer="collector"}`])
	})
}

// A scrape asks no modem: one that hangs does not hold it up.
func TestScrapeWaitsForNoModem(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800)
		s, err := session.Open(t.Context(), on("a", fake))
		require.NoError(t, err)
		defer s.Close()
		registry := registryOf(t, metrics.Sources{Sessions: []*session.Session{s}})
		fake.Inject(fakemodem.Fault{ID: "F99"})
		for range 600 { // through detection and the first rungs
			began := time.Now()
			require.NotEmpty(t, scrape(t, registry))
			require.Zero(t, time.Since(began))
			time.Sleep(time.Second)
		}
		require.NotZero(t, s.Status().Recoveries)
	})
}

// The same name twice, or none at all, must not fail the scrape; nor must octets
// that are no text.
func TestMetricsOfModemsWithTheSameName(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		var sessions []*session.Session
		for _, name := range []string{"a", "a", "", "", "\xff"} {
			s, err := session.Open(t.Context(), on(name, network.NewModem(fakemodem.SIM800)))
			require.NoError(t, err)
			defer s.Close()
			sessions = append(sessions, s)
		}
		values := scrape(t, registryOf(t, metrics.Sources{Sessions: sessions}))
		for _, name := range []string{"a", "a#2", "", "#2", "�"} {
			require.Contains(t, values, `telemodem_modem_starts_total{modem="`+name+`"}`)
		}
	})
}

// Nothing of what a label shows is anybody's number.
func TestPromise10MetricsHaveNoNumbers(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		fake := network.NewModem(fakemodem.SIM800, fakemodem.WithPIN("4711"))
		cfg := on("a", fake)
		cfg.PIN = "4711"
		bank, err := session.OpenBank(nil, cfg)
		require.NoError(t, err)
		defer bank.Close()
		time.Sleep(time.Minute)
		bank.Send(t.Context(), sms.Message{To: "+15555550199", Text: "confidential"})
		for name := range scrape(t, registryOf(t, metrics.Sources{Banks: []*session.Bank{bank}})) {
			for _, secret := range []string{"4711", "5555550199", "confidential", fake.IMEI(), fake.Number()} {
				require.NotContains(t, name, secret)
			}
		}
	})
}

// Prometheus scrapes whenever it likes, also while everything is being closed.
func TestScrapeWhileClosing(t *testing.T) {
	inTime(t, func(t *testing.T, network *fakemodem.Network) {
		var modems []session.Config
		for _, name := range []string{"a", "b", "c"} {
			modems = append(modems, on(name, network.NewModem(fakemodem.SIM800)))
		}
		bank, err := session.OpenBank(nil, modems...)
		require.NoError(t, err)
		s, err := session.Open(t.Context(), on("s", network.NewModem(fakemodem.SIM800)))
		require.NoError(t, err)
		pump, collector, peer := link(t, new(wire))
		registry := registryOf(t, metrics.Sources{
			Sessions: []*session.Session{s}, Banks: []*session.Bank{bank}, Endpoints: []*telemetry.Endpoint{pump, collector},
		})
		ended := make(chan struct{})
		var scraping sync.WaitGroup
		for range 2 {
			scraping.Go(func() {
				for {
					select {
					case <-ended:
						return
					default:
						scrape(t, registry)
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		time.Sleep(300 * time.Millisecond)
		peer.Send(t.Context(), []byte("2.4 bar"))
		require.NoError(t, bank.Close())
		require.NoError(t, s.Close())
		require.NoError(t, pump.Close())
		require.NoError(t, collector.Close())
		close(ended)
		scraping.Wait()
		values := scrape(t, registry)
		require.Equal(t, 1., values[`telemodem_modem_state{modem="a",state="closed"}`])
		require.Equal(t, 1., values[`telemodem_modem_state{modem="s",state="closed"}`])
	})
}
