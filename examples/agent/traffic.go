package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
)

// traffic returns a logger that shows the AT dialogue of one modem on standard
// error, as the bytes went: > to the modem, < from it.
func traffic(who string) *slog.Logger { return slog.New(dialogue(who)) }

// dialogue is a slog.Handler for the records of an at.Config.Logger.
type dialogue string

func (d dialogue) Enabled(context.Context, slog.Level) bool { return true }
func (d dialogue) WithAttrs([]slog.Attr) slog.Handler       { return d }
func (d dialogue) WithGroup(string) slog.Handler            { return d }

func (d dialogue) Handle(_ context.Context, r slog.Record) error {
	direction, data := "!", r.Message
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "dir":
			direction = a.Value.String()
		case "data":
			data = a.Value.String()
		}
		return true
	})
	_, err := fmt.Fprintf(os.Stderr, "         %-9s %s %s\n", string(d), direction, strconv.Quote(data))
	return err
}
