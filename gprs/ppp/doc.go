// Package ppp carries IP over a serial line, in the process and without the
// kernel: the Point-to-Point Protocol, as the terminal that dials a network
// and as the network that is dialled.
//
// Dial and Serve take a stream, such as the data mode of a modem, and bring a
// link up on it: LCP (RFC 1661) in HDLC-like framing (RFC 1662), then PAP (RFC
// 1334), CHAP (RFC 1994) or MS-CHAPv2 (RFC 2759) if one side asks for it, then
// IPCP (RFC 1332, with the name servers of RFC 1877) and IPV6CP (RFC 5072).
// The Conn that they return is a Link: whole packets in and out, addresses,
// MTU. A stack such as package netstack, or a kernel interface, goes on top.
// Config chooses what differs; nil will do.
//
// A link ends by Close, by the peer, by the stream, or since the peer no
// longer answers the echo requests that go out every Config.EchoInterval.
// Config with a negative one sends none, as modems need that sleep between
// packets. Done and Err tell of the end, whatever it was. An end is clean
// where the line allows it: a Terminate-Request and its Ack, or its limit.
// Then the stream is its owner's again and a link can be brought up on it anew.
//
// # Limits
//
// Everything received is bounded: frames by the MRU, waiting packets by
// Config.ReceiveQueue, negotiations by the counters and timers of RFC 1661
// section 4.6 and by Config.StartTimeout. What comes on top is dropped and
// counted in Stats. Sending waits for the line, and no more is queued than the
// line takes in a few tens of milliseconds, so that a slow line does not fill
// with old packets. Header compression (Van Jacobson), multilink, data
// compression and callback are refused.
//
// # What the modem says
//
// NO CARRIER on a line of its own, where no frame is open, ends the link with
// ErrNoCarrier; within a frame it is data. A line that gives back what we
// send, as a modem in command mode does, ends it with ErrLoopback.
package ppp
