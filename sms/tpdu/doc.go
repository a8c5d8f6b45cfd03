// Package tpdu turns short messages into the octets that modems and networks
// exchange, and back: the TPDUs of 3GPP TS 23.040, the alphabets of 3GPP TS
// 23.038, and the hexadecimal PDUs of 3GPP TS 27.005. It does no input or
// output and knows no clock.
//
// # Sending
//
// [Split] cuts a text into [Parts] and says which alphabet it took and why;
// [SplitData] cuts 8-bit data. Each part's [UserData] goes into a [Submit] with
// the [DCS] of the parts; [Submit.AppendBinary] makes the TPDU, whose length is
// what AT+CMGS announces, and [AppendHex] the line for its prompt.
//
// # Receiving
//
// [DecodeHex] takes the line of +CMT, +CMGR or +CDS apart into the service
// centre's address and the TPDU. [Deliver.Decode] or [StatusReport.Decode]
// reads the TPDU, or [Decode] whichever it is. [Header.Concat] tells whether it
// is part of a longer message; [TextDecoder] and
// [UserData.AppendText] make text of it.
//
// All six types work in both directions, so that the service centre's side can
// be written too.
//
// # Memory
//
// Functions named Append write into the slice they are given and allocate only
// if it is too small. Decode methods fill a struct of the caller's whose slices
// alias the input: copy what must outlive it ([UserData.Clone]). A [Parts] used
// again reuses its memory. Nothing here starts goroutines; values are not for
// use by several goroutines at once unless nobody changes them.
//
// # What the decoder lets pass
//
// Real networks and modems send TPDUs that break the standard in a few known
// ways. These are accepted:
//
//   - Octets after the end that TP-UDL or TP-CDL announces are left out. Some modems
//     return a SIM record with its filler.
//   - A TP-UDL larger than what is there: the user data is what came and
//     [UserData].Truncated says so.
//   - Addresses of length 0, an address's type octet without its top bit, the
//     filler 1111 anywhere in a number, and anything in its place.
//   - Time stamps that are no date: they are kept, [Timestamp.Time] says what is
//     wrong.
//   - Reserved values of TP-DCS, TP-PID, TP-ST and TP-FCS, read as the standard
//     says; the reserved TP-MTI towards a mobile, read as SMS-DELIVER.
//   - A header whose last element runs past its end is ignored as a whole
//     ([Header]), an element of a wrong length or with senseless values by itself.
//   - Text: septets without a character, lone halves of surrogate pairs, an odd
//     last octet of UCS-2, an escape or half a pair at the end of a part.
//
// Anything else is an *[Error] that names the octet and the field.
package tpdu
