package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/telemodem/telemodem/internal/senml"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/telemetry"
)

// collector is where readings go in the simulation: a listener inside the
// network for data, a modem for SMS.
type collector struct {
	session  *session.Session
	store    *telemetry.BoltStore
	endpoint *telemetry.Endpoint
	peer     *telemetry.Peer
	ctx      context.Context // ends with close
	cancel   context.CancelFunc
	helpers  sync.WaitGroup

	mu   sync.Mutex
	seen map[int]int // how often each reading was handled
}

func openCollector(ctx context.Context, cfg session.Config, dir string, key telemetry.Key, device string, listener net.Listener, patience patience) (*collector, error) {
	c := &collector{seen: make(map[int]int)}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	store, err := telemetry.OpenStore(filepath.Join(dir, "collector.db"))
	if err != nil {
		return nil, err
	}
	c.store = store
	if c.session, err = session.Open(ctx, cfg); err != nil {
		return nil, errors.Join(err, c.close())
	}
	if c.endpoint, err = telemetry.Open(telemetry.Config{Name: collectorName, Store: store, Handler: c.handle}); err != nil {
		return nil, errors.Join(err, c.close())
	}
	bearer, err := telemetry.NewSMS(c.session.SMS(), device, smsPort)
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.peer, err = c.endpoint.AddPeer(telemetry.PeerConfig{Name: deviceName, Key: key, Paths: []telemetry.Path{
		{Name: "data", Bearer: telemetry.NewInbound()},
		{Name: "SMS", Bearer: bearer, Costly: true, AckWait: patience.smsAck,
			AckDelay: patience.retry / 4, Retry: patience.retry, Interval: patience.smsInterval},
	}})
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.helpers.Go(func() { c.endpoint.Serve(listener) })
	c.helpers.Go(func() { receiveFrames(c.ctx, c.session.SMS(), c.endpoint, bearer) })
	return c, nil
}

// handle counts a reading. It is called again with the same one only if the
// process ended between its return and the mark on disk.
func (c *collector) handle(_ context.Context, m telemetry.Message) error {
	number, err := readingNumber(m.Payload)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[number]++
	return nil
}

// readingNumber finds the count of the reading in its SenML pack.
func readingNumber(payload []byte) (int, error) {
	resolved, err := senml.Read(payload, time.Now())
	if err != nil {
		return 0, err
	}
	for _, r := range resolved {
		if r.Name == baseName+numberRecord && r.Value != nil {
			return int(*r.Value), nil
		}
	}
	return 0, fmt.Errorf("a pack without its number: %v", resolved)
}

// tally compares what arrived with the readings that were taken.
func (c *collector) tally(taken int) (delivered, twice, lost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for number := 1; number <= taken; number++ {
		switch times := c.seen[number]; {
		case times == 0:
			lost++
		case times > 1:
			twice++
			fallthrough
		default:
			delivered++
		}
	}
	return delivered, twice, lost
}

func (c *collector) close() error {
	c.cancel()
	var failures []error
	if c.endpoint != nil {
		failures = append(failures, c.endpoint.Close())
	}
	if c.session != nil {
		failures = append(failures, c.session.Close())
	}
	c.helpers.Wait()
	return errors.Join(append(failures, c.store.Close())...)
}
