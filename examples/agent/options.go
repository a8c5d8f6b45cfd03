package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
)

// options are what the command line says.
type options struct {
	modem     string // the line of a real modem; empty for the simulation
	to        string // number of the collector
	collector string // host:port of the collector
	apn       string
	user      string
	password  string
	pin       string
	baud      int
	duration  time.Duration
	every     time.Duration
	wait      time.Duration // for the last readings to be acknowledged
	store     string        // folder of the outbox
	keyFile   string
	power     string // command that cuts the modem's power and gives it back
	verbose   bool
}

const usage = `agent reads values of this machine and sends them to a collector, over a data
call while there is one to be had and by SMS otherwise. Without -modem it runs
a simulated network with two modems and shows how it survives a loss of coverage.

`

// parseOptions reads the command line. Every fault of it is one line.
func parseOptions(args []string, output io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("agent", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.modem, "modem", "", "`port` of a real modem: /dev/ttyUSB2, COM5, tcp://host:port (default: a simulation)")
	flags.StringVar(&o.to, "to", "", "`number` of the collector's modem, for readings by SMS (with -modem)")
	flags.StringVar(&o.collector, "collector", "", "`host:port` of the collector, for readings by data (with -modem)")
	flags.StringVar(&o.apn, "apn", "", "access point `name` (with -modem)")
	flags.StringVar(&o.user, "user", "", "user `name` at the access point (with -modem)")
	flags.StringVar(&o.password, "password", "", "`password` at the access point (with -modem; better in TELEMODEM_PASSWORD)")
	flags.StringVar(&o.pin, "pin", "", "`PIN` of the SIM (with -modem; better in TELEMODEM_PIN)")
	flags.IntVar(&o.baud, "baud", 0, "`rate` of the serial line (with -modem; default 115200)")
	flags.DurationVar(&o.duration, "for", 20*time.Second, "how long to take readings")
	flags.DurationVar(&o.every, "every", 2*time.Second, "pause between two readings")
	flags.DurationVar(&o.wait, "wait", time.Minute, "how long to wait for the last acknowledgements at the end (with -modem)")
	flags.StringVar(&o.store, "store", "", "`folder` of the outbox (with -modem; default: in the user's configuration)")
	flags.StringVar(&o.keyFile, "key", "", "`file` with the key shared with the collector (with -modem; default: in the store)")
	flags.StringVar(&o.power, "power", "", "`command` that cuts the modem's power and gives it back, for one that hangs (with -modem)")
	flags.BoolVar(&o.verbose, "v", false, "show the AT traffic")
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(output, usage)
		flags.SetOutput(output)
		flags.PrintDefaults()
		return o, err
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("what is %q? (there are only flags)", flags.Arg(0))
	}
	if err != nil {
		return o, fmt.Errorf("%w; -help lists the flags", err)
	}
	var given []string
	flags.Visit(func(f *flag.Flag) { given = append(given, f.Name) })
	return o.completed(given)
}

// completed fills in what comes from elsewhere and checks that all fits.
func (o options) completed(given []string) (options, error) {
	switch {
	case o.duration <= 0:
		return o, errors.New("-for must be longer than nothing, such as 20s")
	case o.every <= 0:
		return o, errors.New("-every must be longer than nothing, such as 2s")
	case o.wait < 0:
		return o, errors.New("-wait must not be negative")
	case o.baud < 0:
		return o, errors.New("-baud must be a rate, such as 115200")
	case o.modem == "":
		for _, name := range given {
			if name != "for" && name != "every" && name != "v" {
				return o, fmt.Errorf("-%s needs -modem: the simulation has its own", name)
			}
		}
		return o, nil
	case o.to == "" && o.collector == "":
		return o, errors.New("-modem needs to know where the readings go: give -collector host:port, -to NUMBER, or both")
	}
	if o.collector != "" {
		if _, _, err := net.SplitHostPort(o.collector); err != nil {
			return o, fmt.Errorf("-collector %q is not host:port", o.collector)
		}
	}
	if o.to != "" {
		if _, err := tpdu.ParseAddress(o.to); err != nil {
			return o, fmt.Errorf("-to %q is not a number such as +4915112345678", o.to)
		}
	}
	if o.pin == "" {
		o.pin = os.Getenv("TELEMODEM_PIN")
	}
	if o.password == "" {
		o.password = os.Getenv("TELEMODEM_PASSWORD")
	}
	if o.store == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return o, fmt.Errorf("no place for the outbox: %w; name one with -store", err)
		}
		o.store = filepath.Join(dir, "telemodem", "agent")
	}
	if o.keyFile == "" {
		o.keyFile = filepath.Join(o.store, "key")
	}
	return o, nil
}

// port is the address of the modem as at/port reads it.
func (o options) port() (string, error) {
	if o.baud == 0 {
		return o.modem, nil
	}
	if strings.Contains(o.modem, "://") {
		return "", errors.New("-baud is for a port by its name: put the rate into the address, as in serial:///dev/ttyS1?baud=9600")
	}
	return fmt.Sprintf("serial://%s?baud=%d", o.modem, o.baud), nil
}
