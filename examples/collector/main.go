// Collector takes the readings of agents over TCP and prints them, each once.
// It is the other end of "agent -modem": both need the same key.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/telemodem/telemodem/internal/senml"
	"github.com/telemodem/telemodem/session/telemetry"
)

type options struct {
	listen  string
	keyFile string
	store   string
}

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

func run(args []string, out io.Writer) int {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "collector:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := collect(ctx, o, out); err != nil {
		fmt.Fprintln(os.Stderr, "collector:", err)
		return 1
	}
	return 0
}

func parse(args []string, out io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("collector", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.listen, "listen", ":5683", "`host:port` to listen on")
	flags.StringVar(&o.keyFile, "key", "", "`file` with the key that the agent made")
	flags.StringVar(&o.store, "store", "", "`folder` for what was received (default: in the user's configuration)")
	err = flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(out)
		flags.PrintDefaults()
		return o, err
	}
	switch {
	case err != nil:
		return o, fmt.Errorf("%w; -help lists the flags", err)
	case flags.NArg() > 0:
		return o, fmt.Errorf("what is %q? -help lists the flags", flags.Arg(0))
	case o.keyFile == "":
		return o, errors.New("-key FILE is needed: the agent makes one and tells where")
	}
	if o.store == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return o, fmt.Errorf("no place for the readings: %w; name one with -store", err)
		}
		o.store = filepath.Join(dir, "telemodem", "collector")
	}
	return o, nil
}

func collect(ctx context.Context, o options, out io.Writer) error {
	key, err := telemetry.ReadKey(o.keyFile)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.store, 0o700); err != nil {
		return fmt.Errorf("the folder for the readings: %w; name another with -store", err)
	}
	store, err := telemetry.OpenStore(filepath.Join(o.store, "collector.db"))
	if err != nil {
		return err
	}
	defer store.Close()
	endpoint, err := telemetry.Open(telemetry.Config{Name: "collector", Store: store,
		Handler: func(_ context.Context, m telemetry.Message) error { return show(out, m) }})
	if err != nil {
		return err
	}
	defer endpoint.Close()
	if _, err := endpoint.AddPeer(telemetry.PeerConfig{Name: "agent", Key: key,
		Paths: []telemetry.Path{{Name: "data", Bearer: telemetry.NewInbound()}}}); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "listening on %v; end with Ctrl-C\n", listener.Addr())
	served := make(chan error, 1)
	go func() { served <- endpoint.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		endpoint.Close() // closes the listener
		<-served
		return nil
	}
}

// show prints a reading. One that cannot be read is shown as it came, and
// handled: coming again would not mend it.
func show(out io.Writer, m telemetry.Message) error {
	resolved, err := senml.Read(m.Payload, time.Now())
	if err != nil {
		_, err = fmt.Fprintf(out, "%s over %s: %x (%v)\n", m.From, m.Path, m.Payload, err)
		return err
	}
	for _, r := range resolved {
		if r.Value == nil {
			continue
		}
		if _, err := fmt.Fprintf(out, "%s over %s: %s = %g %s\n", m.From, m.Path, r.Name, *r.Value, r.Unit); err != nil {
			return err
		}
	}
	return nil
}
