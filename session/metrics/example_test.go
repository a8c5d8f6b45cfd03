package metrics_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/metrics"
)

// One collector shows all modems. Package promhttp of the client library serves
// the registry to Prometheus.
func Example() {
	network := fakemodem.NewNetwork(nil)
	defer network.Close()
	modem := network.NewModem(fakemodem.SIM800)
	ctx := context.Background()
	s, err := session.Open(ctx, session.Config{
		Name: "pump",
		Open: func(context.Context) (io.ReadWriteCloser, error) { return modem.Line(), nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Radio().WaitRegistered(ctx); err != nil {
		log.Fatal(err)
	}

	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.New(metrics.Sources{Sessions: []*session.Session{s}}))

	families, err := registry.Gather() // a scrape
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "telemodem_modem_registered" {
			fmt.Println(family.GetName(), family.Metric[0].Label[0].GetValue(), family.Metric[0].GetGauge().GetValue())
		}
	}
	// Output:
	// telemodem_modem_registered pump 1
}
