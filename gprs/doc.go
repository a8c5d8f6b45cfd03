// Package gprs is a cellular modem as a radio and as a way to the network:
// SIM, registration, operators, signal and clock on one side, packet data on
// the other. It works on an at.Commander, so on a line, on a channel of the
// multiplexer and on a session's modem alike.
//
// A [Radio] answers what the modem knows and tells by [Radio.Events] when it
// changes: [Radio.Unlock], [Radio.WaitRegistered], [Radio.Signal]. Registration
// is one merged view of the four domains. A [Bearer] makes packet data of it:
// [Bearer.Connect] attaches, dials and brings PPP and a TCP/IP stack up, or the
// sockets inside the modem, [Bearer.DialContext] connects through whichever it
// is, and [Bearer.Disconnect] ends it with the modem in a proven command mode.
// [Contexts] has the commands for contexts one by one.
//
// What differs between modems is in [Quirks], plain data that package
// session/profile fills in; nil is a modem that keeps to the standard. What a
// modem sends is read by functions without state, from [ParseRegistration] to
// [ParseContextEvent], which never fail on anything but with an error.
//
// # Waiting and limits
//
// Everything that waits takes a context and has a limit of its own. Events wait
// in a bounded queue for each listener, who is told how many it lost. PINs and
// passwords are in no error, and their commands are marked so that they are in
// no trace. The last try of a PIN or PUK is never spent.
//
// # References
//
// 3GPP TS 27.007 clauses 7, 8 and 10 for the commands, TS 24.008 annex G for
// causes, TS 31.101 and TS 31.102 for the card; the makers' manuals beside the
// forms that are theirs.
package gprs
