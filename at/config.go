package at

import (
	"log/slog"
	"time"
)

// Config holds what is chosen when an engine is started on a line. A nil
// *Config is a sound choice. New copies it; the slices must not be changed
// afterwards.
type Config struct {
	// AnswerTimeout bounds a command that has no Timeout of its own, from the
	// call to its final result. Zero means 10 s; negative means no bound.
	AnswerTimeout time.Duration

	// LineLimit is the longest line and the longest Body in octets. A longer
	// line is dropped, and the command whose answer it is fails with
	// ErrTooLong. Zero means 65,536; negative is taken as zero.
	LineLimit int

	// AnswerLimit bounds all information lines and bodies of one answer
	// together, in octets; beyond it the command fails with ErrTooLong. Zero
	// means 4 MiB; negative is taken as zero.
	AnswerLimit int

	// QueueLimit is the number of notifications that wait for one subscriber;
	// beyond it the oldest is lost and counted. Zero means 1,024; negative is
	// taken as zero.
	QueueLimit int

	// Notifications are the modem's unsolicited lines. They are delivered as
	// KindKnown and never become part of an answer without a name; rules with
	// a Body collect the lines or octets behind them. +CMT, +CDS and +CBM are
	// always known (3GPP TS 27.005 clause 3.4.1).
	Notifications []NotificationRule

	// Finals are the modem's own final result codes, besides those of V.250,
	// TS 27.007, TS 27.005 and the well-known ones of vendors.
	Finals []FinalRule

	// BootMessages are lines that tell that the modem has started. Out of
	// turn they end the running command with ErrRebooted. Nil means "RDY",
	// "APP RDY", "^SYSSTART" and "+CFUN: 1"; empty means none.
	BootMessages []string

	// Probes are read commands whose answer begins with their own name, used
	// in turn to find the place again. Nil means "+CMEE?", "+CREG?" and
	// "+CSCS?".
	Probes []string

	// ProbeTimeout bounds the wait for the answer to one probe; three are
	// made. Zero means 1 s; negative is taken as zero.
	ProbeTimeout time.Duration

	// Quiet is the silence that shows that the modem has finished talking,
	// before a probe; half of it must follow the answer. Zero means 200 ms;
	// negative is taken as zero.
	Quiet time.Duration

	// Pacing is the least time between a final result and the next command.
	// Zero and negative mean none. u-blox modules want 20 to 100 ms.
	Pacing time.Duration

	// EscapeGuard is the silence before and after +++ (register S12 of the
	// modem, in units of 1/50 s there). Zero means 1.1 s, which suits the
	// usual S12 of 50; negative means none.
	EscapeGuard time.Duration

	// HangupTimeout bounds DataCall.Close as a whole. Zero means 30 s;
	// negative is taken as zero.
	HangupTimeout time.Duration

	// Trace records the bytes of both directions. Nil means no trace.
	Trace *Recorder

	// Logger gets one record at level Debug for each chunk of bytes, and at
	// level Warn what the engine had to repair. Nil means none. Its handler
	// runs on a goroutine of its own and delays nothing.
	Logger *slog.Logger
}

// NotificationRule names an unsolicited line and what belongs to it.
type NotificationRule struct {
	// Prefix begins the line, as in Commander.Handle.
	Prefix string
	// Body tells what follows the line. Nil means nothing. MessageBody suits
	// +CMT, +CDS and +CBM.
	Body func(line string) Body
}

// FinalRule is a final result code of a vendor.
type FinalRule struct {
	// Text is the whole line, or its beginning if it ends in ":" or a blank.
	Text string
	// Success says that the result is not a failure. A failure is reported
	// as a ResultError.
	Success bool
}

// Values of Config where it leaves a field zero.
const (
	defaultAnswerTimeout = 10 * time.Second
	defaultLineLimit     = 64 << 10
	defaultAnswerLimit   = 4 << 20
	defaultQueueLimit    = 1024
	defaultProbeTimeout  = time.Second
	defaultQuiet         = 200 * time.Millisecond
	defaultEscapeGuard   = 1100 * time.Millisecond
	defaultHangupTimeout = 30 * time.Second

	// bodyTimeout bounds the wait for what belongs to a notification: the
	// modem sends both in one go.
	bodyTimeout = 2 * time.Second
	// promptTimeout bounds the wait for a prompt without a Timeout of its own.
	promptTimeout = 10 * time.Second
	// abortTimeout bounds the wait for the result of an aborted command.
	abortTimeout = 5 * time.Second
	// drainLimit ends the wait for quiet.
	drainLimit = 2 * time.Second
	// settleLimit bounds the silence that must follow a probe's answer, and ends
	// the wait for it where the modem goes on talking.
	settleLimit = 10 * time.Second
	// probeRounds is how often the place is looked for before giving up.
	probeRounds = 3
	// extraGrace is how long a result without the awaited information waits
	// for it, in case it was a second result of the command before.
	extraGrace = 50 * time.Millisecond
	// bootSettle is the time in which a modem that starts prints its several
	// different boot messages.
	bootSettle = 5 * time.Second
	// handlerGrace bounds how long Close waits for running handlers.
	handlerGrace = time.Second
)

var (
	defaultBootMessages = []string{"RDY", "APP RDY", "^SYSSTART", "+CFUN: 1"}
	defaultProbes       = []string{"+CMEE?", "+CREG?", "+CSCS?"}
	messageRules        = []NotificationRule{{"+CMT", MessageBody}, {"+CDS", MessageBody}, {"+CBM", MessageBody}}
	defaultConfig       = fillConfig(Config{})
)

// resolved returns a copy of c in which every field has its effective value.
func (c *Config) resolved() *Config {
	if c == nil {
		return defaultConfig
	}
	return fillConfig(*c)
}

func fillConfig(r Config) *Config {
	if r.AnswerTimeout == 0 {
		r.AnswerTimeout = defaultAnswerTimeout
	}
	if r.EscapeGuard == 0 {
		r.EscapeGuard = defaultEscapeGuard
	}
	positive(&r.LineLimit, defaultLineLimit)
	positive(&r.AnswerLimit, defaultAnswerLimit)
	positive(&r.QueueLimit, defaultQueueLimit)
	positive(&r.ProbeTimeout, defaultProbeTimeout)
	positive(&r.Quiet, defaultQuiet)
	positive(&r.HangupTimeout, defaultHangupTimeout)
	if r.BootMessages == nil {
		r.BootMessages = defaultBootMessages
	}
	if len(r.Probes) == 0 {
		r.Probes = defaultProbes
	}
	return &r
}

func positive[T int | time.Duration](field *T, otherwise T) {
	if *field <= 0 {
		*field = otherwise
	}
}

// rule returns the rule for a notification line.
func (c *Config) rule(line []byte) (NotificationRule, bool) {
	for _, list := range [...][]NotificationRule{c.Notifications, messageRules} {
		for _, r := range list {
			if hasName(line, r.Prefix) {
				return r, true
			}
		}
	}
	return NotificationRule{}, false
}

// isBoot tells whether the line is a boot message.
func (c *Config) isBoot(line []byte) bool {
	for _, text := range c.BootMessages {
		if string(line) == text {
			return true
		}
	}
	return false
}

// limit returns how long a command may take; no bound is a negative value.
func (c *Config) limit(cmd *Command) time.Duration {
	if cmd.Timeout != 0 {
		return cmd.Timeout
	}
	return c.AnswerTimeout
}
