package at

import "time"

// Command is one command line and what is known of its answer. The zero value
// of every field but Text is a sound choice for an ordinary command.
//
// A Command is a value: it may be copied and used again.
type Command struct {
	// Text is the command line without the AT in front and without the CR
	// behind it: "+CSQ", "E0", "+CREG=2;+CREG?". A control character in it is
	// an error before anything is written.
	Text string

	// Prefixes are the names that begin the answer's information lines, as
	// "+CSQ". Nil takes the names in Text.
	Prefixes []string

	// FreeText says that lines without a known prefix belong to the answer
	// too, as those of +CGMI do. A line that begins with a prefix that is a
	// notification by profile or subscription still is a notification.
	FreeText bool

	// Accept decides on a line that begins with one of Prefixes and can be a
	// notification as well (+CREG: 1 or +CREG: 2,1): true makes it part of
	// this answer. Nil takes the engine's rule by shape.
	Accept func(line string) bool

	// Body tells what follows an information line: nothing (the zero Body),
	// lines (the PDU behind +CMGR) or raw octets (+QIRD: 12). Nil means that
	// nothing follows.
	Body func(line string) Body

	// Prompt is what to do when the modem asks for data (+CMGS, +CIPSEND).
	// Nil: the command has no prompt.
	Prompt *Prompt

	// Stages are further lines to wait for behind the final result code, in
	// order, as the +QIOPEN: 0,0 behind the OK of AT+QIOPEN.
	Stages []Stage

	// Finals are result codes of this command alone, besides the general
	// ones: "SHUT OK", "NORMAL POWER DOWN". A line equal to one of them ends
	// the command with success.
	Finals []string

	// Fails are result codes of this command alone that report a failure:
	// "SEND FAIL", "CONNECT FAIL". They end it with a ResultError.
	Fails []string

	// NoFinal says that the modem ends the answer with an information line
	// and no result code (AT+CIFSR of a SIM800).
	NoFinal bool

	// Timeout bounds the call as a whole: queueing, writing, prompting,
	// answering, aborting. Zero means the engine's AnswerTimeout for this
	// command; negative means no bound. A context that ends earlier wins.
	Timeout time.Duration

	// Abortable says that the modem lets this command be ended by any
	// character while it runs (ITU-T V.250 5.6.1), as an operator scan. A
	// waiting command of higher priority may then abort it; the engine runs
	// it again afterwards, within Timeout.
	Abortable bool

	// Reboots says that the command makes the modem start again, so that a
	// boot message in place of the final result is a success. Implied for
	// +CFUN.
	Reboots bool

	// Priority orders the commands that wait for the line.
	Priority Priority

	// Sensitive keeps the text and the prompt data out of errors, logs and
	// traces: a PIN, a password, a key.
	Sensitive bool
}

// Priority orders commands that wait for the line; equals go in order of asking.
type Priority int8

// Priorities. Acknowledge is for what the network waits for within seconds
// (+CNMA); Background for what may wait (polling, scans).
const (
	PriorityBackground  Priority = -1
	PriorityNormal      Priority = 0
	PriorityAcknowledge Priority = 1
)

// Prompt is the data that a command sends when the modem asks for it.
type Prompt struct {
	// Mark is what the modem prints to ask. Empty means "> " in any of its
	// forms ("\r\n> ", ">", ">\r\n"); others are "@" and "CONNECT".
	Mark string
	// Data is sent as it is.
	Data []byte
	// End is sent behind Data and ends the entry: for SMS 0x1A (Ctrl-Z).
	// Empty for entries of a fixed length.
	End []byte
	// Fixed says that the entry ends by count alone. One that is abandoned
	// before its end has to be filled up, since ESC would be taken as data;
	// the engine fills it with Data itself, so it counts as DataWritten.
	Fixed bool
	// Gap is waited between the mark and the data (u-blox: 50 ms).
	Gap time.Duration
	// Timeout bounds the wait for the mark. Zero means 10 s; negative leaves
	// the bound to Command.Timeout.
	Timeout time.Duration
}

// Body is what follows an information line.
type Body struct {
	// Lines is the number of text lines that belong to the line before them.
	Lines int
	// Hex says that the Lines consist of hexadecimal digits, as a PDU does. A
	// line that does not is no part of the body, but one that tore in.
	Hex bool
	// TPDU is the announced length of a PDU in octets without the service
	// centre address in front, 0 if unknown. It helps to tell two bodies apart.
	TPDU int
	// Octets is the number of raw octets that follow the line end, read
	// exactly and never scanned for lines.
	Octets int
	// Text is the number of octets of message text that follow the line end,
	// line breaks inside included, with a line end of its own behind it (an
	// SMS in text mode with +CSDH=1, whose length is announced).
	Text int
	// Quoted says that the Octets stand inside the line, between quotes, as in
	// +USORD: 0,12,"…". The engine then asks Body as soon as the line so far
	// ends in `,"`, and the line goes on behind the closing quote.
	Quoted bool
}

// Stage is a line to wait for after the final result code.
type Stage struct {
	// Match tells whether a line is the awaited one and whether it reports a
	// failure: a non-nil error ends the command with it.
	Match func(line string) (matched bool, err error)
	// Timeout bounds the wait for this stage from the end of the one before.
	// Zero leaves the bound to Command.Timeout.
	Timeout time.Duration
}
