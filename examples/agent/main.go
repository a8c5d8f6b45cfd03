// Agent reads values of the machine it runs on and brings them to a collector,
// each exactly once: over a data call of a cellular modem, over SMS when there
// is none.
//
// Without flags it runs against a simulated network, loses its coverage for
// data half-way, and ends with a table. With -modem it uses a real modem. The
// exit status is 0 only if nothing was lost or doubled.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() { os.Exit(run()) }

func run() int {
	o, err := parseOptions(os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	job := simulate
	if o.modem != "" {
		job = operate
	}
	if err := job(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", oneLine(err))
		return 1
	}
	return 0
}

// oneLine is an error as a person wants it: joined errors in one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
