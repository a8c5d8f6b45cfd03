package sms

import (
	"log/slog"
	"time"
)

// Config holds what is chosen when a Service is made. A nil *Config is a sound
// choice for a modem that follows 3GPP TS 27.005.
type Config struct {
	// Quirks is what this modem does differently; the zero value is a modem
	// that follows the standard. Profiles fill it.
	Quirks Quirks
	// SendTimeout bounds the wait for the result of one part. Zero means 120 s
	// (twice the 60 s that the SIM800 manual names for +CMGS); negative leaves
	// the bound to the context.
	SendTimeout time.Duration
	// CommandTimeout bounds every other command. Zero means 30 s (a SIM800
	// takes up to 25 s to list or delete); negative leaves it to the context.
	CommandTimeout time.Duration
	// SweepInterval is the pause between two looks through all storages for
	// messages whose notification was lost. Zero means 5 min; negative means
	// one sweep at the start of Receive and none after it.
	SweepInterval time.Duration
	// Logger gets what the Service does and what it met. Message texts and
	// numbers are not logged. Nil logs nothing.
	Logger *slog.Logger
}

// Quirks is what a modem does differently from 3GPP TS 27.005, as data.
type Quirks struct {
	// Storages are the message storages to use, best first. Nil takes what
	// +CPMS=? offers, "ME" before "SM" before "MT".
	Storages []string
	// IndicationModes are the values of <mode> in +CNMI to choose from, best
	// first. Nil means 2, 1, 3, 0: 2 buffers notifications while the line is
	// in data mode.
	IndicationModes []int
	// MoreMessages says that the modem knows +CMMS and keeps the link to the
	// network open between the parts of a long message.
	MoreMessages bool
	// PromptGap is waited between the prompt and the PDU (u-blox: 50 ms).
	PromptGap time.Duration
}

func (c *Config) sendTimeout() time.Duration    { return limit(c.SendTimeout, 120*time.Second) }
func (c *Config) commandTimeout() time.Duration { return limit(c.CommandTimeout, 30*time.Second) }

func (c *Config) sweepInterval() time.Duration {
	if c.SweepInterval == 0 {
		return 5 * time.Minute
	}
	return c.SweepInterval
}

// limit gives the default for zero and a bound out of reach for a negative
// value: at.Command has no way to say "no bound", its context has.
func limit(d, def time.Duration) time.Duration {
	switch {
	case d == 0:
		return def
	case d < 0:
		return 24 * time.Hour
	}
	return d
}

func (c *Config) indicationModes() []int {
	if c.Quirks.IndicationModes != nil {
		return c.Quirks.IndicationModes
	}
	return []int{2, 1, 3, 0}
}

func (c *Config) storages() []string {
	if c.Quirks.Storages != nil {
		return c.Quirks.Storages
	}
	return []string{"ME", "SM", "MT"}
}
