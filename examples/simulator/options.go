package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"github.com/telemodem/telemodem/fakemodem"
)

// Forms of -listen.
const (
	onPTY  = "pty"
	onTCP  = "tcp://"
	onUnix = "unix://"
)

// noPage is the -http that leaves the control page out.
const noPage = "none"

// route is a way from the simulated network to a server of this machine.
type route struct{ inside, outside string }

type options struct {
	listen string
	kind   string
	pin    string
	real   bool
	http   string
	faults []fakemodem.Fault
	routes []route
	list   bool
}

func parse(args []string, out io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.listen, "listen", onPTY, "`where` the modem is: pty, tcp://127.0.0.1:7000 or unix:///path/of/socket")
	flags.StringVar(&o.kind, "modem", fakemodem.SIM800.Name, "the modem's `kind`: "+strings.Join(kinds(), ", "))
	flags.StringVar(&o.pin, "pin", "", "`PIN` that the SIM asks for (default: none)")
	flags.BoolVar(&o.real, "real", false, "take the times that a real modem takes")
	flags.StringVar(&o.http, "http", "127.0.0.1:0", "loopback `address` of the control page; port 0 takes a free one, \"none\" leaves it out")
	flags.BoolVar(&o.list, "list", false, "print the kinds of modems and the faults, and end")
	flags.Func("fault", "`faults` to begin with: F43,F22:delay=3s:on=+CSQ; may be repeated; -list shows them", func(text string) error {
		faults, err := parseFaults(text)
		o.faults = append(o.faults, faults...)
		return err
	})
	flags.Func("forward", "`inside=outside` lets the modem's data calls reach a server of this machine, as in 10.65.0.1:5683=127.0.0.1:5683; may be repeated", func(text string) error {
		inside, outside, ok := strings.Cut(text, "=")
		if !ok {
			return errors.New("not of the form inside=outside, as in 10.65.0.1:5683=127.0.0.1:5683")
		}
		o.routes = append(o.routes, route{inside, outside})
		return nil
	})
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
	}
	return o, o.check()
}

// check refuses what cannot work.
func (o *options) check() (err error) {
	if _, ok := fakemodem.FindPersonality(o.kind); !ok {
		return fmt.Errorf("there is no modem %q: choose one of %s", o.kind, strings.Join(kinds(), ", "))
	}
	if o.listen != onPTY && !hasMore(o.listen, onTCP) && !hasMore(o.listen, onUnix) {
		return fmt.Errorf("-listen %q is not of the form pty, tcp://host:port or unix:///path", o.listen)
	}
	if o.pin != "" && (len(o.pin) < 4 || len(o.pin) > 8 || strings.Trim(o.pin, "0123456789") != "") {
		return errors.New("-pin takes four to eight digits") // 3GPP TS 51.011 clause 9.3
	}
	if o.http != noPage {
		o.http, err = loopback(o.http)
	}
	return err
}

func hasMore(text, prefix string) bool {
	return strings.HasPrefix(text, prefix) && len(text) > len(prefix)
}

// loopback checks that an address is on this machine alone: the page has no
// password.
func loopback(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("-http %q is not of the form 127.0.0.1:8080, nor %q", address, noPage)
	}
	if host == "localhost" { // a name might lead elsewhere
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return "", fmt.Errorf("-http %q: the control page has no password and is for this machine alone: use 127.0.0.1:%s", address, port)
	}
	return net.JoinHostPort(host, port), nil
}

func kinds() []string {
	var names []string
	for _, p := range fakemodem.Personalities() {
		names = append(names, p.Name)
	}
	return names
}

// list prints what -modem and -fault take.
func list(out io.Writer) {
	fmt.Fprintln(out, "modems (-modem):")
	for _, p := range fakemodem.Personalities() {
		fmt.Fprintf(out, "  %-10s %s %s\n", p.Name, p.Manufacturer, p.Model)
	}
	fmt.Fprintln(out, "\nfaults (-fault):")
	for _, f := range fakemodem.Faults() {
		fmt.Fprintf(out, "  %-5s %s\n", f.ID, f.Name)
		if f.Uses != "" {
			fmt.Fprintf(out, "        %s\n", f.Uses)
		}
	}
	fmt.Fprintf(out, "\nparameters of every fault, as in F22:after=3:delay=5s:text=...\n")
	for _, p := range parameters {
		fmt.Fprintf(out, "  %-12s %s\n", p.name, p.says)
	}
}
