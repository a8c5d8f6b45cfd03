// Package session keeps one modem working: it opens the line, finds out which
// modem is on it, sets it up, opens its SIM, watches it, and brings it back
// when it misbehaves.
//
// Open returns a Session when the modem is usable. Session.SMS sends and
// receives messages, Session.DialContext makes a data call when it is needed
// and connects through it, Session.Radio tells of SIM, registration and
// signal. A Session is itself an at.Commander that outlives the modem behind
// it: while one is being brought back, commands wait within their context, and
// what was subscribed stays subscribed. Status and Events tell what goes on.
//
// What differs between modems is data in package session/profile. Where the
// profile has 3GPP TS 27.010 multiplexing, commands and messages go on during
// a data call; elsewhere they get at.ErrDataMode until it has ended.
//
// # Recovery
//
// After a reboot of the modem all settings are made again. A line that was
// lost, or a modem that stopped answering, is closed and opened again, with
// growing and jittered pauses in the spirit of GSMA TS.34; a modem that does
// not answer then is taken for one that a crash left multiplexing or in a data
// call, and brought out of that. A network that stays away is looked for anew,
// ever more rarely. A PIN that was refused ends the session: trying again
// would lock the SIM, and the last try is never spent.
//
// Every wait has a context and a limit. Close ends the data call, stops the
// multiplexer, frees the line, and waits for every goroutine.
package session
