package sms

import (
	"context"
	"log/slog"
	"time"

	"github.com/telemodem/telemodem/sms/tpdu"
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
	// InDoubt is the policy of messages that have none of their own.
	InDoubt DoubtPolicy
	// SettleTime is how long Send waits for a late answer to a part that is
	// in doubt. Zero means 30 s; negative means not at all.
	SettleTime time.Duration
	// RetryPauses are waited before a part is tried again that was refused
	// for a temporary reason. Nil means 2 s, 10 s and 30 s; empty means no
	// second try.
	RetryPauses []time.Duration
	// ReportTime is how long a status report is waited for when the message
	// has no validity. Zero and negative mean 72 h.
	ReportTime time.Duration
	// ServiceCentre is the number to set (+CSCA) where the SIM has none;
	// empty leaves that an error.
	ServiceCentre string
	// Store keeps what must survive a restart: unfinished long messages, what
	// was received, references, receipts of what was sent with StatusReport. Parts of long messages are deleted from the
	// modem as soon as they are in it. Nil keeps all in memory, and all parts
	// of a message in the modem until the handler has returned nil. Then a
	// message cannot have more parts than the storage has places, and when
	// unfinished ones fill it, the oldest is given up with ErrIncomplete.
	Store Store
	// LedgerSize is how many received TPDUs are remembered, to know repeats.
	// Zero means 10,000; negative is taken as zero.
	LedgerSize int
	// LedgerAge is how long they are remembered. Zero means 30 days; negative
	// is taken as zero.
	LedgerAge time.Duration
	// Backlog is how many messages may wait for a handler that refuses them;
	// what comes then stays in the modem or with the network. Zero means
	// 10,000; negative is taken as zero.
	Backlog int
	// Partial bounds what is held of unfinished long messages. What is given
	// up is handed over with ErrIncomplete.
	Partial tpdu.ReassemblerConfig
	// SilenceLimit is how long nothing may arrive, once something has, before
	// Receive sets storages and notifications again and tells EventStalled.
	// Zero means 24 h; negative means never.
	SilenceLimit time.Duration
	// OnEvent gets what a machine without an operator should note. It is
	// called from the Service's goroutines and must not wait. Nil drops it.
	OnEvent func(Event)
	// Ports are handlers of messages to application ports, in place of the
	// handler that Receive was given; they obey the same rules.
	Ports map[uint16]func(context.Context, Incoming) error
	// Broadcasts are the cell broadcast messages to receive (+CSCB); nil leaves
	// that as it is in the modem. While Receive runs, OnBroadcast gets each
	// once, when all its pages have come; its repetitions within 24 h are
	// dropped. It must not wait, and may be called by two goroutines at once.
	// At most 16 unfinished broadcasts are held, for about 10 min; one that is
	// given up comes with ErrIncomplete. Broadcasts are not stored: what comes
	// while nobody listens is lost, unless the network repeats it.
	Broadcasts  []BroadcastRange
	OnBroadcast func(Broadcast)
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
	// Direct asks the modem to hand messages over by +CMT, to be acknowledged by
	// +CNMA, instead of storing them. It needs a Store and Phase 2+ (+CSMS=1);
	// where they are missing, messages are stored. The network waits 12 s for
	// an acknowledgment, which goes ahead of other commands but not of one that
	// runs, such as a +CMGS that waits for the network: use a channel of the
	// multiplexer for it, or leave it off.
	Direct bool
	// TextMode is for modems without PDU mode: +CMGF=1. What it has no form for
	// is refused with ErrTextMode: see TextHeaders. Incoming.TPDUs are put
	// together from what the modem tells. Direct and Broadcasts have no effect.
	TextMode bool
	// TextHeaders says that the modem takes user data with a header in text
	// mode, as TS 27.005 clause 3.5.1 has it: bit 6 of <fo>, and hexadecimal
	// digits. Then TextMode has long messages, in UCS-2 with 67 characters a
	// part, ports and indications; modems that ignore the bit would send
	// rubbish. Without it a text has 160 characters of the GSM alphabet or 70
	// others, and data 140 octets.
	TextHeaders bool
	// CharacterSet is +CSCS for TextMode: "GSM", "IRA" or "UCS2". Empty takes
	// the first of UCS2, GSM and IRA that +CSCS=? offers and the modem confirms.
	// A text that it does not carry is refused with ErrTextMode: GSM does not
	// carry anything behind ESC, such as €, [ and ], nor Ξ, ò and CR; IRA
	// carries ASCII, as far as it is in the GSM alphabet. UCS2 carries
	// everything, and what is not in the GSM alphabet is sent in every set.
	CharacterSet string
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

func (c *Config) ledgerSize() int { return positive(c.LedgerSize, 10_000) }

func (c *Config) backlog() int { return positive(c.Backlog, 10_000) }

func (c *Config) ledgerAge() time.Duration { return positive(c.LedgerAge, 30*24*time.Hour) }

func (c *Config) silenceLimit() time.Duration {
	if c.SilenceLimit == 0 {
		return 24 * time.Hour
	}
	return c.SilenceLimit
}

func (c *Config) settleTime() time.Duration {
	if c.SettleTime == 0 {
		return 30 * time.Second
	}
	return c.SettleTime
}

func (c *Config) retryPauses() []time.Duration {
	if c.RetryPauses != nil {
		return c.RetryPauses
	}
	return []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second}
}

// reportTime is how long reports of a message with a validity are waited for.
func (c *Config) reportTime(validity time.Duration) time.Duration {
	switch {
	case validity > 0:
		return validity + time.Hour // the report has a way of its own
	case c.ReportTime <= 0:
		return 72 * time.Hour
	}
	return c.ReportTime
}
