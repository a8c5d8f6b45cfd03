// Package cmux is the multiplexer of 3GPP TS 27.010: many channels on one serial
// line, in both roles and both framings.
//
// The host says AT+CMUX (see Parameters and ParseRanges), hears OK, and gives the line
// to New. Each Open then yields a Channel, which is a line like any other: Read,
// Write, Close, deadlines, SetDTR. The modem's side, also of use in embedded devices
// and fakes, is Serve and Accept. Close ends it all with CLD, and Line gives the line
// back for plain AT. A modem that a crashed host left in multiplexer mode is brought
// back by Recover.
//
// # What happens to data
//
// No octet is dropped by the mux. When a channel holds Config.Buffer octets that nobody
// has read, the other side is asked by MSC to stop this channel, and the other
// channels go on. Only if it goes on sending all the same, by more than can have been
// under way, does the mux stop reading the line. Data frames have no
// sequence numbers and no retransmission in this standard: what the line damages is
// lost, counted by Channel.Losses, and told by Read where Config.LossErrors is set.
// It counts for every open channel: the FCS that tells of it covers the address
// too, so that nothing says whose frame it was (clause 5.2.1.6).
//
// FCoff, which stops all channels at once (clauses 5.4.6.3.5 and 5.4.6.3.6), is
// obeyed and answered, but never sent. What it would protect is a store that the
// channels share, and there is none: each has a buffer of its own, which MSC guards
// (clause 5.4.6.3.7). It would stop the channel for commands for the sake of one
// that nobody reads. When answers of ours wait since the other side does not read,
// it would not read FCoff either. There remains an other side that breaks the rules
// of MSC and keeps those of FCoff, on a line without flow control: there its octets
// may overrun the port, which counts as damage.
//
// # Priorities
//
// Which frame goes next is decided when the line is free for it: control messages,
// then the channel with the lowest priority number, equal ones in turn. On a fast line
// many frames go into one Write; on a slow line each goes alone. For that, Write on
// the line must block while the line is busy; where a driver buffers, set
// Config.Speed.
//
// # Peculiar modems
//
// Some modems ignore AT on the second channel until the first was used (u-blox
// SARA-R410): exchange one AT on the first DLCI before the others. Some dump old
// notifications on a channel just opened: Config.Flush. Some speak of an N1 that they
// cannot keep: Config.MaxFrame, ErrDamaged.
//
// # Limits and cancellation
//
// Every wait has a limit: T1 and T2 with N2 repeats, Config.CloseTimeout,
// Config.FlowTimeout, deadlines, contexts. A cancelled Open sends DISC for what it had
// begun. Frames are bounded by Config.MaxFrame, channels by 61, channels not yet
// accepted by 64.
package cmux
