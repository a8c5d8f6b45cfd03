package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/telemodem/telemodem/internal/senml"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/telemetry"
	"github.com/telemodem/telemodem/sms"
)

// Names that the two ends have for each other, and the application port of
// their short messages (3GPP TS 23.040 clause 9.2.3.24.4: 16,000 to 16,999 are
// for applications).
const (
	deviceName    = "agent"
	collectorName = "collector"
	smsPort       = 16683
)

// device is the agent: a modem, a durable link to the collector over data and
// SMS, and the readings that go over it.
type device struct {
	session  *session.Session
	store    *telemetry.BoltStore
	endpoint *telemetry.Endpoint
	peer     *telemetry.Peer
	progress *progress
	ctx      context.Context // ends with close
	cancel   context.CancelFunc
	helpers  sync.WaitGroup

	taken int // readings taken in this run
}

// link says how a device reaches its collector.
type link struct {
	key       telemetry.Key
	collector string // host:port; empty: no data
	number    string // of the collector's modem; empty: no SMS
	patience  patience
}

// patience is how long the bearers are waited for: little in the simulation,
// where all happens at once, much in the field.
type patience struct {
	dataAck, smsAck time.Duration // until a reading is sent again
	retry           time.Duration // until a failed bearer is tried again
	smsInterval     time.Duration // between two messages, beyond the first few
}

// openDevice opens the outbox first: what is in it must not be lost for the
// want of a modem.
func openDevice(ctx context.Context, cfg session.Config, dir string, l link, p *progress) (*device, error) {
	d := &device{progress: p}
	d.ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	store, err := telemetry.OpenStore(filepath.Join(dir, "agent.db"))
	if err != nil {
		return nil, err
	}
	d.store = store
	if d.session, err = session.Open(ctx, cfg); err != nil {
		return nil, errors.Join(err, d.close())
	}
	d.introduce(ctx)
	if err := d.connect(l); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// registrationPatience is how long the start waits for a network, only to show
// it: readings are taken with or without one.
const registrationPatience = 20 * time.Second

// introduce shows what modem and network there are, and from then on what
// happens to them.
func (d *device) introduce(ctx context.Context) {
	events := d.session.Events(d.ctx)
	d.helpers.Go(func() { d.progress.follow(deviceName, events) })
	status := d.session.Status()
	d.progress.say(deviceName, "modem: %s %s, profile %s", status.Manufacturer, status.Model, status.Profile)
	limited, cancel := context.WithTimeout(ctx, registrationPatience)
	defer cancel()
	registration, err := d.session.Radio().WaitRegistered(limited)
	if err != nil {
		d.progress.say(deviceName, "%v; readings wait on disk meanwhile", err)
		return
	}
	d.progress.change(deviceName, "registration", "registration: "+registration.String())
	if signal, err := d.session.Radio().Signal(limited); err == nil {
		d.progress.change(deviceName, "signal", "signal "+bars(signal.RSSI))
	}
}

// connect joins the device to its collector.
func (d *device) connect(l link) error {
	var err error
	if d.endpoint, err = telemetry.Open(telemetry.Config{Name: deviceName, Store: d.store}); err != nil {
		return err
	}
	events := d.endpoint.Events(d.ctx)
	d.helpers.Go(func() { d.progress.followLink(deviceName, events) })
	var paths []telemetry.Path
	if l.collector != "" {
		paths = append(paths, telemetry.Path{Name: "data", AckWait: l.patience.dataAck,
			Retry: l.patience.retry, RetryMax: 8 * l.patience.retry,
			Bearer: telemetry.Dial(func(ctx context.Context) (net.Conn, error) {
				return d.session.DialContext(ctx, "tcp", l.collector)
			})})
	}
	if l.number != "" {
		bearer, err := telemetry.NewSMS(d.session.SMS(), l.number, smsPort)
		if err != nil {
			return err
		}
		paths = append(paths, telemetry.Path{Name: "SMS", Bearer: bearer, Costly: true,
			AckWait: l.patience.smsAck, AckDelay: l.patience.retry / 4,
			Retry: l.patience.retry, Interval: l.patience.smsInterval})
		d.helpers.Go(func() { receiveFrames(d.ctx, d.session.SMS(), d.endpoint, bearer) })
	}
	d.peer, err = d.endpoint.AddPeer(telemetry.PeerConfig{Name: collectorName, Key: l.key, Paths: paths})
	return err
}

// receiveFrames hands frames that come by SMS to the endpoint, until ctx ends.
// Other messages to this number are nobody's: they are read and deleted, so
// that they cannot fill the SIM.
func receiveFrames(ctx context.Context, service *sms.Service, endpoint *telemetry.Endpoint, bearer *telemetry.SMS) {
	service.Receive(ctx, func(_ context.Context, in sms.Incoming) error {
		_, err := bearer.Take(endpoint, in)
		return err
	})
}

// measure takes readings until ctx ends.
func (d *device) measure(ctx context.Context, every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := d.takeReading(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// takeReading reads the machine and hands the reading to the outbox; from then
// on it cannot be lost.
func (d *device) takeReading(ctx context.Context) error {
	number := d.taken + 1
	payload, err := senml.Encode(pack(number, time.Now(), readMachine()))
	if err != nil {
		return err
	}
	receipt, err := d.peer.Send(context.WithoutCancel(ctx), payload)
	if err != nil {
		return fmt.Errorf("reading %d is not on disk: %w", number, err)
	}
	d.taken = number
	d.progress.say(deviceName, "reading %d on disk, %d octets", number, len(payload))
	d.helpers.Go(func() {
		start := time.Now()
		if receipt.Wait(d.ctx) == nil {
			d.progress.say(deviceName, "reading %d acknowledged over %s after %.1f s", number, receipt.Path(), time.Since(start).Seconds())
		}
	})
	return nil
}

// baseName begins the names of all records and numberRecord names the one that
// counts the readings of a run: short, since over SMS each octet is paid for.
const (
	baseName     = "a1/"
	numberRecord = "n"
)

// short rounds a value to the 11 bits of half precision where that can hold
// it, else to the 24 of single precision: as good as the sensors, and a reading
// then fits into one SMS.
func short(v float64) float64 {
	bits := 11
	if math.Abs(v) > 65504 { // the largest number of half precision
		bits = 24
	}
	fraction, exponent := math.Frexp(v)
	return math.Ldexp(math.Round(math.Ldexp(fraction, bits)), exponent-bits)
}

// pack puts a reading into SenML (RFC 8428).
func pack(number int, at time.Time, quantities []quantity) senml.Pack {
	count := senml.Number(numberRecord, "", float64(number))
	count.BaseName, count.BaseTime = baseName, senml.At(at.Truncate(time.Second))
	records := senml.Pack{count}
	for _, q := range quantities {
		records = append(records, senml.Number(q.name, q.unit, short(q.value)))
	}
	return records
}

// drain waits until everything is acknowledged, or for limit.
func (d *device) drain(ctx context.Context, limit time.Duration) (outstanding int) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if outstanding = d.peer.Stats().Outstanding; outstanding == 0 {
			return 0
		}
		select {
		case <-ctx.Done():
			return outstanding
		case <-ticker.C:
		}
	}
}

// close ends everything, the modem last, and leaves the outbox on disk.
func (d *device) close() error {
	d.cancel()
	var failures []error
	if d.endpoint != nil {
		failures = append(failures, d.endpoint.Close())
	}
	if d.session != nil {
		failures = append(failures, d.session.Close())
	}
	d.helpers.Wait()
	return errors.Join(append(failures, d.store.Close())...)
}
