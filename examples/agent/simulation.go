package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/telemodem/telemodem/fakemodem"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/telemetry"
)

// The collector's place in the simulated network.
const (
	collectorHost = "collector.example"
	collectorPort = "5683"
)

// The outage of data, as shares of the run: it begins and ends here.
const (
	outageFrom = 0.35
	outageTill = 0.65
)

// drainLimit is how long the last readings are waited for.
const drainLimit = 20 * time.Second

var simulatedPatience = patience{
	dataAck: 3 * time.Second, smsAck: 4 * time.Second,
	retry: 500 * time.Millisecond, smsInterval: -1,
}

// simulate runs the agent against a simulated network with two modems.
func simulate(ctx context.Context, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "telemodem-agent")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	network := fakemodem.NewNetwork(&fakemodem.Config{LossGrace: 500 * time.Millisecond})
	defer network.Close()
	p := newProgress(out)
	fmt.Fprintln(p, "A simulated network with two modems: the agent's and the collector's. No hardware, no outside network.")

	c, address, err := simulatedCollector(ctx, network, dir, o)
	if err != nil {
		return err
	}
	defer c.collector.close()
	cfg := o.sessionConfig(deviceName)
	cfg.Open = opener(c.device)
	d, err := openDevice(ctx, cfg, dir, link{key: c.key, collector: address, number: c.number, patience: simulatedPatience}, p)
	if err != nil {
		return err
	}
	defer d.close()
	if err := runWithOutage(ctx, o, network, d, p); err != nil {
		return err
	}
	d.drain(ctx, drainLimit)
	return report(p, d, c.collector)
}

// party is what the device needs to know of the simulated rest.
type party struct {
	collector *collector
	device    *fakemodem.Modem // the modem that the device will use
	number    string           // of the collector
	key       telemetry.Key
}

func simulatedCollector(ctx context.Context, network *fakemodem.Network, dir string, o options) (*party, string, error) {
	listener, err := network.Listen("tcp", ":"+collectorPort)
	if err != nil {
		return nil, "", err
	}
	place, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		return nil, "", err
	}
	network.AddName(collectorHost, place.Addr())
	deviceModem := network.NewModem(fakemodem.SIM800)
	modem := network.NewModem(fakemodem.SIM800)
	key := telemetry.NewKey()
	cfg := o.sessionConfig(collectorName)
	cfg.Open = opener(modem)
	c, err := openCollector(ctx, cfg, dir, key, deviceModem.Number(), listener, simulatedPatience)
	if err != nil {
		listener.Close()
		return nil, "", err
	}
	return &party{c, deviceModem, modem.Number(), key}, collectorHost + ":" + collectorPort, nil
}

func opener(modem *fakemodem.Modem) func(context.Context) (io.ReadWriteCloser, error) {
	return func(context.Context) (io.ReadWriteCloser, error) { return modem.Line(), nil }
}

// runWithOutage takes readings, and takes the coverage for data away for a while.
func runWithOutage(ctx context.Context, o options, network *fakemodem.Network, d *device, p *progress) error {
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	at := func(share float64, what string, coverage fakemodem.Coverage) *time.Timer {
		return time.AfterFunc(time.Duration(share*float64(o.duration)), func() {
			p.say("network", "%s", what)
			network.SetCoverage(coverage)
		})
	}
	defer at(outageFrom, "coverage for data is lost", fakemodem.VoiceCoverage).Stop()
	defer at(outageTill, "coverage for data is back", fakemodem.FullCoverage).Stop()
	return d.measure(ctx, o.every)
}

var errNotExactlyOnce = errors.New("not every reading arrived exactly once")

// report prints the table at the end.
func report(out io.Writer, d *device, c *collector) error {
	delivered, twice, lost := c.tally(d.taken)
	stats := c.peer.Stats()
	fmt.Fprintln(out)
	row := func(name string, value any) { fmt.Fprintf(out, "  %-28s %6v\n", name, value) }
	row("readings taken", d.taken)
	row("delivered over data", stats.HandledBy["data"])
	row("delivered over SMS", stats.HandledBy["SMS"])
	row("copies dropped on the way", stats.Duplicates)
	row("delivered twice", twice)
	row("lost", lost)
	if twice > 0 || lost > 0 || delivered != d.taken {
		return errNotExactlyOnce
	}
	return nil
}

// sessionConfig is what every session of this run has in common.
func (o options) sessionConfig(who string) session.Config {
	cfg := session.Config{}
	if o.verbose {
		cfg.TraceLogger = traffic(who)
	}
	return cfg
}
