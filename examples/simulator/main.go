// Simulator puts one simulated modem on a pseudo-terminal and prints its path,
// so that any program can use it as a serial modem: a terminal, gammu, the
// agent beside it. With -listen it is on TCP. What is typed on standard input
// reaches the modem as SMS from a telephone, and what the modem sends to that
// number is printed.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/telemodem/telemodem/fakemodem"
)

// phoneNumber is the telephone in the user's hand, from the range for fiction.
const phoneNumber = "+15555550123"

type options struct {
	listen string
	kind   string
	pin    string
	real   bool
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout)) }

func run(args []string, in io.Reader, out io.Writer) int {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := simulate(ctx, o, in, out); err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		return 1
	}
	return 0
}

func parse(args []string, out io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.listen, "listen", "", "`address` on TCP in place of a pseudo-terminal: tcp://127.0.0.1:7000")
	flags.StringVar(&o.kind, "modem", fakemodem.SIM800.Name, "the modem's `kind`: "+strings.Join(kinds(), ", "))
	flags.StringVar(&o.pin, "pin", "", "`PIN` that the SIM asks for (default: none)")
	flags.BoolVar(&o.real, "real", false, "take the times that a real modem takes")
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
	if _, ok := fakemodem.FindPersonality(o.kind); !ok {
		return o, fmt.Errorf("there is no modem %q: choose one of %s", o.kind, strings.Join(kinds(), ", "))
	}
	if o.listen != "" && !strings.HasPrefix(o.listen, "tcp://") {
		return o, fmt.Errorf("-listen %q is not of the form tcp://host:port", o.listen)
	}
	return o, nil
}

func kinds() []string {
	var names []string
	for _, p := range fakemodem.Personalities() {
		names = append(names, p.Name)
	}
	return names
}

func simulate(ctx context.Context, o options, in io.Reader, out io.Writer) error {
	config := &fakemodem.Config{}
	if o.real {
		config.Timing = fakemodem.TimingReal
	}
	network := fakemodem.NewNetwork(config)
	defer network.Close()
	kind, _ := fakemodem.FindPersonality(o.kind)
	var choices []fakemodem.Option
	if o.pin != "" {
		choices = append(choices, fakemodem.WithPIN(o.pin))
	}
	modem := network.NewModem(kind, choices...)
	place, err := expose(modem, o.listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, place)
	phone := network.Phone(phoneNumber)
	fmt.Fprintf(out, "a %s with the number %s; lines typed here come to it as SMS from %s; end with Ctrl-C\n",
		kind.Name, modem.Number(), phoneNumber)
	go typed(in, out, phone, modem.Number()) // ends with the process: a read of a terminal cannot be stopped
	for {
		message, err := phone.Receive(ctx)
		if err != nil {
			return nil // the user has ended it
		}
		fmt.Fprintf(out, "SMS from %s: %s\n", message.From, message.Text)
	}
}

// expose makes the modem reachable and returns where.
func expose(modem *fakemodem.Modem, listen string) (string, error) {
	if listen == "" {
		path, err := modem.PTY()
		if err != nil {
			return "", fmt.Errorf("%w; -listen tcp://127.0.0.1:7000 works everywhere", err)
		}
		return path, nil
	}
	address, err := modem.ListenTCP(strings.TrimPrefix(listen, "tcp://"))
	if err != nil {
		return "", err
	}
	return "tcp://" + address.String(), nil
}

// typed sends each line of in to the modem.
func typed(in io.Reader, out io.Writer, phone *fakemodem.Phone, to string) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if text := strings.TrimSpace(lines.Text()); text != "" {
			if err := phone.Send(to, text); err != nil {
				fmt.Fprintln(out, "not sent:", err)
			}
		}
	}
}
