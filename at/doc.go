// Package at drives a modem by AT commands (ITU-T V.250, 3GPP TS 27.007 and
// 27.005) on one line: a serial port, a multiplexer channel, a connection.
//
// New takes the line and returns a [Modem]. [Modem.Command] runs one command
// and returns its [Response]; [Response.Args] reads the fields of an
// information line. [Modem.Handle] subscribes to notifications (unsolicited
// result codes). [Modem.Dial] turns the line into a byte stream, a [DataCall],
// until its Close has brought the modem back to command mode.
//
// # Whose line is it
//
// One command owns the line at a time. A cancelled one returns at once, but
// keeps the line until its final result has come; when none comes within its
// limit, the engine finds its place again before the next command goes out: it
// ends an open prompt, reads until the modem is quiet and asks a question
// whose answer names itself, so that no late answer is taken for a newer one.
// Lines that arrive late are delivered as [KindLate].
//
// # Limits
//
// Every call is bounded by its context and by [Command.Timeout], which cover
// queueing, writing, prompting and answering. Lines are bounded by
// [Config.LineLimit], answers by [Config.AnswerLimit], each subscriber's queue
// by [Config.QueueLimit]; a subscriber is told what it lost.
//
// # Goroutines
//
// A Modem has two goroutines, one that reads and one that writes, and starts
// others only while a handler runs. The reader never writes and waits for no
// consumer, with the exception of the data of a call. All state is guarded by
// one lock that is never held across a wait: each event (bytes, a command, the
// timer) is a short step of one state machine.
package at
