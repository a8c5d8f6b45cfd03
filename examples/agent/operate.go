package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/session"
	"github.com/telemodem/telemodem/session/telemetry"
)

var fieldPatience = patience{
	dataAck: 20 * time.Second, smsAck: 2 * time.Minute,
	retry: 10 * time.Second, smsInterval: 30 * time.Second,
}

// operate runs the agent on a real modem.
func operate(ctx context.Context, o options, out io.Writer) error {
	if err := os.MkdirAll(o.store, 0o700); err != nil {
		return fmt.Errorf("the folder for the outbox: %w; name another with -store", err)
	}
	key, err := sharedKey(o.keyFile, out)
	if err != nil {
		return err
	}
	cfg := o.sessionConfig(deviceName)
	if cfg.Port, err = o.port(); err != nil {
		return err
	}
	cfg.PIN = o.pin
	cfg.Power = powerCommand(o.power)
	cfg.Ledger = session.FileLedger(filepath.Join(o.store, "recovery.json"))
	cfg.Context = gprs.Context{APN: o.apn, User: o.user, Password: o.password}
	p := newProgress(out)
	p.say(deviceName, "opening the modem on %s", o.modem)
	d, err := openDevice(ctx, cfg, o.store, link{key: key, collector: o.collector, number: o.to, patience: fieldPatience}, p)
	if err != nil {
		return err
	}
	defer d.close()
	limited, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	if err := d.measure(limited, o.every); err != nil {
		return err
	}
	return d.account(p, d.drain(ctx, o.wait), o.store)
}

// account prints the table and tells what is left.
func (d *device) account(out io.Writer, outstanding int, store string) error {
	stats := d.peer.Stats()
	fmt.Fprintln(out)
	row := func(name string, value any) { fmt.Fprintf(out, "  %-28s %6v\n", name, value) }
	row("readings taken", d.taken)
	row("acknowledged over data", stats.AcknowledgedBy["data"])
	row("acknowledged over SMS", stats.AcknowledgedBy["SMS"])
	row("still in the outbox", outstanding)
	if outstanding == 0 {
		return nil
	}
	return fmt.Errorf("%d readings are not acknowledged; they are safe in %s and go out with the next run: "+
		"does the collector run, is it reachable, and does it have the same key?", outstanding, store)
}

// sharedKey reads the key that device and collector share, or makes one.
func sharedKey(file string, out io.Writer) (telemetry.Key, error) {
	key, err := telemetry.ReadKey(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = telemetry.NewKey()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return key, err
	}
	if err := os.WriteFile(file, []byte(key.Encode()+"\n"), 0o600); err != nil {
		return key, fmt.Errorf("the new key cannot be kept: %w; name another file with -key", err)
	}
	fmt.Fprintf(out, "A new key was made in %s: give a copy of the file to the collector.\n", file)
	return key, nil
}
