// Simulator puts one simulated modem on a pseudo-terminal and prints its path,
// so that any program can use it as a serial modem: a terminal, gammu, the
// agent beside it. With -listen it is on TCP or on a unix socket. What is typed
// on standard input reaches the modem as SMS from a telephone, and what the
// modem sends to that number is printed.
//
// A control page on loopback, whose address is printed, moves the signal and
// the coverage, injects faults, plays the telephone and shows the AT dialogue
// as it happens.
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
	"sync"
	"syscall"
	"time"

	"github.com/telemodem/telemodem/fakemodem"
)

// phoneNumber is the telephone in the user's hand, from the range for fiction.
const phoneNumber = "+15555550123"

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
	if o.list {
		list(out)
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := simulate(ctx, o, in, out); err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		return 1
	}
	return 0
}

// simulate runs the modem until ctx ends.
func simulate(ctx context.Context, o options, in io.Reader, out io.Writer) error {
	config := &fakemodem.Config{}
	if o.real {
		config.Timing = fakemodem.TimingReal
	}
	network := fakemodem.NewNetwork(config)
	defer network.Close()
	control, modem := newControl(network, o), network.Modems()[0]
	events := newHub()
	defer modem.Watch(newDialogue(events, o.pin).take)()
	for _, f := range o.faults {
		if err := control.inject(f); err != nil {
			return err
		}
	}
	for _, r := range o.routes {
		if err := network.Forward(r.inside, r.outside); err != nil {
			return fmt.Errorf("-forward %s=%s: %w", r.inside, r.outside, err)
		}
	}
	place, err := expose(modem, o.listen)
	if err != nil {
		return err
	}
	control.setPlace(place)
	fmt.Fprintln(out, place)
	fmt.Fprintf(out, "a %s with the number %s; lines typed here come to it as SMS from %s; end with Ctrl-C\n",
		modem.Personality().Name, modem.Number(), phoneNumber)

	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	if o.http != noPage {
		page, err := servePage(ctx, o.http, control, events)
		if err != nil {
			return err
		}
		defer page.close()
		fmt.Fprintf(out, "control page: %s\n", page.url)
	}
	if o.listen == onPTY {
		running.Go(func() { followPlug(ctx, modem, control, out) })
	}
	go typed(in, out, control.phone, modem.Number()) // ends with the process: a read of a terminal cannot be stopped
	return receive(ctx, control.phone, events, out)
}

// receive hands on what the phone gets until ctx ends.
func receive(ctx context.Context, phone *fakemodem.Phone, events *hub, out io.Writer) error {
	for {
		message, err := phone.Receive(ctx)
		if err != nil {
			return nil // the user has ended it
		}
		events.publish(eventMessage, received(message, time.Now()))
		fmt.Fprintf(out, "SMS from %s: %s\n", message.From, message.Text)
	}
}

// expose makes the modem reachable and returns where.
func expose(modem *fakemodem.Modem, listen string) (string, error) {
	if path, ok := strings.CutPrefix(listen, onUnix); ok {
		return listen, modem.ListenUnix(path)
	}
	if address, ok := strings.CutPrefix(listen, onTCP); ok {
		bound, err := modem.ListenTCP(address)
		if err != nil {
			return "", err
		}
		return onTCP + bound.String(), nil
	}
	path, err := modem.PTY()
	if err != nil {
		return "", fmt.Errorf("%w; -listen tcp://127.0.0.1:7000 works everywhere", err)
	}
	return path, nil
}

// plugPoll is how often followPlug looks: shorter than any unplugging takes.
const plugPoll = 50 * time.Millisecond

// followPlug gives the modem a new pseudo-terminal when it comes back from
// the faults F95 and F97, as a USB modem comes back under another name.
func followPlug(ctx context.Context, modem *fakemodem.Modem, control *control, out io.Writer) {
	look := time.NewTicker(plugPoll)
	defer look.Stop()
	for was := true; ; {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		is := modem.Plugged()
		if is && !was {
			path, err := modem.PTY()
			if err != nil {
				fmt.Fprintln(out, "the modem is plugged in again, but:", err)
				return
			}
			control.setPlace(path)
			fmt.Fprintln(out, "plugged in again:", path)
		}
		was = is
	}
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
